"""Alerts on their way to people: by severity along routes, each at most once, with bounded tries.

A delivery is claimed in the database before anything is sent, so that two workers never send the
same one. What ended between claim and answer is ``unknown`` and waits for a person: sending it
again might send it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F

from analytics.calc.retries import CLAIM, wait_after
from analytics.clients import mail, webhooks
from analytics.errors import BadAnswer, Unavailable
from analytics.models import Alert, AlertChannel, AlertDelivery, AlertKind, AlertRoute, Source
from analytics.models.alerts import SEVERITY_ORDER

KIND: Final = "deliver_alerts"
State = AlertDelivery.State


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What a round of deliveries came to."""

    sent: int = 0
    later: int = 0
    failed: int = 0


def plan(*, alerts: Sequence[Alert], now: datetime) -> int:
    """Queue stored ``alerts`` along the routes that want them; return how many ways there are.

    Planned again, only ways that are new are queued. Simulated alerts go nowhere: nobody is called
    at night about an invented market. Those of health do: workers and disks are never invented.
    """
    routes = list(AlertRoute.objects.filter(active=True)) if alerts else []
    known = AlertDelivery.objects.filter(alert__in=alerts).values_list("alert_id", "route_id")
    planned = set(known) if routes else set()
    wanted = [
        AlertDelivery(alert=alert, route=route, due_at=now)
        for alert in alerts
        for route in routes
        if (alert.source != Source.SIMULATED or alert.kind == AlertKind.HEALTH)
        and (alert.pk, route.pk) not in planned
        and _wants(route, alert)
    ]
    AlertDelivery.objects.bulk_create(wanted, ignore_conflicts=True)
    return len(wanted)


def request(*, now: datetime) -> None:
    """Ask for a round of deliveries."""
    from analytics.services import jobs

    jobs.request(kind=KIND, now=now)


def is_due(*, now: datetime) -> bool:
    """Return whether a delivery waits that may be tried now."""
    return AlertDelivery.objects.filter(state=State.QUEUED, due_at__lte=now).exists()


def deliver(*, now: datetime) -> Delivered:
    """Send what is due. Not inside a transaction: each answer is stored as it comes."""
    lost = AlertDelivery.objects.filter(state=State.SENDING, claimed_at__lt=now - CLAIM)
    lost.update(state=State.UNKNOWN, error="It ended while it was being sent.")
    due = AlertDelivery.objects.filter(state=State.QUEUED, due_at__lte=now)
    counts = {State.SENT: 0, State.QUEUED: 0, State.FAILED: 0}
    for delivery in due.select_related("alert", "route").order_by("due_at", "pk"):
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
    ended = AlertDelivery.objects.filter(
        pk__in=delivery_ids, state__in=(State.FAILED, State.UNKNOWN)
    )
    return ended.update(state=State.QUEUED, attempts=0, due_at=now, error="")


def _wants(route: AlertRoute, alert: Alert) -> bool:
    order = SEVERITY_ORDER.index
    severe = order(alert.severity) >= order(route.least_severity)
    return severe and (not route.kinds or alert.kind in route.kinds)


def _send(delivery: AlertDelivery, now: datetime) -> State:
    """Send one, store the answer and return the state."""
    fields: dict[str, object]
    try:
        _SENDERS[AlertChannel(delivery.route.channel)](delivery)
    except Unavailable as error:
        fields = _tried(delivery, error, now)
    except BadAnswer as error:
        fields = {"state": State.FAILED, "error": str(error)[:300] or "refused"}
    else:
        fields = {"state": State.SENT, "sent_at": now, "error": ""}
    AlertDelivery.objects.filter(pk=delivery.pk).update(**fields)
    return State(str(fields["state"]))


def _tried(delivery: AlertDelivery, error: Unavailable, now: datetime) -> dict[str, object]:
    said = str(error)[:300] or "no answer"
    wait = wait_after(delivery.attempts, error.retry_after)
    if wait is None:
        return {"state": State.FAILED, "error": said}
    return {"state": State.QUEUED, "due_at": now + wait, "error": said}


def _mail(delivery: AlertDelivery) -> None:
    alert = delivery.alert
    message = EmailMessage(
        subject=f"{settings.EMAIL_SUBJECT_PREFIX}{alert.severity.upper()}: {alert.message[:120]}",
        body=f"{_text(alert)}\n\n{_link(alert)}\n",
        to=[delivery.route.address],
        headers={"Message-ID": f"<alert-{delivery.pk}.{alert.pk}@{_host()}>"},
    )
    mail.send(message)


def _webhook(delivery: AlertDelivery) -> None:
    alert = delivery.alert
    webhooks.post(
        url=delivery.route.address,
        body={
            "id": alert.pk,
            "kind": alert.kind,
            "severity": alert.severity,
            "symbol": alert.symbol,
            "subject": alert.subject,
            "session": alert.session.isoformat() if alert.session else None,
            "message": alert.message,
            "value": alert.value,
            "limit": alert.limit,
            "provisional": alert.provisional,
            "source": alert.source,
            "crossed_at": alert.crossed_at.isoformat(),
            "url": _link(alert),
        },
        key=f"alert-{delivery.pk}",
    )


def _slack(delivery: AlertDelivery) -> None:
    alert = delivery.alert
    text = f"*{alert.severity.upper()}* {webhooks.slack_text(_text(alert))}\n<{_link(alert)}|open>"
    webhooks.post(url=delivery.route.address, body={"text": text}, key=f"alert-{delivery.pk}")


def _telegram(delivery: AlertDelivery) -> None:
    alert = delivery.alert
    webhooks.telegram(
        base_url=settings.TELEGRAM_BASE_URL,
        token=delivery.route.token,
        chat=delivery.route.address,
        text=f"{alert.severity.upper()}: {_text(alert)}\n{_link(alert)}",
        key=f"alert-{delivery.pk}",
    )


_SENDERS = {
    AlertChannel.EMAIL: _mail,
    AlertChannel.WEBHOOK: _webhook,
    AlertChannel.SLACK: _slack,
    AlertChannel.TELEGRAM: _telegram,
}


def _text(alert: Alert) -> str:
    kind = alert.get_kind_display()
    return f"{alert.message} [{kind}, {alert.crossed_at:%Y-%m-%d %H:%M} UTC]"


def _link(alert: Alert) -> str:
    return f"{settings.SITE_URL}/admin/analytics/alert/{alert.pk}/change/"


def _host() -> str:
    return settings.SITE_URL.partition("://")[2].partition(":")[0].partition("/")[0]
