"""What random stocks of the base universe brought, held 14 sessions: zero skill (design §12)."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from analytics.calc import sessions
from analytics.calc.market import BASE_CLOSE_USD, BASE_DOLLAR_VOLUME_USD
from performance.calc.metrics import EXPLOSIVE

HOLD = 14  # sessions held, the entry's included
MEAN = 20  # sessions of the dollar volume


def summarise(
    bars: pl.DataFrame, splits: pl.DataFrame, *, sessions_kept: int
) -> dict[str, Any] | None:
    """Return mean return, win rate and share above +50 % of every stock-day of the universe.

    Each is bought at the open of the next session and sold at the close of the 14th, or at its
    last trade before it. Prices are moved to one split basis.

    Args:
        bars: ``symbol``, ``session``, ``open``, ``close``, ``volume``, sorted by both.
        splits: ``symbol``, ``ex_date``, ``ratio`` (new shares per old).
        sessions_kept: Newest stock-days that count, in sessions.

    Returns:
        ``average_return``, ``win_rate``, ``explosive_growth_rate`` (fractions), ``n``, ``first``
        and ``last`` signal session; None without a stock-day whose holding is over.
    """
    if bars.is_empty():
        return None
    every = bars["session"].unique().sort()
    ends = every.to_list()
    kept = ends[: len(ends) - HOLD][-sessions_kept:]
    if not kept:
        return None
    numbered = _numbered(bars, splits)
    picks = numbered.filter(
        pl.col("session").is_in(kept)
        & pl.col("close").is_between(*BASE_CLOSE_USD)
        & (pl.col("dollars") >= BASE_DOLLAR_VOLUME_USD)
        & (pl.col("next_number") == pl.col("number") + 1)
        & (pl.col("next_open") > 0)
    ).with_columns(target=pl.col("number") + HOLD)
    sold = picks.sort("target").join_asof(
        numbered.select(
            "symbol", pl.col("number").alias("sold"), pl.col("price").alias("out")
        ).sort("sold"),
        left_on="target",
        right_on="sold",
        by="symbol",
        check_sortedness=False,
    )
    gained = (sold["out"] / sold["next_open"] - 1).to_numpy()
    if not gained.size:
        return None
    return {
        "average_return": float(gained.mean()),
        "win_rate": float(np.mean(gained > 0)),
        "explosive_growth_rate": float(np.mean(gained > EXPLOSIVE)),
        "n": int(gained.size),
        "first": _iso(kept[0]),
        "last": _iso(kept[-1]),
    }


def _numbered(bars: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Add session numbers, split-adjusted prices, dollar volume and the next session's open."""
    ratios = (
        splits.sort("symbol", "ex_date")
        .with_columns(factor=pl.col("ratio").cum_prod().over("symbol"))
        .select("symbol", session=pl.col("ex_date"), factor="factor")
        .sort("session")
    )
    days = bars["session"].to_numpy().astype("datetime64[D]")
    joined = (
        bars.with_columns(number=pl.Series(np.searchsorted(sessions.calendar(), days)))
        .sort("session")
        .join_asof(ratios, on="session", by="symbol", check_sortedness=False)
        .sort("symbol", "number")
    )
    factor = pl.col("factor").fill_null(1.0)
    dollars = (pl.col("close") * pl.col("volume")).rolling_mean(MEAN, min_samples=15)
    return joined.with_columns(
        price=pl.col("close") * factor,
        dollars=dollars.over("symbol"),
        next_number=pl.col("number").shift(-1).over("symbol"),
        next_open=(pl.col("open") * factor).shift(-1).over("symbol"),
    )


def _iso(day: date) -> str:
    return day.isoformat()
