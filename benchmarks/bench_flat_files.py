"""Import generated flat files, one a session as the provider ships them; rows a second.

python -m benchmarks.bench_flat_files --sessions 252 --symbols 11000
"""

import argparse
import gzip
import json
import os
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

LAST = date(2024, 6, 14)
WANTED_ROWS = 28_000_000


def generate(folder: Path, sessions: int, symbols: int) -> int:
    """Write the files of ``sessions`` sessions; return their size."""
    from analytics.calc import sessions as calendar

    chance = np.random.default_rng(7)
    names = pl.Series("ticker", [f"T{n:05}" for n in range(symbols)])
    close = chance.uniform(1, 50, symbols)
    size = 0
    for back in range(sessions - 1, -1, -1):
        day = calendar.offset(LAST, -back)
        close = np.maximum(close * chance.normal(1, 0.02, symbols), 0.2).round(4)
        start = int(calendar.opening(day).timestamp() - 9.5 * 3600) * 1_000_000_000
        frame = pl.DataFrame(
            {
                "ticker": names,
                "volume": chance.integers(1_000, 5_000_000, symbols),
                "open": close,
                "close": close,
                "high": (close * 1.03).round(4),
                "low": (close * 0.97).round(4),
                "window_start": start,
                "transactions": chance.integers(10, 9_000, symbols),
            }
        )
        path = folder / f"{day}.csv.gz"
        path.write_bytes(gzip.compress(frame.write_csv().encode(), compresslevel=1))
        size += path.stat().st_size
    return size


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=126)
    parser.add_argument("--symbols", type=int, default=11_000)
    given = parser.parse_args()
    where = tempfile.mkdtemp()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "ENV_FILE": "",
        "VAR_DIR": where,
        "DATABASE_URL": f"sqlite:///{where}/db.sqlite3",
        "LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command
    from django.utils import timezone

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from analytics.services import market_data

    folder = Path(where, "files")
    folder.mkdir()
    size = generate(folder, given.sessions, given.symbols)
    began, began_cpu = time.monotonic(), time.process_time()
    summary = market_data.import_bars(path=folder, source="imported", now=timezone.now())
    took, cpu = time.monotonic() - began, time.process_time() - began_cpu
    rate = summary.rows / took
    found = {
        "files": given.sessions,
        "megabytes_gzipped": round(size / 1e6),
        "rows": summary.rows,
        "seconds": round(took, 1),
        "cpu_seconds": round(cpu, 1),
        "cpu_minutes_for_28_million": round(WANTED_ROWS / summary.rows * cpu / 60, 1),
        "rows_per_second": round(rate),
        "minutes_for_28_million_at_this_rate": round(WANTED_ROWS / rate / 60, 1),
        "cpus": os.cpu_count(),
        "load": [round(x, 1) for x in os.getloadavg()],
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
