"""Start and kill real workers on a database and a broker of their own.

Run as a program (``python -m tests.faults.processes kill|small ...``) it prints one JSON object,
so that a test can look at another database than its own.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORKER = (
    "-m", "celery", "--app", "tests.faults.worker", "worker",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
)  # fmt: skip


def environment(folder: Path, *, redis_url: str = "", **more: str) -> dict[str, str]:
    """Return the environment of processes that share ``folder`` and nothing else."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "ENV_FILE": "",
        "VAR_DIR": str(folder / "var"),
        "REDIS_URL": redis_url,
        "CELERY_SKIP_CHECKS": "1",
        "LOG_LEVEL": "WARNING",
        **more,
    }


def migrate(folder: Path, **more: str) -> None:
    """Make the tables."""
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--run-syncdb", "--skip-checks", "-v0"],
        cwd=ROOT,
        env=environment(folder, **more),
        check=True,
    )


def drive(folder: Path, *arguments: str, redis_url: str = "") -> dict[str, Any]:
    """Run this module as a program and return what it found."""
    migrate(folder, redis_url=redis_url)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.processes", *arguments],
        cwd=ROOT,
        env=environment(folder, redis_url=redis_url),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def family(process: int) -> list[int]:
    """Return a process and all that descend from it (Linux)."""
    found = [process]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


class Worker:
    """A worker process with its process group."""

    def __init__(self) -> None:
        self.log = Path(os.environ["VAR_DIR"], "worker.log").open("ab")  # noqa: SIM115
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, *WORKER],
            cwd=ROOT,
            env={**os.environ, "AMC_PROCESS": "worker"},
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.process = self._start()

    def end(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(timeout=20)
        finally:
            self.log.close()


def kill_at_random(*, count: int, kills: int, seed: int) -> dict[str, Any]:
    """Run jobs on a worker that is killed again and again; say what became of them."""
    from django.utils import timezone

    from analytics.models import JobRun, JobState
    from analytics.services import jobs
    from analytics.tasks import is_gone

    chance = random.Random(seed)
    diary = Path(os.environ["VAR_DIR"], "diary")
    for number in range(count):
        work = {"number": number, "steps": 10, "pause_s": 0.05, "diary": str(diary)}
        jobs.request(kind="step", arguments=work, now=timezone.now())
    worker = Worker()
    killed, next_kill, deadline = 0, 0.0, time.monotonic() + 60 + 15 * kills
    while JobRun.objects.unfinished().exists() and time.monotonic() < deadline:
        jobs.reap(now=timezone.now(), is_gone=is_gone, unclaimed_s=3)  # what beat asks for
        running = JobRun.objects.filter(state=JobState.RUNNING).exists()
        if running and not next_kill:
            next_kill = time.monotonic() + chance.uniform(0, 1)
        if next_kill and time.monotonic() >= next_kill and killed < kills:
            worker.restart()
            killed, next_kill = killed + 1, 0.0
        time.sleep(0.02)
    worker.end()
    return {"kills": killed, **_verdict(diary, count)}


def _verdict(diary: Path, count: int) -> dict[str, Any]:
    from analytics.models import JobRun

    events = [line.split() for line in diary.read_text().splitlines()]
    starts = Counter(number for what, number, *_ in events if what == "start")
    ends = Counter(number for what, number, *_ in events if what == "end")
    return {
        "states": dict(Counter(JobRun.objects.values_list("state", flat=True))),
        "lost": count - len(ends),
        "ended_twice": sum(times - 1 for times in ends.values()),
        "marks": len(list(diary.parent.glob("done-*"))),
        "at_the_same_time": _overlaps(events),
        "started_again": sum(times - 1 for times in starts.values()),
    }


def _overlaps(events: list[list[str]]) -> int:
    """Count jobs that began again although the process that had begun them still wrote later."""
    overlaps = 0
    begun: dict[str, list[tuple[str, float]]] = {}
    last_seen: dict[str, float] = {}
    for what, number, process, when in events:
        last_seen[process] = float(when)
        if what == "start":
            begun.setdefault(number, []).append((process, float(when)))
    for runs in begun.values():
        for (old, _), (new, began) in pairwise(runs):
            overlaps += old == new or last_seen[old] > began
    return overlaps


def run_small(*, count: int) -> dict[str, Any]:
    """Time many small jobs through a worker that is up already."""
    from django.utils import timezone

    from analytics.models import JobRun
    from analytics.services import jobs

    worker = Worker()
    jobs.request(kind="small", arguments={"number": -1}, now=timezone.now())
    while JobRun.objects.unfinished().exists():
        time.sleep(0.05)
    began = time.monotonic()
    for number in range(count):
        jobs.request(kind="small", arguments={"number": number}, now=timezone.now())
    published = time.monotonic() - began
    while JobRun.objects.unfinished().exists() and time.monotonic() - began < 120:
        time.sleep(0.05)
    seconds = time.monotonic() - began
    code = worker.end()
    states = dict(Counter(JobRun.objects.values_list("state", flat=True)))
    return {"published_s": published, "seconds": seconds, "states": states, "exit_code": code}


def shoot() -> dict[str, Any]:
    """Shoot a worker and say what the web process shows, records and mails.

    Time does not pass: instead the last signs of life are made old.
    """
    from django.utils import timezone

    from analytics.models import AlertRoute
    from performance.models import HealthMetric, Heartbeat, Incident
    from performance.services import system_health, watch

    AlertRoute.objects.create(name="desk", channel="email", address="desk@example.com")
    worker = Worker()
    _wait_for(Heartbeat.objects.exists)
    system_health.take(now=timezone.now())
    found: dict[str, Any] = {"alive": _asked()}
    worker.kill()
    late = timezone.now() - watch.LATE - timedelta(seconds=30)
    Heartbeat.objects.update(started_at=late, beat_at=late)
    HealthMetric.objects.update(measured_at=late)
    found["shot"] = _asked()
    watch.look(now=timezone.now(), since=late)
    missed = Incident.objects.get(component="workers and scheduler", reason="No worker is alive.")
    folder = Path(os.environ["VAR_DIR"], "mail")
    letters = [path.read_text() for path in folder.glob("*")]
    return found | {
        "incident": missed.status,
        "mails": sum("workers and scheduler: No worker is alive." in one for one in letters),
    }


def _asked() -> dict[str, Any]:
    """Return what the web application answers to staff about the workers."""
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get_or_create(username="staff", is_staff=True)[0])
    answer = client.get("/performance/health")
    parts = {part["name"]: part for part in answer.json()["components"]}
    workers = parts["workers and scheduler"]
    return {
        "http": answer.status_code,
        "status": workers["status"],
        "workers": workers["figures"]["workers"],
        "said": workers["reason"],
    }


def _wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("a worker did not show life")
        time.sleep(0.05)


def main() -> None:
    import django

    django.setup()
    from tests.faults import worker

    worker.add_kinds()
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["kill", "small", "shoot"])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.what == "kill":
        found = kill_at_random(count=given.count, kills=given.kills, seed=given.seed)
    elif given.what == "shoot":
        found = shoot()
    else:
        found = run_small(count=given.count)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
