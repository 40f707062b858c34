"""What hindsight adds to batches, as the columns of ``discovery_batch_analysis``."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import outcomes, strata
from analytics.calc.market import Market, SessionCounts, count
from analytics.calc.outcomes import State
from performance.calc import winners

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Picks:
    """Candidates of the batches of one variant, in any order.

    Attributes:
        place: Place of each one's session in ``Market.numbers``.
        row: Row of its signal; -1 if the bar is no longer there.
        first: Whether it is a first signal.
        state: :class:`State` of its outcome.
        final: Whether that can still change.
        return_14, peak: NaN where not known.
        decile: Volatility decile, 0 where not known.
    """

    place: Longs
    row: Longs
    first: Flags
    state: npt.NDArray[np.int8]
    final: Flags
    return_14: Floats
    peak: Floats
    decile: Longs

    @property
    def known(self) -> Flags:
        return np.isin(self.state, (State.SETTLED, State.DELISTED))


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Rows that passed every gate of a variant, ascending, with the coverage of their score."""

    rows: Longs
    coverage: Floats


def candidate_columns(picks: Picks, size: int) -> dict[str, Any]:
    """Return the counts of candidates by place."""
    known, first = picks.known, picks.known & picks.first
    with np.errstate(invalid="ignore"):
        explosive = known & (picks.peak >= outcomes.EXPLOSIVE)
        held = known & (picks.return_14 >= outcomes.EXPLOSIVE)
        positive = known & (picks.return_14 > 0)

    def where(chosen: Flags) -> Longs:
        return count(picks.place[chosen], size)

    def total(chosen: Flags) -> Floats:
        return summed(picks.place[chosen], picks.return_14[chosen], size)

    return {
        "candidates": count(picks.place, size),
        "settled": where(known),
        "pending": where(picks.state == State.PENDING),
        "no_entry": where(picks.state == State.NO_ENTRY),
        "delisted": where(picks.state == State.DELISTED),
        "explosive": where(explosive),
        "explosive_held": where(held),
        "positive_14": where(positive),
        "sum_return_14": total(known),
        "first_settled": where(first),
        "first_explosive": where(explosive & first),
        "first_positive_14": where(positive & first),
        "first_sum_return_14": total(first),
    }


def decile_columns(picks: Picks, base: SessionCounts) -> list[list[list[int]]]:
    """Return the counts by decile, see ``BatchAnalysis.by_decile``."""
    size = base.n.size
    known, first = picks.known, picks.known & picks.first
    with np.errstate(invalid="ignore"):
        hit = picks.peak >= outcomes.EXPLOSIVE
    chosen = (known, known & hit, first, first & hit)
    own = [strata.counts(picks.decile[these], picks.place[these], size) for these in chosen]
    stacked = np.stack([*own, base.by_decile, base.explosive_by_decile], axis=2)
    result: list[list[list[int]]] = stacked.tolist()
    return result


def gate_columns(market: Market, gate: Gate) -> tuple[dict[str, Any], Longs]:
    """Return what a random draw from the gate and the best three came to, and the best rows."""
    size = market.numbers.size
    known = market.lean.known[gate.rows]
    rows, coverage = gate.rows[known], gate.coverage[known]
    place, peak = market.place(rows), market.lean.peak_close_return[rows]
    positive = market.lean.return_14[rows] > 0
    hit = peak >= outcomes.EXPLOSIVE
    best = winners.best_of_each(place, rows, peak)
    named: list[list[list[Any]]] = [[] for _ in range(size)]
    symbols = market.panel.symbols
    owner = np.searchsorted(market.panel.symbol_start, rows[best], side="right") - 1
    for at, symbol, reached in zip(place[best], owner, peak[best], strict=True):
        named[at].append([symbols[symbol], round(float(reached), 4)])
    made = {
        "gate_n": count(place, size),
        "gate_explosive": count(place[hit], size),
        "gate_positive_14": count(place[positive], size),
        "gate_coverage": _means(market.place(gate.rows), gate.coverage, size),
        "best": named,
        "best_n": count(place[best], size),
        "best_explosive": count(place[best][hit[best]], size),
        "best_positive_14": count(place[best][positive[best]], size),
        "best_coverage": _means(place[best], coverage[best], size),
    }
    return made, np.sort(rows[best])


def finality(market: Market, picks: Picks) -> Flags:
    """Return by place whether no later data can change the batch."""
    over = market.reach[market.numbers] >= market.numbers + outcomes.LONGEST
    open_ = np.bincount(picks.place[~picks.final], minlength=market.numbers.size) > 0
    return over & ~open_


def _means(place: Longs, values: Floats, size: int) -> Floats:
    """Return the mean by place; NaN without a value."""
    n, total = count(place, size), summed(place, values, size)
    means: Floats = np.divide(total, n, out=np.full(size, np.nan), where=n > 0)
    return means


def summed(place: Longs, values: Floats, size: int) -> Floats:
    """Return the sum by place."""
    return np.bincount(place, weights=values, minlength=size).astype(np.float64)
