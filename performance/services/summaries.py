"""Rewrite the summaries: one row per period and source, after settlement, sync and jobs (§12)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.calc.evidence import Estimate
from analytics.models import Baseline, Variant
from analytics.services import bulk
from performance.calc import figure_json, roadmap
from performance.calc.recovery import Projection
from performance.models import DashboardSummary, RoadmapCheck, Weighting
from performance.services import (
    accuracy,
    discovery_analysis,
    metrics,
    metrics_reading,
    recovery,
    roadmap_live,
    timing,
    timing_lab,
    timing_summary,
    zero_skill,
)
from performance.services import roadmap as roadmaps
from performance.services.metrics import HEADLINE, WINDOWS, MetricSheet
from performance.services.metrics_reading import Book
from performance.services.timing_lab import Lab
from performance.services.timing_summary import Analyses

Progress = Callable[[int, int, str], None]
Document = dict[str, Any]
NO_HEALTH = "the health of the system was not scored within a day"


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a run did: metric and timing rows that changed, check boxes that flipped, summaries."""

    metrics: int
    timing: int
    flips: int
    summaries: int


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What every period shares."""

    source: str
    now: datetime
    book: Book
    baseline: Baseline | None
    projection: Projection | None
    lab: Lab
    analyses: Analyses
    discovery: dict[str, Any]
    explosive: dict[str, Estimate]
    quality: Estimate | None
    accuracy: Estimate
    zero_skill: Document | None
    health: float | None


def refresh_summaries(
    *, source: str, now: datetime, on_progress: Progress | None = None
) -> Refreshed:
    """Compute metrics, timing, recovery and roadmap, and write the summaries. Safe to repeat.

    Args:
        source: ``imported``, ``live`` or ``simulated``; real sources are told together.
        now: The last finished session before it is told.
        on_progress: Told the steps done and in all, and what comes next.
    """
    say = on_progress or (lambda _done, _total, _message: None)
    steps = 4
    say(0, steps, "metrics")
    book = metrics_reading.read_book(source=source, now=now)
    changed = metrics.store_metrics(book, now=now)
    say(1, steps, "market timing")
    timed = timing.refresh_timing(source=source, now=now)
    say(2, steps, "exit lab, discovery, theses")
    seen = _look(source, now, book)
    say(3, steps, "roadmap and summaries")
    sheets = {
        days: metrics.get_metrics(source=source, now=now, window_days=days) for days in WINDOWS
    }
    described = {
        days: timing_summary.describe(seen.analyses, seen.lab, days=days) for days in WINDOWS
    }
    flips = _roadmap(seen, sheets[HEADLINE], described[HEADLINE][1])
    rows = [_row(seen, days, sheets[days], *described[days]) for days in WINDOWS]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    written = bulk.upsert(
        DashboardSummary, columns, key=["source", "period_days", "session"], stamps=["created_at"]
    )
    return Refreshed(metrics=changed, timing=timed.changed, flips=flips, summaries=written)


def _look(source: str, now: datetime, book: Book) -> _Seen:
    """Read what every period shares."""
    baseline = recovery.get_baseline()
    discovery_analysis.refresh_histories(source=source, now=now)
    found = discovery_analysis.get_discovery_analysis(
        end=book.as_of, days_back=HEADLINE, source=source
    )
    scored = set(Variant.objects.filter(active=True).values_list("pk", flat=True))
    active = [each for each in found.variants if each.variant_id in scored]
    best = max(
        (each.window.quality.score for each in active if each.window.quality.score.value),
        key=lambda score: score.value or 0.0,
        default=None,
    )
    theses = accuracy.get_accuracy(source=source, now=now, period_days=HEADLINE)
    return _Seen(
        source=source,
        now=now,
        book=book,
        baseline=baseline,
        projection=recovery.project(book, baseline),
        lab=timing_lab.get_lab(source=source, now=now),
        analyses=timing_summary.read(source=source, as_of=book.as_of),
        discovery={
            each.variant: {
                "quality": figure_json.to_json(each.window.quality.score),
                "explosive": figure_json.to_json(each.window.first_signals.explosive),
                "capture": figure_json.to_json(each.window.capture),
            }
            for each in found.variants
        },
        explosive={each.variant: each.window.first_signals.explosive for each in active},
        quality=best,
        accuracy=theses.window.accuracy,
        zero_skill=zero_skill.get_zero_skill(source=source, now=now, baseline=baseline),
        health=roadmap_live.get_health_score(now=now),
    )


def _roadmap(seen: _Seen, sheet: MetricSheet, timed: dict[str, Estimate]) -> int:
    scores = roadmap_live.Scores(
        figures={
            "win_rate": sheet.get("win_rate").estimate,
            "equal": sheet.get("average_return").estimate,
            "capital": sheet.get("average_return", Weighting.CAPITAL).estimate,
            "at_once": timed["bought_at_once"],
            "delay": timed["mean_delay"],
        },
        explosive=seen.explosive,
        accuracy=seen.accuracy,
    )
    live = roadmap_live.get_live(
        source=seen.source, now=seen.now, as_of=seen.book.as_of, scores=scores
    )
    return roadmaps.record_roadmap(live=live, source=seen.source, now=seen.now)


def _row(
    seen: _Seen, days: int, sheet: MetricSheet, timed: Document, figures: dict[str, Estimate]
) -> Document:
    """Return the columns of one summary."""
    score = figures["market_timing_score"].value
    quality = seen.quality.value if seen.quality else None
    start = roadmaps.get_start(source=seen.source)
    told = recovery.describe(
        sheet=sheet,
        baseline=seen.baseline,
        projection=seen.projection,
        ends=roadmap.ends(start) if start else None,
        others={
            "discovery_quality": quality,
            "thesis_accuracy": seen.accuracy.value,
            "timing_score": score,
            "health_score": seen.health,
        },
        zero_skill=seen.zero_skill,
    )
    projected = seen.projection.projected if seen.projection else None
    return {
        "session": seen.book.as_of,
        "period_days": days,
        "alert_level": told["alert_level"],
        "recovery_status": told["status"],
        "recovery_progress": told["progress"],
        "performance_gap": told["performance_gap"],
        "projected_recovery": projected,
        "discovery_quality": quality,
        "thesis_accuracy": seen.accuracy.value,
        "timing_score": score,
        "health_score": seen.health,
        "figures": {
            "recovery": told,
            "metrics": _metrics(sheet),
            "timing": timed,
            "discovery": seen.discovery,
            "thesis_accuracy": figure_json.to_json(seen.accuracy),
            "health": {"value": seen.health, "reason": "" if seen.health else NO_HEALTH},
            "roadmap": _boxes(seen.source),
        },
        "created_at": seen.now,
        "source": seen.source,
    }


def _metrics(sheet: MetricSheet) -> Document:
    """Return the figures of a period by weighting and name."""
    found: Document = {str(weighting): {} for weighting in Weighting}
    for (name, weighting), figure in sorted(sheet.figures.items()):
        found[weighting][name] = figure_json.to_json(figure.estimate) | {
            "frozen": figure.frozen,
            "at_zero": figure.at_zero,
        }
    return found


def _boxes(source: str) -> Document:
    """Return how many check boxes are ticked, and the state of each."""
    rows = list(RoadmapCheck.objects.of(source).in_order())
    return {
        "met": sum(row.standing == roadmap.MET for row in rows),
        "boxes": len(roadmap.CHECK_BOXES),
        "states": {row.key: row.standing for row in rows},
    }
