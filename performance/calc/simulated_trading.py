"""Invented trading on the simulated market: what a first installation shows (design §10).

Nothing here is evidence. The rules are plain on purpose: buy some of the picks soon after they
were made, sell after a while, let some losers run, hold through what the market does to shares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

import numpy as np

STAKE_USD: Final = 2_500.0
DEPOSITS_USD: Final = (50_000, 5_000)
MOST_OPEN: Final = 16
SLIP: Final = 0.003  # paid on the way in and out
STOP: Final = 0.25  # of those that have one
DELAYS: Final = (1, 1, 1, 1, 2, 3, 4)  # sessions from pick to entry; 1: the next open
LET_RUN: Final = 0.06  # share of entries that are never sold
FEE_PER_SHARE: Final = 0.0002

Bar = tuple[float, float, float, float]  # open, high, low, close


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A candidate that may be bought. ``must``: whatever else is held."""

    symbol: str
    session: date
    candidate: int | None
    must: bool = False


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A fill to be recorded. ``minute`` after the open tells the parts of one entry apart."""

    symbol: str
    side: Literal["buy", "sell"]
    session: date
    minute: int
    quantity: int
    price: float
    fee: float
    candidate: int | None


@dataclass
class _Held:
    pick: Pick
    quantity: int
    price: float
    exit_on: int
    has_stop: bool
    halves: bool


@dataclass
class _Desk:
    """The state of the simulation."""

    cash: float
    held: dict[str, _Held] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)


def trade(
    picks: Sequence[Pick],
    *,
    days: Sequence[date],
    bars: Mapping[tuple[str, date], Bar],
    splits: Mapping[tuple[str, date], float],
    seed: int,
) -> list[Draft]:
    """Return the fills of some months of invented trading, in order.

    Args:
        picks: In order of session.
        days: Sessions of the market, ascending.
        bars: By symbol and session, raw as traded.
        splits: New shares for one old by symbol and ex-date; whole shares are kept.
        seed: Another seed, another history.
    """
    random = np.random.default_rng(seed)
    desk = _Desk(cash=float(DEPOSITS_USD[0]))
    place = {day: at for at, day in enumerate(days)}
    waiting: dict[int, list[Pick]] = {}
    for pick in picks:
        delay = 1 if pick.must else int(random.choice(DELAYS))
        waiting.setdefault(place[pick.session] + delay, []).append(pick)
    for at, day in enumerate(days):
        if at == len(days) // 2:
            desk.cash += DEPOSITS_USD[1]
        for (symbol, ex_date), ratio in splits.items():
            if ex_date == day and symbol in desk.held:
                held = desk.held[symbol]
                held.quantity, held.price = int(held.quantity * ratio), held.price / ratio
        _sell_what_is_due(desk, at, day, bars, random)
        for pick in waiting.get(at, []):
            _buy(desk, pick, at, day, bars, random)
    return desk.drafts


def _sell_what_is_due(
    desk: _Desk,
    at: int,
    day: date,
    bars: Mapping[tuple[str, date], Bar],
    random: np.random.Generator,
) -> None:
    for symbol, held in list(desk.held.items()):
        bar = bars.get((symbol, day))
        if bar is None:
            continue
        stopped = held.has_stop and bar[0] <= held.price * (1 - STOP)
        if held.exit_on != at and not stopped:
            continue
        part = held.quantity // 2 if held.halves and held.quantity > 1 else held.quantity
        _record(desk, held.pick, "sell", day, 10, part, bar, bar[0] * (1 - SLIP))
        held.quantity -= part
        held.halves = False
        if held.quantity:
            held.exit_on = at + int(random.integers(2, 6))
        else:
            del desk.held[symbol]


def _buy(
    desk: _Desk,
    pick: Pick,
    at: int,
    day: date,
    bars: Mapping[tuple[str, date], Bar],
    random: np.random.Generator,
) -> None:
    bar = bars.get((pick.symbol, day))
    full = len(desk.held) >= MOST_OPEN and not pick.must
    if bar is None or pick.symbol in desk.held or full:
        return
    price = bar[0] * (1 + SLIP)
    quantity = int(STAKE_USD * float(random.uniform(0.6, 1.2)) / price)
    if quantity < 1 or quantity * price > desk.cash:
        return
    parts = [quantity]
    if quantity >= 10 and random.random() < 0.25:  # filled in two parts
        parts = [quantity // 3, quantity - quantity // 3]
    for number, part in enumerate(parts):
        _record(desk, pick, "buy", day, 2 + number, part, bar, price)
    runs = pick.must or bool(random.random() < LET_RUN)
    desk.held[pick.symbol] = _Held(
        pick=pick,
        quantity=quantity,
        price=price,
        exit_on=-1 if runs else at + int(random.integers(3, 22)),
        has_stop=not runs and bool(random.random() < 0.6),
        halves=bool(random.random() < 0.25),
    )


def _record(
    desk: _Desk,
    pick: Pick,
    side: Literal["buy", "sell"],
    day: date,
    minute: int,
    quantity: int,
    bar: Bar,
    price: float,
) -> None:
    _open, high, low, _close = bar
    kept = round(min(max(price, low), high), 4)
    fee = round(quantity * FEE_PER_SHARE, 4) if side == "sell" else 0.0
    desk.cash += quantity * kept * (1 if side == "sell" else -1) - fee
    desk.drafts.append(
        Draft(
            symbol=pick.symbol,
            side=side,
            session=day,
            minute=minute,
            quantity=quantity,
            price=kept,
            fee=fee,
            candidate=pick.candidate if side == "buy" else None,
        )
    )
