"""Columns of the tables about short selling: interest, daily volume, fails to deliver."""

from typing import Final

import polars as pl

INTEREST_COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "settlement_date": pl.Date(),
    "known_on": pl.Datetime("us", "UTC"),
    "shares_short": pl.Float64(),  # in the share basis of the settlement date
    "avg_daily_volume": pl.Float64(),
    "days_to_cover": pl.Float64(),
    "source": pl.String(),
    "year": pl.Int32(),
}

VOLUME_COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "session": pl.Date(),
    "known_on": pl.Datetime("us", "UTC"),
    "short_volume": pl.Float64(),
    "total_volume": pl.Float64(),
    "source": pl.String(),
    "year": pl.Int32(),
}

FAILS_COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "settlement_date": pl.Date(),
    "known_on": pl.Datetime("us", "UTC"),
    "quantity": pl.Float64(),
    "price": pl.Float64(),
    "source": pl.String(),
    "year": pl.Int32(),
}
