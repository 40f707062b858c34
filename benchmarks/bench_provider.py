"""How long one session of the whole market takes, from response body to committed lake.

Run: ``python -m benchmarks.bench_provider [--runs 5] [--rows 11000]``. A body as the provider
sends it is served on 127.0.0.1, read by the client, gated and committed into a scratch lake that
holds 20 sessions already. Goal: 11,000 rows in under 1 s, the transfer included.
"""

import argparse
import json
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from analytics.calc import quality, sessions
from analytics.clients.polygon import Polygon
from analytics.lake.tables import Lake
from tests.stubs import polygon as wire
from tests.stubs import server

GOAL_SECONDS = 1.0
FIRST, BEFORE = date(2024, 6, 3), 20  # sessions in the lake before


def body(session: date, rows: int) -> bytes:
    """Return the grouped daily answer of a session, a third of it with fractional volume."""
    rng = np.random.default_rng(session.toordinal())
    close = np.round(np.exp(rng.uniform(0, 5, rows)), 4)
    volume = rng.integers(100, 50_000_000, rows)
    bars = [
        wire.bar(
            f"S{number:05}",
            session,
            o=price,
            h=round(price * 1.02, 4),
            l=round(price * 0.98, 4),
            c=price,
            v=int(shares) if number % 3 else float(shares) + 0.318262,
        )
        for number, (price, shares) in enumerate(zip(close.tolist(), volume.tolist(), strict=True))
    ]
    return json.dumps(wire.grouped(*bars)).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=11_000)
    asked = parser.parse_args()
    days = [sessions.offset(FIRST, n) for n in range(BEFORE + asked.runs)]
    fetched, committed = [], []
    with tempfile.TemporaryDirectory() as scratch, server.running() as stub:
        lake = Lake(str(Path(scratch)), "market")
        lake.create_all()
        with Polygon("key", base_url=stub.url) as polygon:
            for number, day in enumerate(days):
                stub.on(wire.grouped_path(day), body(day, asked.rows))
                start = time.perf_counter()
                frame = polygon.grouped_daily(day).frame
                read = time.perf_counter()
                faults = quality.row_faults(frame)
                written = lake.upsert("bars", frame)
                end = time.perf_counter()
                if faults.height or written.new != asked.rows:
                    raise SystemExit(f"{day}: {faults.height} faults, {written.new} rows")
                if number >= BEFORE:
                    fetched.append(read - start)
                    committed.append(end - read)
    whole = [a + b for a, b in zip(fetched, committed, strict=True)]
    print(f"one session of {asked.rows:,} rows, median (worst) of {asked.runs}")
    for name, seconds in (("body to frame", fetched), ("gates and commit", committed)):
        print(f"  {name:17} {statistics.median(seconds):6.3f} s")
    print(
        f"  {'together':17} {statistics.median(whole):6.3f} s"
        f"  ({max(whole):.3f} s; goal {GOAL_SECONDS:g} s)"
    )


if __name__ == "__main__":
    main()
