"""Import ten years of the whole market, 28 million rows, from local files. Goal: under 3 minutes.

Run: ``python -m benchmarks.bench_ten_years [--rows 28000000] [--form flat|parquet] [--keep DIR]``.
Simulated bars of 11,000 symbols a session, a tenth of which are other ones each year, are
written as the provider ships them (``flat``: a gzipped CSV per session) or as a Parquet file per
year, then imported as ``manage.py import_bars`` does: digests, quality gates, commits, listing
periods and findings. Then one more session goes into the lake that holds ten years: goal under 1 s.
"""

import argparse
import gzip
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import market

LAST = date(2024, 6, 14)
SYMBOLS = 11_000
TURNOVER = 0.1  # of the symbols are other ones a year later
WANTED_ROWS, GOAL_SECONDS, GOAL_SESSION = 28_000_000, 180.0, 1.0
ONE_MORE = 5  # sessions measured one by one afterwards


def sessions_of(rows: int) -> list[date]:
    """Return the sessions that so many rows fill, up to ``LAST``."""
    from analytics.calc import sessions

    return sessions.between(sessions.offset(LAST, 1 - round(rows / SYMBOLS)), LAST)


def days(wanted: list[date]) -> Iterator[pl.DataFrame]:
    """Yield the bars of each session, seeded, in the columns of a flat file."""
    from analytics.calc import sessions

    chance = np.random.default_rng(7)
    numbers = np.arange(SYMBOLS)
    close = chance.uniform(1, 50, SYMBOLS)
    for place, day in enumerate(wanted):
        if place and day.year != wanted[place - 1].year:
            gone = chance.choice(SYMBOLS, round(SYMBOLS * TURNOVER), replace=False)
            numbers[gone] = numbers.max() + 1 + np.arange(gone.size)
        close = np.maximum(close * chance.normal(1, 0.02, SYMBOLS), 0.2).round(4)
        start = int(sessions.opening(day).timestamp() - 9.5 * 3600) * 1_000_000_000
        frame = pl.DataFrame(
            {
                "ticker": [f"T{number:05}" for number in numbers.tolist()],
                "volume": chance.integers(1_000, 5_000_000, SYMBOLS),
                "open": close,
                "close": close,
                "high": (close * 1.03).round(4),
                "low": (close * 0.97).round(4),
                "window_start": start,
                "transactions": chance.integers(10, 9_000, SYMBOLS),
            }
        )
        yield frame.sort("ticker")


def write_flat(folder: Path, wanted: list[date]) -> None:
    """Write a gzipped CSV per session."""
    for day, frame in zip(wanted, days(wanted), strict=True):
        path = folder / f"{day}.csv.gz"
        path.write_bytes(gzip.compress(frame.write_csv().encode(), compresslevel=1))


def write_parquet(folder: Path, wanted: list[date]) -> None:
    """Write a Parquet file per year, with our own column names."""
    parts: list[pl.DataFrame] = []
    for place, frame in enumerate(days(wanted)):
        day = wanted[place]
        parts.append(
            frame.drop("window_start")
            .rename({"ticker": "symbol", "transactions": "trades"})
            .with_columns(date=pl.lit(day))
        )
        if day == wanted[-1] or wanted[place + 1].year != day.year:
            whole = pl.concat(parts).sort("symbol", "date")
            whole.write_parquet(folder / f"bars_{day.year}.parquet")
            parts = []


def prepare(scratch: Path) -> None:
    """Make an empty lake and an empty database."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "ENV_FILE": "",
        "VAR_DIR": str(scratch),
        "LAKE_URL": str(scratch / "lake"),
        "DATABASE_URL": f"sqlite:///{scratch}/db.sqlite3",
        "LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)


def import_all(folder: Path) -> None:
    """Import the files and say what it cost."""
    from django.utils import timezone

    from analytics.models import Security
    from analytics.services import market_data

    wall, processor = time.perf_counter(), time.process_time()
    summary = market_data.import_bars(path=folder, source="imported", now=timezone.now())
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    market.say("rows", f"{summary.rows:12,}")
    market.say("  rejected", f"{summary.rejected:12,}")
    market.say("  listing periods", f"{Security.objects.count():12,}")
    market.judge("wall time", wall, GOAL_SECONDS, unit="s")
    market.say("  of processor", f"{processor:8.1f} s")
    market.say("  rows per second of processor", f"{summary.rows / processor:12,.0f}")
    market.say("peak memory", f"{market.peak_gb():8.2f} GB")


def one_more(after: date) -> None:
    """Take sessions from response body to committed lake, beside the ten years."""
    from django.conf import settings
    from django.utils import timezone

    from analytics.calc import sessions
    from analytics.services import providers, session_sync
    from benchmarks.bench_provider import body
    from tests.stubs import polygon as wire
    from tests.stubs import server

    walls, processors = [], []
    with server.running() as stub:
        settings.POLYGON_API_KEY, settings.POLYGON_BASE_URL = "key", stub.url
        settings.POLYGON_CALLS_PER_MINUTE = 0
        with providers.connect_polygon() as polygon:
            for number in range(1, ONE_MORE + 2):
                day = sessions.offset(after, number)
                stub.on(wire.grouped_path(day), body(day, SYMBOLS))
                wall, processor = time.perf_counter(), time.process_time()
                reading = polygon.grouped_daily(day)
                found = session_sync.store_session(
                    session=day, reading=reading, provider="polygon", now=timezone.now()
                )
                if found.new != SYMBOLS:
                    raise SystemExit(f"{day}: {found}")
                if number > 1:
                    walls.append(time.perf_counter() - wall)
                    processors.append(time.process_time() - processor)
    middle = sorted(range(ONE_MORE), key=walls.__getitem__)[ONE_MORE // 2]
    market.judge("one session more, body to committed lake", walls[middle], GOAL_SESSION, unit="s")
    market.say("  the slowest of five", f"{max(walls):8.3f} s")
    market.say("  of processor", f"{processors[middle]:8.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=WANTED_ROWS)
    parser.add_argument("--form", choices=("flat", "parquet"), default="flat")
    parser.add_argument("--keep", type=Path, help="where the files are, or are to be kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="amc-bench-") as scratch:
        prepare(Path(scratch))
        wanted = sessions_of(given.rows)
        folder = given.keep or Path(scratch, "files")
        if not folder.exists():
            folder.mkdir()
            write = write_flat if given.form == "flat" else write_parquet
            write(folder, wanted)
        files = list(folder.iterdir())
        size = sum(path.stat().st_size for path in files) / 1e6
        print(f"{len(files)} {given.form} files, {size:.0f} MB, {os.cpu_count()} processors")
        import_all(folder)
        one_more(wanted[-1])


if __name__ == "__main__":
    main()
