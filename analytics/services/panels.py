"""Read what a scan may know from the lake and the database, as a panel."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from analytics.calc import fingerprint, sessions
from analytics.calc import panel as panels
from analytics.calc.panel import Panel
from analytics.lake.tables import Lake, LakeBusy
from analytics.models import Security
from analytics.services import lakes

BAR_COLUMNS = ["symbol", "session", "open", "high", "low", "close", "volume"]
READ_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A panel and the version of each lake table that it was read from."""

    panel: Panel
    versions: dict[str, int]


def get_panel(
    *, source: str, first: date, last: date, symbols: list[str] | None = None, ahead: int = 0
) -> Reading:
    """Read the bars and records that scans of ``first`` to ``last`` may use.

    Args:
        source: ``imported``, ``live`` or ``simulated``: tells the lake.
        first: Bars reach back ``fingerprint.LOOKBACK`` sessions from here.
        last: Nothing dated later is read.
        symbols: Only these; all of them otherwise.
        ahead: Sessions of bars and splits after ``last``, for settling outcomes only.

    Raises:
        LakeBusy: The lake changed under every one of the tries to read it.
    """
    lake = lakes.lake_of(source)
    for _ in range(READ_TRIES):
        before = lake.versions()
        panel = _read(lake, source, first, last, symbols, ahead)
        if lake.versions() == before:
            return Reading(panel=panel, versions=before)
    raise LakeBusy(f"the lake changed {READ_TRIES} times while it was read")


def get_securities(*, source: str, last: date) -> pl.DataFrame:
    """Return listing periods that began by ``last``.

    Columns: ``symbol``, ``first_session``, ``last_session``, ``kind``, ``sector``.
    """
    rows = Security.objects.filter(
        source__in=lakes.sources_beside(source), first_session__lte=last
    ).values_list("symbol", "first_session", "last_session", "kind", "sector")
    return pl.DataFrame(
        list(rows),
        schema={
            "symbol": pl.String,
            "first_session": pl.Date,
            "last_session": pl.Date,
            "kind": pl.String,
            "sector": pl.String,
        },
        orient="row",
    )


def _read(
    lake: Lake, source: str, first: date, last: date, symbols: list[str] | None, ahead: int
) -> Panel:
    end = sessions.offset(last, ahead) if ahead else last
    oldest_bar = _before(first, fingerprint.LOOKBACK - 1)
    oldest_record = _before(first, fingerprint.RECORD_LOOKBACK + 5)
    return panels.build(
        lake.read("bars", first=oldest_bar, last=end, columns=BAR_COLUMNS, symbols=symbols),
        securities=get_securities(source=source, last=end),
        splits=lake.read("splits", last=end, symbols=symbols),
        short_interest=lake.read("short_interest", first=oldest_record, last=last, symbols=symbols),
        shares=lake.read("shares", last=last, symbols=symbols),
        short_volume=lake.read("short_volume", first=oldest_record, last=last, symbols=symbols),
        sentiment=_moods(lake, oldest_record, last, symbols),
        fails=lake.read("fails", first=oldest_record, last=last, symbols=symbols),
    )


def _moods(lake: Lake, first: date, last: date, symbols: list[str] | None) -> pl.DataFrame:
    """Return what the news said; a day on which they said nothing of a symbol has no row."""
    found = lake.read("sentiment", first=first, last=last, symbols=symbols)
    return found.filter(pl.col("sentiment").is_not_null())


def _before(session: date, count: int) -> date:
    """Return the session ``count`` sessions before, or the first one of the calendar."""
    return sessions.day(max(sessions.number(session) - count, 0))
