"""Reports by mail: written once a day and edition, queued once per recipient (design §18)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.core import signing
from django.core.validators import URLValidator, validate_email
from django.db import transaction

from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.services import lakes
from performance.models import (
    Edition,
    Incident,
    MailReport,
    ReportDelivery,
    ReportPreference,
)
from performance.services import mail_reading, mail_rendering

SALT = "report.unsubscribe"


class NoRecipients(DomainError):
    """Nobody wants this edition."""


class BadToken(DomainError):
    """The link to unsubscribe was not made here, or was changed."""


@dataclass(frozen=True, kw_only=True)
class Queued:
    """A report and its deliveries: how many are new, how many there are."""

    report: MailReport
    new: int
    all: int


def write(*, edition: str, now: datetime, source: str | None = None) -> MailReport:
    """Return the report of this edition and New York day; written now if there is none.

    What was written stays as it is: a second call the same day returns the same report.
    """
    source = source or lakes.get_active_source()
    today = now.astimezone(sessions.NEW_YORK).date()
    known = MailReport.objects.filter(source=source, edition=edition, day=today).first()
    return known or _write(edition, source, today, now)


def draft(*, edition: str, now: datetime, source: str | None = None) -> MailReport:
    """Return the report as it would be written now; nothing is stored."""
    source = source or lakes.get_active_source()
    return _compose(edition, source, now.astimezone(sessions.NEW_YORK).date(), now)


@transaction.atomic
def queue(*, report: MailReport, now: datetime, recipients: Sequence[str] | None = None) -> Queued:
    """Queue a report for each recipient; once each, however often this is called.

    Args:
        report: Stored.
        now: When it is due.
        recipients: Addresses; by default all that want this edition, and the webhook.

    Raises:
        NoRecipients: There is nobody.
    """
    ways = (
        [(ReportDelivery.Channel.EMAIL, address) for address in recipients]
        if recipients is not None
        else _ways(report.edition)
    )
    if not ways:
        raise NoRecipients(
            f"Nobody wants the edition {report.edition}: set REPORT_RECIPIENTS, or add an "
            "address to the report preferences in the admin."
        )
    before = report.deliveries.count()
    ReportDelivery.objects.bulk_create(
        (
            ReportDelivery(report=report, channel=channel, recipient=recipient, due_at=now)
            for channel, recipient in ways
        ),
        ignore_conflicts=True,
    )
    count = report.deliveries.count()
    return Queued(report=report, new=count - before, all=count)


def get_recipients(*, edition: str) -> list[str]:
    """Return the addresses that want an edition: those of the settings and of preferences.

    An address of the settings that has preferences of its own follows these.
    """
    wanted = dict(ReportPreference.objects.values_list("address", Edition(edition).value))
    given = [address for address in settings.REPORT_RECIPIENTS if wanted.get(address, True)]
    return sorted({*given, *(address for address, wants in wanted.items() if wants)})


def token_of(address: str) -> str:
    """Return the token of an address's link to unsubscribe."""
    return signing.dumps(address, salt=SALT, compress=True)


def address_of(token: str) -> str:
    """Return the address of a token.

    Raises:
        BadToken: It is none of ours.
    """
    try:
        return str(signing.loads(token, salt=SALT))
    except signing.BadSignature as error:
        raise BadToken("This link is damaged: take the one from a newer mail.") from error


def unsubscribe(*, token: str, now: datetime) -> str:
    """Take an address off every edition; return it. Safe to repeat.

    Raises:
        BadToken: The token is none of ours.
    """
    address = address_of(token)
    nothing = dict.fromkeys(Edition.values, False)
    ReportPreference.objects.update_or_create(
        address=address, defaults={**nothing, "unsubscribed_at": now}
    )
    return address


def check_recipients(addresses: Sequence[str]) -> None:
    """Raise ``ValidationError`` for the first address that is none."""
    for address in addresses:
        validate_email(address)


def _write(edition: str, source: str, today: date, now: datetime) -> MailReport:
    report = _compose(edition, source, today, now)
    fields = {
        field.attname: getattr(report, field.attname)
        for field in MailReport._meta.concrete_fields
        if not field.primary_key
    }
    key = {name: fields.pop(name) for name in ("source", "edition", "day")}
    with transaction.atomic():
        stored, created = MailReport.objects.get_or_create(**key, defaults=fields)
        if created:
            ended = [row["id"] for row in report.content["incidents"] if row["closed_at"]]
            Incident.objects.filter(pk__in=ended).update(mentioned_at=now)
    return stored


def _compose(edition: str, source: str, today: date, now: datetime) -> MailReport:
    content = mail_reading.read(edition=edition, source=source, now=now)
    rendered = mail_rendering.render(content)
    newest = content["data_as_of"]
    return MailReport(
        edition=edition,
        day=today,
        as_of=date.fromisoformat(newest) if newest else None,
        subject=rendered.subject,
        content=content,
        html=rendered.html,
        text=rendered.text,
        images=mail_rendering.stored(rendered.images),
        created_at=now,
        source=source,
    )


def _ways(edition: str) -> list[tuple[str, str]]:
    ways: list[tuple[str, str]] = [
        (ReportDelivery.Channel.EMAIL, address) for address in get_recipients(edition=edition)
    ]
    if settings.REPORT_WEBHOOK_URL:
        URLValidator(["http", "https"])(settings.REPORT_WEBHOOK_URL)
        ways.append((ReportDelivery.Channel.WEBHOOK, settings.REPORT_WEBHOOK_URL))
    return ways
