"""Gather what the roadmap's check boxes look at (design §12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Max, Q

from analytics.calc import detector, sessions
from analytics.calc.evidence import Estimate
from analytics.models import Candidate, DiscoveryBatch, PatternCalibration, Thesis, WeightSweep
from analytics.services import lakes
from performance.calc.roadmap import Live
from performance.models import (
    DashboardSummary,
    HealthMetric,
    HealthStatus,
    PerformanceMetric,
    Position,
    RiskAssessment,
)
from performance.services import roadmap

REFERENCE, OVERALL = "VIGL", "overall"
LOOKED_BACK = 10  # sessions that are looked at for gaps in the monitoring


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The figures of 90 days that the roadmap shares with the summary."""

    figures: Mapping[str, Estimate]
    explosive: Mapping[str, Estimate]
    accuracy: Estimate | None


def get_live(*, source: str, now: datetime, as_of: date, scores: Scores) -> Live:
    """Return everything that the check boxes look at: about a dozen queries.

    Args:
        source: Rows of its realm.
        now: For what is measured through the day.
        as_of: Session that is told.
        scores: ``win_rate``, ``equal``, ``capital``, ``at_once`` and ``delay`` of 90 days.
    """
    start = roadmap.get_start(source=source)
    beside = lakes.sources_beside(source)
    own = scores.figures
    return Live(
        as_of=as_of,
        start=start,
        explosive=dict(scores.explosive),
        accuracy=scores.accuracy,
        win_rate=own.get("win_rate"),
        equal=own.get("equal"),
        capital=own.get("capital"),
        at_once=own.get("at_once"),
        delay=own.get("delay"),
        monitored=_monitored(source, as_of),
        **_positions(source),  # type: ignore[arg-type]
        **_sizes(source, as_of),  # type: ignore[arg-type]
        **_probes(now),  # type: ignore[arg-type]
        **_scan(beside, as_of),  # type: ignore[arg-type]
        **_work(beside, start),  # type: ignore[arg-type]
    )


def get_health_score(*, now: datetime) -> float | None:
    """Return the newest score of the whole system, 0 to 100; None without one within a day."""
    rows = HealthMetric.objects.filter(
        component=OVERALL, measured_at__gt=now - timedelta(days=1), measured_at__lte=now
    )
    return rows.order_by("-measured_at").values_list("value", flat=True).first()


def _positions(source: str) -> dict[str, object]:
    accounts = roadmap.get_accounts(source)
    held = Position.objects.filter(account__in=accounts).values_list("symbol", "cost", "unrealised")
    marked = [
        (float(unrealised / cost), symbol)
        for symbol, cost, unrealised in held
        if unrealised is not None and cost
    ]
    worst, symbol = min(marked, default=(None, ""))
    return {
        "has_account": bool(accounts),
        "positions": len(marked),
        "unmarked": len(held) - len(marked),
        "worst": worst,
        "worst_symbol": symbol,
    }


def _sizes(source: str, as_of: date) -> dict[str, object]:
    own = RiskAssessment.objects.filter(
        account__in=roadmap.get_accounts(source), session__lte=as_of
    )
    newest = own.aggregate(last=Max("session"))["last"]
    of_day = own.filter(session=newest).exclude(symbol="")
    found = of_day.aggregate(
        assessed=Count("pk", filter=Q(is_oversize__isnull=False)),
        oversize=Count("pk", filter=Q(is_oversize=True)),
        size_limit=Max("size_limit"),
    )
    return {**found, "assessed_on": newest if found["assessed"] else None}


def _probes(now: datetime) -> dict[str, object]:
    """Count the components measured within a day by how their newest measurement ended."""
    fresh = HealthMetric.objects.filter(
        measured_at__gt=now - timedelta(days=1), measured_at__lte=now
    ).exclude(component=OVERALL)
    seen = dict(fresh.order_by("measured_at").values_list("component", "status"))
    unknown = sum(status == HealthStatus.UNKNOWN for status in seen.values())
    return {"probed": len(seen), "unknown_probes": unknown}


def _scan(beside: tuple[str, ...], as_of: date) -> dict[str, object]:
    """Look at the newest scan: its age, its candidates, the gates of its variants."""
    batches = DiscoveryBatch.objects.filter(
        is_current=True, source__in=beside, variant__active=True, session__lte=as_of
    )
    newest: date | None = batches.aggregate(last=Max("session"))["last"]
    if newest is None:
        return {}
    of_day = batches.filter(session=newest)
    gates = tuple(of_day.values_list("variant__min_close", "variant__max_close"))
    low, high = detector.VIGL_BAND_USD
    counted = Candidate.objects.filter(batch__in=of_day).aggregate(
        candidates=Count("pk"),
        compared=Count("pk", filter=Q(similarities__has_key=REFERENCE)),
        in_band=Count("pk", filter=Q(close__range=(low, high))),
    )
    return {
        **counted,
        "batch_age": sessions.number(as_of) - sessions.number(newest),
        "volume_threshold": detector.VIGL_VOLUME,
        "price_band": detector.VIGL_BAND_USD,
        "price_gates": gates,
    }


def _work(beside: tuple[str, ...], start: date | None) -> dict[str, object]:
    """Count what was trained and tuned since the start."""
    if start is None:
        return {}
    since = {"source__in": beside, "created_at__date__gte": start}
    prompts = Thesis.objects.filter(source__in=beside, issued_at__date__gte=start)
    return {
        "calibrations": PatternCalibration.objects.filter(**since).count(),
        "prompts": prompts.exclude(prompt_version="").values("prompt_version").distinct().count(),
        "sweeps": tuple(WeightSweep.objects.filter(**since).values_list("overfitting", flat=True)),
    }


def _monitored(source: str, as_of: date) -> int:
    """Count the newest sessions in a row with stored metrics; all but the last need a summary."""
    first = sessions.offset(as_of, -LOOKED_BACK)
    days = {"source": source, "session__range": (first, as_of)}
    told = set(DashboardSummary.objects.filter(**days).values_list("session", flat=True))
    kept = set(
        PerformanceMetric.objects.filter(
            source=source, window_days=90, account=None, as_of__range=(first, as_of)
        )
        .values_list("as_of", flat=True)
        .distinct()
    )
    count = 0
    for back in range(LOOKED_BACK):
        day = sessions.offset(as_of, -back)
        if day not in kept or (back and day not in told):
            break
        count += 1
    return count
