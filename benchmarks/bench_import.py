"""How long the import of all bars takes, quality gates, listing periods and findings included.

Run: ``python -m benchmarks.bench_import [--runs 5]``. Reads the bars in ``AMC_DATA_DIR``, or
else generated bars of the same shape, into a scratch lake and a scratch database; prints seconds,
peak memory and the ratio to decoding and sorting the same files. Goal: 6 million bars in under
40 s and under 3 GB.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

GOAL_SECONDS, GOAL_BYTES = 40.0, 3e9
SYMBOLS, FIRST, LAST = 4800, "2019-01-02", "2023-12-29"  # 6 million generated bars


def generate(folder: Path) -> None:
    """Write about 6 million bars, a Parquet file per year, as the real ones lie."""
    from analytics.calc import sessions

    rng = np.random.default_rng(7)
    days = sessions.calendar()
    days = days[(days >= np.datetime64(FIRST)) & (days <= np.datetime64(LAST))]
    steps = rng.normal(0, 0.03, (SYMBOLS, len(days)))
    close = np.round(np.exp(rng.uniform(0, 4, (SYMBOLS, 1)) + steps.cumsum(axis=1)) + 0.05, 4)
    names = [f"S{number:04}" for number in range(SYMBOLS)]
    frame = pl.DataFrame(
        {
            "symbol": np.repeat(names, len(days)),
            "date": np.tile(days, SYMBOLS),
            "open": close.ravel(),
            "high": (close * 1.02).ravel(),
            "low": (close * 0.98).ravel(),
            "close": close.ravel(),
            "volume": rng.integers(1000, 10_000_000, close.size),
            "split_ratio": np.ones(close.size),
            "quality": np.zeros(close.size, dtype=np.int8),
        }
    )
    for (year,), part in frame.group_by(pl.col("date").dt.year()):
        part.sort("symbol", "date").write_parquet(folder / f"bars_{year}.parquet")


def decode_and_sort(files: list[Path], _scratch: Path) -> int:
    return sum(pl.read_parquet(path).sort("symbol", "date").height for path in files)


def import_all(files: list[Path], scratch: Path) -> int:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "amc_trader.settings",
        "VAR_DIR": str(scratch),
        "LAKE_URL": str(scratch / "lake"),
        "DATABASE_URL": f"sqlite:///{scratch}/db.sqlite3",
    }
    django.setup()
    settings.MIGRATION_MODULES = {"analytics": None, "performance": None}  # just the tables
    call_command("migrate", run_syncdb=True, verbosity=0)
    from analytics.services import market_data

    start = time.perf_counter()
    for path in files:
        market_data.import_bars(path=path, source="imported", now=timezone.now())
    measured.append(time.perf_counter() - start)
    return market_data.lake_of("imported").read("bars", columns=["close"]).height


measured: list[float] = []  # seconds that a task measured itself, leaving its preparation out


def _child(task: Callable[[list[Path], Path], int], files: list[Path], answer) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        rows = task(files, Path(scratch))
        seconds = measured[0] if measured else time.perf_counter() - start
        answer.put((rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def run(task: Callable[[list[Path], Path], int], files: list[Path]) -> tuple[int, float, int]:
    """Run ``task`` in a process of its own; return rows, seconds, peak bytes."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    child = context.Process(target=_child, args=(task, files, answer))
    child.start()
    found = answer.get()
    child.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as made:
        folder = Path(os.environ.get("AMC_DATA_DIR") or made)
        if str(folder) == made:
            generate(folder)
        names = ("bars*.parquet", "closes_only*.parquet")
        files = sorted(path for name in names for path in folder.glob(name))
        plain = [run(decode_and_sort, files) for _ in range(runs)]
        whole = [run(import_all, files) for _ in range(runs)]
    rows = whole[0][0]
    base = statistics.median(seconds for _, seconds, _ in plain)
    seconds = statistics.median(seconds for _, seconds, _ in whole)
    peak = max(peak for _, _, peak in whole)
    print(f"import of {rows:,} bars from {len(files)} files, median of {runs}")
    print(f"  decode and sort  {base:6.2f} s")
    print(f"  import           {seconds:6.2f} s  {seconds / base:.1f}x  (goal {GOAL_SECONDS:g} s)")
    print(f"  peak memory      {peak / 1e9:6.2f} GB  (goal {GOAL_BYTES / 1e9:g} GB)")


if __name__ == "__main__":
    main()
