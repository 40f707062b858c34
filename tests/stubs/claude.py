"""Claude's Messages API on 127.0.0.1: the wire format of the pinned SDK, faults included."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-ant-test"
THESIS: dict[str, Any] = {
    "recommendation": "BUY",
    "entry_price": 2.94,
    "target_price": 3.9,
    "stop_price": 2.5,
    "max_entry_price": 3.1,
    "horizon_sessions": 14,
    "p_target": 0.3,
    "p_explosive": 0.1,
    "text": "Volume was 20.9x its mean at a close of $2.94.",
    "reasons": ["Short interest is 18% of the float."],
    "falsifiers": ["close < 2.50", "rel_volume < 2 for 3 sessions"],
}
USAGE = {"input_tokens": 412, "output_tokens": 96}


@dataclass(frozen=True)
class Reply:
    """What the stub answers.

    Args:
        body: JSON, or text as it is.
        status: Of HTTP.
        headers: Beside the usual.
        hang: Seconds to wait first.
    """

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0


def message(text: str | None = None, **changes: Any) -> Reply:
    """A message of the API; ``text`` is the thesis if not given."""
    said = json.dumps(THESIS) if text is None else text
    body = {
        "id": "msg_stub",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [{"type": "text", "text": said}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
    }
    return Reply(body | changes)


def thesis(**changes: Any) -> Reply:
    return message(json.dumps(THESIS | changes))


def error(status: int, kind: str, told: str = "no", **headers: str) -> Reply:
    body = {"type": "error", "error": {"type": kind, "message": told}, "request_id": "req_error"}
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


THINKING_FIRST = message(
    content=[
        {"type": "thinking", "thinking": "", "signature": "sig"},
        {"type": "text", "text": json.dumps(THESIS)},
    ]
)
REFUSAL = message(
    content=[], stop_reason="refusal", stop_details={"category": "other", "explanation": "unsafe"}
)
CUT = message(json.dumps(THESIS)[:60], stop_reason="max_tokens")
OUT_OF_RANGE = thesis(p_target=7)
NOT_A_THESIS = message("I would rather talk.")
NOT_JSON = Reply("<html>proxy error</html>", 200, {"content-type": "text/html"})
UNAUTHORIZED = error(401, "authentication_error", "invalid x-api-key")
BILLING = error(402, "billing_error", "your credit balance is too low")
RETIRED = error(404, "not_found_error", "model: claude-3-5-sonnet")
BUSY = error(429, "rate_limit_error", "slow down", retry_after="7")
CAPPED = error(429, "rate_limit_error", "monthly limit")
BROKEN = error(500, "api_error", "internal")
OVERLOADED = error(529, "overloaded_error", "overloaded")
BAD_REQUEST = error(400, "invalid_request_error", "thinking cannot be disabled")
FORBIDDEN = error(403, "permission_error", "no access")


def models(**changes: Any) -> Reply:
    listed = {
        "id": "claude-sonnet-5-5",
        "type": "model",
        "display_name": "Claude Sonnet 5.5",
        "created_at": "2026-09-01T00:00:00Z",
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
    }
    page = {"data": [listed | changes], "has_more": False, "first_id": "a", "last_id": "b"}
    return Reply(page)


def pack_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the data pack of a request."""
    said = body["messages"][0]["content"]
    pack: dict[str, Any] = json.loads(said.split("<data_pack>")[1].split("</data_pack>")[0])
    return pack


class Stub:
    """A server that gives its replies in turn, the last one for ever; asks for the right key."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.replies: list[Reply] = [message()]
        self.think: Callable[[dict[str, Any]], Reply] | None = None  # instead, told the pack
        self.models = models()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = json.loads(self.rfile.read(length))
                stub._send(self, stub._next(body, dict(self.headers)))

            def do_GET(self) -> None:
                known = self.path.startswith("/v1/models")
                stub._send(self, stub.models if known else error(404, "not_found_error"))

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def say(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        given = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            self.asked.append(body)
            self.headers.append(given)
            if given.get("authorization") != f"Bearer {KEY}":
                return UNAUTHORIZED
            if self.think:
                return self.think(pack_of(body))
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        end = time.monotonic() + reply.hang
        while time.monotonic() < end and not self._closing.wait(0.02):
            pass
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        try:
            handler.send_response_only(reply.status)
            usual = {"content-type": "application/json", "request-id": "req_stub"}
            for name, value in (usual | reply.headers).items():
                handler.send_header(name, value)
            handler.send_header("content-length", str(len(text.encode())))
            handler.end_headers()
            handler.wfile.write(text.encode())
        except (BrokenPipeError, ConnectionResetError):
            pass


@contextmanager
def running() -> Iterator[Stub]:
    """A stub that is closed in the end."""
    stub = Stub()
    try:
        yield stub
    finally:
        stub.close()
