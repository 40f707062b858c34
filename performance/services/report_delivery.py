"""Reports on their way: each recipient at most once, tried again while the server is away.

A delivery is claimed in the database before it is sent. What ended between claim and answer is
``unknown`` and waits for a person: sending it again might send it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.mime.image import MIMEImage
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.urls import reverse

from analytics.calc.retries import CLAIM, wait_after
from analytics.clients import mail, webhooks
from analytics.errors import BadAnswer, Unavailable
from performance.models import ReportDelivery
from performance.services import mail_rendering, mail_reports

State = ReportDelivery.State


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What a round of deliveries came to."""

    sent: int = 0
    later: int = 0
    failed: int = 0


def is_due(*, now: datetime) -> bool:
    """Return whether a delivery waits that may be tried now."""
    return ReportDelivery.objects.due().filter(due_at__lte=now).exists()


def deliver(*, now: datetime) -> Delivered:
    """Send what is due. Not inside a transaction: each answer is stored as it comes."""
    lost = ReportDelivery.objects.filter(state=State.SENDING, claimed_at__lt=now - CLAIM)
    lost.update(state=State.UNKNOWN, error="It ended while it was being sent.")
    due = ReportDelivery.objects.due().filter(due_at__lte=now)
    counts = {State.SENT: 0, State.QUEUED: 0, State.FAILED: 0}
    for delivery in due.select_related("report").order_by("due_at", "pk"):
        mine = due.filter(pk=delivery.pk).update(
            state=State.SENDING, claimed_at=now, attempts=F("attempts") + 1
        )
        if mine:
            delivery.attempts += 1
            counts[_send(delivery, now)] += 1
    return Delivered(
        sent=counts[State.SENT], later=counts[State.QUEUED], failed=counts[State.FAILED]
    )


def send_again(*, delivery_ids: Sequence[int], now: datetime) -> int:
    """Queue deliveries that failed or whose end is unknown; return how many."""
    ended = ReportDelivery.objects.filter(
        pk__in=delivery_ids, state__in=(State.FAILED, State.UNKNOWN)
    )
    return ended.update(state=State.QUEUED, attempts=0, due_at=now, error="")


def message_to(*, delivery: ReportDelivery) -> EmailMultiAlternatives:
    """Return the mail to one recipient: text, HTML, charts inside, a link to unsubscribe."""
    report = delivery.report
    path = reverse("pages:unsubscribe", args=[mail_reports.token_of(delivery.recipient)])
    link = f"{settings.SITE_URL}{path}"
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    message = EmailMultiAlternatives(
        subject=f"{settings.EMAIL_SUBJECT_PREFIX}{report.subject}",
        body=report.text.replace(mail_rendering.UNSUBSCRIBE, link),
        to=[delivery.recipient],
        headers={
            "Message-ID": f"<report-{report.pk}-{delivery.pk}@{host}>",
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    html = report.html.replace(mail_rendering.UNSUBSCRIBE, link)
    message.attach_alternative(html, "text/html")
    message.mixed_subtype = "related"  # type: ignore[attr-defined]  # undocumented: images inside
    for image in mail_rendering.loaded(report.images):
        part = MIMEImage(image.png, "png")
        part.add_header("Content-ID", f"<{image.name}>")
        part.add_header("Content-Disposition", "inline", filename=f"{image.name}.png")
        message.attach(part)
    return message


def _send(delivery: ReportDelivery, now: datetime) -> State:
    """Send one, store the answer and return the state."""
    fields: dict[str, Any]
    try:
        if delivery.channel == ReportDelivery.Channel.WEBHOOK:
            _post(delivery)
        else:
            mail.send(message_to(delivery=delivery))
    except Unavailable as error:
        said = str(error)[:300] or "no answer"
        wait = wait_after(delivery.attempts, error.retry_after)
        fields = {"state": State.FAILED, "error": said}
        if wait is not None:
            fields = {"state": State.QUEUED, "due_at": now + wait, "error": said}
    except BadAnswer as error:
        fields = {"state": State.FAILED, "error": str(error)[:300] or "refused"}
    else:
        fields = {"state": State.SENT, "sent_at": now, "error": ""}
    ReportDelivery.objects.filter(pk=delivery.pk).update(**fields)
    return State(fields["state"])


def _post(delivery: ReportDelivery) -> None:
    report = delivery.report
    webhooks.post(
        url=delivery.recipient,
        body={
            "edition": report.edition,
            "day": report.day.isoformat(),
            "subject": report.subject,
            "text": report.text.replace(mail_rendering.UNSUBSCRIBE, settings.SITE_URL),
            "content": report.content,
        },
        key=f"report-{delivery.pk}",
    )
