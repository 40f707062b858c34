"""Stock-days of history with the shape of a given one, and what became of them (issue 5)."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analytics.calc import evidence, sessions
from analytics.calc.evidence import Estimate
from analytics.calc.intervals import ratio
from analytics.errors import DomainError
from analytics.models import ReferencePattern
from analytics.services import history_index

if TYPE_CHECKING:
    from analytics.calc.shapes import History, Neighbours, Null

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
SHOWN = 20  # neighbours that are listed one by one


class NoSuchShape(DomainError):
    """That stock-day has no shape."""


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """One stock-day of the past. Returns are fractions; distance is 0 to 12.6."""

    symbol: str
    session: date
    distance: float
    peak_close_return: float
    return_14: float


@dataclass(frozen=True, kw_only=True)
class ShapeSearch:
    """What the nearest stock-days came to, and what chance gives.

    Attributes:
        explosive: Share of the neighbours whose best close gained 50 % in 14 sessions.
        peak_close_return, return_14: Quantiles of the neighbours, by their level.
        null: The explosive share with outcomes shuffled among stock-days of the same price
            band that were searched.
        searched: Stock-days compared.
        as_of: Last session with bars of the index.
        neighbours: The nearest, the very nearest first.
    """

    symbol: str
    session: date
    k: int
    explosive: Estimate
    peak_close_return: dict[str, float]
    return_14: dict[str, float]
    null: "Null"
    searched: int
    as_of: date
    neighbours: list[Neighbour]


def get_of_reference(*, reference: str, source: str, k: int) -> ShapeSearch:
    """Return the search for the run-up of a reference: the sessions up to its signal.

    Raises:
        NoSuchShape: There is no such reference, or its signal session is not known.
    """
    found = ReferencePattern.objects.filter(symbol=reference).first()
    if found is None or found.signal_session is None:
        raise NoSuchShape(f"The signal session of {reference} is not known.")
    return get_search(symbol=found.symbol, session=found.signal_session, source=source, k=k)


def get_search(*, symbol: str, session: date, source: str, k: int) -> ShapeSearch:
    """Compare the 20 sessions up to a stock-day with every stock-day settled before it.

    Raises:
        NoIndex: The index of past stock-days is not built yet.
        NoSuchShape: The stock-day is not in it, or has fewer than 20 traded sessions in a row.
    """
    from analytics.calc import outcomes, shapes

    index = history_index.get_newest(source=source)
    loaded = history_index.load(name=index.name)
    past = history_index.shapes_of(loaded)
    row = _row(past, loaded.symbols, symbol, session)
    try:
        shape = shapes.shape_of(past, row)
    except shapes.NoShape as error:
        raise NoSuchShape(f"{symbol} {session}: {error}.") from error
    number, own = int(past.session[row]), int(past.symbol[row])
    found = shapes.nearest(past, shape, symbol=own, session=number, count=k)
    if not found.rows.size:
        raise NoSuchShape(f"Nothing had settled before {session}.")
    null = shapes.shuffled(past, found, session=number, explosive=outcomes.EXPLOSIVE)
    peak, held = past.peak[found.rows], past.held[found.rows]
    return ShapeSearch(
        symbol=symbol,
        session=session,
        k=int(found.rows.size),
        explosive=_explosive(past, found, loaded, number, outcomes.EXPLOSIVE, source),
        peak_close_return=_quantiles(peak),
        return_14=_quantiles(held),
        null=null,
        searched=found.searched,
        as_of=index.as_of,
        neighbours=_listed(past, found, loaded.symbols),
    )


def _row(past: "History", symbols: list[str], symbol: str, session: date) -> int:
    own = symbols.index(symbol) if symbol in symbols else -1
    first, last = np.searchsorted(past.symbol, [own, own + 1])
    try:
        number = sessions.number(session)
    except sessions.OutsideCalendar as error:
        raise NoSuchShape(str(error)) from error
    at = int(first + np.searchsorted(past.session[first:last], number))
    if own < 0 or at >= last or past.session[at] != number or sessions.day(number) != session:
        raise NoSuchShape(f"{symbol} has no bar on {session} in the index, or is no stock.")
    return at


def _explosive(
    past: "History",
    found: "Neighbours",
    loaded: history_index.Loaded,
    number: int,
    explosive: float,
    source: str,
) -> Estimate:
    """Return the explosive share of the neighbours with the interval of design §1."""
    slots = int(np.searchsorted(loaded.numbers, number))
    slot = np.searchsorted(loaded.numbers, past.session[found.rows])
    hit = past.peak[found.rows] >= explosive
    n = np.bincount(slot, minlength=slots).astype(np.float64)
    hits = np.bincount(slot[hit], minlength=slots).astype(np.float64)
    as_of = sessions.day(int(past.session[found.rows].max()))
    return evidence.rate_estimate(ratio(hits, n), source=source, as_of=as_of)


def _quantiles(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> dict[str, float]:
    found = np.nanquantile(values.astype(np.float64), QUANTILES)
    return {f"{level:.2f}": float(q) for level, q in zip(QUANTILES, found, strict=True)}


def _listed(past: "History", found: "Neighbours", symbols: list[str]) -> list[Neighbour]:
    return [
        Neighbour(
            symbol=symbols[int(past.symbol[row])],
            session=sessions.day(int(past.session[row])),
            distance=float(distance),
            peak_close_return=float(past.peak[row]),
            return_14=float(past.held[row]),
        )
        for row, distance in zip(found.rows[:SHOWN], found.distance[:SHOWN], strict=True)
    ]
