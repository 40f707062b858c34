"""Was the thesis right? The triple barrier on daily bars, from the entry open (design §9).

A thesis' prices are those of its signal session; bars after it are put on that basis, and what is
returned is on the basis of the entry. Nothing is settled before its whole horizon has passed: what
touches a barrier early would else be counted sooner than what touches none.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc.kernels.gates import locate
from analytics.calc.outcomes import LISTING_GAP, jit
from analytics.calc.panel import Flags, Floats, Ints, Longs, Panel, row_segments
from analytics.calc.thesis_calls import DOWN, FLAT, UP

HOLD_BAND = 0.10  # a HOLD is right if the horizon return stays inside, design §9

# Columns of the figures of one settlement.
ENTRY, EXIT, RETURN, BEST, WORST = range(5)
COLUMNS = 5


class State(IntEnum):
    """What came first of target, stop and horizon."""

    PENDING = 0
    TARGET = 1
    STOP = 2
    NEITHER = 3
    VOID = 4
    NO_ENTRY = 5


@dataclass(frozen=True, kw_only=True)
class Questions:
    """Theses as arrays, one value each.

    Attributes:
        symbol: Symbol id in the panel; -1 where the panel has no bar of it.
        session: Number of the signal session.
        horizon: Sessions after the signal, 1 or more.
        target, stop: Prices [USD] as of the signal session. The target may lie on either side
            of the stop: a bearish thesis has it below.
    """

    symbol: Longs
    session: Ints
    horizon: Ints
    target: Floats
    stop: Floats


@dataclass(frozen=True, kw_only=True)
class Settlements:
    """Settled theses, one per question, in the same order.

    Attributes:
        state: :class:`State`.
        touched: :class:`State` of the first touch, TARGET or STOP, also while pending; else 0.
        exit: Session number of the touch, else of the last trade up to the horizon; -1 if there
            is neither yet.
        figures: Shape (theses, ``COLUMNS``): entry open as traded [USD], exit price on its basis
            [USD], return of the whole horizon, best high and worst low up to the exit over the
            entry less 1; NaN where not known.
        last_trade: Session of the last bar of a listing that ended inside the horizon; else -1.
        final: Whether no later session can change it.
    """

    state: npt.NDArray[np.int8]
    touched: npt.NDArray[np.int8]
    exit: Ints
    figures: Floats
    last_trade: Ints
    final: Flags

    @property
    def settled(self) -> Flags:
        """Whether the thesis counts in scores: target, stop or neither."""
        found: Flags = (self.state >= State.TARGET) & (self.state <= State.NEITHER)
        return found

    @property
    def hit(self) -> Flags:
        """What ``p_target`` was about: the target came first within the horizon."""
        found: Flags = self.state == State.TARGET
        return found


def settle(panel: Panel, asked: Questions, *, reach: Ints) -> Settlements:
    """Settle theses, as far as the data go.

    Entry is the open of the next session. From then on, in this order, session by session: an open
    at or beyond a barrier fills there (not on the entry session: such an entry is ``VOID``); a
    session whose range holds both barriers is a stop; a range that holds one fills at it. A high
    or low that is not known counts as the close. A listing that ended while the market went on
    settles at its last trade; a horizon that runs into a hole of the data stays pending.

    Args:
        panel: Bars; they must reach as far as ``reach`` says.
        asked: The theses.
        reach: See :func:`outcomes.coverage`.

    Source: design §9, "Settlement"; triple barrier of Lopez de Prado 2018, Advances in Financial
    Machine Learning, ch. 3.
    """
    size = asked.session.size
    figures = np.full((size, COLUMNS), np.nan)
    state, touched = np.zeros(size, np.int8), np.zeros(size, np.int8)
    exit_, last_trade = np.full(size, -1, np.int32), np.full(size, -1, np.int32)
    final = np.zeros(size, np.bool_)
    entry, end = _entries(panel, asked)
    _settle(
        panel.session,
        panel.open,
        panel.high,
        panel.low,
        panel.close,
        panel.split,
        entry,
        end,
        asked.session,
        asked.horizon,
        asked.target,
        asked.stop,
        reach,
        state,
        touched,
        exit_,
        figures,
        last_trade,
        final,
    )
    return Settlements(
        state=state,
        touched=touched,
        exit=exit_,
        figures=figures,
        last_trade=last_trade,
        final=final,
    )


def calls_right(state: npt.NDArray[np.int8], returns: Floats) -> dict[int, Flags]:
    """Return for each possible call whether it was, or would have been, right.

    Args:
        state: :class:`State` of each thesis.
        returns: Return of its whole horizon, a fraction; NaN where not settled.

    Returns:
        By ``UP`` (BUY: target first, or neither and a gain), ``DOWN`` (TRIM, LIQUIDATE, AVOID: a
        loss) and ``FLAT`` (HOLD: less than 10 % either way). False where not settled.

    Source: design §9, "Thesis accuracy".
    """
    neither = state == State.NEITHER
    settled = (state == State.TARGET) | (state == State.STOP) | neither
    with np.errstate(invalid="ignore"):
        return {
            UP: (state == State.TARGET) | neither & (returns > 0),
            DOWN: settled & (returns < 0),
            FLAT: settled & (np.abs(returns) < HOLD_BAND),
        }


def _entries(panel: Panel, asked: Questions) -> tuple[Longs, Longs]:
    """Return the first row after each signal and the end of its listing; -1, -1 without one.

    A row counts only if the same listing traded on the signal's session or before.
    """
    known = asked.symbol >= 0
    row = np.full(asked.symbol.size, -1, np.int64)
    end = np.full(asked.symbol.size, -1, np.int64)
    if not panel.height or not known.any():
        return row, end
    start = panel.symbol_start
    wanted = asked.symbol[known].astype(np.int32)
    first = locate(start, panel.session, wanted, asked.session[known] + 1)
    before = first - 1
    listed = before >= start[wanted]
    before = np.where(listed, before, 0)
    own_end = panel.segment_start[row_segments(panel, before) + 1]
    row[known] = np.where(listed, np.minimum(first, own_end), -1)
    end[known] = np.where(listed, own_end, -1)
    return row, end


@jit
def _settle(
    session: Any,
    open_: Any,
    high: Any,
    low: Any,
    close: Any,
    split: Any,
    entries: Any,
    ends: Any,
    signals: Any,
    horizons: Any,
    targets: Any,
    stops: Any,
    reach: Any,
    state: Any,
    touched: Any,
    exits: Any,
    figures: Any,
    last_trade: Any,
    final: Any,
) -> None:
    for k in range(signals.size):
        signal, entry, end = signals[k], entries[k], ends[k]
        covered, limit = reach[signal], signal + horizons[k]
        if covered < signal + 1:
            continue
        last = session[end - 1] if end > 0 else signal
        over = covered > last + LISTING_GAP or end < 0
        final[k] = covered >= limit and (last >= limit or over)
        entered = 0 <= entry < end and session[entry] == signal + 1 and open_[entry] > 0
        if not entered:
            state[k] = 5
            continue
        if covered >= limit > last:
            last_trade[k] = last
        _walk(
            session, open_, high, low, close, split, entry, end, min(limit, covered),
            targets[k], stops[k], k, touched, exits, figures,
        )  # fmt: skip
        if touched[k] == 4:
            state[k], touched[k] = 4, 0
            figures[k, 2] = np.nan
        elif covered >= limit:
            state[k] = touched[k] or 3
        else:
            figures[k, 2] = np.nan
            if not touched[k]:
                exits[k] = -1
                figures[k, 1] = np.nan


@jit
def _walk(
    session: Any,
    open_: Any,
    high: Any,
    low: Any,
    close: Any,
    split: Any,
    entry: Any,
    end: Any,
    limit: Any,
    target: Any,
    stop: Any,
    k: Any,
    touched: Any,
    exits: Any,
    figures: Any,
) -> None:
    """Go over the sessions from the entry to ``limit``; touched becomes 4 if the entry is void."""
    first_split = split[entry]  # the thesis' basis lies before a split of the entry session
    basis = open_[entry]
    rising = target > stop
    upper = (target if rising else stop) / first_split
    lower = (stop if rising else target) / first_split
    above, below = (1, 2) if rising else (2, 1)  # what touching the upper, the lower one means
    figures[k, 0] = basis
    if basis >= upper or basis <= lower:
        touched[k] = 4
        exits[k] = session[entry]
        return
    factor, price, best, worst = 1.0, basis, -np.inf, np.inf
    at = entry
    while at < end and session[at] <= limit:
        if at > entry:
            factor *= split[at]
        price = close[at] * factor
        if not touched[k]:
            top = (high[at] if high[at] == high[at] else close[at]) * factor
            bottom = (low[at] if low[at] == low[at] else close[at]) * factor
            first = open_[at] * factor if open_[at] > 0 else basis
            exits[k] = session[at]
            if at > entry and (first >= upper or first <= lower):
                touched[k] = above if first >= upper else below
                figures[k, 1] = first
                top, bottom = first, first
            elif top >= upper and bottom <= lower:
                touched[k] = 2
                figures[k, 1] = lower if rising else upper
            elif top >= upper:
                touched[k] = above
                figures[k, 1] = upper
            elif bottom <= lower:
                touched[k] = below
                figures[k, 1] = lower
            else:
                figures[k, 1] = price
            best, worst = max(best, top), min(worst, bottom)
        at += 1
    figures[k, 2] = price / basis - 1
    figures[k, 3] = best / basis - 1
    figures[k, 4] = worst / basis - 1
