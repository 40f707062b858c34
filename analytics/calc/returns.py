"""What an order for each pick would have become, and the equity of trading the best of them.

The portfolio of design §16, exactly. It has ``hold`` sleeves of equal size. On session t (a
session with a scan) the sleeve whose turn it is (they take turns) orders its ``top`` best
candidates of t in equal parts. Each order fills at the open of t+1 plus costs; one that finds
no open stays cash, one larger than ``max_share`` of what the stock traded on t+1 (volume times
open) fills up to there. What was bought is marked at each close and sold at the close of t+hold
less costs, or at the last trade of a listing that ended before. Then the sleeve is cash until
the next session's open, when it orders again with all that it has. Sleeves do not lend to each
other; cash earns nothing; dividends are not in the data. An order is placed only if its window
lies inside the data: the last ``hold`` sessions before a hole of the data open nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.calc.outcomes import jit
from analytics.calc.panel import Floats, Ints, Longs, Panel, row_segments


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What trading costs.

    Attributes:
        rate: Of the price, each side: commission, spread and slippage.
        max_share: Of a session's traded value that one order may be.
    """

    rate: float
    max_share: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1 or not 0 < self.max_share <= 1:
            raise ValueError(f"costs of {self.rate} a side, share {self.max_share}")


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Prices of picks after their entry, on the entry's split basis.

    Attributes:
        growth: [picks, hold] close over the entry open, one per session from the entry's on; the
            last trade stays. NaN without entry.
        value: Value traded on the entry session [USD]; NaN without entry.
    """

    growth: Floats
    value: Floats


@dataclass(frozen=True, kw_only=True)
class Equity:
    """Daily equity of the portfolio.

    Attributes:
        number: Session numbers, ascending.
        equity: At each close [USD].
        returns: Of each session; the first is from the starting capital.
        traded: Value bought and sold each session [USD].
        orders, filled, capped: Orders placed, filled at all, cut by the volume limit.
        shares: Of the entry session's traded value, per filled order.
    """

    number: Ints
    equity: Floats
    returns: Floats
    traded: Floats
    orders: int
    filled: int
    capped: int
    shares: Floats

    @property
    def turnover(self) -> float | None:
        """Value bought and sold a year, over twice the mean equity."""
        if not self.number.size:
            return None
        return float(self.traded.sum() / 2 / self.equity.mean() * 252 / self.number.size)


def paths(panel: Panel, rows: Longs, *, hold: int) -> Paths:
    """Return what the price of each pick did from the next session's open on.

    Args:
        panel: Bars past the last pick.
        rows: Row of each pick's signal.
        hold: Sessions held, the entry session included.
    """
    growth, value = np.full((rows.size, hold), np.nan), np.full(rows.size, np.nan)
    ends = panel.segment_start[row_segments(panel, rows) + 1]
    _paths(
        panel.session, panel.open, panel.close, panel.volume, panel.split, rows, ends, growth, value
    )
    return Paths(growth=growth, value=value)


@jit
def _paths(
    session: Any, open_: Any, close: Any, volume: Any, split: Any, rows: Any, ends: Any,
    growth: Any, value: Any,
) -> None:  # fmt: skip
    hold = growth.shape[1]
    for k in range(rows.size):
        at, end = rows[k] + 1, ends[k]
        first = session[rows[k]] + 1
        if at >= end or session[at] != first or not open_[at] > 0:
            continue
        basis, factor, price = open_[at], 1.0, close[at]
        value[k] = basis * volume[at]
        for day in range(hold):
            while at < end and session[at] <= first + day:
                if session[at] > first:
                    factor *= split[at]
                price = close[at] * factor
                at += 1
            growth[k, day] = price / basis


def simulate(
    signals: Ints, picks: list[Longs], found: Paths, *, hold: int, top: int, capital: float,
    costs: Costs,
) -> Equity:  # fmt: skip
    """Trade the portfolio that this module's docstring defines.

    Args:
        signals: Sessions with a scan whose window is covered, ascending.
        picks: For each of them, positions in ``found`` of its best candidates, best first.
        found: Prices after the picks, ``hold`` sessions of them.
        hold: Sessions from the entry session to the one of the sale, both included.
        top: Parts that a sleeve is divided into.
        capital: To begin with [USD].
        costs: Of each side.
    """
    if not signals.size:
        return _nothing()
    number = np.unique((signals[:, None] + np.arange(1, hold + 1)[None, :]).ravel())
    place = {int(session): at for at, session in enumerate(number)}
    cash = np.full(hold, capital / hold)
    sleeves = np.zeros((hold, number.size))
    shown = np.zeros(hold, np.int64)  # up to where each sleeve's value is written
    traded = np.zeros(number.size)
    orders = filled = capped = 0
    shares: list[Floats] = []
    for turn, (signal, chosen) in enumerate(zip(signals.tolist(), picks, strict=True)):
        sleeve, begin = turn % hold, place[signal + 1]
        own = chosen[:top]
        sleeves[sleeve, shown[sleeve] : begin] = cash[sleeve]
        part = cash[sleeve] / top
        limit = found.value[own] * costs.max_share
        entered = limit > 0
        stake = np.where(entered, np.minimum(part, np.nan_to_num(limit)), 0.0)
        bought = stake / (1 + costs.rate)  # what is left of the stake to buy for
        worth = bought[:, None] * np.where(entered[:, None], found.growth[own], 0.0)
        rest = cash[sleeve] - float(stake.sum())
        proceeds = float(worth[:, -1].sum()) if own.size else 0.0
        marks = rest + worth.sum(axis=0)
        marks[-1] = rest + proceeds * (1 - costs.rate)
        sleeves[sleeve, begin : begin + hold] = marks
        traded[begin] += float(bought.sum())
        traded[begin + hold - 1] += proceeds
        cash[sleeve] = marks[-1]
        shown[sleeve] = begin + hold
        orders += own.size
        filled += int(np.count_nonzero(stake > 0))
        capped += int(np.count_nonzero(entered & (limit < part)))
        shares.append((stake[entered] / found.value[own][entered]).astype(np.float64))
    for sleeve in range(hold):
        sleeves[sleeve, shown[sleeve] :] = cash[sleeve]
    counts = (orders, filled, capped)
    return _equity(number, sleeves.sum(axis=0), capital, traded, counts, np.concatenate(shares))


def _equity(
    number: Longs,
    equity: Floats,
    capital: float,
    traded: Floats,
    counts: tuple[int, int, int],
    shares: Floats,
) -> Equity:
    before = np.concatenate([[capital], equity[:-1]])
    return Equity(
        number=number.astype(np.int32),
        equity=equity,
        returns=equity / before - 1,
        traded=traded,
        orders=counts[0],
        filled=counts[1],
        capped=counts[2],
        shares=shares,
    )


def _nothing() -> Equity:
    empty = np.empty(0)
    return Equity(
        number=np.empty(0, np.int32), equity=empty, returns=empty, traded=empty,
        orders=0, filled=0, capped=0, shares=empty,
    )  # fmt: skip
