"""Processes that publish to and consume from the embedded broker as fast as they can."""

import multiprocessing
import time
from collections import Counter
from pathlib import Path
from typing import Any

from kombu import Connection

from amc_trader import spool

spool.register()
QUEUE = "race"


def connect(folder: Path) -> Connection:
    return Connection(f"{spool.SCHEME}://", transport_options={"folder": str(folder)})


def publish(folder: Path, producer: int, count: int) -> None:
    with connect(folder) as connection:
        queue = connection.SimpleQueue(QUEUE)
        for number in range(count):
            queue.put([producer, number], serializer="json")
        queue.close()


def consume(folder: Path, finished: Any, found: Any) -> None:
    taken: list[tuple[int, int]] = []

    def take(body: Any, message: Any) -> None:
        taken.append(tuple(body))
        message.ack()

    with (
        connect(folder) as connection,
        connection.Consumer([_queue()], callbacks=[take]),
    ):
        while True:
            over = finished.is_set()
            try:
                connection.drain_events(timeout=0.3)
            except TimeoutError:
                if over:
                    break
    found.put(taken)


def _queue() -> Any:
    from kombu import Exchange, Queue

    return Queue(QUEUE, Exchange(QUEUE, type="direct"), routing_key=QUEUE)


def race(folder: Path, *, producers: int, each: int, consumers: int) -> tuple[int, int, float]:
    """Return messages lost, messages delivered more than once, and seconds."""
    spawned = multiprocessing.get_context("spawn")
    finished, found = spawned.Event(), spawned.Queue()
    began = time.monotonic()
    takers = [spawned.Process(target=consume, args=(folder, finished, found))
              for _ in range(consumers)]  # fmt: skip
    makers = [spawned.Process(target=publish, args=(folder, number, each))
              for number in range(producers)]  # fmt: skip
    for process in (*takers, *makers):
        process.start()
    for process in makers:
        process.join()
    finished.set()
    seen = Counter(pair for _ in takers for pair in found.get(timeout=120))
    for process in takers:
        process.join()
    lost = producers * each - len(seen)
    return lost, sum(count - 1 for count in seen.values()), time.monotonic() - began
