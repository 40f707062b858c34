"""How the web process starts and ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.faults import processes

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def answer(url: str) -> int:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return int(response.status)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def wait_for(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def worker_of(supervisor: int) -> int | None:
    """Return the worker process that the supervisor has started, if it has."""
    for process in processes.family(supervisor):
        with contextlib.suppress(FileNotFoundError):
            if b"worker" in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0"):
                return process
    return None


@pytest.fixture
def served(tmp_path):
    """A served installation of its own, and its port."""
    port = free_port()
    processes.migrate(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=processes.environment(tmp_path, WEB_PORT=str(port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process, port
    process.kill()
    process.communicate()


@pytest.mark.slow
class TestServe:
    def test_says_its_url_and_ends_cleanly_on_ctrl_c(self, served):
        process, port = served
        assert answer(f"http://127.0.0.1:{port}/health") == 200
        assert answer(f"http://127.0.0.1:{port}/static/admin/css/base.css") == 200
        family = processes.family(process.pid)

        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
        out, err = process.communicate(timeout=30)

        assert f"http://127.0.0.1:{port}/" in out
        assert process.returncode == 0
        assert "SIGKILL" not in err
        assert "Traceback" not in err
        assert not any(Path(f"/proc/{member}").exists() for member in family)

    def test_goes_on_when_its_worker_is_killed(self, served):
        process, port = served
        wait_for(lambda: worker_of(process.pid))
        first = worker_of(process.pid)

        os.kill(first, signal.SIGKILL)

        wait_for(lambda: worker_of(process.pid) not in (None, first))
        assert answer(f"http://127.0.0.1:{port}/health") == 200


class TestTakenPort:
    def test_is_told_in_one_sentence(self, settings):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            settings.WEB_HOST, settings.WEB_PORT = taken.getsockname()

            with pytest.raises(CommandError, match="set WEB_PORT"):
                call_command("serve")
