"""How many past stock-days were as alike to a past winner, and what became of them (design §6).

Built from outcomes: no line of the detector reads it. A lookup for one session counts only
stock-days whose 14 sessions were over before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.calc import similarity, strata
from analytics.calc.intervals import Pooled, ratio
from analytics.calc.similarity import FIELDS, WEIGHTS, Reference

WINDOW = 14  # sessions in which an outcome settles
BLOCK = 4096  # stock-days between two stored running counts
CLOSE_EDGES = (2.0, 3.0, 5.0)  # raw close bands of the matched base [USD]
VOLUME_EDGES = (1.5, 3.0, 6.0, 15.0)  # rel_volume bands of the matched base
CELLS = (len(CLOSE_EDGES) + 1) * (len(VOLUME_EDGES) + 1) * strata.DECILES

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Counts = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]
Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Stock-days of one reference and one set of known fields, the most alike first.

    Attributes:
        value: Similarity, descending.
        slot: Position of the session of each.
        hit: Whether it was explosive.
        n, hits: Running counts by session after every ``BLOCK`` stock-days.
    """

    value: Floats
    slot: Counts
    hit: Flags
    n: Counts
    hits: Counts


@dataclass(frozen=True, kw_only=True)
class StockDays:
    """Settled stock-days of the base universe.

    Attributes:
        fields: [4, n] in the order of ``similarity.FIELDS``; NaN for not known.
        symbol: Ticker of each.
        slot: Position of the session of each.
        volatility: ``volatility_20`` of each.
        hit: Whether it was explosive.
        lower: Volatility deciles' lower edges by session [sessions, 9], of the whole base.
    """

    fields: Floats
    symbol: npt.NDArray[np.str_]
    slot: Longs
    volatility: Floats
    hit: Flags
    lower: Floats


def known_fields(fields: Floats, reference: Reference) -> Longs:
    """Return which fields are known on both sides, as a sum of powers of two.

    Args:
        fields: [4, n] in the order of ``similarity.FIELDS``.
        reference: Compared with.
    """
    both = (fields > 0) & (reference.fields > 0)[:, None]
    found: Longs = (both * (1 << np.arange(len(FIELDS)))[:, None]).sum(axis=0)
    return found


def names_of(mask: int) -> list[str]:
    """Return the names of the fields of a mask."""
    return [name for at, name in enumerate(FIELDS) if mask >> at & 1]


def coverage_of(mask: int) -> float:
    """Return the share of the weights that is compared."""
    known = [weight for at, weight in enumerate(WEIGHTS) if mask >> at & 1]
    return float(sum(known) / WEIGHTS.sum())


def build(days: StockDays, references: Sequence[Reference], *, sessions: int) -> Arrays:
    """Return the arrays of the index, by name.

    A reference is not compared with its own ticker.

    Args:
        days: Settled stock-days.
        references: Past winners; one without any known field has no entry.
        sessions: Number of sessions.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {"lower": days.lower}
    alike = similarity.compare(days.fields, references)
    for at, reference in enumerate(references):
        mask = known_fields(days.fields, reference)
        other = days.symbol != reference.symbol
        for number in np.unique(mask[mask > 0]):
            rows = np.flatnonzero((mask == number) & other)
            found = _reached(alike.value[at, rows], days.slot[rows], days.hit[rows], sessions)
            for name, values in vars(found).items():
                arrays[f"{reference.symbol}.{number}.{name}"] = values
    close, volume = days.fields[FIELDS.index("close")], days.fields[FIELDS.index("rel_volume")]
    cell = cells(close, volume, strata.decile(days.volatility, days.slot, days.lower))
    inside = cell >= 0
    arrays["base.n"] = _table(cell[inside], days.slot[inside], CELLS, sessions)
    hit = inside & days.hit
    arrays["base.hits"] = _table(cell[hit], days.slot[hit], CELLS, sessions)
    return arrays


def cells(close: Floats, rel_volume: Floats, decile: Longs) -> Longs:
    """Return the cell of the matched base; -1 where a part is not known."""
    price = np.searchsorted(CLOSE_EDGES, close, side="right")
    volume = np.searchsorted(VOLUME_EDGES, rel_volume, side="right")
    cell = (price * (len(VOLUME_EDGES) + 1) + volume) * strata.DECILES + decile - 1
    known = ~np.isnan(close) & ~np.isnan(rel_volume) & (decile > 0)
    return np.where(known, cell, -1)


def entry(arrays: Arrays, symbol: str, mask: int) -> Reached | None:
    """Return the stock-days compared with a reference by a set of fields; None if none was."""
    names = Reached.__dataclass_fields__
    if f"{symbol}.{mask}.value" not in arrays:
        return None
    found: dict[str, npt.NDArray[np.generic]] = {
        name: arrays[f"{symbol}.{mask}.{name}"] for name in names
    }
    return Reached(**found)  # type: ignore[arg-type]


def reached(among: Reached, value: float, *, before: int) -> Pooled | None:
    """Return the explosive rate of the stock-days at least as alike as ``value``.

    Args:
        among: Of one reference and set of fields.
        value: Similarity.
        before: Stock-days of slots below this one count: :func:`settled_slots`.

    Returns:
        None if there is no such stock-day.
    """
    count = among.value.size - int(np.searchsorted(among.value[::-1], value, side="left"))
    block = count // BLOCK
    rest = slice(block * BLOCK, count)
    size = among.n.shape[1]
    slot, hit = among.slot[rest], among.hit[rest]
    n = among.n[block] + np.bincount(slot, minlength=size)
    hits = among.hits[block] + np.bincount(slot[hit], minlength=size)
    return ratio(hits[:before].astype(np.float64), n[:before].astype(np.float64))


def matched(arrays: Arrays, cell: int, *, before: int) -> Pooled | None:
    """Return the explosive rate of the matched base; None if there is none."""
    if cell < 0:
        return None
    n, hits = arrays["base.n"][cell, :before], arrays["base.hits"][cell, :before]
    return ratio(hits.astype(np.float64), n.astype(np.float64))


def settled_slots(numbers: npt.NDArray[np.int32], session: int) -> int:
    """Return how many slots had settled before ``session`` (a session number)."""
    return int(np.searchsorted(numbers, session - WINDOW, side="left"))


def _reached(value: Floats, slot: Longs, hit: Flags, sessions: int) -> Reached:
    order = np.argsort(-value, kind="stable")
    value, slot, hit = value[order], slot[order], hit[order]
    block = 1 + np.arange(value.size) // BLOCK
    blocks = value.size // BLOCK + 1
    n = _table(block, slot, blocks + 1, sessions)
    hits = _table(block[hit], slot[hit], blocks + 1, sessions)
    return Reached(
        value=value,
        slot=slot.astype(np.uint16),
        hit=hit,
        n=np.cumsum(n, axis=0, dtype=np.uint16),
        hits=np.cumsum(hits, axis=0, dtype=np.uint16),
    )


def _table(row: Longs, slot: Longs, rows: int, sessions: int) -> Counts:
    found = np.bincount(row * sessions + slot, minlength=rows * sessions)
    return found.reshape(rows, sessions).astype(np.uint16)
