"""What a ledger was worth after each session, at the closes of the market (design §10, §11).

A symbol that does not trade keeps its last close, adjusted for splits; after more than one
session of the market without it, that mark is frozen. Where there is no close at all, holdings
count at cost and as frozen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from performance.calc.ledger import Ledger
from performance.calc.ledger_entries import CENT, DOLLAR, RATIO, rounded

FRESH = 1  # sessions that a mark may be old
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Closes:
    """Closes of one symbol: positions in the market's sessions, ascending, and [1e-6 USD]."""

    at: Ints
    price: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """An account after one session. Money in cents; ``frozen`` counts frozen marks."""

    session: date
    cash: int
    holdings: int
    flow: int
    frozen: int
    frozen_value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The last close of what is held: [1e-6 USD], its session, its value [cents].

    ``price`` and ``session`` are None if there is no close; the value is the cost then.
    """

    price: int | None
    session: date | None
    value: int
    is_frozen: bool


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A holding that does not change from position ``first`` to ``end``, exclusive."""

    symbol: str
    first: int
    end: int
    held: int
    cost: int


def closes_of(bars: pl.DataFrame, days: Sequence[date]) -> dict[str, Closes]:
    """Return closes by symbol.

    Args:
        bars: ``symbol``, ``session``, ``close``; any order.
        days: Sessions of the market, ascending. Bars of other days are left out.
    """
    places = pl.DataFrame({"session": list(days)}, schema={"session": pl.Date}).with_row_index("at")
    known = (
        bars.select("symbol", "session", "close")
        .join(places, on="session")
        .with_columns(price=(pl.col("close") * DOLLAR).round().cast(pl.Int64))
        .sort("symbol", "at")
    )
    parts = known.partition_by("symbol", as_dict=True, maintain_order=True)
    return {
        str(key[0]): Closes(part["at"].to_numpy().astype(np.int64), part["price"].to_numpy())
        for key, part in parts.items()
    }


def days_of(ledger: Ledger, *, days: Sequence[date], closes: Mapping[str, Closes]) -> list[Day]:
    """Return the account after every session of the market since its first entry.

    Args:
        ledger: Read to its end.
        days: Sessions of the market, ascending.
        closes: See :func:`closes_of`, over the same ``days``.
    """
    starts = [*ledger.cash_after, *ledger.flows, *(step[0] for step in ledger.steps)]
    if not starts or not days:
        return []
    clock = np.array(days, dtype="datetime64[D]")
    first = _at(clock, min(starts))
    size = len(days)
    holdings, frozen_value, frozen = (np.zeros(size, np.int64) for _ in range(3))
    ratios = _ratios(ledger, clock)
    for symbol, own in _by_symbol(_stretches(ledger, clock)).items():
        at, values, old = _values(own, closes.get(symbol), ratios.get(symbol, []))
        holdings[at] += values
        frozen[at] += old
        frozen_value[at] += np.where(old, values, 0)
    cash = _held(clock, ledger.cash_after)
    flows = _summed(clock, ledger.flows)
    return [
        Day(
            session=days[at],
            cash=int(cash[at]),
            holdings=int(holdings[at]),
            flow=int(flows[at]),
            frozen=int(frozen[at]),
            frozen_value=int(frozen_value[at]),
        )
        for at in range(first, size)
    ]


def marks_of(
    ledger: Ledger, *, days: Sequence[date], closes: Mapping[str, Closes]
) -> dict[str, Mark]:
    """Return the last mark of every symbol that is held."""
    clock = np.array(days, dtype="datetime64[D]")
    ratios = _ratios(ledger, clock)
    last = len(days) - 1
    found = {}
    for symbol, trade in ledger.holdings().items():
        known = closes.get(symbol)
        held = trade.open_quantity * trade.side
        if known is None or not known.at.size:
            value = trade.cost_open * trade.side
            found[symbol] = Mark(price=None, session=None, value=value, is_frozen=True)
            continue
        price = _adjusted(int(known.price[-1]), int(known.at[-1]), ratios.get(symbol, []))
        found[symbol] = Mark(
            price=price,
            session=days[int(known.at[-1])],
            value=rounded(held * price, CENT),
            is_frozen=last - int(known.at[-1]) > FRESH,
        )
    return found


def _by_symbol(stretches: Sequence[_Stretch]) -> dict[str, list[_Stretch]]:
    found: dict[str, list[_Stretch]] = {}
    for stretch in stretches:
        found.setdefault(stretch.symbol, []).append(stretch)
    return found


def _values(
    own: Sequence[_Stretch], known: Closes | None, ratios: list[tuple[int, int]]
) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """Return position, value [cents] and whether the mark is frozen of each session held.

    All stretches of a symbol at once: they never overlap, and a day-trader has thousands.
    """
    first = np.array([stretch.first for stretch in own], np.int64)
    size = np.array([stretch.end for stretch in own], np.int64) - first
    at = np.arange(size.sum()) + np.repeat(first - (np.cumsum(size) - size), size)
    side = np.array([1 if stretch.held > 0 else -1 for stretch in own], np.int64)
    cost = np.repeat(np.array([stretch.cost for stretch in own], np.int64) * side, size)
    if known is None or not known.at.size:
        return at, cost, np.ones(at.size, np.bool_)
    place = np.searchsorted(known.at, at, side="right") - 1
    bar = known.at[np.maximum(place, 0)]
    prices = known.price[np.maximum(place, 0)].astype(object)
    if ratios:
        since = np.repeat(first, size)
        for row in np.flatnonzero(bar < since):
            so_far = [ratio for ratio in ratios if ratio[0] <= since[row]]
            prices[row] = _adjusted(prices[row], int(bar[row]), so_far)
    held = np.repeat(np.array([abs(stretch.held) for stretch in own], object), size)
    worth = (prices * held * 2 + CENT) // (2 * CENT) * np.repeat(side, size)
    values = np.where(place >= 0, worth, cost).astype(np.int64)
    return at, values, (at - bar > FRESH) | (place < 0)


def _adjusted(price: int, bar: int, ratios: list[tuple[int, int]]) -> int:
    """Return the close of position ``bar`` in shares after the splits that followed it."""
    for at, ratio in ratios:
        if at > bar:
            price = rounded(price * RATIO, ratio)
    return price


def _stretches(ledger: Ledger, clock: npt.NDArray[np.datetime64]) -> list[_Stretch]:
    """Return what was held at the end of sessions; what began and ended in one is left out."""
    found = []
    open_since: dict[str, tuple[int, int, int]] = {}
    places = {day: _at(clock, day) for day in {step[0] for step in ledger.steps}}
    for session, symbol, held, cost in ledger.steps:
        at = places[session]
        before = open_since.pop(symbol, None)
        if before and before[0] < at:
            found.append(_Stretch(symbol, before[0], at, before[1], before[2]))
        if held:
            open_since[symbol] = (at, held, cost)
    for symbol, (at, held, cost) in open_since.items():
        if at < clock.size:
            found.append(_Stretch(symbol, at, clock.size, held, cost))
    return found


def _ratios(ledger: Ledger, clock: npt.NDArray[np.datetime64]) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for session, symbol, ratio in ledger.splits:
        found.setdefault(symbol, []).append((_at(clock, session), ratio))
    return found


def _at(clock: npt.NDArray[np.datetime64], session: date) -> int:
    """Return the position of the first session of the market on or after ``session``."""
    return int(np.searchsorted(clock, np.datetime64(session), side="left"))


def _held(clock: npt.NDArray[np.datetime64], after: Mapping[date, int]) -> Ints:
    """Return the last value on or before each session; 0 before the first."""
    days = sorted(after)
    values = np.array([0, *(after[day] for day in days)], np.int64)
    known = np.array(days, dtype="datetime64[D]")
    held: Ints = values[np.searchsorted(known, clock, side="right")]
    return held


def _summed(clock: npt.NDArray[np.datetime64], flows: Mapping[date, int]) -> Ints:
    total = np.zeros(clock.size + 1, np.int64)
    for day, amount in flows.items():
        total[_at(clock, day)] += amount
    return total[: clock.size]
