"""Sections of the report that say what is risked and what to do: risk, roadmap, actions (§14)."""

from collections.abc import Iterable, Sequence

from analytics.calc import figures
from performance.calc.report import (
    CHANGE,
    PERCENT,
    RATIO,
    Line,
    Section,
    Table,
    missing,
)
from performance.models import OrderProposal, PositionAdvice, RiskAdvice, StopState
from performance.services.risk import AccountRisk, RiskReport
from performance.services.roadmap import Roadmap
from performance.services.summary_reading import Summary

SHOWN = 15  # rows of a table on paper
FIGURES = (
    ("var_95", "VaR 95 %, one session", CHANGE),
    ("cvar_95", "CVaR 95 %, one session", CHANGE),
    ("volatility", "Volatility, a year", PERCENT),
    ("beta", "Beta to SPY", RATIO),
    ("max_drawdown", "Max drawdown", CHANGE),
    ("heat", "Heat", PERCENT),
    ("heat_confirmed_stops", "Heat, confirmed stops only", PERCENT),
    ("name_hhi", "Concentration by name [HHI]", RATIO),
    ("sector_hhi", "Concentration by sector [HHI]", RATIO),
    ("mean_correlation", "Mean correlation", RATIO),
    ("size_rank_correlation", "Sizing: weight and return, rank correlation", RATIO),
    ("capital_less_equal", "Sizing: capital less equal weighting", CHANGE),
)
MISSION = 5  # lines of what to do, at most


def risk(found: RiskReport, counts: dict[str, int]) -> Section:
    """What could be lost, the biggest positions, and which rules were broken (design §14)."""
    title = "Risk"
    if found.session is None:
        return missing("risk", title, found.reason)
    lines = [line for account in found.accounts for line in _lines(account, found)]
    positions = [row for account in found.accounts for row in account.positions]
    rows = tuple(
        (
            row.symbol,
            figures.percent(row.weight),
            figures.change(row.unrealised),
            figures.money(row.money_at_risk),
            figures.number(row.days_to_exit, 2),
            row.advice,
            row.reason,
        )
        for row in positions[:SHOWN]
    )
    broken = ", ".join(f"{rule.replace('_', ' ')} {n}" for rule, n in counts.items())
    headings = (
        "Symbol",
        "Weight",
        "Open return",
        "At risk",
        "Sessions to exit",
        "Risk says",
        "Why",
    )
    return Section(
        key="risk",
        title=title,
        words=f"Accounts: {len(found.accounts)}; positions: {len(positions)}; {found.session}.",
        lines=tuple(lines),
        notes=(f"Rules broken so far: {broken or 'none'}.",),
        table=Table(headings=headings, rows=rows, more=max(len(positions) - SHOWN, 0))
        if rows
        else None,
    )


def _lines(account: AccountRisk, found: RiskReport) -> Iterable[Line]:
    head = f"{account.account.account.name}: " if len(found.accounts) > 1 else ""
    for name, label, form in FIGURES:
        if name in account.figures:
            yield Line(label=f"{head}{label}", figure=account.figures[name], form=form)


def roadmap(found: Roadmap) -> Section:
    """The four phases and fifteen check boxes, each with its evidence (design §12)."""
    title = "Restoration roadmap"
    rows = tuple(
        (
            f"{phase.number}. {phase.title}" + (" (now)" if phase.is_current else ""),
            line.title,
            line.state.replace("_", " "),
            line.evidence + (f" [{line.overridden_by}: {line.note}]" if line.note else ""),
        )
        for phase in found.phases
        for line in phase.lines
    )
    known = any(line.check_id is not None for phase in found.phases for line in phase.lines)
    if not known:
        return missing("roadmap", title, "no check box has been evaluated yet")
    return Section(
        key="roadmap",
        title=title,
        words=f"{found.met} of {found.boxes} check boxes are ticked; it runs from "
        f"{found.start or 'no known day'} to {found.ends or 'no known day'}.",
        table=Table(headings=("Phase", "Check box", "State", "Evidence"), rows=rows),
    )


def actions(
    advised: Sequence[PositionAdvice],
    proposals: Sequence[OrderProposal],
    found: Roadmap,
    summary: Summary,
) -> Section:
    """At most five lines, the most urgent first; nothing is sent without a person."""
    said = [f"{row.advice} {row.symbol}: {row.reason}" for row in advised if _urgent(row)]
    missing_stops = [row.symbol for row in advised if row.stop_state == StopState.MISSING]
    if missing_stops:
        shown = ", ".join(missing_stops[:SHOWN])
        said.append(f"Set the stops that do not work at the broker: {shown}")
    if proposals:
        said.append(f"Decide on {len(proposals)} order proposals in the admin")
    boxes = [
        line.title
        for phase in found.phases
        if phase.is_current
        for line in phase.lines
        if line.state != "met"
    ]
    said += [f"Roadmap: {title}" for title in boxes]
    rest = max(len(said) - MISSION, 0)
    if not said:
        return Section(
            key="actions",
            title="What to do",
            words="Nothing asks for a decision.",
            notes=() if summary.session else ("No summary has been written yet.",),
        )
    return Section(
        key="actions",
        title="What to do",
        words=f"The most urgent first{f'; {rest} more are left out' if rest else ''}.",
        notes=tuple(said[:MISSION]),
    )


def _urgent(row: PositionAdvice) -> bool:
    return row.advice != RiskAdvice.HOLD
