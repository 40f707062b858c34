"""A provider on 127.0.0.1: answers are given per path, in turn, the last one for ever."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Quiet(ThreadingHTTPServer):
    """A server that does not tell of clients that were killed."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@dataclass(frozen=True)
class Answer:
    """What the stub sends.

    Args:
        body: Bytes as they are, text, or something to be sent as JSON.
        status: Of HTTP.
        headers: Beside the length.
        cut: Promise so many more bytes than are sent, and hang up.
        delay: Seconds to wait first.
    """

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    delay: float = 0.0

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    line: str
    body: bytes = b""

    @property
    def method(self) -> str:
        return self.line.partition(" ")[0]


class Stub:
    """A server and what it was asked.

    Args:
        answers: By path, or by path and query as text; one answer or several in turn.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.under_way = 0
        self.most_under_way = 0
        self.answer: Callable[[Asked], Answer] | None = None  # asked first, if there is one
        self._answers: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stub._serve(self)

            def do_POST(self) -> None:
                stub._serve(self)

            def do_PATCH(self) -> None:
                stub._serve(self)

            def do_DELETE(self) -> None:
                stub._serve(self)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def on(self, path: str, *answers: Any) -> None:
        """Answer ``path`` (or "DELETE path") so; what is no :class:`Answer` is a body."""
        self._answers[path] = [a if isinstance(a, Answer) else Answer(a) for a in answers]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        answer = self._next(handler)
        try:
            if answer.delay:
                time.sleep(answer.delay)
            handler.send_response_only(answer.status)
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(answer.content) + answer.cut))
            handler.end_headers()
            handler.wfile.write(answer.content)
            if answer.cut:
                handler.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            with self._lock:
                self.under_way -= 1

    def _next(self, handler: BaseHTTPRequestHandler) -> Answer:
        parts = urlsplit(handler.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            asked = Asked(parts.path, query, dict(handler.headers), handler.requestline, body)
            self.asked.append(asked)
            if self.answer:
                return self.answer(asked)
            named = (f"{handler.command} {parts.path}", handler.path, parts.path)
            queue = next((self._answers[name] for name in named if name in self._answers), None)
            if queue is None:
                return Answer({"status": "NOT_FOUND", "message": "no such path"}, status=404)
            return queue.pop(0) if len(queue) > 1 else queue[0]


@contextmanager
def running() -> Iterator[Stub]:
    """A stub that is closed in the end."""
    stub = Stub()
    try:
        yield stub
    finally:
        stub.close()
