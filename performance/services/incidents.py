"""Incidents: opened by a bad measurement, closed by a good one, then scored again (design §15)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from analytics.calc.health import Component, Status
from analytics.models import Alert, AlertKind, AlertSeverity, DiscoveryBatch, Thesis
from analytics.services import alerts, jobs
from performance.models import (
    DecisionKind,
    HealthMetric,
    HealthStatus,
    Incident,
    IncidentDecision,
)
from performance.services import probes

RESTS_ON: Final[Mapping[str, tuple[DecisionKind, ...]]] = {
    # what is said from a component's output; the others delay things, but falsify nothing
    "market data": (DecisionKind.BATCH, DecisionKind.THESIS, DecisionKind.ALERT),
    "discovery": (DecisionKind.BATCH, DecisionKind.THESIS, DecisionKind.ALERT),
    "thesis": (DecisionKind.THESIS,),
    "portfolio": (DecisionKind.ALERT,),
}
TROUBLE: Final = (Status.WARNING, Status.CRITICAL)
MOST: Final = 500  # decisions of one kind that are listed
SEVERITIES: Final = {
    Status.WARNING: AlertSeverity.WARNING,
    Status.CRITICAL: AlertSeverity.CRITICAL,
}


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a round of measurements changed."""

    opened: int = 0
    worsened: int = 0
    closed: int = 0


@transaction.atomic
def follow(
    *, components: Sequence[Component], recommendations: Mapping[str, str], now: datetime
) -> Changed:
    """Open, worsen and close incidents as measured; raise and resolve their alerts.

    UNKNOWN changes nothing: what cannot be measured is neither broken nor repaired.
    """
    source = probes.get_source()
    standing = {incident.component: incident for incident in Incident.objects.open()}
    in_trouble = {part.name: part for part in components if part.status in TROUBLE}
    well = {part.name for part in components if part.status == Status.HEALTHY}
    opened = _open(
        [part for name, part in in_trouble.items() if name not in standing],
        recommendations=recommendations,
        source=source,
        now=now,
    )
    worse = _worsen([(standing[name], in_trouble[name]) for name in in_trouble if name in standing])
    for incident in standing.values():
        if incident.component in RESTS_ON:
            _list_decisions(incident, until=now)
    closed = [incident for name, incident in standing.items() if name in well]
    for incident in closed:
        _close(incident, now=now)
    still = {name for name in standing if name not in well}
    _alert([*opened, *(standing[name] for name in still)], source=source, now=now)
    return Changed(opened=len(opened), worsened=worse, closed=len(closed))


def _open(
    parts: Sequence[Component], *, recommendations: Mapping[str, str], source: str, now: datetime
) -> list[Incident]:
    if not parts:
        return []
    good = dict(
        HealthMetric.objects.filter(
            component__in=[part.name for part in parts], status=HealthStatus.HEALTHY
        )
        .values_list("component")
        .annotate(last=Max("measured_at"))
    )
    return Incident.objects.bulk_create(
        Incident(
            component=part.name,
            status=part.status,
            reason=part.reason[:300] or "no reason given",
            recommendation=recommendations.get(part.name, "See docs/troubleshooting.md."),
            good_until=good.get(part.name),
            opened_at=now,
            source=source,
        )
        for part in parts
    )


def _worsen(pairs: Iterable[tuple[Incident, Component]]) -> int:
    worse = [
        (incident, part)
        for incident, part in pairs
        if part.status == Status.CRITICAL and incident.status != HealthStatus.CRITICAL
    ]
    for incident, part in worse:
        incident.status, incident.reason = HealthStatus.CRITICAL, part.reason[:300]
    Incident.objects.bulk_update([incident for incident, _ in worse], ["status", "reason"])
    return len(worse)


def _list_decisions(incident: Incident, *, until: datetime) -> None:
    """List what was said since the component was last known to be well."""
    since = incident.good_until or incident.opened_at
    kinds = RESTS_ON[incident.component]
    rows: list[tuple[DecisionKind, int, str]] = []
    if DecisionKind.BATCH in kinds:
        batches = DiscoveryBatch.objects.filter(created_at__range=(since, until))
        named = batches.select_related("variant").order_by("pk")[:MOST]
        rows += [(DecisionKind.BATCH, batch.pk, str(batch)) for batch in named]
    if DecisionKind.THESIS in kinds:
        theses = Thesis.objects.filter(issued_at__range=(since, until)).order_by("pk")[:MOST]
        rows += [(DecisionKind.THESIS, thesis.pk, str(thesis)) for thesis in theses]
    if DecisionKind.ALERT in kinds:
        raised = Alert.objects.filter(crossed_at__range=(since, until))
        others = raised.exclude(kind=AlertKind.HEALTH).order_by("pk")[:MOST]
        rows += [(DecisionKind.ALERT, alert.pk, str(alert)) for alert in others]
    IncidentDecision.objects.bulk_create(
        (
            IncidentDecision(incident=incident, kind=kind, number=number, label=label[:200])
            for kind, number, label in rows
        ),
        ignore_conflicts=True,
    )


def _close(incident: Incident, *, now: datetime) -> None:
    """End it and, where batches rested on it, have their sessions scanned and scored again.

    A session whose rows are as they were gives the same batch again: nothing is repeated.
    """
    incident.closed_at = now
    batches = incident.decisions.filter(kind=DecisionKind.BATCH).values_list("number", flat=True)
    touched = DiscoveryBatch.objects.filter(pk__in=batches).order_by("session")
    first, last = touched.first(), touched.last()
    if first is not None and last is not None:
        arguments = {"first": first.session.isoformat(), "last": last.session.isoformat()}
        arguments["source"] = first.source
        incident.repair = jobs.request(kind="discover", arguments=arguments, now=now)
    incident.save(update_fields=["closed_at", "repair"])


def _alert(standing: Sequence[Incident], *, source: str, now: datetime) -> None:
    """Raise and resolve; alerts of health follow the source that is shown, for a lake may go."""
    others = Alert.objects.standing().filter(kind=AlertKind.HEALTH).exclude(source=source)
    others.update(source=source)
    alerts.observe(
        kinds=[AlertKind.HEALTH],
        crossings=[
            alerts.Crossing(
                kind=AlertKind.HEALTH,
                severity=SEVERITIES[Status(incident.status)],
                message=f"{incident.component}: {incident.reason}",
                subject=incident.component,
            )
            for incident in standing
        ],
        source=source,
        now=now,
    )
