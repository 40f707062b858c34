"""How the part that scores is doing, measured now: database, outcomes, settlement (design §15)."""

from datetime import date, datetime

from django.db.models import Max, Q

from analytics.calc import sessions
from analytics.calc.health import Component, Health, Status
from analytics.models import DiscoveryBatch
from analytics.services import health as analytics_health
from analytics.services import lakes
from performance.models import CandidateTracking

SETTLING = ("settle_outcomes", "nightly")  # kinds of jobs that settle
HORIZON = 15  # sessions after the signal: the entry, and 14 in which it is watched


def get_health(*, now: datetime) -> Health:
    """Measure every component; where the database is down, no other can be."""
    database = analytics_health.get_database()
    if database.status == Status.CRITICAL:
        return Health(measured_at=now, components=(database,))
    settlement = analytics_health.get_jobs(now=now, kinds=SETTLING)
    try:
        source = lakes.get_active_source()
    except analytics_health.unreadable():
        unknown = Component(
            name="outcomes", status=Status.UNKNOWN, reason="The lake cannot be read."
        )
        return Health(measured_at=now, components=(database, unknown, settlement))
    outcomes = get_outcomes(source=source)
    return Health(measured_at=now, components=(database, outcomes, settlement), source=source)


def get_outcomes(*, source: str) -> Component:
    """Return how many batches are overdue: the market went on long enough to settle them.

    The market is taken to reach as far as the newest batch, which was scanned from its bars.
    """
    batches = DiscoveryBatch.objects.current().filter(source__in=lakes.sources_beside(source))
    newest: date | None = batches.aggregate(newest=Max("session"))["newest"]
    if newest is None:
        reason = "There is no batch whose outcome could be known."
        return Component(name="outcomes", status=Status.UNKNOWN, reason=reason)
    due = batches.filter(session__lte=sessions.offset(newest, -HORIZON))
    count = due.count()
    overdue = due.filter(Q(analysis__isnull=True) | Q(analysis__is_complete=False)).count()
    settled = CandidateTracking.objects.of(source).aggregate(last=Max("updated_at"))["last"]
    if overdue:
        status, reason = Status.WARNING, f"{overdue} batches could be settled and are not."
    elif count:
        status, reason = Status.HEALTHY, ""
    else:
        status, reason = Status.UNKNOWN, "No batch is old enough to be settled."
    return Component(
        name="outcomes",
        status=status,
        reason=reason,
        figures={
            "batches_due": count,
            "batches_overdue": overdue,
            "last_settled_at": settled.isoformat() if settled else None,
        },
    )
