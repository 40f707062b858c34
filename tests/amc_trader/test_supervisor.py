"""The supervisor: children live, die and end with it; nobody is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amc_trader.supervisor import FRUITLESS, Child

ROOT = Path(__file__).resolve().parents[2]
# A child that has a child of its own, and writes down both.
FAMILY = """
import os, pathlib, subprocess, sys, time
own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
folder = pathlib.Path(sys.argv[1])
(folder / f"{os.getpid()}").write_text(str(own.pid))
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
PROGRAM = """
import sys
from amc_trader import supervisor
supervisor.GRACE_S = 1.0
children = [supervisor.Child(name=f"child{n}", command=[sys.executable, "-c", *sys.argv[2:]])
            for n in range(int(sys.argv[1]))]
supervisor.FIRST_WAIT_S = 0.05
sys.exit(supervisor.Supervisor(children=children, say=supervisor._say, grace_s=1.0).run())
"""


def alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_for(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def families(folder: Path) -> dict[int, int]:
    return {int(file.name): int(file.read_text()) for file in folder.iterdir() if file.read_text()}


@pytest.fixture
def supervise(tmp_path):
    """Start a supervisor; what it started is killed at the end whatever happens."""
    started = []

    def start(count, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(count), *arguments],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()
    for child, own in families(tmp_path).items():
        for one in (child, own):
            if alive(one):
                os.kill(one, signal.SIGKILL)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
class TestSupervisor:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_ends_everyone_when_told(self, supervise, tmp_path, number):
        process = supervise(2, FAMILY, str(tmp_path))
        wait_for(lambda: len(families(tmp_path)) == 2)

        process.send_signal(number)

        assert process.wait(timeout=10) == 0
        wait_for(lambda: not any(map(alive, family_members(tmp_path))))

    def test_starts_a_killed_child_again_without_its_orphans(self, supervise, tmp_path):
        supervise(1, FAMILY, str(tmp_path))
        wait_for(lambda: len(families(tmp_path)) == 1)
        ((first, orphan),) = families(tmp_path).items()

        os.kill(first, signal.SIGKILL)

        wait_for(lambda: len(families(tmp_path)) == 2)
        assert not alive(orphan)

    def test_leaves_no_child_when_it_is_killed_itself(self, supervise, tmp_path):
        process = supervise(2, FAMILY, str(tmp_path))
        wait_for(lambda: len(families(tmp_path)) == 2)

        process.kill()

        wait_for(lambda: not any(alive(child) for child in families(tmp_path)))

    def test_kills_a_child_that_does_not_listen(self, supervise):
        process = supervise(1, DEAF)
        time.sleep(0.5)

        process.send_signal(signal.SIGTERM)

        _, said = process.communicate(timeout=10)
        assert "child0 did not end in time and was killed" in said
        assert process.returncode == 0

    def test_gives_up_on_a_child_that_cannot_start(self, supervise):
        process = supervise(1, "raise SystemExit(3)")

        _, said = process.communicate(timeout=20)

        assert process.returncode == 1
        assert said.count("child0 ended (exit code 3)") == FRUITLESS


def family_members(folder: Path) -> list[int]:
    return [one for pair in families(folder).items() for one in pair]


class TestChild:
    def test_waits_longer_after_each_fruitless_start(self):
        child = Child(name="web", command=[])

        waits = [child.wait_after(now=0.0) for _ in range(7)]

        assert waits == [1, 2, 4, 8, 16, 30, 30]

    def test_begins_anew_after_it_has_lived_for_a_while(self):
        child = Child(name="web", command=[])
        child.wait_after(now=0.0)
        child.wait_after(now=0.0)

        assert child.wait_after(now=60.0) == 1


class TestMemory:
    def test_of_the_supervisor_holds_no_framework(self):
        code = (
            "import sys, amc_trader.supervisor;"
            "print({'django', 'celery', 'numpy'} & {name.split('.')[0] for name in sys.modules})"
        )

        ended = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )

        assert ended.stdout == "set()\n"

    @pytest.mark.parametrize("process", ["worker", "beat"])
    def test_of_worker_and_beat_holds_no_engine_and_no_pages(self, process, tmp_path):
        heavy = {"numba", "polars", "pandas", "exchange_calendars", "deltalake", "unfold.admin"}
        code = (
            "import sys; from amc_trader.celery import app; import django; django.setup(); "
            f"app.loader.import_default_modules(); print({heavy} & set(sys.modules))"
        )

        ended = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={
                **os.environ,
                "ENV_FILE": "",
                "VAR_DIR": str(tmp_path),
                "DJANGO_SETTINGS_MODULE": "amc_trader.settings",
                "AMC_PROCESS": process,
                "CELERY_SKIP_CHECKS": "1",
            },
            capture_output=True,
            text=True,
            check=True,
        )

        assert ended.stdout == "set()\n"
