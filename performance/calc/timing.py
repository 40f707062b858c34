"""How soon and how well trades were bought and sold, measured on daily bars (design §13).

Everything of one trade is told in its last split basis: prices and shares as they were when it
ended (or stands now), which is how the ledger keeps them. Shorts count with the sign turned.
The session of the fill counts as a whole: daily bars do not say what came before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.calc import features
from analytics.calc.panel import Panel

AFTER = 14  # sessions after the exit that are looked at
SELLABLE = 0.05  # of a session's volume that can be sold in it
POINTS_A_SESSION, POINTS_OF_COST = 10.0, 500.0  # taken off the entry score

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Bought:
    """Trades to be timed, as columns; prices and shares in their last split basis.

    Attributes:
        symbols: Ticker of each.
        sign: 1 for a long, -1 for a short trade.
        entry: Mean entry [USD].
        exit: Mean exit, or the mark while open; NaN without either [USD].
        quantity: Shares entered.
        opened, ended: Session numbers of the entry, and of the exit or the mark.
        is_open: Whether it is still held.
        executable: Session number of the first session on which its signal could be bought.
    """

    symbols: Sequence[str]
    sign: Floats
    entry: Floats
    exit: Floats
    quantity: Floats
    opened: Longs
    ended: Longs
    is_open: Flags
    executable: Longs

    @property
    def size(self) -> int:
        return int(self.sign.size)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What was found, one value per trade; NaN where it is not known. Fractions and USD.

    Attributes:
        delay: Sessions from the first executable one to the entry, 0 at least.
        executable_open: First executable open [USD].
        entry_cost: Entry over that open less 1; above 0: paid more.
        mfe, mae: Best and worst price while held, over the entry, less 1.
        post_exit_mfe: Best price in the sessions after the exit, over the exit, less 1.
        exit_efficiency: Result over the best close from entry to 14 sessions after the exit.
        entry_score, exit_score: 0 to 100.
        delay_cost: What waiting cost [USD]; below 0: it saved.
        left_during, left_after: More that was sellable while held, and in the 14 sessions
            after, than the exit brought [USD].
        volatility_20: As of the session before the entry.
        is_final: Closed, and the sessions after the exit are over.
    """

    delay: Longs
    executable_open: Floats
    entry_cost: Floats
    mfe: Floats
    mae: Floats
    post_exit_mfe: Floats
    exit_efficiency: Floats
    entry_score: Floats
    exit_score: Floats
    delay_cost: Floats
    left_during: Floats
    left_after: Floats
    volatility_20: Floats
    is_final: Flags


def measure(trades: Bought, panel: Panel, *, newest: int) -> Timing:
    """Time trades on bars. A trade without bars keeps its delay and nothing else.

    Args:
        trades: Any number.
        panel: Bars of their symbols, from 21 sessions before the first entry to 14 sessions
            after the last exit, as far as there are any.
        newest: Session number that bars reach: later sessions are not over.
    """
    rows = Places(panel, trades.symbols)
    delay = np.maximum(trades.opened - trades.executable, 0)
    factor = _factors(panel)
    basis = _pick(factor, rows.at_or_before(trades.ended))
    first = rows.at(trades.executable)
    opens = _pick(panel.open, first) * _pick(factor, first) / basis
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = trades.sign * (trades.entry / opens - 1)
    held = _Window(panel, factor, basis, trades, rows, trades.opened, trades.ended)
    after = _Window(panel, factor, basis, trades, rows, trades.ended + 1, trades.ended + AFTER)
    final = ~trades.is_open & (trades.ended + AFTER <= newest)
    closed = ~trades.is_open
    efficiency = _efficiency(trades, np.fmax(held.best_close, after.best_close), final)
    return Timing(
        delay=delay,
        executable_open=opens,
        entry_cost=cost,
        mfe=_over(held.best - trades.sign * trades.entry, trades.entry),
        mae=_over(held.worst - trades.sign * trades.entry, trades.entry),
        post_exit_mfe=np.where(
            closed & (trades.exit > 0),
            _over(after.best - trades.sign * trades.exit, trades.exit),
            np.nan,
        ),
        exit_efficiency=efficiency,
        entry_score=entry_score(delay, cost),
        exit_score=100 * np.clip(efficiency, 0, 1),
        delay_cost=trades.sign * (trades.entry - opens) * trades.quantity,
        left_during=held.sellable(),
        left_after=np.where(closed, after.sellable(), np.nan),
        volatility_20=_volatility(panel, rows.at(trades.opened)),
        is_final=final,
    )


def entry_score(delay: Longs, cost: Floats) -> Floats:
    """Return 100 less 10 a session of delay and 5 a percent paid more, within 0 to 100."""
    late = POINTS_A_SESSION * delay + POINTS_OF_COST * np.maximum(cost, 0.0)
    return np.clip(100.0 - late, 0.0, 100.0)


def as_traded(
    entry: Floats, panel: Panel, rows: "Places", *, opened: Longs, ended: Longs
) -> Floats:
    """Return entries as they were traded, from entries in the last split basis [USD].

    Args:
        entry: Mean entries in the basis of the end of each trade.
        panel: Bars of their symbols.
        rows: Of the same trades.
        opened, ended: Session numbers.
    """
    factor = _factors(panel)
    then, last = _pick(factor, rows.at(opened)), _pick(factor, rows.at_or_before(ended))
    return entry * last / then


class Places:
    """Where the bars of each trade's symbol lie in a panel."""

    def __init__(self, panel: Panel, symbols: Sequence[str]) -> None:
        known = {symbol: at for at, symbol in enumerate(panel.symbols)}
        self.owner = np.array([known.get(symbol, -1) for symbol in symbols], dtype=np.int64)
        self._width = int(panel.session.max(initial=0)) + 2 * AFTER + 2
        of_row = np.repeat(np.arange(len(panel.symbols)), np.diff(panel.symbol_start))
        self._key = of_row * self._width + panel.session
        self._of_row = of_row

    def first_from(self, numbers: Longs) -> Longs:
        """Return the first row at or after each session number."""
        return np.searchsorted(self._key, self._wanted(numbers), side="left")

    def past(self, numbers: Longs) -> Longs:
        """Return the row after the last one at or before each session number."""
        return np.searchsorted(self._key, self._wanted(numbers), side="right")

    def at(self, numbers: Longs) -> Longs:
        """Return the row of each session number; -1 without a bar."""
        found = self.first_from(numbers)
        exact = np.append(self._key, -1)[found] == self._wanted(numbers)
        return np.where(exact & (self.owner >= 0), found, -1)

    def at_or_before(self, numbers: Longs) -> Longs:
        """Return the last row of the symbol at or before each session number; -1 without."""
        found = self.past(numbers) - 1
        own = np.append(self._of_row, -2)[found] == self.owner
        return np.where(own & (found >= 0), found, -1)

    def _wanted(self, numbers: Longs) -> Longs:
        return self.owner * self._width + np.minimum(numbers, self._width - 1)


class _Window:
    """The bars of each trade from one session number to another, both included."""

    def __init__(
        self, panel: Panel, factor: Floats, basis: Floats, trades: Bought, rows: Places,
        first: Longs, last: Longs,
    ) -> None:  # fmt: skip
        begin, end = rows.first_from(first), rows.past(last)
        known = (rows.owner >= 0) & (end > begin)
        lengths = np.where(known, end - begin, 0)
        self._known = np.flatnonzero(lengths)
        counts = lengths[self._known]
        self._starts = np.cumsum(counts) - counts
        own = np.repeat(self._known, counts)
        offset = np.arange(own.size) - np.repeat(self._starts, counts)
        at = begin[own] + offset
        scale = factor[at] / basis[own]
        sign, close = trades.sign[own], panel.close[at] * scale
        high = np.where(np.isnan(panel.high[at]), close, panel.high[at] * scale)
        low = np.where(np.isnan(panel.low[at]), close, panel.low[at] * scale)
        self._size = trades.size
        self.best = self._most(np.where(sign > 0, high, -low))
        self.worst = -self._most(np.where(sign > 0, -low, high))
        self.best_close = self._most(sign * close)
        shares = np.minimum(trades.quantity[own], SELLABLE * panel.volume[at] / scale)
        self._sellable = np.maximum(sign * (close - trades.exit[own]) * shares, 0.0)

    def sellable(self) -> Floats:
        """Return the most that one session would have brought over the exit, 0 at least [USD]."""
        return self._most(self._sellable)

    def _most(self, values: Floats) -> Floats:
        found = np.full(self._size, np.nan)
        if self._known.size:
            found[self._known] = np.maximum.reduceat(values, self._starts)
        return found


def _factors(panel: Panel) -> Floats:
    """Return the product of splits up to each row, within its symbol."""
    logs, begin = np.cumsum(np.log(panel.split)), panel.symbol_start[:-1]
    if not logs.size:
        return logs
    before = np.where(begin > 0, logs[np.maximum(begin - 1, 0)], 0.0)
    found: Floats = np.exp(logs - np.repeat(before, np.diff(panel.symbol_start)))
    return found


def _efficiency(trades: Bought, best: Floats, final: Flags) -> Floats:
    gained = trades.sign * (trades.exit - trades.entry)
    possible = best - trades.sign * trades.entry
    found = _over(gained, np.where(possible > 0, possible, np.nan))
    return np.where(final, found, np.nan)


def _over(above: Floats, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return above / below


def _pick(values: Floats, rows: Longs) -> Floats:
    return np.where(rows >= 0, np.append(values, np.nan)[rows], np.nan)


def _volatility(panel: Panel, rows: Longs) -> Floats:
    """Return ``volatility_20`` as of the session before each row (design §4)."""
    wanted, place = np.unique(rows[rows >= 0], return_inverse=True)
    found = np.full(rows.size, np.nan)
    if wanted.size:
        found[rows >= 0] = features.of_rows(panel, wanted)["volatility_20_before"][place]
    return found
