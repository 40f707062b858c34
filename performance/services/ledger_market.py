"""What the lake knows of the symbols of a ledger: sessions, closes, ranges, splits, listings."""

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from analytics.calc import sessions
from analytics.models import Source
from analytics.services import lakes, panels
from performance.calc import ledger_equity
from performance.calc.ledger_equity import Closes

LOOK_BACK = 30  # sessions before the first entry: for a mark on a first day without trading
BARS = ["symbol", "session", "high", "low", "close"]
SPLITS = {"symbol": pl.String, "ex_date": pl.Date, "ratio": pl.Float64}


@dataclass(frozen=True, kw_only=True)
class Market:
    """Market data of some symbols.

    Attributes:
        days: Sessions of the whole market, ascending; empty if there is no market data.
        bars: ``symbol``, ``session``, ``high``, ``low``, ``close``.
        splits: ``symbol``, ``ex_date``, ``ratio``.
        closes: By symbol, over ``days``.
    """

    days: list[date]
    bars: pl.DataFrame
    splits: pl.DataFrame
    closes: dict[str, Closes]

    @property
    def last(self) -> date | None:
        """The newest session."""
        return self.days[-1] if self.days else None


def read(*, source: str, symbols: list[str], first: date, last: date) -> Market:
    """Return market data of ``symbols`` from ``first`` (and somewhat earlier) to ``last``.

    A source without a lake (claims) has no market data.
    """
    if source == Source.CLAIMED:
        return _nothing()
    lake = lakes.lake_of(source)
    start = sessions.day(max(sessions.number(first) - LOOK_BACK, 0))
    days = [day for day in lake.sessions() if start <= day <= last]
    if not days:
        return _nothing()
    if not symbols:  # an account with cash alone has its equity, too
        return replace(_nothing(), days=days)
    bars = lake.read("bars", first=start, last=last, columns=BARS, symbols=symbols)
    splits = lake.read("splits", first=start, last=last, symbols=symbols)
    return Market(
        days=days,
        bars=bars,
        splits=splits.select(list(SPLITS)),
        closes=ledger_equity.closes_of(bars, days),
    )


def listings(*, source: str, last: date) -> dict[str, date]:
    """Return the last session of each listing that began by ``last``, by symbol."""
    if source == Source.CLAIMED:
        return {}
    found = panels.get_securities(source=source, last=last)
    ends = found.group_by("symbol").agg(pl.col("last_session").max())
    return dict(ends.iter_rows())


def _nothing() -> Market:
    schema = {"symbol": pl.String, "session": pl.Date, "close": pl.Float64}
    return Market(
        days=[],
        bars=pl.DataFrame(schema={**schema, "high": pl.Float64, "low": pl.Float64}),
        splits=pl.DataFrame(schema=SPLITS),
        closes={},
    )
