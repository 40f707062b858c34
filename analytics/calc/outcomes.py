"""What the price did after a signal: entry, returns, extremes, outcome class (design §8).

The only compiled loops that look forward. No line of the detector reaches this module.
Prices after the entry are put on the entry's split basis. All returns are fractions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.calc.panel import Flags, Floats, Ints, Longs, Panel, in_threads, row_segments

HORIZONS = (1, 3, 5, 7, 14, 30)  # sessions after the signal
WINDOW = 14  # sessions in which extremes are looked for, and a rate settles
LONGEST = HORIZONS[-1]
EXPLOSIVE = 0.50  # by the best close of the window
EPISODE_GAP = 14  # sessions between explosive stock-days of one episode
LISTING_GAP = 20  # sessions without a bar after which a listing has ended for good

CLASSES = ("explosive", "strong", "moderate", "poor", "failed")

# Columns of the figures of one outcome.
(ENTRY, GAP, RETURN_1, RETURN_3, RETURN_5, RETURN_7, RETURN_14, RETURN_30) = range(8)
(MFE, MAE, PEAK, TO_PEAK, PROXY_14, PROXY_PEAK) = range(8, 14)
COLUMNS = 14

F = TypeVar("F", bound=Callable[..., None])


def jit(loop: F) -> F:
    """Compile a loop. Division by zero gives inf or NaN, as in NumPy."""
    return cast("F", njit(cache=True, nogil=True, error_model="numpy")(loop))


class State(IntEnum):
    """How far an outcome is known."""

    PENDING = 0
    SETTLED = 1
    DELISTED = 2
    NO_ENTRY = 3


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Outcomes of signals, one per row asked for, in the same order.

    Attributes:
        rows: Row of the panel of each signal.
        figures: Shape (signals, ``COLUMNS``); NaN where not known. The proxies (from the
            signal's close) are there only where there was no entry.
        state: :class:`State` of each.
        final: Whether no later session can change it.
        last_trade: Session of the listing's last bar, where it ended inside 30 sessions
            of the signal; else -1.
        reach: Last session up to which the market is covered without a hole; -1 if the
            signal's own session is not.
    """

    rows: Longs
    figures: Floats
    state: npt.NDArray[np.int8]
    final: Flags
    last_trade: Ints
    reach: Ints

    @property
    def known(self) -> Flags:
        """Whether the outcome counts in a rate: settled or delisted."""
        found: Flags = (self.state == State.SETTLED) | (self.state == State.DELISTED)
        return found


@dataclass(frozen=True, kw_only=True)
class LeanOutcomes:
    """The two figures that base rates need; NaN where not known or without entry."""

    peak_close_return: Floats
    return_14: Floats

    @property
    def known(self) -> Flags:
        found: Flags = ~np.isnan(self.return_14)
        return found

    @property
    def explosive(self) -> Flags:
        return self.peak_close_return >= EXPLOSIVE


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """Runs of explosive stock-days, as positions in the days they were made of (inclusive)."""

    first: Longs
    last: Longs


def coverage(covered: Ints, *, size: int) -> Ints:
    """Return for each session of the calendar how far bars reach without a hole.

    Args:
        covered: Sessions that have bars of any symbol, ascending.
        size: Sessions of the calendar.

    Returns:
        By session number: the last session of the unbroken run that it lies in;
        -1 where the session itself is not covered.
    """
    reach = np.full(size, -1, np.int32)
    if covered.size:
        ends = np.flatnonzero(np.append(np.diff(covered) > 1, True))
        reach[covered] = covered[ends[np.searchsorted(ends, np.arange(covered.size))]]
    return reach


def settle(panel: Panel, rows: Longs, *, reach: Ints) -> Outcomes:
    """Return what became of the signals at ``rows``, as far as the data go.

    The entry is the open of the next session. A horizon is known once the covered
    sessions reach it: the last close on or before it, within the listing. A window
    that runs into a hole of the data stays pending; a listing that ends while the
    market goes on is settled at its last trade. Where a high or low is not known,
    the close stands in for it (the excursion was at least that).

    Args:
        panel: Bars; they must reach as far as ``reach`` says.
        rows: Rows of the panel, in any order.
        reach: See :func:`coverage`.
    """
    ends = panel.segment_start[row_segments(panel, rows) + 1]
    figures = np.full((rows.size, COLUMNS), np.nan)
    state = np.zeros(rows.size, np.int8)
    final = np.zeros(rows.size, np.bool_)
    last_trade = np.full(rows.size, -1, np.int32)
    _settle(
        panel.session,
        panel.open,
        panel.high,
        panel.low,
        panel.close,
        panel.split,
        rows,
        ends,
        reach,
        figures,
        state,
        final,
        last_trade,
    )
    return Outcomes(
        rows=rows,
        figures=figures,
        state=state,
        final=final,
        last_trade=last_trade,
        reach=reach[panel.session[rows]],
    )


def settle_lean(panel: Panel, wanted: Flags, *, reach: Ints) -> LeanOutcomes:
    """Return best close and return of 14 sessions for many rows; the same as :func:`settle`.

    Args:
        panel: Bars.
        wanted: One per row of the panel; the others stay NaN.
        reach: See :func:`coverage`.
    """
    peak, held = np.full(panel.height, np.nan), np.full(panel.height, np.nan)

    def work(first: int, last: int) -> None:
        _lean(
            panel.session,
            panel.open,
            panel.close,
            panel.split,
            panel.segment_start[first : last + 1],
            wanted,
            reach,
            peak,
            held,
        )

    in_threads(work, panel.segment_start)
    return LeanOutcomes(peak_close_return=peak, return_14=held)


def outcome_classes(peak_close_return: Floats) -> npt.NDArray[np.int8]:
    """Return the position in :data:`CLASSES`; -1 where the return is NaN (design §8)."""
    edges = np.array([-0.10, 0.0, 0.10, EXPLOSIVE])
    # failed <= -.10, poor (-.10, 0], moderate (0, .10): closed on the right below .10,
    # strong [.10, .50), explosive from .50: closed on the left from .10 on.
    rank = (peak_close_return > edges[0]).astype(np.int8) + (peak_close_return > edges[1])
    rank += (peak_close_return >= edges[2]).astype(np.int8) + (peak_close_return >= edges[3])
    known = ~np.isnan(peak_close_return)
    return np.where(known, len(CLASSES) - 1 - rank, -1).astype(np.int8)


def window_returns(open_: Floats, close: Floats, at: Ints, horizon: int) -> Floats:
    """Return close of session t + ``horizon`` over the open of t + 1, less 1, of one symbol.

    Args:
        open_: Split-adjusted, by session number; NaN without a bar.
        close: The same.
        at: Signal sessions t.
        horizon: Sessions after the signal.
    """
    inside = at + horizon < close.size
    start, end = open_[np.where(inside, at + 1, 0)], close[np.where(inside, at + horizon, 0)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(inside & (start > 0), end / start - 1, np.nan)


def by_session(panel: Panel, symbol: str, *, size: int) -> tuple[Floats, Floats]:
    """Return split-adjusted opens and closes of one symbol by session number.

    NaN without a bar; everything is NaN if the symbol has no bar at all.
    """
    opens, closes = np.full(size, np.nan), np.full(size, np.nan)
    if symbol in panel.symbols:
        at = panel.symbols.index(symbol)
        span = slice(int(panel.symbol_start[at]), int(panel.symbol_start[at + 1]))
        factor = np.cumprod(panel.split[span])
        opens[panel.session[span]] = panel.open[span] * factor
        closes[panel.session[span]] = panel.close[span] * factor
    return opens, closes


def episodes(segment: Ints, session: Ints) -> Episodes:
    """Join explosive stock-days of one listing that lie at most 14 sessions apart.

    Args:
        segment: Listing of each day; days sorted by listing, then session.
        session: Session number of each.
    """
    if not session.size:
        nothing = np.empty(0, np.int64)
        return Episodes(first=nothing, last=nothing)
    cut = (np.diff(segment) != 0) | (np.diff(session) > EPISODE_GAP)
    first = np.concatenate([[0], np.flatnonzero(cut) + 1]).astype(np.int64)
    last = np.concatenate([first[1:] - 1, [session.size - 1]]).astype(np.int64)
    return Episodes(first=first, last=last)


@jit
def _settle(
    session: Any,
    open_: Any,
    high: Any,
    low: Any,
    close: Any,
    split: Any,
    rows: Any,
    ends: Any,
    reach: Any,
    figures: Any,
    state: Any,
    final: Any,
    last_trade: Any,
) -> None:
    for k in range(rows.size):
        row, end = rows[k], ends[k]
        signal = session[row]
        covered, last = reach[signal], session[end - 1]
        if covered < signal + 1:
            continue
        entry = row + 1
        entered = entry < end and session[entry] == signal + 1 and open_[entry] > 0
        basis = open_[entry] if entered else close[row]
        if entered:
            figures[k, 0] = basis
            figures[k, 1] = basis * split[entry] / close[row] - 1
        _follow(session, high, low, close, split, row, end, covered, entered, basis, figures[k])
        settled = covered >= signal + 14
        over = covered > last + 20  # the listing has ended for good
        if last < signal + 30 and covered > last:
            last_trade[k] = last
        if not entered:
            state[k] = 3
            final[k] = settled and (last >= signal + 14 or over)
            continue
        if settled:
            state[k] = 2 if last < signal + 14 else 1
        final[k] = covered >= signal + 30 and (last >= signal + 30 or over)


@jit
def _follow(
    session: Any,
    high: Any,
    low: Any,
    close: Any,
    split: Any,
    row: Any,
    end: Any,
    covered: Any,
    entered: Any,
    basis: Any,
    figures: Any,
) -> None:
    """One walk over the rows after a signal, on the basis of the entry (or of the signal)."""
    horizons = (1, 3, 5, 7, 14, 30)
    signal = session[row]
    factor, price = 1.0, close[row]
    best, worst, peak, to_peak = -np.inf, np.inf, -np.inf, 0
    at = row + 1
    for h in range(6):
        limit = signal + horizons[h]
        while at < end and session[at] <= limit:
            if at > row + 1 or not entered:
                factor *= split[at]
            price = close[at] * factor
            if session[at] <= signal + 14:
                top = high[at] if high[at] == high[at] else close[at]
                bottom = low[at] if low[at] == low[at] else close[at]
                best, worst = max(best, top * factor), min(worst, bottom * factor)
                if price > peak:
                    peak, to_peak = price, session[at] - signal
            at += 1
        if covered >= limit and entered:
            figures[2 + h] = price / basis - 1
        if covered >= limit and horizons[h] == 14 and at > row + 1:  # else a made-up 0 %
            if entered:
                figures[8] = best / basis - 1
                figures[9] = worst / basis - 1
                figures[10] = peak / basis - 1
                figures[11] = to_peak
            else:
                figures[12] = price / basis - 1
                figures[13] = peak / basis - 1


@jit
def _lean(
    session: Any,
    open_: Any,
    close: Any,
    split: Any,
    segment_start: Any,
    wanted: Any,
    reach: Any,
    peak_out: Any,
    held_out: Any,
) -> None:
    for segment in range(segment_start.size - 1):
        end = segment_start[segment + 1]
        for row in range(segment_start[segment], end - 1):
            if not wanted[row]:
                continue
            limit = session[row] + 14
            entry = row + 1
            if reach[session[row]] < limit or session[entry] != session[row] + 1:
                continue
            basis = open_[entry]
            if not basis > 0:
                continue
            factor, price, peak = 1.0, close[entry], close[entry]
            for at in range(entry + 1, end):
                if session[at] > limit:
                    break
                factor *= split[at]
                price = close[at] * factor
                peak = max(peak, price)
            peak_out[row] = peak / basis - 1
            held_out[row] = price / basis - 1
