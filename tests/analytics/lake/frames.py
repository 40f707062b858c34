"""Small frames of market data for tests."""

from datetime import date
from typing import Any

import polars as pl

from analytics.calc import sessions


def days_from(first: date, count: int) -> list[date]:
    """The ``count`` sessions from ``first`` on, itself included if it is one."""
    return [sessions.offset(first, n) for n in range(count)]


def bars(symbol: str = "VIGL", first: date = date(2024, 6, 3), count: int = 5, **columns: Any):
    """Bars of consecutive sessions; a column is a list, or one value for all."""
    days = days_from(first, count)
    close = columns.get("close", 3.0)
    base = close if isinstance(close, list) else [close] * count
    rows = {
        "symbol": [symbol] * count,
        "session": days,
        "open": base,
        "high": [c * 1.1 for c in base],
        "low": [c * 0.9 for c in base],
        "close": base,
        "volume": [1000.0] * count,
        "quality": [0] * count,
        "source": ["imported"] * count,
    }
    for name, value in columns.items():
        rows[name] = value if isinstance(value, list) else [value] * count
    frame = pl.DataFrame(rows)
    return frame.with_columns(
        pl.col("symbol", "source").cast(pl.String),
        pl.col("session").cast(pl.Date),
        pl.col("open", "high", "low", "close", "volume").cast(pl.Float64),
        pl.col("quality").cast(pl.Int8),
    )
