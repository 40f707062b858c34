"""Columns of the table about what the news say."""

from typing import Final

import polars as pl

COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "day": pl.Date(),  # of New York
    "published_at": pl.Datetime("us", "UTC"),  # of the day's last article
    "sentiment": pl.Float64(),  # mean over the day's articles, -1 to 1
    "articles": pl.Int64(),  # that say something of the symbol
    "source": pl.String(),
    "year": pl.Int32(),
}
