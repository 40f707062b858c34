"""Stock-days that looked the same over 20 sessions, and what became of them (issue 5).

The shape of a stock-day is the path of its log price and that of its log volume over the 20
sessions up to it, each shifted to mean 0 and scaled to deviation 1. (Scaling takes away the
level, so volume over any fixed mean has the same shape as volume.) Both are adjusted for
splits. The distance of two shapes is the Euclidean one over the 40 values:
``sqrt(2 m (1 - r_price) + 2 m (1 - r_volume))`` with m = 20 and r the correlations.

Every stock-day is compared, none is skipped by a bound: the neighbours are exact.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from os import cpu_count
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.calc.panel import Floats, Ints, Longs, Panel

LENGTH = 20  # sessions of a shape
WINDOW = 14  # sessions in which an outcome settles
NEIGHBOURS = 100
SHUFFLES = 2000
SEED = 20

Singles = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


class NoShape(ValueError):
    """The stock-day has fewer than 20 traded sessions in a row, or nothing moved."""


@dataclass(frozen=True, kw_only=True)
class History:
    """Stock-days as they are searched, sorted by symbol and session.

    Attributes:
        price: Log close, adjusted for splits within a symbol.
        volume: Log volume, adjusted alike; anything where nothing was traded.
        run: Sessions in a row with a traded bar up to each row, at most 255.
        session: Session number.
        symbol: Symbol id.
        band: Raw close band: 0 below 1 USD, then up to 2, 3, 5, 8, and above.
        peak, held: Best close and return of 14 sessions; NaN where not known.
    """

    price: Singles
    volume: Singles
    run: Bytes
    session: Ints
    symbol: Ints
    band: Bytes
    peak: Singles
    held: Singles


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The stock-days nearest to a shape, the nearest first.

    Attributes:
        rows: Rows of the history.
        distance: Of each, 0 to sqrt(160).
        searched: Stock-days that were compared.
    """

    rows: Longs
    distance: Floats
    searched: int


@dataclass(frozen=True, kw_only=True)
class Null:
    """Explosive shares that the neighbours would have with shuffled outcomes.

    Attributes:
        mean: Of all shuffles.
        low, high: Range of 95 % of them.
        at_least: Share of shuffles that reached the neighbours' own share.
    """

    mean: float
    low: float
    high: float
    at_least: float


BANDS = (1.0, 2.0, 3.0, 5.0, 8.0)


def history(panel: Panel, *, peak: Floats, held: Floats) -> History:
    """Return the stock-days of common stock and ADRs.

    Args:
        panel: All bars.
        peak, held: Outcome of each row; NaN where not known.
    """
    length = np.diff(panel.segment_start)
    kept = np.repeat(panel.segment_scannable, length)
    segment = np.repeat(np.arange(length.size, dtype=np.int32), length)
    factor = np.cumsum(np.log(panel.split))
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.log(panel.close) + factor
        volume = np.log(panel.volume) - factor
    traded = panel.volume > 0
    follows = np.zeros(panel.height, np.bool_)
    follows[1:] = (np.diff(panel.session) == 1) & (segment[1:] == segment[:-1]) & traded[:-1]
    run = _runs(traded, follows)
    return History(
        price=price[kept].astype(np.float32),
        volume=np.where(traded, volume, 0.0)[kept].astype(np.float32),
        run=run[kept],
        session=panel.session[kept],
        symbol=panel.segment_symbol[segment[kept]],
        band=np.searchsorted(BANDS, panel.close, side="right").astype(np.uint8)[kept],
        peak=peak[kept].astype(np.float32),
        held=held[kept].astype(np.float32),
    )


def _runs(traded: npt.NDArray[np.bool_], follows: npt.NDArray[np.bool_]) -> Bytes:
    at = np.arange(traded.size)
    begin = np.maximum.accumulate(np.where(follows & traded, 0, at))
    return np.where(traded, np.minimum(at - begin + 1, 255), 0).astype(np.uint8)


def shape_of(past: History, row: int) -> tuple[Floats, Floats]:
    """Return the z-normalised price and volume paths of a row, 20 values each.

    Raises:
        NoShape: See there.
    """
    if past.run[row] < LENGTH:
        raise NoShape(f"{past.run[row]} traded sessions in a row, {LENGTH} are needed")
    span = slice(row - LENGTH + 1, row + 1)
    return _normal(past.price[span]), _normal(past.volume[span])


def _normal(path: Singles) -> Floats:
    values = path.astype(np.float64)
    spread = float(values.std())
    if not spread > 1e-6:
        raise NoShape("nothing moved")
    found: Floats = (values - values.mean()) / spread
    return found


def nearest(
    past: History,
    shape: tuple[Floats, Floats],
    *,
    symbol: int,
    session: int,
    count: int = NEIGHBOURS,
) -> Neighbours:
    """Return the nearest stock-days that had settled before ``session``.

    None overlaps the shape itself, and of neighbours of one symbol that overlap each other
    only the nearest counts.

    Args:
        past: Searched.
        shape: See :func:`shape_of`.
        symbol: Symbol id of the shape; -1 if it is in no history.
        session: Session number of the shape's last day.
        count: Neighbours wanted.
    """
    squared = distances(past, shape, symbol=symbol, session=session)
    searched = int(np.isfinite(squared).sum())
    pool = min(count * (2 * LENGTH - 1), searched)  # each one hides at most 38 others
    if not pool:
        return Neighbours(rows=np.empty(0, np.int64), distance=np.empty(0), searched=0)
    near = np.argpartition(squared, pool - 1)[:pool]
    near = near[np.lexsort((near, squared[near]))]
    rows = np.array(_apart(past, near, count), np.int64)
    return Neighbours(
        rows=rows, distance=np.sqrt(squared[rows].astype(np.float64)), searched=searched
    )


def _apart(past: History, near: Longs, count: int) -> list[int]:
    taken: dict[int, list[int]] = {}
    rows: list[int] = []
    for row in near:
        own, when = int(past.symbol[row]), int(past.session[row])
        others = taken.setdefault(own, [])
        if all(abs(when - other) >= LENGTH for other in others):
            others.append(when)
            rows.append(int(row))
            if len(rows) == count:
                break
    return rows


def distances(past: History, shape: tuple[Floats, Floats], *, symbol: int, session: int) -> Singles:
    """Return the squared distance of every row; infinite where it does not take part."""
    squared = np.full(past.price.size, np.inf, np.float32)
    price, volume = (path / sqrt(LENGTH) for path in shape)
    edges = np.linspace(0, squared.size, (cpu_count() or 1) + 1).astype(np.int64)
    with ThreadPoolExecutor(edges.size - 1) as pool:
        list(
            pool.map(
                lambda span: _distances(
                    span[0], span[1], past.price, past.volume, past.run, past.session,
                    past.symbol, past.peak, price, volume, symbol, session, squared,
                ),
                pairwise(edges),
            )
        )  # fmt: skip
    return squared


def shuffled(past: History, neighbours: Neighbours, *, session: int, explosive: float) -> Null:
    """Return what shares chance gives: outcomes of other stock-days of the same price band.

    Args:
        past: Searched.
        neighbours: What was found.
        session: Session number of the shape's last day.
        explosive: Best close that counts [fraction].
    """
    open_ = (past.session < session - WINDOW) & (past.run >= LENGTH) & ~np.isnan(past.peak)
    random = np.random.default_rng(SEED)
    hits = np.zeros(SHUFFLES)
    bands, counts = np.unique(past.band[neighbours.rows], return_counts=True)
    for band, count in zip(bands, counts, strict=True):
        among = past.peak[open_ & (past.band == band)] >= explosive
        hits += random.hypergeometric(
            int(among.sum()), int(among.size - among.sum()), int(count), SHUFFLES
        )
    share = hits / neighbours.rows.size
    own = float(np.mean(past.peak[neighbours.rows] >= explosive))
    low, high = np.quantile(share, [0.025, 0.975])
    return Null(
        mean=float(share.mean()),
        low=float(low),
        high=float(high),
        at_least=float(np.mean(share >= own - 1e-12)),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _distances(
    first: Any, last: Any, price: Any, volume: Any, run: Any, sessions: Any, symbols: Any,
    peak: Any, shape: Any, volume_shape: Any, symbol: Any, session: Any, squared: Any,
) -> None:  # fmt: skip
    """Fill ``squared``; the shapes come with mean 0 and length 1."""
    size = shape.size
    for row in range(first, last):
        if run[row] < size or sessions[row] >= session - 14 or peak[row] != peak[row]:
            continue
        if symbols[row] == symbol and sessions[row] > session - size:
            continue
        begin = row - size + 1
        level, loud = price[begin], volume[begin]
        p1, p2, pq, v1, v2, vq = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(size):
            p, v = np.float64(price[begin + k] - level), np.float64(volume[begin + k] - loud)
            p1 += p
            p2 += p * p
            pq += p * shape[k]
            v1 += v
            v2 += v * v
            vq += v * volume_shape[k]
        of_price, of_volume = p2 - p1 * p1 / size, v2 - v1 * v1 / size
        if of_price > size * 1e-12 and of_volume > size * 1e-12:
            r_price = min(pq / np.sqrt(of_price), 1.0)
            r_volume = min(vq / np.sqrt(of_volume), 1.0)
            squared[row] = 2 * size * (2 - r_price - r_volume)
