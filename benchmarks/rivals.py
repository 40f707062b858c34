"""The bar features of design §4 in pandas and in DuckDB, as one would write them there.

Windows are rows of a symbol, at least 15 of 20 (11 of 14, 4 of 5), on split-adjusted prices
and volumes. Sessions without a bar are not noticed and listings not told apart, which is why
the comparison is made on rows with complete windows.
"""

from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from analytics.calc import features
from analytics.calc.kernels import layout

NAMES = features.NAMES[: layout.BAR_FEATURES]
Rival = Callable[[], list[np.ndarray]]

DUCKDB = """
WITH based AS (
    SELECT *, product(split) OVER (PARTITION BY symbol ORDER BY session) AS basis FROM bars
), adjusted AS (
    SELECT symbol, session, high > low AS moved, (close - low) / nullif(high - low, 0) AS place,
        close * volume AS dollars, open * basis AS open, high * basis AS high, low * basis AS low,
        close * basis AS close, volume / basis AS volume
    FROM based
), steps AS (
    SELECT *,
        ln(close / lag(close) OVER s) AS step,
        greatest(high, lag(close) OVER s) - least(low, lag(close) OVER s) AS true_range
    FROM adjusted WINDOW s AS (PARTITION BY symbol ORDER BY session)
)
SELECT
    CASE WHEN count(volume) OVER before >= 15 THEN volume / avg(volume) OVER before END
        AS rel_volume,
    CASE WHEN count(dollars) OVER before >= 15 THEN avg(dollars) OVER before END
        AS dollar_volume_20,
    close / lag(close, 1) OVER s - 1 AS ret_1,
    close / lag(close, 5) OVER s - 1 AS ret_5,
    close / lag(close, 20) OVER s - 1 AS ret_20,
    open / lag(close, 1) OVER s - 1 AS gap,
    CASE WHEN moved THEN place END AS close_location,
    CASE WHEN count(true_range) OVER fortnight >= 11
        THEN avg(true_range) OVER fortnight / close END AS atr_pct_14,
    CASE WHEN count(high) OVER before >= 15 THEN close / max(high) OVER before - 1 END
        AS breakout_20,
    CASE WHEN count(step) OVER month >= 15 THEN stddev_samp(step) OVER month END
        AS volatility_20,
    CASE WHEN count(volume) OVER week >= 4 AND count(volume) OVER older >= 15
        THEN avg(volume) OVER week / avg(volume) OVER older END AS accumulation_5,
    CASE WHEN count(step) OVER before >= 15 THEN stddev_samp(step) OVER before END
        AS volatility_20_before
FROM steps
WINDOW s AS (PARTITION BY symbol ORDER BY session),
    before AS (PARTITION BY symbol ORDER BY session ROWS BETWEEN 20 PRECEDING AND 1 PRECEDING),
    month AS (PARTITION BY symbol ORDER BY session ROWS BETWEEN 19 PRECEDING AND CURRENT ROW),
    fortnight AS (PARTITION BY symbol ORDER BY session ROWS BETWEEN 13 PRECEDING AND CURRENT ROW),
    week AS (PARTITION BY symbol ORDER BY session ROWS BETWEEN 4 PRECEDING AND CURRENT ROW),
    older AS (PARTITION BY symbol ORDER BY session ROWS BETWEEN 24 PRECEDING AND 5 PRECEDING)
ORDER BY symbol, session
"""


def in_pandas(bars: pl.DataFrame, split: np.ndarray) -> Rival:
    """Return the features by groupby and rolling; the frame is made outside the measurement."""
    columns = {name: bars[name].to_numpy() for name in bars.columns if name != "symbol"}
    frame = pd.DataFrame({"symbol": bars["symbol"].to_list(), **columns, "split": split})

    def work() -> list[np.ndarray]:
        basis = frame.groupby("symbol")["split"].cumprod()
        own = frame[["symbol"]].copy()
        for name in ("open", "high", "low", "close"):
            own[name] = frame[name] * basis
        own["volume"] = frame["volume"] / basis
        own["dollars"] = frame["close"] * frame["volume"]
        by = own.groupby("symbol")
        close = own["close"]
        before = by["close"].shift(1)
        own["step"] = np.log(close / before)
        own["true_range"] = np.maximum(own["high"], before) - np.minimum(own["low"], before)

        def mean(name: str, size: int, fewest: int) -> pd.Series:
            rolled = by[name].rolling(size, min_periods=fewest).mean()
            return rolled.reset_index(level=0, drop=True)

        own["month"] = mean("volume", 20, 15)
        own["spent"] = mean("dollars", 20, 15)
        own["deviation"] = (
            by["step"].rolling(20, min_periods=15).std().reset_index(level=0, drop=True)
        )
        own["highest"] = (
            by["high"].rolling(20, min_periods=15).max().reset_index(level=0, drop=True)
        )
        spread = frame["high"] - frame["low"]
        made = [
            own["volume"] / by["month"].shift(1),
            by["spent"].shift(1),
            close / before - 1,
            close / by["close"].shift(5) - 1,
            close / by["close"].shift(20) - 1,
            own["open"] / before - 1,
            ((frame["close"] - frame["low"]) / spread).where(spread > 0),
            mean("true_range", 14, 11) / close,
            close / by["highest"].shift(1) - 1,
            own["deviation"],
            mean("volume", 5, 4) / by["month"].shift(5),
            by["deviation"].shift(1),
        ]
        return [column.to_numpy() for column in made]

    return work


def in_pandas_by_symbol(bars: pl.DataFrame, split: np.ndarray) -> Rival:
    """Return the features by a function of each symbol's frame, each written by itself."""
    columns = {name: bars[name].to_numpy() for name in bars.columns if name != "symbol"}
    frame = pd.DataFrame({"symbol": bars["symbol"].to_list(), **columns, "split": split})

    def of_symbol(own: pd.DataFrame) -> pd.DataFrame:
        basis = own["split"].cumprod()
        opened, high, low = own["open"] * basis, own["high"] * basis, own["low"] * basis
        close, volume = own["close"] * basis, own["volume"] / basis
        before = close.shift(1)
        step = np.log(close / before)
        width = np.maximum(high, before) - np.minimum(low, before)
        spread = own["high"] - own["low"]
        month = volume.shift(1).rolling(20, min_periods=15).mean()
        older = volume.shift(5).rolling(20, min_periods=15).mean()
        made = {
            "rel_volume": volume / month,
            "dollar_volume_20": (own["close"] * own["volume"])
            .shift(1)
            .rolling(20, min_periods=15)
            .mean(),
            "ret_1": close / before - 1,
            "ret_5": close / close.shift(5) - 1,
            "ret_20": close / close.shift(20) - 1,
            "gap": opened / before - 1,
            "close_location": ((own["close"] - own["low"]) / spread).where(spread > 0),
            "atr_pct_14": width.rolling(14, min_periods=11).mean() / close,
            "breakout_20": close / high.shift(1).rolling(20, min_periods=15).max() - 1,
            "volatility_20": step.rolling(20, min_periods=15).std(),
            "accumulation_5": volume.rolling(5, min_periods=4).mean() / older,
            "volatility_20_before": step.shift(1).rolling(20, min_periods=15).std(),
        }
        return pd.DataFrame(made)

    def work() -> list[np.ndarray]:
        found = frame.groupby("symbol", group_keys=False)[frame.columns[1:]].apply(of_symbol)
        return [found[name].to_numpy() for name in NAMES]

    return work


def in_duckdb(bars: pl.DataFrame, split: np.ndarray) -> Rival:
    """Return the features by window functions, from a table made outside the measurement."""
    connection = duckdb.connect()
    connection.register("given", bars.with_columns(split=pl.Series(split)).to_arrow())
    connection.execute("CREATE TABLE bars AS SELECT * FROM given")

    def work() -> list[np.ndarray]:
        found = connection.execute(DUCKDB).fetchnumpy()
        return [np.ma.filled(found[name].astype(float), np.nan) for name in NAMES]

    return work


def largest_difference(ours: np.ndarray, theirs: list[np.ndarray]) -> float:
    """Return the largest difference, relative to values above one, absolute below.

    A value that one side knows and the other does not counts as infinite.
    """
    worst = 0.0
    for mine, other in zip(ours, theirs, strict=True):
        if (np.isnan(mine) != np.isnan(other)).any():
            return float("inf")
        gap = np.abs(mine - other) / np.maximum(np.abs(mine), 1.0)
        worst = max(worst, float(np.nanmax(gap, initial=0.0)))
    return worst
