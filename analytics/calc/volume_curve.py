"""The intraday curve of volume, learnt from minute bars (design §7)."""

from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Final

import numpy as np
import polars as pl

from analytics.calc import intervals

STEP: Final = 5  # minutes of a bar
FIRST, CLOSE, LAST = 4 * 60, 16 * 60, 20 * 60  # of trading before, in and after a session
FEWEST_SESSIONS: Final = 10
FEWEST_STOCKS: Final = 20  # on a session, for it to count
LEAST_SHARE: Final = 0.0005  # nothing is divided by less of a day

POINT: Final[dict[str, pl.DataType]] = {
    "minute": pl.Int32(),
    "share": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}


@dataclass(frozen=True, kw_only=True)
class VolumeCurve:
    """How much of a day's volume has usually passed by a minute.

    Attributes:
        as_of: Last session it was learnt from.
        sessions: How many; the interval is over them.
        stocks: How many different ones.
        points: Columns as in ``POINT``, by minute of the New York day, 04:05 to 16:00. The
            share at the close is below 1: some of a day's volume is traded after it.
    """

    as_of: date
    sessions: int
    stocks: int
    points: pl.DataFrame

    def share_at(self, minute: float) -> float:
        """Return the share passed by a minute of the New York day, above 0, at most 1."""
        at = self.points["minute"].to_numpy()
        known = self.points["share"].to_numpy()
        share = np.interp(minute, [FIRST, *at], [0.0, *known])
        return float(min(1.0, max(LEAST_SHARE, share)))


def learn(bars: pl.DataFrame, *, days: list[date]) -> VolumeCurve | None:
    """Learn the curve from 5-minute bars of whole sessions.

    Each stock-day counts alike: its shares of its own volume from 04:00 to 20:00. The curve is
    the mean over sessions of the mean over stocks; its interval is Student's t over sessions.

    Args:
        bars: ``symbol``, ``at`` (start of the bar, aware UTC) and ``volume`` [shares]; any order.
            Bars without trades are missing.
        days: Full sessions; bars of other days are left out.

    Returns:
        None with fewer than 10 sessions of 20 stocks or more.

    Source:
        Ours. Means of ratios, not ratio of sums: else one loud stock would be the curve.
    """
    c = pl.col
    local = c("at").dt.convert_time_zone("America/New_York")
    minute = local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute().cast(pl.Int32) + STEP
    rows = bars.select("symbol", "volume", day=local.dt.date(), minute=minute).filter(
        c("day").is_in(days),
        c("minute").is_between(FIRST + STEP, LAST),
        c("volume") > 0,
    )
    shares = rows.with_columns(share=c("volume") / c("volume").sum().over("symbol", "day"))
    stocks = shares.group_by("day").agg(stocks=c("symbol").n_unique())
    stocks = stocks.filter(c("stocks") >= FEWEST_STOCKS).sort("day")
    if stocks.height < FEWEST_SESSIONS:
        return None
    grid = pl.DataFrame(
        {"minute": pl.int_range(FIRST + STEP, LAST + 1, STEP, dtype=pl.Int32, eager=True)}
    )
    passed = (
        stocks.join(grid, how="cross")
        .join(
            shares.group_by("day", "minute").agg(c("share").sum()), on=["day", "minute"], how="left"
        )
        .sort("day", "minute")
        .with_columns(share=(c("share").fill_null(0.0) / c("stocks")).cum_sum().over("day"))
        .filter(c("minute") <= CLOSE)
    )
    count = stocks.height
    critical = intervals.t_quantile(0.5 + intervals.LEVEL / 2, count - 1)
    half = critical * c("share").std() / sqrt(count)
    points = passed.group_by("minute").agg(share=c("share").mean(), half=half).sort("minute")
    made = points.select(
        "minute",
        "share",
        low=pl.max_horizontal(c("share") - c("half"), 0.0),
        high=pl.min_horizontal(c("share") + c("half"), 1.0),
    )
    used = rows.filter(c("day").is_in(stocks["day"].implode()))
    return VolumeCurve(
        as_of=stocks["day"].to_list()[-1],
        sessions=count,
        stocks=used["symbol"].n_unique(),
        points=made.select(pl.col(name).cast(dtype) for name, dtype in POINT.items()),
    )
