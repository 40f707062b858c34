"""The market around a stretch of sessions, seen with hindsight: base universe and winners."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.calc import features, outcomes, strata
from analytics.calc.outcomes import LeanOutcomes
from analytics.calc.panel import Panel, row_segments

BASE_CLOSE_USD = (1.0, 8.0)  # raw close of the base universe, design §8
BASE_DOLLAR_VOLUME_USD = 500_000.0  # its lowest dollar_volume_20

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Market:
    """What happened after each session of a stretch.

    Attributes:
        panel: Bars, reaching past the stretch.
        reach: By session number, see :func:`outcomes.coverage`.
        numbers: Sessions of the stretch, ascending.
        position: By session number, its place in ``numbers``; -1 outside.
        lean: Outcomes of listed common stock and of the extra rows.
        base: Rows of the base universe, ascending.
        lower: Edges of its volatility deciles, by place.
        base_decile: Decile of each of ``base``; 0 where not known.
        winners: Explosive stock-days of listed common stock, ascending.
    """

    panel: Panel
    reach: Ints
    numbers: Ints
    position: Longs
    lean: LeanOutcomes
    base: Longs
    lower: Floats
    base_decile: Longs
    winners: Longs

    def place(self, rows: Longs) -> Longs:
        """Return the place of each row's session in ``numbers``."""
        places: Longs = self.position[self.panel.session[rows]]
        return places

    def decile(self, rows: Longs) -> Longs:
        """Return the volatility decile of rows (ascending), among the base universe."""
        before = features.of_rows(self.panel, rows)["volatility_20_before"]
        return strata.decile(before, self.place(rows), self.lower)

    def complete(self) -> Flags:
        """Whether the 14 sessions after each session are covered."""
        covered: Flags = self.reach[self.numbers] >= self.numbers + outcomes.WINDOW
        return covered


def view(panel: Panel, *, reach: Ints, numbers: Ints, extra: Longs) -> Market:
    """Look back at the sessions ``numbers``.

    Args:
        panel: Must reach back far enough for features, and 14 sessions past the last.
        reach: See :func:`outcomes.coverage`.
        numbers: Sessions of the stretch, ascending.
        extra: Rows whose outcome is wanted beside that of common stock.
    """
    position = np.full(reach.size, -1, np.int64)
    position[numbers] = np.arange(numbers.size)
    inside = position[panel.session] >= 0
    common = np.repeat(panel.segment_common, np.diff(panel.segment_start)) & inside
    wanted = common.copy()
    wanted[extra] = True
    lean = outcomes.settle_lean(panel, wanted, reach=reach)
    low, high = BASE_CLOSE_USD
    past = features.steps(panel)
    dollars = features.volume_means(panel, past)[1]
    priced = common & (panel.close >= low) & (panel.close <= high)
    base = np.flatnonzero(priced & (dollars >= BASE_DOLLAR_VOLUME_USD))
    before = features.of_rows(panel, base, past=past)["volatility_20_before"]
    place = position[panel.session[base]]
    lower = strata.edges(before, place, numbers.size)
    return Market(
        panel=panel,
        reach=reach,
        numbers=numbers,
        position=position,
        lean=lean,
        base=base,
        lower=lower,
        base_decile=strata.decile(before, place, lower),
        winners=np.flatnonzero(common & lean.explosive),
    )


@dataclass(frozen=True, kw_only=True)
class SessionCounts:
    """Counts of known outcomes by place: shape (sessions,), and (sessions, 10) by decile."""

    n: Longs
    explosive: Longs
    positive: Longs
    by_decile: Longs
    explosive_by_decile: Longs


def base_counts(market: Market) -> SessionCounts:
    """Count the base universe of each session."""
    known = market.lean.known[market.base]
    rows, decile = market.base[known], market.base_decile[known]
    hit = market.lean.explosive[rows]
    place, size = market.place(rows), market.numbers.size
    return SessionCounts(
        n=count(place, size),
        explosive=count(place[hit], size),
        positive=count(place[market.lean.return_14[rows] > 0], size),
        by_decile=strata.counts(decile, place, size),
        explosive_by_decile=strata.counts(decile[hit], place[hit], size),
    )


def count(place: Longs, size: int) -> Longs:
    """Return how often each place occurs."""
    return np.bincount(place, minlength=size).astype(np.int64)


def find_rows(panel: Panel, symbol: Longs, session: Longs) -> Longs:
    """Return the row of each (symbol id, session number); -1 where the panel has none."""
    width = int(max(panel.session.max(initial=0), session.max(initial=0))) + 1
    owner = np.repeat(np.arange(len(panel.symbols)), np.diff(panel.symbol_start))
    key = owner * width + panel.session
    wanted = symbol * width + session
    at = np.searchsorted(key, wanted)
    found = np.append(key, -1)[at] == wanted
    return np.where(found & (symbol >= 0), at, -1)


def segment_of(panel: Panel, rows: Longs) -> Ints:
    """Return the listing of each row."""
    return row_segments(panel, rows)
