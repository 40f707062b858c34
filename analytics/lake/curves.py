"""Columns of the table of learnt curves: how much of a day's volume has passed by a minute."""

from typing import Final

import polars as pl

COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),  # the stocks it was learnt from: a price band, "1-8"
    "day": pl.Date(),  # last session it was learnt from; used from the next one on
    "minute": pl.Int32(),  # of the New York day
    "share": pl.Float64(),  # of the day's volume by then, 0 to 1
    "low": pl.Float64(),  # 95 % interval over sessions
    "high": pl.Float64(),
    "sessions": pl.Int32(),
    "stocks": pl.Int32(),  # different ones
    "source": pl.String(),
    "year": pl.Int32(),
}
