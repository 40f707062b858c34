"""Bars to measure on, and how to measure: real ones from AMC_DATA_DIR, else generated alike."""

import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import perf_counter, process_time
from typing import Any

os.environ.setdefault("POLARS_ENGINE_AFFINITY", "in-memory")

import numpy as np
import polars as pl

from analytics.calc import sessions

REPEATS = 5
COLUMNS = ["symbol", "date", "open", "high", "low", "close", "volume"]
GENERATED_SYMBOLS, GENERATED_SESSIONS = 5_950, 501  # the shape of the bars of 2022 and 2023
FIRST, LAST = date(2022, 1, 3), date(2023, 12, 29)


@dataclass(frozen=True)
class Cost:
    """Median wall and processor seconds of one piece of work."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:8.3f} s  ({self.processor:.3f} s of processor)"


@dataclass(frozen=True)
class Files:
    """Parquet files of two years, and of everything, with what was published beside them."""

    two_years: list[Path]
    everything: list[Path]
    folder: Path | None

    @property
    def origin(self) -> str:
        return f"real bars of {self.folder}" if self.folder else "generated bars"


def timed(work: Callable[[], Any], *, repeats: int = REPEATS) -> tuple[Cost, Any]:
    """Run ``work`` once to warm up, then ``repeats`` times; return the medians and its result."""
    result = work()
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = perf_counter(), process_time()
        result = work()
        walls.append(perf_counter() - wall)
        processors.append(process_time() - processor)
    return Cost(median(walls), median(processors)), result


def in_turns(*works: Callable[[], Any], repeats: int = REPEATS) -> list[tuple[Cost, Any]]:
    """Run several works in turns, so that a busy machine slows all alike; as :func:`timed`."""
    results = [work() for work in works]
    costs: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(repeats):
        for at, work in enumerate(works):
            wall, processor = perf_counter(), process_time()
            results[at] = work()
            costs[at].append((perf_counter() - wall, process_time() - processor))
    medians = [Cost(*map(median, zip(*cost, strict=True))) for cost in costs]
    return list(zip(medians, results, strict=True))


def peak_gb() -> float:
    """Return the most memory that this program has held [GB]."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says is inherited from the program that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e9
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e9


def say(what: str, value: object) -> None:
    print(f"{what:<58}{value}", flush=True)


def judge(what: str, value: float, goal: float, *, at_least: bool = False, unit: str = "x") -> None:
    """Print one line: the figure, its goal, PASS or MISS."""
    met = value >= goal if at_least else value <= goal
    sign = ">=" if at_least else "<="
    verdict = "PASS" if met else "MISS"
    say(what, f"{value:8.2f} {unit}   goal {sign} {goal:g} {unit}   {verdict}")


def files() -> Files:
    """Return real files if AMC_DATA_DIR is given, else generated ones."""
    given = os.environ.get("AMC_DATA_DIR")
    if given:
        folder = Path(given)
        two_years = [folder / "bars_2022_2023.parquet", folder / "closes_only_2022_2023.parquet"]
        older = [folder / "bars_2015_2016.parquet", folder / "bars_2018_2020.parquet"]
        return Files(two_years=two_years, everything=[*older, *two_years], folder=folder)
    folder = Path(mkdtemp(prefix="amc-bench-"))
    first, second = folder / "bars.parquet", folder / "earlier.parquet"
    generate(LAST).write_parquet(first)
    generate(FIRST - timedelta(days=1)).write_parquet(second)
    return Files(two_years=[first], everything=[second, first], folder=None)


def generate(last: date) -> pl.DataFrame:
    """Draw bars of the real shape, seeded; a tenth of the closes come without a range."""
    random = np.random.default_rng(7)
    end = sessions.number(last) + 1
    days = sessions.calendar()[end - GENERATED_SESSIONS : end]
    shape = (GENERATED_SYMBOLS, GENERATED_SESSIONS)
    start = np.exp(random.normal(2.2, 1.1, (GENERATED_SYMBOLS, 1)))
    close = start * np.exp(np.cumsum(random.normal(0, 0.035, shape), axis=1))
    high = close * (1 + np.abs(random.normal(0, 0.02, shape)))
    low = close / (1 + np.abs(random.normal(0, 0.02, shape)))
    volume = np.exp(random.normal(12.5, 1.5, (GENERATED_SYMBOLS, 1)) + random.normal(0, 0.6, shape))
    frame = pl.DataFrame(
        {
            "symbol": np.repeat([f"S{k:04d}" for k in range(GENERATED_SYMBOLS)], days.size),
            "date": np.tile(days, GENERATED_SYMBOLS),
            "open": random.uniform(low, high).ravel(),
            "high": high.ravel(),
            "low": low.ravel(),
            "close": close.ravel(),
            "volume": volume.ravel().astype(np.int64),
        }
    )
    bare = random.random(frame.height) < 0.1
    ranges = [pl.when(~pl.Series(bare)).then(name).alias(name) for name in ("open", "high", "low")]
    return frame.with_columns(ranges)


def decode(paths: list[Path]) -> list[pl.DataFrame]:
    """Read the columns that the detector needs, and nothing else: what everything is held to."""
    return [pl.read_parquet(path, columns=COLUMNS) for path in paths]


def span(bars: pl.DataFrame) -> tuple[date, date]:
    """Return the first and the last session of bars."""
    ends = bars.select(first=pl.col("session").min(), last=pl.col("session").max()).row(0)
    return ends[0], ends[1]


def in_order(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Put decoded bars together, sorted, with the names and types of the lake."""
    whole = pl.concat([frame.with_columns(pl.col("volume").cast(pl.Float64)) for frame in frames])
    return whole.rename({"date": "session"}).sort("symbol", "session")


def published(found: Files, bars: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return listings, splits, short interest and shares as ``panel.build`` takes them."""
    periods = bars.group_by("symbol").agg(
        first_session=pl.col("session").min(), last_session=pl.col("session").max()
    )
    if found.folder is None:
        return {"securities": periods.with_columns(kind=pl.lit("common"))}
    folder = found.folder
    listed = pl.concat(
        [
            pl.read_parquet(path, columns=["symbol", "sec_type"])
            for path in sorted(folder.glob("symbols_*.parquet"))
        ]
    ).unique("symbol", keep="last", maintain_order=True)
    evening = pl.duration(hours=21)
    short = pl.read_parquet(folder / "short_interest.parquet").with_columns(
        pl.col("shares_short").cast(pl.Float64),
        known_on=_instant(pl.col("publication_date") + timedelta(days=1)) + pl.duration(hours=9),
    )
    shares = pl.read_parquet(folder / "shares_float.parquet").rename(
        {"as_of_date": "effective_date"}
    )
    return {
        "securities": periods.join(listed.rename({"sec_type": "kind"}), on="symbol", how="left"),
        "splits": pl.read_parquet(folder / "splits.parquet").rename(
            {"date": "ex_date", "split_ratio": "ratio"}
        ),
        "short_interest": short.filter(
            pl.col("settlement_date") >= span(bars)[0] - timedelta(days=60)
        ),
        "shares": shares.with_columns(
            pl.col("public_float", "shares_outstanding").cast(pl.Float64),
            known_on=_instant(pl.col("effective_date")) + evening,
        ),
    }


def _instant(day: pl.Expr) -> pl.Expr:
    return (
        day.cast(pl.Datetime("us"))
        .dt.replace_time_zone("America/New_York")
        .dt.convert_time_zone("UTC")
    )


def now() -> datetime:
    return datetime(2024, 1, 2, 22, 0, tzinfo=UTC)
