"""Probes: every component measured for real, with a timeout, and stored (design §15).

A probe never raises and never takes long: what it asks has a time limit of its own. What could
not be measured is UNKNOWN and says why.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final

from django.db import Error

from analytics.calc.health import Component, Score, Status, score
from analytics.models import Source
from analytics.services import health as analytics_health
from analytics.services import lakes
from performance.models import HealthMetric, HealthStatus
from performance.services import dead_men, probes_infrastructure, probes_pipeline, probes_providers

logger = logging.getLogger(__name__)

KEPT: Final = timedelta(days=90)
OVERALL: Final = "overall"
PROBE: Final = "probe"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One component: how it is measured, what it weighs, what to do when it is in trouble."""

    component: str
    measure: Callable[[datetime], Component]
    weight: float
    recommendation: str


PROBES: Final[tuple[Probe, ...]] = (
    Probe(
        component="database",
        measure=probes_infrastructure.get_database,
        weight=3,
        recommendation="Check DATABASE_URL and that the database runs (docs/troubleshooting.md).",
    ),
    Probe(
        component="market data",
        measure=probes_pipeline.get_market_data,
        weight=3,
        recommendation="Look at the data sets in the admin, then run manage.py sync_market_data.",
    ),
    Probe(
        component="discovery",
        measure=probes_pipeline.get_discovery,
        weight=3,
        recommendation="Run discovery for the missing sessions; a held session says what is wrong.",
    ),
    Probe(
        component="outcomes",
        measure=probes_pipeline.get_outcomes,
        weight=2,
        recommendation="Run manage.py settle_outcomes.",
    ),
    Probe(
        component="thesis",
        measure=probes_pipeline.get_thesis,
        weight=2,
        recommendation="Look at the thesis requests in the admin: each says why it failed.",
    ),
    Probe(
        component="portfolio",
        measure=probes_pipeline.get_portfolio,
        weight=2,
        recommendation="Sync from the broker, then look at the differences in the admin.",
    ),
    Probe(
        component="cache and broker",
        measure=probes_infrastructure.get_cache_and_broker,
        weight=2,
        recommendation="Check REDIS_URL and that Redis runs, or that VAR_DIR can be written to.",
    ),
    Probe(
        component="workers and scheduler",
        measure=dead_men.get_workers,
        weight=3,
        recommendation="Start worker and beat (manage.py serve does both); see the failed jobs.",
    ),
    Probe(
        component="storage",
        measure=probes_infrastructure.get_storage,
        weight=2,
        recommendation="Free space in the lake's folder and in VAR_DIR.",
    ),
    Probe(
        component="e-mail",
        measure=probes_infrastructure.get_mail,
        weight=1,
        recommendation="Check EMAIL_URL; mails wait and are sent when the server answers.",
    ),
    Probe(
        component="Polygon",
        measure=probes_providers.get_polygon,
        weight=1,
        recommendation="Check POLYGON_API_KEY and the provider's own status.",
    ),
    Probe(
        component="Alpaca",
        measure=probes_providers.get_alpaca,
        weight=1,
        recommendation="Check ALPACA_API_KEY and ALPACA_SECRET_KEY, and the broker's own status.",
    ),
    Probe(
        component="Claude",
        measure=probes_providers.get_claude,
        weight=1,
        recommendation="Check CLAUDE_API_KEY and CLAUDE_MODEL; the rules write meanwhile.",
    ),
)
WEIGHTS: Final = {probe.component: probe.weight for probe in PROBES}
RECOMMENDATIONS: Final = {probe.component: probe.recommendation for probe in PROBES}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One round of all probes."""

    measured_at: datetime
    components: tuple[Component, ...]
    seconds: dict[str, float]
    score: Score


def measure(*, now: datetime, probes: Sequence[Probe] = PROBES) -> Measured:
    """Ask every probe, the database first. Nothing is stored."""
    seconds: dict[str, float] = {}
    components: list[Component] = []
    for probe in probes:
        started = perf_counter()
        gone = is_database_down(components)
        components.append(_unasked(probe) if gone else _asked(probe, now))
        seconds[probe.component] = round(perf_counter() - started, 4)
    return Measured(
        measured_at=now,
        components=tuple(components),
        seconds=seconds,
        score=score(components, WEIGHTS),
    )


def record(*, measured: Measured) -> int:
    """Store a round, and forget rounds that are too old; return the rows stored.

    Repeating a round stores nothing.
    """
    source = get_source()
    whole = measured.score
    rows = [
        HealthMetric(
            component=part.name,
            name=PROBE,
            value=measured.seconds[part.name],
            unit="s",
            status=part.status,
            reason=part.reason[:300],
            figures=dict(part.figures),
            measured_at=measured.measured_at,
            source=source,
        )
        for part in measured.components
    ]
    rows.append(
        HealthMetric(
            component=OVERALL,
            name="score",
            value=whole.value,
            status=_overall(whole),
            reason=_why(measured),
            figures={"known": whole.known, "unknown": whole.unknown, "capped": whole.capped},
            measured_at=measured.measured_at,
            source=source,
        )
    )
    stored = HealthMetric.objects.bulk_create(rows, ignore_conflicts=True)
    HealthMetric.objects.filter(measured_at__lt=measured.measured_at - KEPT).delete()
    return len(stored)


def get_source() -> str:
    """Return the source that screens show; where the lake cannot be read, the one before."""
    try:
        return lakes.get_active_source()
    except analytics_health.unreadable():
        last = HealthMetric.objects.order_by("-measured_at", "-pk").first()
        return last.source if last else Source.IMPORTED


def is_database_down(components: Sequence[Component]) -> bool:
    """Return whether the database was asked and did not answer."""
    return any(part.name == "database" and part.status == Status.CRITICAL for part in components)


def _unasked(probe: Probe) -> Component:
    return Component(
        name=probe.component,
        status=Status.UNKNOWN,
        reason="Not measured: the database does not answer.",
    )


def _asked(probe: Probe, now: datetime) -> Component:
    """Return what a probe found; a probe that breaks has measured nothing."""
    try:
        found = probe.measure(now)
    except Error as error:
        reason = f"The database did not answer the probe: {type(error).__name__}."
        return Component(name=probe.component, status=Status.UNKNOWN, reason=reason)
    except Exception as error:
        logger.exception("probe of %s", probe.component)
        reason = f"The probe itself failed: {type(error).__name__}."
        return Component(name=probe.component, status=Status.UNKNOWN, reason=reason)
    return Component(
        name=probe.component, status=found.status, reason=found.reason, figures=found.figures
    )


def _overall(whole: Score) -> HealthStatus:
    if whole.value is None:
        return HealthStatus.UNKNOWN
    if whole.capped:
        return HealthStatus.CRITICAL
    return HealthStatus.HEALTHY if whole.value > TARGET else HealthStatus.WARNING


def _why(measured: Measured) -> str:
    trouble = [
        part.name
        for part in measured.components
        if part.status in (Status.WARNING, Status.CRITICAL)
    ]
    if measured.score.value is None:
        return "Nothing could be measured."
    return f"In trouble: {', '.join(trouble)}."[:300] if trouble else ""


TARGET: Final = 90.0  # the mission's: above it the whole is healthy
