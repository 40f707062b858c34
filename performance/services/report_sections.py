"""Sections of the report that read the stored summary: no section computes (design §12)."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from analytics.calc import figures
from analytics.calc.evidence import Estimate, claimed, insufficient, measured
from analytics.models import Baseline, ClaimAudit
from performance.calc import figure_json, report
from performance.calc.report import CHANGE, MONEY, NUMBER, Chart, Line, Section, Table, missing
from performance.models import DashboardSummary
from performance.services.summary_reading import Summary

NO_SUMMARY = "no summary has been written yet; the job refresh_summaries writes it"
KNOWN = {field.name for field in fields(Estimate)}
METRICS = (
    ("win_rate", "Win rate", "percent"),
    ("average_return", "Average return", "change"),
    ("median_return", "Median return", "change"),
    ("explosive_growth_rate", "Explosive growth rate", "percent"),
    ("profit_factor", "Profit factor", "ratio"),
    ("expectancy", "Expectancy", "change"),
    ("payoff_ratio", "Payoff ratio", "ratio"),
    ("time_weighted_return", "Time-weighted return", "change"),
    ("money_weighted_return", "Money-weighted return, a year", "change"),
    ("sharpe", "Sharpe ratio", "ratio"),
    ("sortino", "Sortino ratio", "ratio"),
    ("calmar", "Calmar ratio", "ratio"),
    ("max_drawdown", "Max drawdown", "change"),
    ("probabilistic_sharpe", "Probabilistic Sharpe ratio", "percent"),
    ("alpha", "Alpha to SPY, a year", "change"),
    ("spy_return", "SPY over the same days", "change"),
)
TIMING = (
    ("market_timing_score", "Market timing score", "number", 90.0),
    ("mean_delay", "Mean entry delay [sessions]", "number", 0.0),
    ("mean_entry_cost", "Mean entry cost", "change", None),
    ("bought_at_once", "Bought at the first open", "percent", None),
    ("exit_score", "Exit score", "number", None),
    ("mean_exit_efficiency", "Mean exit efficiency", "percent", None),
    ("mean_post_exit_mfe", "Best high after the exit", "change", None),
)


def estimate(stored: Mapping[str, Any] | None, *, source: str) -> Estimate:
    """Return a figure of a summary; insufficient data where it was not written."""
    if not stored or "status" not in stored:
        return insufficient(n=0, reason="not in the summary", source=source)
    return figure_json.from_json({name: stored[name] for name in stored if name in KNOWN})


def headline(summary: Summary, baseline: Baseline | None) -> Section:
    """The four figures of the mission beside its targets."""
    if summary.session is None:
        return missing("headline", "Headline", NO_SUMMARY)
    told = summary.section("recovery")
    own = _equal(summary)
    targets = _targets(baseline)
    wanted = ("average_return", "win_rate", "explosive_growth_rate")
    lines = [
        Line(
            label=label,
            figure=estimate(own.get(name), source=summary.source),
            form=form,
            target=targets.get(name),
        )
        for name, label, form in METRICS
        if name in wanted
    ]
    return Section(
        key="headline",
        title="Headline",
        words=f"Alert level {told.get('alert_level', 'UNKNOWN')}; recovery "
        f"{str(told.get('status', 'INSUFFICIENT_DATA')).replace('_', ' ').lower()}.",
        lines=tuple(lines),
        notes=tuple(told.get("alert_reasons") or ()),
    )


def claims(audit: ClaimAudit | None, baseline: Baseline | None) -> Section:
    """What the data here say of what was claimed (design §2)."""
    title = "Claims audit"
    if audit is None:
        return missing("claims", title, "no claim has been audited yet; the admin does it")
    items = list(audit.items.all())
    counts: dict[str, int] = {}
    for item in items:
        counts[item.verdict] = counts.get(item.verdict, 0) + 1
    lines: tuple[Line, ...] = ()
    if baseline is not None:
        win = claimed(value=baseline.win_rate, n=baseline.picks, reason="the mission's own record")
        mean = claimed(value=baseline.average_return, n=baseline.picks, reason="as above")
        lines = (
            Line(label=f"Win rate, {baseline.period}", figure=win),
            Line(label="Average return", figure=mean, form=CHANGE),
        )
    said = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
    return Section(
        key="claims",
        title=title,
        words=f"{audit.title}: {len(items)} items, {said}. The baseline is a claim and a target.",
        lines=lines,
        table=Table(
            headings=("Subject", "Claim", "Verdict", "Evidence"),
            rows=tuple((i.subject, i.claim, i.verdict, i.evidence) for i in items),
        ),
    )


def discovery(summary: Summary) -> Section:
    """How good the lists were, by variant (design §8)."""
    title = "Discovery quality"
    found = summary.section("discovery")
    if not found:
        return missing("discovery", title, NO_SUMMARY if not summary.session else "no variant")
    lines = []
    for variant, own in sorted(found.items()):
        quality = estimate(own.get("quality"), source=summary.source)
        lines += [
            Line(label=f"{variant}: quality score", figure=quality, form=NUMBER, target=85.0),
            Line(
                label=f"{variant}: explosive rate, first signals",
                figure=estimate(own.get("explosive"), source=summary.source),
                target=0.20,
            ),
            Line(
                label=f"{variant}: winners captured",
                figure=estimate(own.get("capture"), source=summary.source),
            ),
        ]
    return Section(
        key="discovery",
        title=title,
        words="The window is the 90 days of the headline; 85 is the mission's claimed target.",
        lines=tuple(lines),
    )


def theses(summary: Summary) -> Section:
    """How often directional calls were right (design §9)."""
    title = "Thesis accuracy"
    if summary.session is None:
        return missing("theses", title, NO_SUMMARY)
    figure = estimate(summary.section("thesis_accuracy"), source=summary.source)
    line = Line(label="Directional calls that were right", figure=figure, target=0.73)
    return _of_lines("theses", title, (line,), "Settled theses of 90 days.")


def timing(summary: Summary) -> Section:
    """Delay, entry and exit, and where the dollars went (design §13)."""
    title = "Market timing"
    found = summary.section("timing")
    if not found:
        return missing("timing", title, NO_SUMMARY)
    own = found.get("figures") or {}
    lines = tuple(
        Line(
            label=label,
            figure=estimate(own.get(name), source=summary.source),
            form=form,
            target=target,
        )
        for name, label, form, target in TIMING
    )
    bridge = tuple(
        (str(row["about"]), figures.money(row["usd"]), f"{row['n']:,}")
        for row in found.get("bridge") or ()
    )
    return Section(
        key="timing",
        title=title,
        words=f"{found.get('trades', 0)} trades that came from a candidate.",
        lines=lines,
        table=Table(headings=("Dollar bridge", "USD", "Trades"), rows=bridge) if bridge else None,
    )


def health(summary: Summary, incidents: list[tuple[str, str, str]]) -> Section:
    """The score of the system, and what is wrong now (design §15)."""
    title = "System health"
    stored = summary.section("health")
    value = stored.get("value")
    if value is None:
        figure = insufficient(
            n=0, reason=str(stored.get("reason") or NO_SUMMARY), source=summary.source
        )
    else:
        figure = measured(
            value=float(value), n=1, source=summary.source, as_of=summary.session,
            method="weighted mean over known components", reason="a state, no sampling",
        )  # fmt: skip
    return Section(
        key="health",
        title=title,
        words="No incident is open." if not incidents else f"{len(incidents)} incidents are open.",
        lines=(Line(label="Overall score", figure=figure, form=NUMBER, target=90.0),),
        table=Table(headings=("Component", "Status", "What to do"), rows=tuple(incidents))
        if incidents
        else None,
    )


def portfolio(summary: Summary, equity: Chart | None, held: int) -> Section:
    """The metrics of the window, both weightings of the average return (design §11)."""
    title = "Portfolio"
    own = _equal(summary)
    if not own:
        return missing("portfolio", title, NO_SUMMARY)
    lines = [
        Line(label=label, figure=estimate(own.get(name), source=summary.source), form=form)
        for name, label, form in METRICS
        if name in own
    ]
    by_capital = (summary.section("metrics").get("capital") or {}).get("average_return")
    lines.insert(
        2,
        Line(
            label="Average return by capital",
            figure=estimate(by_capital, source=summary.source),
            form=CHANGE,
        ),
    )
    return Section(
        key="portfolio",
        title=title,
        words=f"{held} open positions; each trade counts alike unless said otherwise.",
        lines=tuple(lines),
        chart=equity,
    )


def recovery(summary: Summary, trend: list[DashboardSummary]) -> Section:
    """Progress toward the baseline, its trend and projection (design §12)."""
    title = "Recovery"
    told = summary.section("recovery")
    if not told:
        return missing("recovery", title, NO_SUMMARY)
    share, projection = told.get("progress"), told.get("projection") or {}
    about: dict[str, Any] = {"source": summary.source, "as_of": summary.session}
    if share is None:
        figure = insufficient(n=0, reason=str(told.get("reason") or "not known"), **about)
    else:
        figure = measured(
            value=float(share),
            n=1,
            method="0.5 return + 0.2 win rate + 0.3 explosive",
            reason="its parts have intervals of their own, see the headline",
            **about,
        )
    notes = []
    if told.get("zero_skill"):
        level = told["zero_skill"].get("progress")
        if level is not None:
            notes.append(f"No skill at all would show {figures.percent(level)}.")
    if told.get("projected_recovery_date"):
        notes.append(f"Projected (exploratory): {told['projected_recovery_date']}.")
    elif projection.get("reason"):
        notes.append(f"No projected date: {projection['reason']}.")
    return Section(
        key="recovery",
        title=title,
        words=f"Status {str(told.get('status')).replace('_', ' ').lower()}; the roadmap ends "
        f"{told.get('roadmap_ends') or 'on no known day'}.",
        lines=(Line(label="Recovery progress", figure=figure, target=0.9),),
        notes=tuple(notes),
        chart=report.chart(
            "Recovery progress", [(row.session, row.recovery_progress) for row in trend]
        ),
    )


def money_chart(points: list[tuple[Any, Any]]) -> Chart | None:
    """Return the equity of all accounts as a chart; None under two days."""
    return report.chart("Equity", [(day, float(value)) for day, value in points], form=MONEY)


def _equal(summary: Summary) -> Mapping[str, Any]:
    found: Mapping[str, Any] = summary.section("metrics").get("equal") or {}
    return found


def _targets(baseline: Baseline | None) -> dict[str, float]:
    if baseline is None:
        return {}
    return {
        "average_return": baseline.average_return,
        "win_rate": baseline.win_rate,
        "explosive_growth_rate": baseline.explosive_rate,
    }


def _of_lines(key: str, title: str, lines: tuple[Line, ...], words: str) -> Section:
    """Return a section of figures, missing as a whole where each of them is."""
    if all(line.figure.value is None for line in lines):
        return missing(key, title, lines[0].figure.reason)
    return Section(key=key, title=title, lines=lines, words=words)
