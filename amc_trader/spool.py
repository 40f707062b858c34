"""The embedded broker: messages are files in folders, so that no server is needed.

kombu's own file transport writes a message where it is already visible and reads it without
taking it first. Publishing here is a rename of a finished file, and so is claiming: a message is
seen whole or not at all, and by one worker only.

A worker that is killed leaves its claims behind. They are never handed out again: what must not
be lost is a ``JobRun``, and bringing it back is the reaper's work, done once and there only.

    queues/QUEUE/TIME-ID.msg    waiting
    claimed/QUEUE/TIME-ID.msg   with a worker, removed when it is done
    bad/TIME-ID.msg             could not be read, kept to be looked at
    draft/                      being written
    bindings/                   which queues an exchange feeds
"""

import fcntl
import json
import logging
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar
from urllib.parse import quote

from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual

SCHEME = "spool"
SUFFIX = ".msg"
SHORTEST_PAUSE_S = 0.005  # between two looks into an empty queue; doubles up to
LONGEST_PAUSE_S = 0.25
FOLDERS = ("queues", "claimed", "bad", "draft", "bindings")

logger = logging.getLogger(__name__)


def register() -> None:
    """Make ``spool://`` known to kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"


def prepare(folder: Path) -> None:
    """Make the folders, closed to everyone but their owner: a message names code to run."""
    for name in ("", *FOLDERS):
        path = folder / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)


def forget_claims(folder: Path, *, older_than_s: float) -> int:
    """Remove what killed workers had claimed and abandoned drafts; return how many."""
    before = time.time() - older_than_s
    removed = 0
    for path in [*(folder / "claimed").glob(f"*/*{SUFFIX}"), *(folder / "draft").glob("*")]:
        try:
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed


# Their types cover half of what we override.
_QoS: Any = virtual.QoS
_Channel: Any = filesystem.Channel
_Transport: Any = filesystem.Transport


class QoS(_QoS):  # type: ignore[misc]
    """Removes a claimed file when its message was dealt with."""

    def ack(self, delivery_tag: str) -> None:
        self.channel.settle(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().reject(delivery_tag, requeue=requeue)  # a message put back is no claim any more
        self.channel.settle(delivery_tag)


class Channel(_Channel):  # type: ignore[misc]
    """Publishes and claims by rename."""

    QoS = QoS

    def __init__(self, connection: Any, **options: Any) -> None:
        super().__init__(connection, **options)
        self._root = Path(self.transport_options["folder"])
        prepare(self._root)
        self._seen: dict[str, deque[str]] = {}
        self._claims: dict[str, Path] = {}
        self._unacknowledged: set[str] = set()

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **options: Any) -> Any:
        if no_ack:
            self._unacknowledged.add(queue)
        return super().basic_consume(queue, no_ack, *args, **options)

    def basic_get(self, queue: str, no_ack: bool = False, **options: Any) -> Any:
        message = super().basic_get(queue, no_ack=no_ack, **options)
        if message is not None and no_ack:
            self.settle(message.delivery_tag)
        return message

    def settle(self, delivery_tag: str) -> None:
        """Remove the claim on a message; any thread may do so."""
        claim = self._claims.pop(delivery_tag, None)
        if claim is not None:
            claim.unlink(missing_ok=True)
        if self.connection is not None:
            self.connection.settled.set()

    def _put(self, queue: str, message: dict[str, Any], **_options: Any) -> None:
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}{SUFFIX}"
        draft = self._root / "draft" / name
        draft.write_text(json.dumps(message))
        target = self._folder("queues", queue) / name
        try:
            draft.replace(target)
        except FileNotFoundError:  # the first message of this queue
            target.parent.mkdir(mode=0o700, exist_ok=True)
            draft.replace(target)

    def _get(self, queue: str, **_options: Any) -> dict[str, Any]:
        """Claim the oldest message.

        Raises:
            Empty: There is none.
        """
        while True:
            name = self._next(queue)
            claim = self._folder("claimed", queue) / name
            if not _moved(self._folder("queues", queue) / name, claim):
                continue  # another worker was faster
            message = self._read(claim)
            if message is None:
                continue
            if queue in self._unacknowledged:
                claim.unlink(missing_ok=True)
            else:
                self._claims[message["properties"]["delivery_tag"]] = claim
            return message

    def _next(self, queue: str) -> str:
        """Return the oldest name; one listing serves all it found, however long the queue."""
        seen = self._seen.setdefault(queue, deque())
        if not seen:
            seen.extend(sorted(self._names(queue)))
        if not seen:
            raise Empty
        return seen.popleft()

    def _names(self, queue: str) -> list[str]:
        try:
            listed = os.listdir(self._folder("queues", queue))  # noqa: PTH208 - names suffice
        except FileNotFoundError:
            return []
        return [name for name in listed if name.endswith(SUFFIX)]

    def _read(self, claim: Path) -> dict[str, Any] | None:
        """Return a claimed message; one that cannot be read is put aside and None returned."""
        try:
            message = json.loads(claim.read_bytes())
            message["properties"]["delivery_tag"], message["body"]
        except (ValueError, KeyError, TypeError):
            claim.replace(self._root / "bad" / claim.name)
            logger.exception("a message could not be read and was put aside: %s", claim.name)
            return None
        else:
            found: dict[str, Any] = message
            return found

    def _restore(self, message: Any) -> None:
        """Put a message back where it was: the worker ends before it came to it."""
        claim = self._claims.pop(message.delivery_tag, None)
        if claim is not None:
            _moved(claim, self._root / "queues" / claim.parent.name / claim.name)

    def _purge(self, queue: str) -> int:
        folder = self._folder("queues", queue)
        names = self._names(queue)
        for name in names:
            (folder / name).unlink(missing_ok=True)
        return len(names)

    def _size(self, queue: str) -> int:
        return len(self._names(queue))

    def _folder(self, room: str, queue: str) -> Path:
        return self._root / room / quote(queue, safe="@")

    # --- Bindings: whole files too ---------------------------------------------------------

    @property
    def control_folder(self) -> Path:
        return self._root / "bindings"

    def get_table(self, exchange: str) -> list[Any]:
        try:
            rows = json.loads(self._exchange_file(exchange).read_bytes())
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._bindings_locked():
            table = self.get_table(exchange)
            if row not in table:
                self._write_table(exchange, [row, *table])

    def _delete(
        self,
        queue: str,
        exchange: str,
        routing_key: str,
        pattern: str,
        *_more: Any,
        **_options: Any,
    ) -> None:
        self._purge(queue)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._bindings_locked():
            table = self.get_table(exchange)
            if row in table:
                self._write_table(exchange, [other for other in table if other != row])

    def _write_table(self, exchange: str, rows: list[Any]) -> None:
        file = self._exchange_file(exchange)
        draft = self._root / "draft" / uuid.uuid4().hex
        draft.write_text(json.dumps(rows))
        draft.replace(file)

    @contextmanager
    def _bindings_locked(self) -> Iterator[None]:
        with (self.control_folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _moved(old: Path, new: Path) -> bool:
    """Return whether the file was there and is ours now."""
    try:
        old.rename(new)
    except FileNotFoundError:
        if new.parent.is_dir():
            return False
        new.parent.mkdir(mode=0o700, exist_ok=True)
        return _moved(old, new)
    return True


class Transport(_Transport):  # type: ignore[misc]
    """Looks often while there is work, seldom while there is none."""

    Channel = Channel
    states: ClassVar[dict[str, virtual.BrokerState]] = {}  # what this process bound, by folder
    driver_type = SCHEME
    driver_name = SCHEME

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        folder = str(client.transport_options["folder"])
        self.state = self.states.setdefault(folder, virtual.BrokerState())
        self.settled = threading.Event()  # a worker has room again

    def drain_events(self, _connection: Any, timeout: float | None = None) -> None:
        """Deliver one message.

        Raises:
            TimeoutError: None came within ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = SHORTEST_PAUSE_S
        deliver: Callable[..., None] = self._deliver
        while True:
            try:
                self.cycle.get(deliver, timeout=timeout)
            except Empty:
                left = LONGEST_PAUSE_S if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError from None
                self.settled.wait(min(pause, left))
                self.settled.clear()
                pause = min(pause * 2, LONGEST_PAUSE_S)
            else:
                return
