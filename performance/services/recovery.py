"""Where the recovery stands: computed for a summary, read from it (design §12)."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Max

from analytics.calc import sessions
from analytics.calc.evidence import Estimate, Status
from analytics.models import Baseline
from performance.calc import figure_json, recovery
from performance.calc.recovery import Projection, Standing, Targets
from performance.models import PerformanceMetric, Weighting
from performance.services import metrics_reading, summary_reading
from performance.services.metrics import HEADLINE, MetricSheet
from performance.services.metrics_reading import Book

PARTS = ("average_return", "win_rate", "explosive_growth_rate")
NO_BASELINE = "no baseline is stored"

Document = dict[str, Any]


def get_recovery(*, source: str, now: datetime, period_days: int = HEADLINE) -> Document:
    """Return the recovery as the newest summary has it: one query. Empty without a summary."""
    found = summary_reading.get_summary(source=source, now=now, period_days=period_days)
    return found.section("recovery")


def get_baseline() -> Baseline | None:
    """Return the baseline that recovery is measured against: the first that was stored."""
    return Baseline.objects.order_by("pk").first()


def project(book: Book, baseline: Baseline | None) -> Projection | None:
    """Return the projection over all cohorts of a book; None without a baseline."""
    if baseline is None:
        return None
    trades, _counts = metrics_reading.in_window(book, None)
    if not trades.n:
        weeks, level, monday = np.empty(0), np.empty(0), book.as_of
    else:
        days = sessions.calendar()[trades.opened].astype("datetime64[D]").astype(np.int64)
        number = (days + 3) // 7  # 1970-01-01 was a Thursday: weeks begin on Mondays
        origin = int(number.min())
        monday = date(1970, 1, 1) + timedelta(days=origin * 7 - 3)
        weeks, level = recovery.weekly(trades, number - origin, _parts(baseline))
    return recovery.project(weeks, level, monday=monday, newest=book.as_of)


def describe(
    *,
    sheet: MetricSheet,
    baseline: Baseline | None,
    projection: Projection | None,
    ends: date | None,
    others: dict[str, float | None],
    zero_skill: Document | None,
) -> Document:
    """Return the recovery as a summary holds it.

    Args:
        sheet: Metrics of the period.
        baseline: Claimed; without one nothing can be compared.
        projection: Of all cohorts.
        ends: Last day of the roadmap.
        others: Discovery quality, thesis accuracy, timing and health scores.
        zero_skill: Progress that needs no skill.
    """
    current = {name: sheet.get(name).estimate for name in PARTS}
    values = {name: each.value for name, each in current.items() if each.value is not None}
    told = baseline is not None and len(values) == len(PARTS)
    share = recovery.progress(values, _parts(baseline)) if told and baseline else None
    projected = projection.projected if projection else None
    level, why = _level(current, baseline, others)
    return {
        "progress": share,
        "reason": "" if told else _why_not(current, baseline),
        "performance_gap": (
            recovery.gap(current["average_return"], baseline.average_return) if baseline else None
        ),
        "status": recovery.status(share, projected, ends),
        "projected_recovery_date": projected.isoformat() if projected else None,
        "projection": _projection(projection),
        "roadmap_ends": ends.isoformat() if ends else None,
        "alert_level": level,
        "alert_reasons": why,
        "zero_skill": zero_skill,
        "current": {name: figure_json.to_json(each) for name, each in current.items()},
        "best": _best(sheet.source),
    }


def idle_cash(baseline: Baseline) -> float:
    """Return the progress of money that lies still: no gain, no win, nothing explosive."""
    return recovery.progress(dict.fromkeys(PARTS, 0.0), _parts(baseline))


def progress_of(values: dict[str, float], baseline: Baseline) -> float:
    """Return the progress that figures by the names of ``PARTS`` amount to."""
    return recovery.progress(values, _parts(baseline))


def _parts(baseline: Baseline) -> tuple[recovery.Part, ...]:
    return recovery.parts(
        average_return=baseline.average_return,
        win_rate=baseline.win_rate,
        explosive_rate=baseline.explosive_rate,
    )


def _level(
    current: dict[str, Estimate], baseline: Baseline | None, others: dict[str, float | None]
) -> tuple[str, list[str]]:
    if baseline is None:
        return "UNKNOWN", [NO_BASELINE]
    standing = Standing(
        win_rate=current["win_rate"].value,
        average_return=current["average_return"].value,
        explosive_rate=current["explosive_growth_rate"].value,
        **others,
    )
    targets = Targets(
        win_rate=baseline.win_rate,
        average_return=baseline.average_return,
        explosive_rate=baseline.explosive_rate,
    )
    return recovery.alert_level(standing, targets)


def _why_not(current: dict[str, Estimate], baseline: Baseline | None) -> str:
    if baseline is None:
        return NO_BASELINE
    missing = next(each for each in current.values() if each.value is None)
    return missing.reason


def _projection(found: Projection | None) -> Document:
    if found is None:
        return {"reason": NO_BASELINE}
    days = {name: getattr(found, name) for name in ("projected", "early", "late")}
    return asdict(found) | {name: day.isoformat() if day else None for name, day in days.items()}


def _best(source: str) -> dict[str, float | None]:
    """Return the best 90-day value ever stored of each part (design §8)."""
    rows = (
        PerformanceMetric.objects.filter(
            source=source, account=None, window_days=HEADLINE, weighting=Weighting.EQUAL,
            name__in=PARTS, status__in=[Status.OK.value, Status.SIMULATED.value],
        )
        .values_list("name")
        .annotate(best=Max("value"))
    )  # fmt: skip
    return {**dict.fromkeys(PARTS), **dict(rows)}
