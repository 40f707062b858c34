"""What the recovery and timing pages show: read from summaries, a fixed number of queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from analytics.calc.evidence import Estimate
from performance.calc import figure_json, freshness
from performance.calc.freshness import Freshness
from performance.calc.spans import Span
from performance.calc.timing_figures import TARGET
from performance.models import DashboardSummary, Weighting
from performance.services import performance_answer, roadmap, summary_reading
from performance.services.metrics import HEADLINE, WINDOWS
from performance.services.performance_answer import Performance
from performance.services.roadmap import Roadmap
from performance.services.summary_reading import Summary

HISTORY = 260  # sessions of the chart
PERCENT, NUMBER, USD, SCORE, SESSIONS = "percent", "number", "usd", "score", "sessions"
# What the grid shows: name, title, unit, and whether capital weighting stands beside.
GRID = (
    ("average_return", "Average return", PERCENT, True),
    ("win_rate", "Win rate", PERCENT, True),
    ("explosive_growth_rate", "Explosive growth (above +50 %)", PERCENT, True),
    ("median_return", "Median return", PERCENT, True),
    ("profit_factor", "Profit factor", NUMBER, True),
    ("payoff_ratio", "Payoff ratio", NUMBER, True),
    ("expectancy_usd", "Expectancy a trade", USD, False),
    ("profit_usd", "Profit, open trades at mark", USD, False),
    ("time_weighted_return", "Time-weighted return", PERCENT, False),
    ("money_weighted_return", "Money-weighted return a year", PERCENT, False),
    ("spy_return", "SPY over the same sessions", PERCENT, False),
    ("alpha", "Alpha against SPY a year", PERCENT, False),
    ("beta", "Beta to SPY", NUMBER, False),
    ("sharpe", "Sharpe ratio", NUMBER, False),
    ("sortino", "Sortino ratio", NUMBER, False),
    ("calmar", "Calmar ratio", NUMBER, False),
    ("max_drawdown", "Deepest drawdown", PERCENT, False),
    ("probabilistic_sharpe", "P(Sharpe above 0)", PERCENT, False),
    ("deflated_sharpe", "P(Sharpe above the best of luck)", PERCENT, False),
)
TIMING = (
    ("market_timing_score", "Market timing score", SCORE),
    ("exit_score", "Exit score", SCORE),
    ("bought_at_once", "Bought on the first executable session", PERCENT),
    ("mean_delay", "Mean entry delay", SESSIONS),
    ("mean_entry_cost", "Mean entry cost (negative is good)", PERCENT),
    ("mean_exit_efficiency", "Mean exit efficiency", PERCENT),
    ("mean_mfe", "Best price while held", PERCENT),
    ("mean_mae", "Worst price while held", PERCENT),
    ("mean_post_exit_mfe", "Best price in 14 sessions after", PERCENT),
)


@dataclass(frozen=True, kw_only=True)
class MetricLine:
    """One figure of a grid. ``target`` is claimed; ``capital`` the same weighted by capital."""

    name: str
    title: str
    unit: str
    estimate: Estimate
    capital: Estimate | None = None
    target: float | None = None
    best: float | None = None
    frozen: int = 0
    at_zero: float | None = None


@dataclass(frozen=True, kw_only=True)
class Point:
    """Progress and gap to the baseline after one session; None with insufficient data."""

    session: date
    progress: float | None
    gap: float | None


@dataclass(frozen=True, kw_only=True)
class RecoveryPage:
    """Everything the recovery page shows."""

    period_days: int
    performance: Performance
    told: Mapping[str, Any]
    lines: list[MetricLine]
    roadmap: Roadmap
    history: list[Point]
    freshness: Freshness | None

    @property
    def summary(self) -> Summary:
        return self.performance.summary


@dataclass(frozen=True, kw_only=True)
class TimingPage:
    """Everything the timing page shows."""

    period_days: int
    summary: Summary
    told: Mapping[str, Any]
    lines: list[MetricLine]
    terciles: list[dict[str, Any]]
    exit_lab: list[dict[str, Any]]
    freshness: Freshness | None


def period_of(span: Span) -> int:
    """Return the kept period that is nearest to a page's range: its days, or all history."""
    return span.days if span.days in WINDOWS else 0


def get_recovery_page(*, source: str, now: datetime, span: Span) -> RecoveryPage:
    """Return what the recovery page shows of the period of ``span``."""
    days = period_of(span)
    found = performance_answer.get_performance(source=source, now=now, period_days=days)
    session = found.summary.session
    return RecoveryPage(
        period_days=days,
        performance=found,
        told=found.recovery,
        lines=_lines(found),
        roadmap=roadmap.get_roadmap(source=source, now=now),
        history=get_history(source=source, until=session, period_days=days or HEADLINE),
        freshness=freshness.of_session(session) if session else None,
    )


def get_history(*, source: str, until: date | None, period_days: int) -> list[Point]:
    """Return progress session by session, ascending: one query."""
    if until is None:
        return []
    rows = DashboardSummary.objects.filter(
        source=source, period_days=period_days, session__lte=until
    ).order_by("-session")
    columns = ("session", "recovery_progress", "performance_gap")
    return [
        Point(session=day, progress=progress, gap=gap)
        for day, progress, gap in reversed(rows.values_list(*columns)[:HISTORY])
    ]


def get_timing_page(*, source: str, now: datetime, span: Span) -> TimingPage:
    """Return what the timing page shows of the period of ``span``: one query."""
    days = period_of(span)
    summary = summary_reading.get_summary(source=source, now=now, period_days=days)
    told = summary.section("timing")
    figures = told.get("figures") or {}
    return TimingPage(
        period_days=days,
        summary=summary,
        told=told,
        lines=[
            MetricLine(
                name=name,
                title=title,
                unit=unit,
                estimate=figure_json.from_json(figures[name]),
                target=TARGET if name == "market_timing_score" else None,
            )
            for name, title, unit in TIMING
            if name in figures
        ],
        terciles=[_estimates(row) for row in told.get("terciles") or []],
        exit_lab=[_estimates(row) for row in told.get("exit_lab") or []],
        freshness=freshness.of_session(summary.session) if summary.session else None,
    )


def _lines(found: Performance) -> list[MetricLine]:
    metrics = found.summary.section("metrics")
    equal, capital = (metrics.get(str(weighting)) or {} for weighting in Weighting)
    row, best = found.baseline, found.recovery.get("best") or {}
    targets = (
        {
            "average_return": row.average_return,
            "win_rate": row.win_rate,
            "explosive_growth_rate": row.explosive_rate,
        }
        if row
        else {}
    )
    return [
        MetricLine(
            name=name,
            title=title,
            unit=unit,
            estimate=_estimate(equal[name]),
            capital=_estimate(capital[name]) if both and name in capital else None,
            target=targets.get(name),
            best=best.get(name),
            frozen=equal[name].get("frozen", 0),
            at_zero=equal[name].get("at_zero"),
        )
        for name, title, unit, both in GRID
        if name in equal
    ]


def _estimate(stored: Mapping[str, Any]) -> Estimate:
    kept = {name: value for name, value in stored.items() if name not in ("frozen", "at_zero")}
    return figure_json.from_json(kept)


def _estimates(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its figures as estimates."""
    return {
        name: figure_json.from_json(value) if isinstance(value, dict) else value
        for name, value in row.items()
    }
