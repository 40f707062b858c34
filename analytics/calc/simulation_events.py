"""Splits, missing sessions and frozen quotes of the simulated market.

:mod:`analytics.calc.simulation` draws prices as if nothing ever split. Here
companies whose price has sunk under a dollar merge shares, a few expensive ones divide them,
and some listings get the defects of real tapes.
"""

from dataclasses import replace

import numpy as np

from analytics.calc.simulation import Paths
from analytics.calc.simulation_listings import Bools, Fate, Floats, Listings

LOW_BID_USD, LOW_BID_SESSIONS = 1.0, 30  # the exchange's minimum bid rule
MERGE_DELAY = (5, 70)  # sessions from the notice to the ex-date
MERGE_TO_USD = (3.0, 9.0)  # what boards aim at
MERGES = (2, 3, 4, 5, 8, 10, 12, 15, 20, 25, 30, 40, 50, 80, 100)  # old shares per new one
DIVIDE_ABOVE_USD, DIVIDE_CHANCE = 90.0, 0.25
DIVISIONS = (2, 3, 4)
QUIET_TAIL_SESSIONS = 70  # nobody splits shortly before a delisting

GAP_SHARE = 0.15  # of listings with a few missing sessions
HALT_SHARE = 0.02  # of listings with one long halt
FROZEN_SHARE = 0.012  # of listings with a frozen quote
LONGEST_GAP, HALT, FROZEN = 4, (8, 16), (6, 13)  # sessions; no halt ends a listing period


def draw_splits(paths: Paths, listings: Listings, *, rng: np.random.Generator) -> Floats:
    """Return new shares per old share taking effect at each listing and session, else 1."""
    ratios = np.ones_like(paths.close)
    for row in range(len(listings)):
        first, last = int(listings.first[row]), int(listings.last[row])
        if listings.kind[row] not in ("common", "adr"):
            continue
        until = last - (QUIET_TAIL_SESSIONS if listings.fate[row] != Fate.STAYS else 0)
        life = slice(first, max(first, until) + 1)
        _merge(ratios[row, life], paths.close[row, life], paths.seen[row, life], rng)
        _divide(ratios[row, life], paths.close[row, life], rng)
    return ratios


def _merge(ratios: Floats, close: Floats, seen: Bools, rng: np.random.Generator) -> None:
    """Write reverse splits into ``ratios``: each answers a spell under a dollar."""
    start, scale = 0, 1.0
    while True:
        under = close[start:] * scale < LOW_BID_USD
        if under.size < LOW_BID_SESSIONS:
            return
        spell = np.convolve(under, np.ones(LOW_BID_SESSIONS), mode="valid") >= LOW_BID_SESSIONS
        noticed = start + int(spell.argmax()) + LOW_BID_SESSIONS
        ex = noticed + int(rng.integers(*MERGE_DELAY))
        if not spell.any() or ex >= close.size:
            return
        price = close[ex - 1] * scale
        if seen[ex] and price < 2 * LOW_BID_USD:
            wanted = rng.uniform(*MERGE_TO_USD) / price
            merged = min(MERGES, key=lambda old: abs(float(np.log(old / wanted))))
            ratios[ex] = 1.0 / merged
            scale *= merged
        start = ex


def _divide(ratios: Floats, close: Floats, rng: np.random.Generator) -> None:
    """Write at most one forward split into ``ratios``."""
    high = np.flatnonzero(close > DIVIDE_ABOVE_USD)
    if high.size < 2 or (ratios != 1.0).any() or rng.random() >= DIVIDE_CHANCE:
        return
    ratios[rng.choice(high[1:])] = float(rng.choice(DIVISIONS))


def as_traded(paths: Paths, ratios: Floats) -> Paths:
    """Return ``paths`` in the shares of each day: prices rounded to the tick, whole shares.

    A tick is a cent, and a hundredth of a cent below a dollar.
    """
    shares = np.cumprod(ratios, axis=1)
    close = _to_tick(paths.close / shares)
    opened = _to_tick(paths.open / shares)
    return Paths(
        open=opened,
        high=np.maximum(_to_tick(paths.high / shares), np.maximum(opened, close)),
        low=np.minimum(_to_tick(paths.low / shares), np.minimum(opened, close)),
        close=close,
        volume=np.rint(paths.volume * shares),
        seen=paths.seen,
    )


def _to_tick(price: Floats) -> Floats:
    rounded: Floats = np.maximum(
        np.where(price >= 1, np.round(price, 2), np.round(price, 4)), 0.0001
    )
    return rounded


def add_defects(paths: Paths, listings: Listings, *, rng: np.random.Generator) -> Paths:
    """Return ``paths`` with missing sessions, halts and frozen quotes; SPY is spared.

    First and last session of a listing stay, so that its period is what the plan says.
    """
    seen = paths.seen.copy()
    prices = {key: getattr(paths, key).copy() for key in ("open", "high", "low", "close")}
    volume = paths.volume.copy()
    fated = rng.random((3, len(listings)))
    for row in np.flatnonzero(listings.last - listings.first > 4 * FROZEN[1]).tolist():
        if listings.dollar_volume[row] > 1e10:
            continue
        if fated[0, row] < GAP_SHARE:
            for _ in range(int(rng.integers(1, 4))):
                _hide(seen[row], listings, row, int(rng.integers(1, LONGEST_GAP + 1)), rng)
        if fated[1, row] < HALT_SHARE:
            _hide(seen[row], listings, row, int(rng.integers(*HALT)), rng)
        if fated[2, row] < FROZEN_SHARE or row == fated[2].argmin():
            start, length = _place(listings, row, int(rng.integers(*FROZEN)), rng)
            stuck = prices["close"][row, start - 1]
            for values in prices.values():
                values[row, start : start + length] = stuck
            volume[row, start : start + length] = 0.0
            seen[row, start - 1 : start + length] = True
    return replace(paths, **prices, volume=volume, seen=seen)


def _hide(seen: Bools, listings: Listings, row: int, length: int, rng: np.random.Generator) -> None:
    start, length = _place(listings, row, length, rng)
    seen[start : start + length] = False


def _place(listings: Listings, row: int, length: int, rng: np.random.Generator) -> tuple[int, int]:
    """Return where inside the listing ``length`` sessions begin, and the length."""
    first, last = int(listings.first[row]), int(listings.last[row])
    return int(rng.integers(first + 2, last - length)), length
