"""Jobs: 20 kills of the worker on each broker, 2,000 small jobs, 20,000 messages, idle memory.

    python -m benchmarks.bench_jobs [--redis redis://127.0.0.1:6379/9]

The Redis database must be empty; without --redis its part is left out.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis

from tests.amc_trader import spool_processes
from tests.faults import processes

KILLS, JOBS = 20, 60
SMALL, SMALL_MOST_S = 2000, 20.0
MESSAGES = 20_000
MEMORY_MOST_MB = 450
SETTLE_S = 20


def killed(redis_url: str) -> bool:
    if redis_url and redis.Redis.from_url(redis_url).dbsize():
        sys.exit(f"the database at {redis_url} holds keys: give an empty one")
    with tempfile.TemporaryDirectory() as folder:
        found = processes.drive(
            Path(folder), "kill", "--count", str(JOBS), "--kills", str(KILLS), redis_url=redis_url
        )
    if redis_url:
        redis.Redis.from_url(redis_url).flushdb()
    print(f"{'redis' if redis_url else 'embedded':>10}: {found}")
    return bool(
        found["kills"] == KILLS
        and found["states"] == {"succeeded": JOBS}
        and found["lost"] == found["at_the_same_time"] == 0
        and found["marks"] == JOBS
    )


def small() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        found = processes.drive(Path(folder), "small", "--count", str(SMALL))
    print(f"{SMALL} small jobs: {found['seconds']:.1f} s (at most {SMALL_MOST_S:g}), {found}")
    return found["seconds"] < SMALL_MOST_S and found["states"] == {"succeeded": SMALL + 1}


def race() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        lost, twice, seconds = spool_processes.race(
            Path(folder) / "spool", producers=4, each=MESSAGES // 4, consumers=2
        )
    print(f"{MESSAGES} messages: {lost} lost, {twice} twice, {seconds:.1f} s")
    return not lost and not twice


def memory() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        processes.migrate(Path(folder))
        served = subprocess.Popen(
            [sys.executable, "-m", "amc_trader.supervisor"],
            cwd=processes.ROOT,
            env=processes.environment(Path(folder), WEB_PORT="8979"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(SETTLE_S)
        sizes = {process: _pss_mb(process) for process in processes.family(served.pid)}
        served.send_signal(signal.SIGINT)
        served.wait(30)
    total = sum(sizes.values())
    each = ", ".join(f"{size:.0f}" for size in sizes.values())
    print(f"idle memory: {total:.0f} MB in {len(sizes)} processes ({each}), PSS")
    return len(sizes) == 5 and total < MEMORY_MOST_MB


def _pss_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", default=os.environ.get("TEST_REDIS_URL", ""))
    redis_url = parser.parse_args().redis
    good = [small(), race(), memory(), killed("")]
    if redis_url:
        good.append(killed(redis_url))
    print("ok" if all(good) else "NOT as promised")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
