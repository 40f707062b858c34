"""A site of its own to look at: its database, market, web process and worker."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.faults import processes

ROOT = processes.ROOT
READY_S = 60
WORKER = (
    "-m", "celery", "--quiet", "--app", "amc_trader.celery", "worker",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Site:
    """Web and worker of one folder. The web process can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = processes.environment(
            folder,
            WEB_PORT=str(self.port),
            SITE_URL=self.url,
            NUMBA_CACHE_DIR=str(ROOT / "var" / "numba"),
            POLARS_ENGINE_AFFINITY="in-memory",
        )
        self._log = (folder / "site.log").open("ab")
        processes.migrate(folder)
        self._run("-m", "tests.e2e.fill").wait()
        self._worker = self._run(*WORKER)
        self._web: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the web process and wait until it answers."""
        self._web = self._run("-m", "gunicorn", "--config", "python:amc_trader.gunicorn")
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise TimeoutError("the site does not answer")

    def stop(self) -> None:
        """End the web process; the address answers no more."""
        if self._web:
            _end(self._web)
            self._web = None

    def close(self) -> None:
        self.stop()
        _end(self._worker)
        self._log.close()

    def _run(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
