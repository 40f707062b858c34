"""200 theses settled and rescored with 20,000 stored, and the kernel against a plain loop.

    python -m benchmarks.bench_theses [--postgres postgresql://user@127.0.0.1:5432/postgres]

"Rescored" is everything of a night: settlement, calibrations, every score by every cut. On
PostgreSQL a database ``amc_bench_theses`` is made and dropped again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from analytics.calc import outcomes, panel, sessions, thesis_settlement
from analytics.calc.thesis_settlement import Questions
from benchmarks.market import in_turns, judge, say

ROOT = Path(__file__).resolve().parent.parent
NAME = "amc_bench_theses"
STORED, NEW = 20_000, 200
SYMBOLS, SESSIONS = 600, 780
FIRST, HORIZON = date(2021, 1, 4), 14
MOST_SECONDS, LEAST_TIMES = 2.0, 5.0
AUTHORS = ("rules:1", "claude:m-1", "claude:m-2", "anna")


def bars(last: int = SESSIONS) -> pl.DataFrame:
    """Draw bars of sessions 0 to ``last``, the same whatever ``last`` is."""
    random = np.random.default_rng(3)
    close = 4 * np.exp(np.cumsum(random.normal(0, 0.045, (SYMBOLS, SESSIONS)), axis=1))
    opened = close * np.exp(random.normal(0, 0.01, close.shape))
    spread = np.exp(np.abs(random.normal(0, 0.02, close.shape)))
    days = [sessions.offset(FIRST, at) for at in range(last)]
    prices = {
        "open": opened,
        "high": np.maximum(opened, close) * spread,
        "low": np.minimum(opened, close) / spread,
        "close": close,
    }
    return pl.DataFrame(
        {
            "symbol": np.repeat([f"S{k:03d}" for k in range(SYMBOLS)], last),
            "session": days * SYMBOLS,
            **{name: values[:, :last].ravel() for name, values in prices.items()},
            "volume": 1e6,
        },
        schema_overrides={"session": pl.Date},
    )


def theses(frame: pl.DataFrame) -> pl.DataFrame:
    """Draw theses: 20,000 whose horizon ends before the newest session, 200 that end on it."""
    random = np.random.default_rng(4)
    old, newest = SESSIONS - 2 - HORIZON, SESSIONS - 1 - HORIZON
    place = np.sort(random.choice(old * SYMBOLS, STORED, replace=False))
    at = np.concatenate([place // SYMBOLS, np.full(NEW, newest)])
    symbol = np.concatenate([place % SYMBOLS, random.permutation(SYMBOLS)[:NEW]])
    close = frame["close"].to_numpy().reshape(SYMBOLS, -1)[symbol, at]
    return pl.DataFrame(
        {
            "symbol": [f"S{k:03d}" for k in symbol],
            "session": [sessions.offset(FIRST, int(k)) for k in at],
            "entry": np.round(close, 4),
            "target": np.round(close * random.choice([1.2, 1.3, 1.5], at.size), 4),
            "stop": np.round(close * random.choice([0.8, 0.85], at.size), 4),
            "p": np.round(random.uniform(0.05, 0.9, at.size), 2),
            "author": random.choice(AUTHORS, at.size),
            "call": random.choice(["BUY", "AVOID", "HOLD"], at.size),
        }
    )


def against_a_loop() -> None:
    """Settle all theses by the kernel and by a plain loop over the same rows."""
    frame = bars()
    made, said = panel.build(frame), theses(frame)
    asked = Questions(
        symbol=said["symbol"].str.slice(1).cast(pl.Int64).to_numpy(),
        session=np.searchsorted(
            sessions.calendar(), said["session"].to_numpy().astype("datetime64[D]")
        ).astype(np.int32),
        horizon=np.full(said.height, HORIZON, np.int32),
        target=said["target"].to_numpy(),
        stop=said["stop"].to_numpy(),
    )
    covered = np.unique(made.session)
    reach = outcomes.coverage(covered, size=sessions.calendar().size)
    own, peer = in_turns(
        lambda: thesis_settlement.settle(made, asked, reach=reach).state,
        lambda: _loop(made, asked),
        repeats=3,
    )
    assert (own[1] == peer[1]).all(), "the loop says otherwise"
    say(f"{said.height:,} theses by the kernel", own[0])
    say("by a plain loop over the same arrays", peer[0])
    judge("a plain loop takes longer", peer[0].processor / own[0].processor, LEAST_TIMES,
          at_least=True)  # fmt: skip


def _loop(made, asked) -> np.ndarray:
    """Settle by plain Python, for bars without holes and splits."""
    first = int(made.session[0])
    found = []
    for k in range(asked.session.size):
        row = int(made.symbol_start[asked.symbol[k]]) + int(asked.session[k]) - first + 1
        target, stop, state = asked.target[k], asked.stop[k], 3
        if made.open[row] >= target or made.open[row] <= stop:
            found.append(4)
            continue
        for at in range(row, row + HORIZON):
            if at > row and (made.open[at] >= target or made.open[at] <= stop):
                state = 1 if made.open[at] >= target else 2
                break
            if made.low[at] <= stop or made.high[at] >= target:
                state = 2 if made.low[at] <= stop else 1
                break
        found.append(state)
    return np.array(found, dtype=np.int8)


def fill(said: pl.DataFrame) -> None:
    """Store theses in bulk, past their chain: what is measured does not read it."""
    from analytics.models import Thesis
    from analytics.services import bulk
    from tests import factories

    sample = factories.make_thesis(symbol="S000", session=FIRST)
    like = {
        field.attname: getattr(sample, field.attname)
        for field in Thesis._meta.concrete_fields
        if not field.primary_key
    }
    columns = {key: [value] * said.height for key, value in like.items()}
    kinds = {"rules:1": "rules", "anna": "person"}
    authors = said["author"].to_list()
    bulk.insert(Thesis, columns | {
        "number": list(range(2, said.height + 2)),
            "id": [sample.pk + k for k in range(1, said.height + 1)],
            "previous_id": [sample.pk + k for k in range(said.height)],
        "digest": [f"{10**9 + k:064d}" for k in range(said.height)],
        "symbol": said["symbol"].to_list(),
        "session": said["session"].to_list(),
        "entry_price": said["entry"].to_list(),
        "max_entry_price": said["entry"].to_list(),
        "target_price": said["target"].to_list(),
        "stop_price": said["stop"].to_list(),
        "p_target": said["p"].to_list(),
        "author": authors,
        "author_kind": [kinds.get(author, "claude") for author in authors],
        "training_cutoff": [FIRST.replace(year=2020)] * said.height,
        "cutoff_basis": ["stated"] * said.height,
        "prompt_version": [f"v{k % 3}" for k in range(said.height)],
        "recommendation": said["call"].to_list(),
    })  # fmt: skip


def night(now: datetime) -> tuple[float, int]:
    """Settle, learn, score; return the processor's seconds and the theses looked at."""
    from performance.services import accuracy, accuracy_calibration, accuracy_settlement

    begun, busy = time.perf_counter(), time.process_time()
    done = accuracy_settlement.settle_theses(source="imported", now=now)
    settled = time.perf_counter()
    accuracy_calibration.record_calibrations(source="imported", now=now)
    learnt = time.perf_counter()
    found = accuracy.get_accuracy(source="imported", now=now)
    ended, busy = time.perf_counter(), time.process_time() - busy
    say(
        f"{done.looked_at:,} theses, {found.history.theses:,} scored",
        f"{ended - begun:8.2f} s  (settled {settled - begun:.2f}, learnt {learnt - settled:.2f}, "
        f"scored {ended - learnt:.2f}; {busy:.2f} s of processor)",
    )
    return busy, done.looked_at


def run_here() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"
    import django
    from django.core.management import call_command

    django.setup()
    from analytics.services import lakes

    call_command("migrate", "auth", verbosity=0)  # first: our tables point at it
    call_command("migrate", run_syncdb=True, verbosity=0)
    every = bars().with_columns(quality=pl.lit(0, pl.Int8), source=pl.lit("imported"))
    lake = lakes.lake_of("imported")
    lake.create_all()
    last = sessions.offset(FIRST, SESSIONS - 1)
    lake.upsert("bars", every.filter(pl.col("session") < last))
    fill(theses(bars()))
    evening = sessions.opening(last)
    night(evening)
    lake.upsert("bars", every.filter(pl.col("session") == last))
    seconds, looked_at = night(evening)
    assert looked_at >= NEW, f"{looked_at} theses had news"
    judge(
        f"{NEW} settled and rescored, {STORED:,} stored, processor", seconds, MOST_SECONDS, unit="s"
    )
    return 0 if seconds <= MOST_SECONDS else 1


def on(database_url: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "VAR_DIR": folder,
            "ENV_FILE": "",
            "DATABASE_URL": database_url or f"sqlite:///{folder}/bench.sqlite3",
            "LAKE_URL": f"{folder}/lake",
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "benchmarks.bench_theses", "--here"]
        print(f"-- {'PostgreSQL' if database_url else 'SQLite'}", flush=True)
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def on_postgres(server: str) -> bool:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME}")
        connection.execute(f"CREATE DATABASE {NAME}")
        try:
            return on(f"{server.rpartition('/')[0]}/{NAME}")
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", default="", help="URL of a server that lets us make one")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        return run_here()
    against_a_loop()
    good = on("")
    if asked.postgres:
        good &= on_postgres(asked.postgres)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
