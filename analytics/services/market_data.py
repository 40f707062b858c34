"""Market data: the front door. What is in the lake, what goes in, what was put right."""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from analytics.calc import sessions
from analytics.models import Security
from analytics.services.lakes import get_active_source, lake_of, sources_beside
from analytics.services.market_corrections import (
    InvalidCorrection,
    correct_bar,
    correct_split,
    undo_later,
)
from analytics.services.market_imports import ImportSummary, import_bars, import_reference

__all__ = [
    "DataState",
    "ImportSummary",
    "InvalidCorrection",
    "correct_bar",
    "correct_split",
    "get_active_source",
    "get_bars",
    "get_data_state",
    "get_splits",
    "import_bars",
    "import_reference",
    "lake_of",
]


@dataclass(frozen=True, kw_only=True)
class DataState:
    """What market data there is, and how old.

    Args:
        source: ``imported`` or ``simulated``.
        first: First session with bars; None if there is none.
        last: Last session with bars.
        sessions: Sessions with bars.
        symbols: Symbols with bars.
        age: Sessions that have closed since ``last``.
        versions: Version by lake table.
    """

    source: str
    first: date | None
    last: date | None
    sessions: int
    symbols: int
    age: int | None
    versions: dict[str, int]


def get_data_state(*, source: str, now: datetime) -> DataState:
    """Return what market data there is of ``source``, and how old it is at ``now``."""
    lake = lake_of(source)
    days = lake.sessions()
    beside = Security.objects.filter(source__in=sources_beside(source))
    age = None
    if days:
        age = sessions.number(sessions.last_finished(now)) - sessions.number(days[-1])
    return DataState(
        source=source,
        first=days[0] if days else None,
        last=days[-1] if days else None,
        sessions=len(days),
        symbols=beside.values("symbol").distinct().count(),
        age=age,
        versions=lake.versions(),
    )


def get_bars(
    *,
    source: str,
    first: date | None = None,
    last: date | None = None,
    symbols: list[str] | None = None,
    as_known: date | None = None,
) -> pl.DataFrame:
    """Return daily bars, raw as traded, sorted by (symbol, session).

    Args:
        source: ``imported``, ``live`` or ``simulated``.
        first: First session; the first there is otherwise.
        last: Last session; the last there is otherwise.
        symbols: Only these.
        as_known: Undo corrections that became known after this session: the bars as a
            scan of that evening read them.
    """
    return _read("bars", source, first, last, symbols, as_known)


def get_splits(
    *,
    source: str,
    first: date | None = None,
    last: date | None = None,
    symbols: list[str] | None = None,
    as_known: date | None = None,
) -> pl.DataFrame:
    """Return splits, sorted by (symbol, ex-date). Arguments as in :func:`get_bars`."""
    return _read("splits", source, first, last, symbols, as_known)


def _read(
    table: str,
    source: str,
    first: date | None,
    last: date | None,
    symbols: list[str] | None,
    as_known: date | None,
) -> pl.DataFrame:
    found = lake_of(source).read(table, first=first, last=last, symbols=symbols)
    if as_known is None:
        return found
    return undo_later(
        found,
        data_set=table,
        source=source,
        first=first,
        last=last,
        symbols=symbols,
        cut_off=sessions.cut_off(as_known),
    )
