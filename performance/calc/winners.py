"""Winner episodes against what a variant named: captured, missed, by chance, by hindsight."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.calc.outcomes import Episodes

BEST = 3  # picks a session of perfect hindsight
ALMOST_CERTAIN = 1 - 1e-12

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Capture:
    """What a variant did with each episode.

    Attributes:
        episodes: The episodes.
        days_captured: Of them, days on which the symbol was a candidate.
        first_row: First candidate row inside, as a row of the panel; -1 if there is none.
        random: Chance that a random draw of as many rows from the gate has one inside.
        best: Whether one of the best three of hindsight lies inside.
    """

    episodes: Episodes
    days_captured: Longs
    first_row: Longs
    random: Floats
    best: Flags

    @property
    def days(self) -> Longs:
        """Explosive stock-days of each episode."""
        return self.episodes.last - self.episodes.first + 1

    @property
    def captured(self) -> Flags:
        found: Flags = self.first_row >= 0
        return found

    def best_return(self, peak: Floats) -> Floats:
        """Return the best of ``peak`` (one value per explosive day) of each episode."""
        best = np.full(self.episodes.first.size, -np.inf)
        owner, inside = _spread(self.episodes.first, self.episodes.last + 1)
        np.maximum.at(best, owner, peak[inside])
        return best


def capture(
    episodes: Episodes,
    rows: Longs,
    *,
    candidates: Longs,
    gate: Longs,
    chance: Floats,
    best: Longs,
) -> Capture:
    """Match episodes with the rows a variant named.

    Rows are rows of a panel, sorted by symbol and session, so the rows between the first
    and the last day of an episode are the symbol's own.

    Args:
        episodes: Positions in ``rows``.
        rows: Explosive stock-days, ascending.
        candidates: Ascending.
        gate: Rows that passed every gate, ascending.
        chance: Of each of ``gate``, to be among as many as there were candidates.
        best: Best three of each session, ascending.
    """
    first, last = rows[episodes.first], rows[episodes.last]
    low, high = _inside(candidates, first, last)
    found = np.append(candidates, -1)[low]
    named = np.isin(rows, candidates).astype(np.int64)
    named_before = np.concatenate([[0], np.cumsum(named)])
    gate_low, gate_high = _inside(gate, first, last)
    best_low, best_high = _inside(best, first, last)
    return Capture(
        episodes=episodes,
        days_captured=named_before[episodes.last + 1] - named_before[episodes.first],
        first_row=np.where(high > low, found, -1),
        random=_any_drawn(chance, gate_low, gate_high),
        best=best_high > best_low,
    )


def best_of_each(session: Longs, rows: Longs, peak: Floats) -> Longs:
    """Return the positions of the three best of each session, sessions in order, best first.

    Args:
        session: Of each row.
        rows: Break ties.
        peak: Best close within 14 sessions; not NaN.
    """
    order = np.lexsort((rows, -peak, session))
    ordered = session[order]
    start = np.searchsorted(ordered, ordered, side="left")
    return order[np.arange(order.size) - start < BEST]


def _inside(rows: Longs, first: Longs, last: Longs) -> tuple[Longs, Longs]:
    low = np.searchsorted(rows, first, side="left")
    return low, np.searchsorted(rows, last, side="right")


def _any_drawn(chance: Floats, low: Longs, high: Longs) -> Floats:
    """Return the chance that any of each range is drawn, every range summed afresh."""
    owner, inside = _spread(low, high)
    spared = np.log1p(-np.minimum(chance[inside], ALMOST_CERTAIN))
    total = np.bincount(owner, weights=spared, minlength=low.size)
    return np.clip(-np.expm1(total), 0.0, 1.0)


def _spread(low: Longs, high: Longs) -> tuple[Longs, Longs]:
    """Return every position of the ranges ``low`` to ``high`` (exclusive), and whose it is."""
    size = high - low
    owner = np.repeat(np.arange(low.size), size)
    return owner, np.arange(owner.size) + np.repeat(low - np.cumsum(size) + size, size)
