"""What each gate costs in winners and saves in false alarms (design §8, missed winners).

A gate is loosened, alone, and discovery replayed: which episodes are caught that were missed,
which are lost because others now rank higher, and how good are the rows that come in.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import evidence, intervals, market, outcomes, replay, sessions
from analytics.calc import panel as panels
from analytics.calc.detector import Rules
from analytics.calc.kernels import layout
from analytics.calc.market import Market
from analytics.calc.outcomes import Episodes
from analytics.calc.panel import Panel
from analytics.calc.similarity import Reference

DROPPED, HALVED = "dropped", "half as strict"
ANY_PRICE_USD, ANY_FLOAT = 1e9, 1e18
TOP = "rank beyond the top"
MOST = 500  # candidates a session when the limit of the list is dropped

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """One gate loosened: which, how, and the rules that result."""

    gate: str
    how: str
    rules: Rules


def relaxations(rules: Rules) -> list[Relaxation]:
    """Return each gate that a variant sets, dropped and half as strict.

    Being common stock, having traded and having no split that day are no matter of degree.
    """
    gate = layout.GATES
    wanted: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (
            gate[layout.GATE_SESSIONS - 1],
            {"min_sessions": 1},
            {"min_sessions": max(rules.min_sessions // 2, 1)},
        ),
        (
            gate[layout.GATE_PRICE - 1],
            {"min_close": 1e-6, "max_close": ANY_PRICE_USD},
            {"min_close": rules.min_close / 2, "max_close": rules.max_close * 2},
        ),
        (
            gate[layout.GATE_DOLLAR_VOLUME - 1],
            {"min_dollar_volume": 0.0},
            {"min_dollar_volume": rules.min_dollar_volume / 2},
        ),
        (
            gate[layout.GATE_REL_VOLUME - 1],
            {"min_rel_volume": 0.0},
            {"min_rel_volume": rules.min_rel_volume / 2},
        ),
        (
            gate[layout.GATE_FLOAT - 1],
            {"max_float": ANY_FLOAT},
            {"max_float": rules.max_float * 2},
        ),
        (
            gate[layout.GATE_COVERAGE - 1],
            {"min_coverage": 0.0},
            {"min_coverage": rules.min_coverage / 2},
        ),
        (TOP, {"top": max(MOST, rules.top)}, {"top": rules.top * 2}),
    ]
    return [
        Relaxation(gate=name, how=how, rules=replace(rules, **fields))
        for name, dropped, halved in wanted
        for how, fields in ((DROPPED, dropped), (HALVED, halved))
    ]


def study(
    panel: Panel,
    *,
    rules: Rules,
    references: Sequence[Reference],
    first: date,
    last: date,
    reach: Ints,
    source: str,
) -> dict[str, Any]:
    """Return what each relaxation would have caught, at what cost.

    Args:
        panel: As for a backtest: bars past ``last`` for the outcomes.
        rules: The variant.
        references: They break ties.
        first, last: Sessions, both included.
        reach: See :func:`outcomes.coverage`.
        source: Of the rows.

    Returns:
        ``episodes``, ``captured``, ``precision`` of the variant as it is; ``gates``: one
        document per relaxation; ``caught_by``: for each missed episode ("SYMBOL session") the
        relaxations that catch it.
    """
    as_it_is = _rows(panel, rules, references, first, last)
    numbers = _scanned(panel, first, last)
    seen = market.view(panel, reach=reach, numbers=numbers, extra=as_it_is)
    days = seen.winners
    joined = outcomes.episodes(panels.row_segments(panel, days), panel.session[days])
    caught = _captured(joined, days, as_it_is)
    gates, caught_by = [], _names(seen, days[joined.first], ~caught)
    for change in relaxations(rules):
        rows = _rows(panel, change.rules, references, first, last)
        now = _captured(joined, days, rows)
        gates.append(_cost(seen, change, as_it_is, rows, (caught, now), source))
        for at in np.flatnonzero(now & ~caught):
            caught_by[_name(seen, int(days[joined.first[at]]))].append(
                f"{change.gate}: {change.how}"
            )
    as_of = sessions.day(int(numbers[-1])) if numbers.size else None
    return {
        "sessions": int(numbers.size),
        "episodes": int(caught.size),
        "captured": int(caught.sum()),
        "candidates_per_session": as_it_is.size / numbers.size if numbers.size else None,
        "precision": _precision(seen, as_it_is, source, as_of),
        "gates": gates,
        "caught_by": caught_by,
    }


def _rows(
    panel: Panel, rules: Rules, references: Sequence[Reference], first: date, last: date
) -> Longs:
    found = replay.run(panel, variants=[rules], references=references, first=first, last=last)
    return np.sort(found.variants[0].candidates["row"].to_numpy()).astype(np.int64)


def _scanned(panel: Panel, first: date, last: date) -> Ints:
    present = np.unique(panel.session)
    low, high = sessions.number(first), sessions.number(last)
    return present[(present >= low) & (present <= high)].astype(np.int32)


def _captured(joined: Episodes, days: Longs, rows: Longs) -> Flags:
    """Return which episodes hold one of ``rows`` (ascending)."""
    first, last = days[joined.first], days[joined.last]
    low, high = np.searchsorted(rows, first, "left"), np.searchsorted(rows, last, "right")
    found: Flags = high > low
    return found


def _cost(
    seen: Market,
    change: Relaxation,
    before: Longs,
    after: Longs,
    captured: tuple[Flags, Flags],
    source: str,
) -> dict[str, Any]:
    added = np.setdiff1d(after, before, assume_unique=True)
    gone = np.setdiff1d(before, after, assume_unique=True)
    size = seen.numbers.size
    as_of = sessions.day(int(seen.numbers[-1])) if size else None
    then, now = captured
    gained, lost = int((now & ~then).sum()), int((then & ~now).sum())
    peak, known = _peaks(seen, added)
    false = int((known & ~(peak >= outcomes.EXPLOSIVE)).sum())
    return {
        "gate": change.gate,
        "how": change.how,
        "episodes_gained": gained,
        "episodes_lost": lost,
        "candidates_added": int(added.size),
        "candidates_displaced": int(gone.size),
        "candidates_added_per_session": added.size / size if size else None,
        "precision_of_added": _precision(seen, added, source, as_of),
        "false_alarms_per_episode_gained": false / gained if gained else None,
    }


def _peaks(seen: Market, rows: Longs) -> tuple[npt.NDArray[np.float64], Flags]:
    settled = outcomes.settle(seen.panel, rows, reach=seen.reach)
    return settled.figures[:, outcomes.PEAK], settled.known


def _precision(seen: Market, rows: Longs, source: str, as_of: date | None) -> dict[str, Any]:
    """Return the explosive rate of rows, as a document."""
    peak, known = _peaks(seen, rows)
    place = seen.place(rows)
    hit = known & (peak >= outcomes.EXPLOSIVE)
    rate = intervals.ratio(
        np.bincount(place[hit], minlength=seen.numbers.size).astype(np.float64),
        np.bincount(place[known], minlength=seen.numbers.size).astype(np.float64),
    )
    found = evidence.rate_estimate(rate, source=source, as_of=as_of)
    return asdict(found) | {
        "as_of": as_of.isoformat() if as_of else None,
        "status": str(found.status),
    }


def _names(seen: Market, first: Longs, missed: Flags) -> dict[str, list[str]]:
    return {_name(seen, int(row)): [] for row in first[missed]}


def _name(seen: Market, row: int) -> str:
    """Return what an episode is called: its symbol and first session."""
    symbol = int(np.searchsorted(seen.panel.symbol_start, row, side="right")) - 1
    return f"{seen.panel.symbols[symbol]} {sessions.day(int(seen.panel.session[row]))}"
