"""System health as a whole: one round of probes, and what the stored rounds say (design §15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Avg, Count, Min
from django.db.models.functions import TruncHour

from analytics.calc.health import Component, Health, Status
from analytics.services import health as analytics_health
from performance.models import HealthMetric, HealthStatus, Incident
from performance.services import dead_men, incidents, outages, probes
from performance.services.probes import OVERALL, TARGET

STALE: Final = timedelta(minutes=12)  # two rounds and a bit
TREND: Final = timedelta(days=7)
RECENT: Final = 20  # incidents


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one round came to, in a sentence."""

    said: str
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """One component as last measured."""

    name: str
    status: str
    reason: str
    recommendation: str
    weight: float
    seconds: float | None
    figures: Mapping[str, Any]
    measured_at: datetime


@dataclass(frozen=True, kw_only=True)
class SystemHealth:
    """What is known of the system.

    Attributes:
        score: 0 to 100; None where nothing is known.
        status: Of the whole; UNKNOWN if the newest round is too old.
        trend: Hour, mean score, lowest score, rounds; oldest first.
        silences: Scheduled work that did not report in its window.
    """

    score: float | None
    target: float
    status: str
    reason: str
    measured_at: datetime | None
    is_stale: bool
    known: int
    unknown: int
    components: tuple[Line, ...]
    trend: tuple[Mapping[str, Any], ...]
    open_incidents: tuple[Incident, ...]
    past_incidents: tuple[Incident, ...]
    silences: tuple[dead_men.Silence, ...]
    recommendations: tuple[str, ...]


def take(*, now: datetime, measured_by: Sequence[probes.Probe] = probes.PROBES) -> Taken:
    """Measure everything once, store it, follow incidents."""
    if outages.is_noted() and analytics_health.get_database().status != Status.CRITICAL:
        outages.close(recommendation=probes.RECOMMENDATIONS["database"], now=now)
    measured = probes.measure(now=now, probes=measured_by)
    if probes.is_database_down(measured.components):
        outages.note(reason=measured.components[0].reason, now=now)
        return Taken(said="the database does not answer")
    probes.record(measured=measured)
    changed = incidents.follow(
        components=measured.components, recommendations=probes.RECOMMENDATIONS, now=now
    )
    value = measured.score.value
    shown = "unknown" if value is None else f"{value:.0f}"
    return Taken(
        said=f"score {shown}; incidents: {changed.opened} opened, {changed.closed} closed",
        score=value,
    )


def get_system_health(*, now: datetime) -> SystemHealth:
    """Return the newest round, its age, a week's trend, incidents and what to do."""
    newest = HealthMetric.objects.filter(component=OVERALL).order_by("-measured_at").first()
    rows = HealthMetric.objects.filter(measured_at=newest.measured_at) if newest else []
    lines = tuple(_line(row) for row in rows if row.component != OVERALL)
    is_stale = newest is None or now - newest.measured_at > STALE
    counted = Incident.objects.annotate(touched=Count("decisions")).newest_first()
    standing = tuple(counted.filter(closed_at=None))
    past = counted.exclude(closed_at=None)[:RECENT]
    return SystemHealth(
        score=newest.value if newest else None,
        target=TARGET,
        status=HealthStatus.UNKNOWN if is_stale or newest is None else newest.status,
        reason=_reason(newest, is_stale=is_stale),
        measured_at=newest.measured_at if newest else None,
        is_stale=is_stale,
        known=newest.figures.get("known", 0) if newest else 0,
        unknown=newest.figures.get("unknown", 0) if newest else 0,
        components=tuple(sorted(lines, key=lambda line: (-line.weight, line.name))),
        trend=_trend(now),
        open_incidents=standing,
        past_incidents=tuple(past),
        silences=tuple(dead_men.get_silences(now=now)),
        recommendations=tuple(incident.recommendation for incident in standing),
    )


def get_live(*, now: datetime) -> Health:
    """Measure now what a web process can see of the rest: workers, scheduler, stored rounds.

    It works where beat and all workers are dead, which stored rounds cannot tell.
    """
    workers = dead_men.get_workers(now)
    last = HealthMetric.objects.filter(component=OVERALL).order_by("-measured_at").first()
    if last is None:
        rounds = Component(
            name="probes", status=Status.UNKNOWN, reason="No round of probes has run yet."
        )
    elif now - last.measured_at > STALE:
        said = f"The last round of probes was at {last.measured_at:%Y-%m-%d %H:%M} UTC."
        rounds = Component(name="probes", status=Status.CRITICAL, reason=said)
    else:
        rounds = Component(
            name="probes",
            status=Status(last.status),
            reason=last.reason,
            figures={"score": last.value},
        )
    return Health(measured_at=now, components=(workers, rounds))


def _line(row: HealthMetric) -> Line:
    return Line(
        name=row.component,
        status=row.status,
        reason=row.reason,
        recommendation=probes.RECOMMENDATIONS.get(row.component, ""),
        weight=probes.WEIGHTS.get(row.component, 1.0),
        seconds=row.value,
        figures=row.figures,
        measured_at=row.measured_at,
    )


def _reason(newest: HealthMetric | None, *, is_stale: bool) -> str:
    if newest is None:
        return "No round of probes has run yet: start worker and beat."
    if is_stale:
        return "The newest round of probes is too old: worker or beat may be dead."
    return newest.reason


def _trend(now: datetime) -> tuple[Mapping[str, Any], ...]:
    rows = HealthMetric.objects.filter(
        component=OVERALL, measured_at__gte=now - TREND, value__isnull=False
    )
    hours = (
        rows.annotate(hour=TruncHour("measured_at"))
        .values("hour")
        .annotate(score=Avg("value"), lowest=Min("value"), rounds=Count("pk"))
        .order_by("hour")
    )
    return tuple(hours)
