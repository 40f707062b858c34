"""The past of what is held now, from daily bars: returns, volume, volatility (design §14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from performance.calc import risk_figures
from performance.calc.risk import Past

READ = 300  # sessions of bars from which 250 complete ones are taken
CARRIED = 5  # sessions without a bar over which the last close stands (a halt)
FEWEST_VOLATILITY = 20  # returns under which a holding has no volatility
VOLUME_WINDOW, VOLUME_FEWEST = 20, 15  # sessions of ``dollar_volume_20`` (design §4)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the bars say, per symbol in the order asked; NaN is not known.

    Attributes:
        past: Returns of the symbols beside the benchmark's.
        dollar_volume: Mean of close times volume over the last 20 sessions [USD].
        volatility: Annual, of up to 250 daily returns.
        counts: Returns behind each volatility.
    """

    past: Past
    dollar_volume: Floats
    volatility: Floats
    counts: npt.NDArray[np.int64]


def seen(
    bars: pl.DataFrame,
    splits: pl.DataFrame,
    *,
    symbols: Sequence[str],
    benchmark: str,
    days: Sequence[date],
    since: Mapping[str, date],
) -> Seen:
    """Return the past of ``symbols`` up to the last of ``days``.

    Args:
        bars: symbol, session, close, volume; raw as traded.
        splits: symbol, ex_date, ratio (new shares per old one).
        symbols: What is held.
        benchmark: Symbol of the index.
        days: Sessions, ascending; bars outside them are not read.
        since: First session of the present listing, where known: a ticker can be reused.
    """
    names = [*dict.fromkeys([*symbols, benchmark])]
    close, volume = _grid(bars, names, days, since)
    ratio = _ratios(splits, names, days)
    returns = _returns(close, ratio)
    place = [names.index(symbol) for symbol in symbols]
    own = returns[:, place]
    traded = (close * volume)[-VOLUME_WINDOW:, place]
    known = np.count_nonzero(~np.isnan(traded), axis=0)
    totals = np.nansum(traded, axis=0)
    counts = np.count_nonzero(~np.isnan(own[-250:]), axis=0)
    return Seen(
        past=Past(
            returns=own,
            benchmark=returns[:, names.index(benchmark)],
            last=days[-1] if days else None,
        ),
        dollar_volume=np.where(known >= VOLUME_FEWEST, totals / np.maximum(known, 1), np.nan),
        volatility=np.array([_volatility(own[-250:, at]) for at in range(len(symbols))]),
        counts=counts,
    )


def _grid(
    bars: pl.DataFrame, names: Sequence[str], days: Sequence[date], since: Mapping[str, date]
) -> tuple[Floats, Floats]:
    """Return close and volume, [sessions, names]; NaN without a bar of the present listing."""
    close, volume = np.full((2, len(days), len(names)), np.nan)
    if bars.is_empty() or not days:
        return close, volume
    begins = pl.DataFrame(
        {"symbol": list(since), "begins": list(since.values())},
        schema={"symbol": pl.String, "begins": pl.Date},
    )
    found = (
        bars.select("symbol", "session", "close", "volume")
        .join(
            pl.DataFrame({"symbol": list(names), "column": range(len(names))}),
            on="symbol",
            how="inner",
        )
        .join(
            pl.DataFrame(
                {"session": list(days), "row": range(len(days))},
                schema={"session": pl.Date, "row": pl.Int64},
            ),
            on="session",
            how="inner",
        )
        .join(begins, on="symbol", how="left")
        .filter(pl.col("begins").is_null() | (pl.col("session") >= pl.col("begins")))
    )
    rows, columns = found["row"].to_numpy(), found["column"].to_numpy()
    close[rows, columns] = found["close"].cast(pl.Float64).to_numpy()
    volume[rows, columns] = found["volume"].cast(pl.Float64).to_numpy()
    return close, volume


def _ratios(splits: pl.DataFrame, names: Sequence[str], days: Sequence[date]) -> Floats:
    """Return new shares per old one on each session, 1 without a split."""
    found = np.ones((len(days), len(names)))
    place, when = {name: at for at, name in enumerate(names)}, np.array(days, "datetime64[D]")
    for symbol, day, ratio in splits.select("symbol", "ex_date", "ratio").iter_rows():
        at = int(np.searchsorted(when, np.datetime64(day)))
        if symbol in place and 0 < at < len(days):
            found[at, place[symbol]] *= ratio
    return found


def _returns(close: Floats, ratio: Floats) -> Floats:
    """Return daily returns, [sessions, names]; over a halt the last close stands for 5 sessions."""
    if not close.size:
        return close
    basis = np.cumprod(ratio, axis=0)
    adjusted = close * basis
    filled = pl.DataFrame(adjusted).fill_nan(None).fill_null(strategy="forward", limit=CARRIED)
    values = filled.to_numpy().astype(np.float64)
    found = np.full(close.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        found[1:] = values[1:] / values[:-1] - 1
    return np.where(np.isfinite(found), found, np.nan).astype(np.float64)


def _volatility(returns: Floats) -> float:
    known = returns[~np.isnan(returns)]
    if known.size < FEWEST_VOLATILITY:
        return float("nan")
    found = risk_figures.annual_volatility(known)
    return float("nan") if found is None else found
