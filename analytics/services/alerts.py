"""Alerts: raised once per crossing, resolved when the condition ends or a person says so."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, When

from analytics.models import Alert, AlertEvent, AlertSeverity
from analytics.models.alerts import SEVERITY_ORDER
from analytics.services import alert_delivery

What = AlertEvent.What
Key = tuple[str, str, str, date | None]


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A condition that is true now.

    Attributes:
        kind: Of ``AlertKind``.
        severity: Of ``AlertSeverity``.
        message: For people, at most 300 characters are kept.
        symbol, subject: What it is about.
        session: Of a condition of one session, which comes once a session.
        value: What was measured; ``limit``: what it crossed.
        provisional: Seen during a session, so it may turn out otherwise.
    """

    kind: str
    severity: str
    message: str
    symbol: str = ""
    subject: str = ""
    session: date | None = None
    value: float | None = None
    limit: float | None = None
    provisional: bool = False

    @property
    def key(self) -> Key:
        """What makes it the same crossing."""
        return (self.kind, self.symbol, self.subject, self.session)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What an observation changed."""

    raised: int = 0
    escalated: int = 0
    resolved: int = 0


@transaction.atomic
def observe(
    *,
    kinds: Collection[str],
    crossings: Sequence[Crossing],
    source: str,
    now: datetime,
    provisional: bool = False,
) -> Observed:
    """Take ``crossings`` as all that is true now of ``kinds``; safe to repeat.

    New ones are raised, with their way to people; standing ones that became worse are escalated
    and go out only to those for whom they were not grave enough before; standing ones of these
    kinds that are no longer true are resolved. Provisional alerts and others leave each other
    alone.
    """
    standing = {
        _key(alert): alert
        for alert in Alert.objects.standing()
        .select_for_update()
        .filter(kind__in=kinds, source=source, provisional=provisional)
    }
    true = {crossing.key: crossing for crossing in crossings}
    ended = [alert for key, alert in standing.items() if key not in true]
    worse = [
        (alert, true[key])
        for key, alert in standing.items()
        if key in true and _rank(true[key].severity) > _rank(alert.severity)
    ]
    fresh = _raise([true[key] for key in true if key not in standing], source=source, now=now)
    _resolve(ended, now=now, user=None, note="the condition ended")
    for alert, crossing in worse:
        alert.severity, alert.message = crossing.severity, crossing.message[:300]
        alert.value = crossing.value
    Alert.objects.bulk_update([alert for alert, _ in worse], ["severity", "message", "value"])
    _record([alert for alert, _ in worse], What.ESCALATED, now=now)
    _send_out([alert for alert, _ in worse], now=now)
    return Observed(raised=len(fresh), escalated=len(worse), resolved=len(ended))


@transaction.atomic
def raise_new(*, crossings: Sequence[Crossing], source: str, now: datetime) -> int:
    """Raise those that did not stand and were not raised in their session; return how many.

    Nothing is resolved: for conditions of a session, which are history once they were true.
    """
    kinds = {crossing.kind for crossing in crossings}
    standing = Alert.objects.standing().filter(kind__in=kinds, source=source)
    known = {_key(alert) for alert in standing}
    once = {crossing.key: crossing for crossing in crossings if crossing.key not in known}
    return len(_raise(list(once.values()), source=source, now=now))


@transaction.atomic
def end_sessions(
    *, kinds: Collection[str], before: date, source: str, now: datetime, provisional: bool
) -> int:
    """Resolve what stands of sessions before ``before``; return how many."""
    over = list(
        Alert.objects.standing()
        .select_for_update()
        .filter(kind__in=kinds, session__lt=before, source=source, provisional=provisional)
    )
    _resolve(over, now=now, user=None, note="the session is over")
    return len(over)


@transaction.atomic
def acknowledge(*, alert_ids: Sequence[int], user: User, now: datetime) -> int:
    """Note who has seen alerts; the first to see one stands. Return how many were new."""
    unseen = list(
        Alert.objects.select_for_update().filter(pk__in=alert_ids, acknowledged_at__isnull=True)
    )
    Alert.objects.filter(pk__in=[alert.pk for alert in unseen]).update(
        acknowledged_at=now, acknowledged_by=user
    )
    _record(unseen, What.ACKNOWLEDGED, now=now, user=user)
    return len(unseen)


@transaction.atomic
def resolve(*, alert_ids: Sequence[int], user: User, now: datetime, note: str = "") -> int:
    """Take alerts off the list. Return how many stood. A new crossing raises a new alert."""
    standing = list(Alert.objects.standing().select_for_update().filter(pk__in=alert_ids))
    _resolve(standing, now=now, user=user, note=note)
    return len(standing)


def get_standing(*, source: str, limit: int = 50) -> list[Alert]:
    """Return the alerts that are not resolved, the most severe first, then the newest."""
    ranks = [When(severity=name, then=rank) for rank, name in enumerate(SEVERITY_ORDER)]
    standing = Alert.objects.standing().filter(source=source)
    return list(standing.order_by(Case(*ranks).desc(), "-crossed_at", "-pk")[:limit])


def _raise(crossings: Sequence[Crossing], *, source: str, now: datetime) -> list[Alert]:
    known = _once_a_session(crossings, source)
    fresh = [
        Alert(
            kind=crossing.kind,
            severity=crossing.severity,
            symbol=crossing.symbol,
            subject=crossing.subject,
            session=crossing.session,
            message=crossing.message[:300],
            value=crossing.value,
            limit=crossing.limit,
            provisional=crossing.provisional,
            crossed_at=now,
            source=source,
        )
        for crossing in crossings
        if crossing.key not in known
    ]
    Alert.objects.bulk_create(fresh)
    _record(fresh, What.RAISED, now=now)
    _send_out(fresh, now=now)
    return fresh


def _send_out(alerts: Sequence[Alert], *, now: datetime) -> None:
    if alert_delivery.plan(alerts=alerts, now=now):
        transaction.on_commit(partial(alert_delivery.request, now=now))


def _once_a_session(crossings: Sequence[Crossing], source: str) -> set[Key]:
    """Return which crossings of a session were raised before, resolved ones too."""
    days = {crossing.session for crossing in crossings if crossing.session}
    if not days:
        return set()
    return {_key(alert) for alert in Alert.objects.filter(session__in=days, source=source)}


def _resolve(alerts: Sequence[Alert], *, now: datetime, user: User | None, note: str) -> None:
    for alert in alerts:
        alert.resolved_at, alert.resolved_by = max(now, alert.crossed_at), user
    Alert.objects.bulk_update(alerts, ["resolved_at", "resolved_by"])
    _record(alerts, What.RESOLVED, now=now, user=user, note=note)


def _record(
    alerts: Sequence[Alert], what: str, *, now: datetime, user: User | None = None, note: str = ""
) -> None:
    AlertEvent.objects.bulk_create(
        AlertEvent(alert=alert, what=what, at=now, user=user, note=note[:300] or alert.severity)
        for alert in alerts
    )


def _key(alert: Alert) -> Key:
    return (alert.kind, alert.symbol, alert.subject, alert.session)


def _rank(severity: str) -> int:
    return SEVERITY_ORDER.index(AlertSeverity(severity).value)
