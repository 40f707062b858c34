"""A backfill as a job on a real worker that is killed at random moments.

Run as a program (``python -m tests.faults.fill_by_worker --kills 20 ...``) in an environment of
its own it prints one JSON object; :func:`drive` does that.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.faults import processes

TABLES = ("bars", "splits", "symbols", "short_volume")
LONGEST_LIFE_S = 4.0  # of a worker after it has begun the job
PER_KILL_S = 60


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a backfill left, and what was done to it.

    Attributes:
        kills: How often its worker was killed.
        sessions: In the lake after each kill.
        attempts: How often the job was begun.
        state: How the job ended.
        content: The rows of the lake by table, listing periods and findings.
    """

    kills: int
    sessions: list[int]
    attempts: int
    state: str
    content: dict[str, Any]


def drive(
    folder: Path, *, url: str, first: date, last: date, kills: int, seed: int = 7,
    redis_url: str = "",
) -> Outcome:  # fmt: skip
    """Run the job on workers with a database, a lake and a broker of their own."""
    from analytics.lake.tables import Lake

    folder.mkdir(exist_ok=True)
    given = {
        "LAKE_URL": str(folder / "lake"),
        "POLYGON_API_KEY": "secret",
        "POLYGON_BASE_URL": url,
        "POLYGON_CALLS_PER_MINUTE": "0",
        "FINRA_BASE_URL": url,
        "LOG_LEVEL": "ERROR",
    }
    processes.migrate(folder, redis_url=redis_url, **given)
    words = [str(first), str(last), "--kills", str(kills), "--seed", str(seed)]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.fill_by_worker", *words],
        cwd=processes.ROOT,
        env=processes.environment(folder, redis_url=redis_url, **given),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(ended.stdout)
    lake = Lake(str(folder / "lake"), "market")
    rows = {table: lake.read(table).rows() for table in TABLES}
    return Outcome(content={**rows, "facts": found.pop("facts")}, **found)


def fill(first: str, last: str, *, kills: int, seed: int) -> dict[str, Any]:
    """Ask for the job and kill its worker until it has been killed often enough."""
    from django.utils import timezone

    from analytics.models import JobRun, JobState, Source
    from analytics.services import jobs, lakes, market_jobs
    from analytics.tasks import is_gone

    chance = random.Random(seed)
    job = jobs.request(
        kind=market_jobs.BACKFILL, arguments={"first": first, "last": last}, now=timezone.now()
    )
    sessions: list[int] = []
    worker, killed_attempt, moment = processes.Worker(), 0, 0.0
    deadline = time.monotonic() + PER_KILL_S * (kills + 2)
    while JobRun.objects.unfinished().exists() and time.monotonic() < deadline:
        jobs.reap(now=timezone.now(), is_gone=is_gone, unclaimed_s=3)  # what beat asks for
        job.refresh_from_db()
        if job.state == JobState.RUNNING and job.attempt > killed_attempt and not moment:
            moment = time.monotonic() + chance.uniform(0, LONGEST_LIFE_S)
        if moment and time.monotonic() >= moment and len(sessions) < kills:
            worker.restart()
            killed_attempt, moment = job.attempt, 0.0
            sessions.append(len(lakes.lake_of(Source.LIVE).sessions()))
        time.sleep(0.02)
    worker.end()
    job.refresh_from_db()
    return {
        "kills": len(sessions),
        "sessions": sessions,
        "attempts": job.attempt,
        "state": job.state,
        "facts": _facts(),
    }


def _facts() -> list[str]:
    """Return listing periods and findings as text, without the runs that wrote them."""
    from analytics.models import DataFinding, Security

    left_out = {"id", "run_id"}
    rows = [*Security.objects.values(), *DataFinding.objects.values()]
    return sorted(
        json.dumps({name: str(value) for name, value in row.items() if name not in left_out})
        for row in rows
    )


def main() -> None:
    import django

    django.setup()
    parser = argparse.ArgumentParser()
    parser.add_argument("first")
    parser.add_argument("last")
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    sys.stdout.write(json.dumps(fill(given.first, given.last, kills=given.kills, seed=given.seed)))


if __name__ == "__main__":
    main()
