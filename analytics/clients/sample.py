"""The sample market: a provider that invents everything it delivers, and says so.

Same seed and same arguments, same bytes. Every row carries the source "simulated".
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from analytics.calc import (
    sessions,
    simulation,
    simulation_events,
    simulation_listings,
    simulation_reports,
)
from analytics.calc.simulation import Paths
from analytics.calc.simulation_listings import Bools, Fate, Floats, Ints, Listings
from analytics.calc.simulation_reports import ShareCounts, ShortInterest

SOURCE: Final = "simulated"
EXCHANGE: Final = "SIM"
PUBLICATION_SESSIONS: Final = 8  # short interest: seven after settlement, one of margin (design §3)
MID_MONTH: Final = 15  # settlement on this day, or the session before
QUARTERLY_MONTHS: Final = (3, 6, 9, 12)
RECONSTITUTION_MONTH: Final = 6  # index reconstitution, on its fourth Friday
LONGEST_LAG: Final = 10  # sessions beyond the end for which publication times are needed


@dataclass(frozen=True, kw_only=True)
class SampleMarket:
    """One frame per data set, sorted by symbol and time, with the columns of the lake.

    ``securities`` has one row per listing period, with the fields of ``models.Security``.
    """

    bars: pl.DataFrame
    splits: pl.DataFrame
    short_interest: pl.DataFrame
    shares: pl.DataFrame
    securities: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class _Period:
    """The sessions of the market, and the instants at which they are over."""

    days: list[date]
    number: int  # of the first one in the calendar

    def dates(self, columns: Ints) -> pl.Series:
        return pl.Series(self.days, dtype=pl.Date).gather(columns)

    def known(self, columns: Ints) -> pl.Series:
        """Return the cut-off of each session; columns may lie just outside the period."""
        reach = range(-1, len(self.days) + LONGEST_LAG)
        instants = [sessions.cut_off(sessions.day(self.number + n)) for n in reach]
        return pl.Series(instants, dtype=pl.Datetime("us", "UTC")).gather(columns + 1)


def draw(*, end: date, symbols: int = 600, years: int = 3, seed: int = 7) -> SampleMarket:
    """Return a market whose last session is ``end`` or the one before.

    Args:
        end: Nothing is dated, or known, after this day's session.
        symbols: Listings in all, SPY among them; a few share a ticker one after the other.
        years: Length of the history.
        seed: Another seed, another market.

    Raises:
        ValueError: ``symbols`` is outside 20 to 10,000, or ``years`` below 1.
    """
    if years < 1:
        raise ValueError(f"years must be 1 or more, got {years}")
    period = _period(end, years)
    size = len(period.days)
    chance = np.random.SeedSequence([seed, period.days[-1].toordinal(), symbols, years])
    who, moves, events, reports = (np.random.default_rng(each) for each in chance.spawn(4))
    listings = simulation_listings.draw(count=symbols, sessions=size, rng=who)
    paths = simulation.draw(listings, event_fridays=_event_fridays(period), rng=moves)
    paths = simulation_events.add_defects(paths, listings, rng=events)
    ratios = simulation_events.draw_splits(paths, listings, rng=events)
    paths = simulation_events.as_traded(paths, ratios)
    growth = simulation_reports.draw_growth(listings, ratios, rng=reports)
    counts = simulation_reports.draw_share_counts(listings, growth, ratios, rng=reports)
    shorts = simulation_reports.draw_short_interest(
        listings, paths, growth, ratios, settlements=_settlements(period), rng=reports
    )
    return SampleMarket(
        bars=_bars(listings, paths, period),
        splits=_splits(listings, ratios, period),
        short_interest=_short_interest(listings, shorts, period),
        shares=_shares(listings, counts, period),
        securities=_securities(listings, period),
    )


def _period(end: date, years: int) -> _Period:
    last = sessions.day(sessions.number(end))
    first = last - timedelta(days=round(365.25 * years) - 1)
    days = sessions.between(first, last)
    return _Period(days=days, number=sessions.number(days[0]))


def _event_fridays(period: _Period) -> Bools:
    """Return which sessions are a quarterly expiry or the reconstitution of the indices."""
    fridays = set()
    for year in range(period.days[0].year, period.days[-1].year + 1):
        for month in QUARTERLY_MONTHS:
            first = date(year, month, 1)
            third = first + timedelta(days=(4 - first.weekday()) % 7 + 14)
            fridays.add(sessions.offset(third, 0))
            if month == RECONSTITUTION_MONTH:
                fridays.add(sessions.offset(third + timedelta(days=7), 0))
    return np.array([day in fridays for day in period.days])


def _settlements(period: _Period) -> Ints:
    """Return the positions of settlement dates: mid-month and month end."""
    following = sessions.offset(period.days[-1], 1)
    after = [*period.days[1:], following]
    ends = [
        position
        for position, (day, then) in enumerate(zip(period.days, after, strict=True))
        if day.month != then.month or (day.day <= MID_MONTH < then.day)
    ]
    return np.array(ends, dtype=np.int64)


def _named(listings: Listings, rows: Ints) -> pl.Series:
    return pl.Series(listings.symbol, dtype=pl.String).gather(rows)


def _number(values: Floats) -> pl.Series:
    """Return ``values`` as a column, NaN as null."""
    return pl.Series(values, dtype=pl.Float64).fill_nan(None)


def _finished(frame: pl.DataFrame, time_key: str) -> pl.DataFrame:
    year = pl.col(time_key).dt.year().cast(pl.Int32)
    return frame.with_columns(source=pl.lit(SOURCE), year=year).sort("symbol", time_key)


def _bars(listings: Listings, paths: Paths, period: _Period) -> pl.DataFrame:
    row, column = np.nonzero(paths.seen)
    columns = {
        "symbol": _named(listings, row),
        "session": period.dates(column),
        **{
            key: _number(getattr(paths, key)[row, column])
            for key in ("open", "high", "low", "close", "volume")
        },
    }
    frame = pl.DataFrame(columns).with_columns(
        vwap=pl.lit(None, pl.Float64), trades=pl.lit(None, pl.Int64), quality=pl.lit(0, pl.Int8)
    )
    return _finished(frame, "session")


def _splits(listings: Listings, ratios: Floats, period: _Period) -> pl.DataFrame:
    """Splits are announced: known on the session before they take effect."""
    row, column = np.nonzero(ratios != 1.0)
    frame = pl.DataFrame(
        {
            "symbol": _named(listings, row),
            "ex_date": period.dates(column),
            "ratio": _number(ratios[row, column]),
            "known_on": period.known(column - 1),
        }
    ).with_columns(evidence=pl.lit("simulated"))
    return _finished(frame, "ex_date")


def _short_interest(listings: Listings, shorts: ShortInterest, period: _Period) -> pl.DataFrame:
    """Only what was published by the end of the period is delivered."""
    out = shorts.column + PUBLICATION_SESSIONS < len(period.days)
    row, column = shorts.row[out], shorts.column[out]
    frame = pl.DataFrame(
        {
            "symbol": _named(listings, row),
            "settlement_date": period.dates(column),
            "known_on": period.known(column + PUBLICATION_SESSIONS),
            "shares_short": _number(shorts.shares_short[out]),
            "avg_daily_volume": _number(shorts.avg_daily_volume[out]),
        }
    )
    volume = pl.col("avg_daily_volume")
    cover = pl.when(volume > 0).then(pl.col("shares_short") / volume)
    return _finished(frame.with_columns(days_to_cover=cover), "settlement_date")


def _shares(listings: Listings, counts: ShareCounts, period: _Period) -> pl.DataFrame:
    out = counts.column + counts.lag < len(period.days)
    row, column = counts.row[out], counts.column[out]
    frame = pl.DataFrame(
        {
            "symbol": _named(listings, row),
            "effective_date": period.dates(column),
            "known_on": period.known(column + counts.lag[out]),
            "shares_outstanding": _number(counts.outstanding[out]),
            "public_float": _number(counts.public_float[out]),
        }
    ).with_columns(origin=pl.lit("simulated"))
    return _finished(frame, "effective_date")


def _securities(listings: Listings, period: _Period) -> pl.DataFrame:
    new, gone = listings.first > 0, listings.fate != Fate.STAYS
    first, last = period.dates(listings.first), period.dates(listings.last)
    frame = pl.DataFrame(
        {
            "symbol": listings.symbol,
            "first_session": first,
            "last_session": last,
            "new": new,
            "gone": gone,
            "kind": listings.kind.tolist(),
            "name": listings.name,
            "sector": listings.sector.tolist(),
        }
    )
    return frame.select(
        "symbol",
        "first_session",
        "last_session",
        listed_on=pl.when("new").then("first_session"),
        delisted_on=pl.when("gone").then("last_session"),
        kind="kind",
        name="name",
        exchange=pl.lit(EXCHANGE),
        sector="sector",
        industry=pl.lit(""),
        country=pl.lit(""),
        source=pl.lit(SOURCE),
    )
