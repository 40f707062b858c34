"""What followed volume spikes in a market: the figures of design §1, written a second time.

One row per listing, one column per session; splits are undone. Slow to read twice, easy to check.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.clients.sample import SampleMarket

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
HORIZON = 14


@dataclass(frozen=True)
class Rates:
    """Shares of stock-days that gained 50 % within 14 sessions, and what was left then."""

    n: int
    by_high: float
    by_close: float
    median: float


class Grid:
    """The scanned listings of a market, looked at with hindsight."""

    def __init__(self, market: SampleMarket) -> None:
        listings = market.securities.drop("source").with_row_index("row")
        splits = market.splits.select("symbol", "ratio", session="ex_date")
        days = market.bars["session"].unique().sort().to_frame().with_row_index("column")
        rows = (
            market.bars.join(days, on="session")
            .join(splits, on=["symbol", "session"], how="left")
            .join(listings, on="symbol")
            .filter(pl.col("session").is_between("first_session", "last_session"))
        )
        at = rows["row"].to_numpy(), rows["column"].to_numpy()

        def dense(column: str, empty: float) -> Floats:
            grid = np.full((listings.height, days.height), empty)
            grid[at] = rows[column].fill_null(empty).to_numpy()
            return grid

        raw, volume = dense("close", np.nan), dense("volume", np.nan)
        shares = np.cumprod(dense("ratio", 1.0), axis=1)
        self.close = raw * shares
        self.entry = _ahead(dense("open", np.nan) * shares, 1)
        best_high = _best(dense("high", np.nan) * shares)
        self.by_high = best_high / self.entry - 1
        self.by_close = _best(self.close) / self.entry - 1
        self.held = _ahead(_carried(self.close), HORIZON) / self.entry - 1
        self.rel_volume = _over_its_mean(volume / shares)
        usual_dollars = _mean_before(raw * volume)
        scanned = listings["kind"].is_in(["common", "adr"]).to_numpy()[:, None]
        judged = scanned & np.isfinite(self.entry) & np.isfinite(self.held)
        self.spike = judged & (raw >= 1) & (raw <= 8) & (self.rel_volume >= 15)
        self.base = judged & (raw >= 1) & (raw <= 8) & (usual_dollars >= 5e5)
        self.gated = self.base & (self.rel_volume >= 1.5)
        self.raw, self.scanned = raw, scanned

    def rates(self, chosen: Bools) -> Rates:
        return Rates(
            n=int(chosen.sum()),
            by_high=float(np.mean(self.by_high[chosen] >= 0.5)),
            by_close=float(np.mean(self.by_close[chosen] >= 0.5)),
            median=float(np.median(self.held[chosen])),
        )

    def busy_share(self) -> Floats:
        """Return per session the share of scanned listings at three times their usual volume."""
        known = np.isfinite(self.rel_volume) & self.scanned
        return (known & (self.rel_volume >= 3)).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _ahead(values: Floats, by: int) -> Floats:
    moved = np.full_like(values, np.nan)
    moved[:, :-by] = values[:, by:]
    return moved


def _best(values: Floats) -> Floats:
    best = _ahead(values, 1)
    for by in range(2, HORIZON + 1):
        best = np.fmax(best, _ahead(values, by))
    return best


def _carried(values: Floats) -> Floats:
    carried = values.copy()
    for column in range(1, values.shape[1]):
        gone = np.isnan(carried[:, column])
        carried[gone, column] = carried[gone, column - 1]
    return carried


def _mean_before(values: Floats, window: int = 20, least: int = 15) -> Floats:
    known = np.isfinite(values)
    start = ((0, 0), (1, 0))
    total = np.pad(np.cumsum(np.where(known, values, 0), axis=1), start)
    count = np.pad(np.cumsum(known, axis=1), start)
    mean = np.full_like(values, np.nan)
    n = count[:, window:-1] - count[:, : -window - 1]
    sums = total[:, window:-1] - total[:, : -window - 1]
    mean[:, window:] = np.where(n >= least, sums / np.maximum(n, 1), np.nan)
    return mean


def _over_its_mean(volume: Floats) -> Floats:
    usual = _mean_before(volume)
    usual[~(usual > 0)] = np.nan
    return volume / usual
