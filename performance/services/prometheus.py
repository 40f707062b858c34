"""Gauges for Prometheus, all from stored rows (design §15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Max

from analytics.models import Alert, AlertDelivery, JobRun
from performance.models import HealthMetric, Heartbeat, Incident
from performance.services import dead_men
from performance.services.probes import OVERALL

STATUS_VALUES: Final = {"HEALTHY": 0.0, "UNKNOWN": 1.0, "WARNING": 2.0, "CRITICAL": 3.0}


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """One metric: its samples by the values of its labels."""

    name: str
    about: str
    labels: tuple[str, ...] = ()
    samples: Sequence[tuple[tuple[str, ...], float]] = ()


def get_gauges(*, now: datetime) -> list[Gauge]:
    """Return every gauge; one whose value is unknown has no sample rather than a default."""
    return [*_of_health(now), *_of_work(now)]


def _of_health(now: datetime) -> list[Gauge]:
    newest = HealthMetric.objects.filter(component=OVERALL).order_by("-measured_at").first()
    rows = (
        list(HealthMetric.objects.filter(measured_at=newest.measured_at).exclude(component=OVERALL))
        if newest
        else []
    )
    return [
        _one("amc_health_score", "Overall health, 0 to 100.", newest.value if newest else None),
        _one(
            "amc_health_age_seconds",
            "Age of the newest round of probes.",
            (now - newest.measured_at).total_seconds() if newest else None,
        ),
        Gauge(
            name="amc_component_status",
            about="0 healthy, 1 unknown, 2 warning, 3 critical.",
            labels=("component",),
            samples=[((row.component,), STATUS_VALUES[row.status]) for row in rows],
        ),
        Gauge(
            name="amc_probe_seconds",
            about="What the measurement of a component took.",
            labels=("component",),
            samples=[((row.component,), row.value) for row in rows if row.value is not None],
        ),
        Gauge(
            name="amc_component_figure",
            about="Everything that a probe measured as a number.",
            labels=("component", "figure"),
            samples=[
                ((row.component, name), float(value))
                for row in rows
                for name, value in sorted(row.figures.items())
                if isinstance(value, int | float)
            ],
        ),
    ]


def _of_work(now: datetime) -> list[Gauge]:
    beat = Heartbeat.objects.aggregate(last=Max("beat_at"))["last"]
    return [
        Gauge(
            name="amc_jobs",
            about="Jobs by kind and state, all that are kept.",
            labels=("kind", "state"),
            samples=_counted(JobRun, "kind", "state"),
        ),
        Gauge(
            name="amc_alerts_standing",
            about="Alerts that are not resolved.",
            labels=("kind", "severity"),
            samples=[
                ((kind, severity), float(n))
                for kind, severity, n in Alert.objects.standing()
                .values_list("kind", "severity")
                .annotate(n=Count("pk"))
                .order_by("kind", "severity")
            ],
        ),
        Gauge(
            name="amc_alert_deliveries",
            about="Deliveries of alerts by state.",
            labels=("state",),
            samples=_counted(AlertDelivery, "state"),
        ),
        _one("amc_incidents_open", "Incidents that are not over.", Incident.objects.open().count()),
        _one(
            "amc_silent_work",
            "Scheduled work that did not report in its window.",
            len(dead_men.get_silences(now=now)),
        ),
        _one(
            "amc_worker_heartbeat_age_seconds",
            "Since any worker last showed life.",
            (now - beat).total_seconds() if beat else None,
        ),
    ]


def _one(name: str, about: str, value: float | None) -> Gauge:
    return Gauge(name=name, about=about, samples=[] if value is None else [((), float(value))])


def _counted(
    model: type[JobRun] | type[AlertDelivery], *labels: str
) -> list[tuple[tuple[str, ...], float]]:
    rows = model._default_manager.order_by(*labels).values_list(*labels).annotate(n=Count("pk"))
    return [(tuple(map(str, row[:-1])), float(row[-1])) for row in rows]
