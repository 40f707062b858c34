"""A supervised worker that has grown and has nothing to do ends, so that a small one takes over.

Scans load engines and market data that Python does not give back. On a small machine that memory
is better used elsewhere while the worker is idle; loading again costs a second or two.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
from celery.signals import task_postrun, task_prerun, worker_ready

JOB_TASK = "analytics.tasks.run_job"
IDLE_S = 60.0
LARGE_BYTES = 250 * 2**20
LOOK_EVERY_S = 5.0

logger = logging.getLogger(__name__)


class Thrift:
    """Knows since when a worker has been idle.

    Args:
        clock: Seconds, monotonic.
        size: Resident bytes of this process.
    """

    def __init__(self, clock: Callable[[], float], size: Callable[[], int]) -> None:
        self._clock = clock
        self._size = size
        self._lock = threading.Lock()
        self._running = 0
        self._idle_since = clock()

    def begin(self) -> None:
        """Note that a job begins."""
        with self._lock:
            self._running += 1

    def end(self) -> None:
        """Note that a job ended."""
        with self._lock:
            self._running = max(0, self._running - 1)
            self._idle_since = self._clock()

    def should_end(self) -> bool:
        """Return whether the worker is large, and has been idle for long."""
        with self._lock:
            idle = not self._running and self._clock() - self._idle_since >= IDLE_S
        return idle and self._size() > LARGE_BYTES


def watch() -> None:
    """Have this worker end itself when it should. Something has to start another one."""
    thrift = Thrift(time.monotonic, lambda: int(psutil.Process().memory_info().rss))

    @task_prerun.connect(weak=False)
    def begin(task: Any = None, **_signal: Any) -> None:
        if task is not None and task.name == JOB_TASK:
            thrift.begin()

    @task_postrun.connect(weak=False)
    def end(task: Any = None, **_signal: Any) -> None:
        if task is not None and task.name == JOB_TASK:
            thrift.end()

    @worker_ready.connect(weak=False)
    def look(**_signal: Any) -> None:
        threading.Thread(target=_look, args=(thrift,), name="thrift", daemon=True).start()


def _look(thrift: Thrift) -> None:
    while not thrift.should_end():
        time.sleep(LOOK_EVERY_S)
    logger.info("idle and large: this worker makes room")
    os.kill(os.getpid(), signal.SIGTERM)
