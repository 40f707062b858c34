"""Daily bars from files in three shapes, told apart by their columns."""

from pathlib import Path
from typing import Final

import polars as pl

from analytics.clients import files
from analytics.clients.files import Layout, Reading

NUMBER: Final = pl.Float64()

COLUMNS: Final = Layout(
    name="bars of many symbols",
    required={"symbol": pl.String(), "date": pl.Date(), "close": NUMBER, "volume": NUMBER},
    optional={
        "open": NUMBER,
        "high": NUMBER,
        "low": NUMBER,
        "vwap": NUMBER,
        "trades": pl.Int64(),
        "split_ratio": NUMBER,
        "quality": pl.Int8(),
    },
    renamed={"date": "session"},
)
FLAT_FILE: Final = Layout(
    name="Polygon day aggregates",
    required={
        "ticker": pl.String(),
        "volume": NUMBER,
        "open": NUMBER,
        "close": NUMBER,
        "high": NUMBER,
        "low": NUMBER,
        "window_start": pl.Int64(),
    },
    optional={"transactions": pl.Int64()},
    renamed={"ticker": "symbol", "transactions": "trades"},
)
PER_SYMBOL: Final = Layout(
    name="one symbol, the file named after it",
    required={
        "date": pl.Date(),
        "open": NUMBER,
        "high": NUMBER,
        "low": NUMBER,
        "close": NUMBER,
        "volume": NUMBER,
    },
    optional={"adj_close": NUMBER},
    renamed={"date": "session"},
)
ADJUSTMENT_NOTE: Final = (
    "prices are taken as traded; the file does not say whether it was adjusted for splits"
)

ROW: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "session": pl.Date(),
    "open": NUMBER,
    "high": NUMBER,
    "low": NUMBER,
    "close": NUMBER,
    "volume": NUMBER,
    "vwap": NUMBER,
    "trades": pl.Int64(),
    "quality": pl.Int8(),
    "split_ratio": NUMBER,
    "line": files.LINE,
}


def read(path: Path) -> Reading:
    """Read the daily bars of one file, raw as traded.

    Args:
        path: Parquet, CSV or CSV.gz, with the columns ``symbol, date, close, volume`` and
            optionally ``open, high, low, vwap, trades, split_ratio, quality``; or Polygon's
            ``ticker, volume, open, close, high, low, window_start[, transactions]``; or
            ``Date, Open, High, Low, Close, Volume[, Adj Close]`` in a file named after its
            symbol. Upper or lower case, any order; further columns are not read.

    Returns:
        A reading whose frame has the columns in ``ROW``. ``quality`` is 0 where the file has
        none; ``split_ratio`` is null.

    Raises:
        files.WrongShape: The file fits none of the three.

    Source:
        Polygon.io flat files, "Stocks day aggregates": ``window_start`` is the start of the
        day window in nanoseconds since the epoch, taken in New York time.
    """
    layout, reading = files.load(path, (COLUMNS, FLAT_FILE, PER_SYMBOL))
    frame = reading.frame
    note = ""
    if layout is FLAT_FILE:
        start = pl.from_epoch("window_start", time_unit="ns").dt.replace_time_zone("UTC")
        frame = frame.with_columns(session=start.dt.convert_time_zone("America/New_York").dt.date())
    if layout is PER_SYMBOL:
        frame = frame.with_columns(symbol=files.canonical(pl.lit(files.symbol_of(path))))
        note = ADJUSTMENT_NOTE
    frame = frame.select(
        pl.col(name) if name in frame.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in ROW.items()
    ).with_columns(pl.col("quality").fill_null(0))
    return Reading(frame=frame, faults=reading.faults, note=note)
