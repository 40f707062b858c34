"""How the part that scores is doing, measured now: outcomes, settlement, workers (design §15)."""

from datetime import datetime

from analytics.calc.health import Component, Health, Status
from analytics.services import health as analytics_health
from analytics.services import lakes
from performance.services import probes_pipeline, system_health

SETTLING = ("settle_outcomes", "nightly")  # kinds of jobs that settle


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
    outcomes = probes_pipeline.get_settlement(source=source)
    live = system_health.get_live(now=now).components
    return Health(
        measured_at=now, components=(database, outcomes, settlement, *live), source=source
    )
