"""The watch that needs neither worker, nor scheduler, nor broker (design §15).

Rounds of probes and the delivery of alerts are the workers' work. Where they stop coming, whoever
looks here takes the round and sends what waits: the web process does, once a minute. Deliveries
are claimed in the database first, so none goes out twice.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max

from analytics.calc.health import Component, Status
from analytics.models import AlertDelivery
from analytics.services import alert_delivery
from analytics.services import health as analytics_health
from performance.models import HealthMetric, ReportDelivery
from performance.services import dead_men, outages, probes, report_delivery, system_health

LATE: Final = timedelta(minutes=6)  # for a round; they come every five minutes
OVERDUE: Final = timedelta(minutes=2)  # for a delivery; they are sent every minute
WORKERS: Final = "workers and scheduler"


def look(*, now: datetime, since: datetime) -> str:
    """Do what workers left undone; return what was done, "" if nothing was.

    Args:
        now: The present.
        since: When the watch began; nothing was missed before.
    """
    database = analytics_health.get_database()
    if database.status == Status.CRITICAL:
        outages.note(reason=database.reason, now=now)
        return database.reason
    outages.close(recommendation=probes.RECOMMENDATIONS["database"], now=now)
    last = HealthMetric.objects.filter(component=probes.OVERALL).aggregate(at=Max("measured_at"))
    is_late = now - max(since, last["at"] or since) > LATE
    said = system_health.take(now=now, measured_by=PROBES).said if is_late else ""
    if is_late or _is_overdue(now):
        sent = alert_delivery.deliver(now=now).sent + report_delivery.deliver(now=now).sent
        said = f"{said}; {sent} messages sent" if said else f"{sent} messages sent"
    return said


def _is_overdue(now: datetime) -> bool:
    """Return whether a message waits that a worker would have sent by now."""
    due = {"due_at__lte": now - OVERDUE}
    alert = AlertDelivery.objects.filter(state=AlertDelivery.State.QUEUED, **due)
    return alert.exists() or ReportDelivery.objects.due().filter(**due).exists()


def _workers(now: datetime) -> Component:
    """Measure workers and scheduler, knowing that none of them took the round that was due."""
    found = dead_men.get_workers(now)
    minutes = round(LATE.total_seconds() / 60)
    if found.status == Status.UNKNOWN:
        said = f"No worker is alive: no round of probes came for {minutes} minutes."
        return Component(name=WORKERS, status=Status.CRITICAL, reason=said, figures=found.figures)
    if found.status == Status.HEALTHY:
        said = f"No round of probes came for {minutes} minutes: all busy, or the broker is away."
        return Component(name=WORKERS, status=Status.WARNING, reason=said, figures=found.figures)
    return found


PROBES: Final = tuple(
    replace(probe, measure=_workers) if probe.component == WORKERS else probe
    for probe in probes.PROBES
)
