"""A broker on 127.0.0.1 that takes orders, remembers them, and fails where it is told to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT = {"id": "acc-1", "account_number": "PA1", "status": "ACTIVE", "equity": "10000"}
TAKEN = {"code": 40010001, "message": "client_order_id must be unique"}


class OrderDesk:
    """Orders by id, and faults to come.

    ``faults`` are taken one per POST: "cut after" takes the order and hangs up, "cut before"
    hangs up first, "500 after" takes it and answers 500, (status, body) answers so. A cancel
    runs ``on_cancel`` first: that is how a fill gets ahead of it.
    """

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.posts: list[dict[str, Any]] = []
        self.faults: list[Any] = []
        self.account: dict[str, Any] = dict(ACCOUNT)
        self.on_cancel: Any = lambda order: order.update(status="canceled")
        self.hidden = False  # the order is there, but a question does not find it yet
        self.is_down = False  # questions are answered with 503
        self._lock = threading.Lock()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                desk._get(self, parts.path, query)

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                desk._post(self, json.loads(self.rfile.read(size) or b"{}"))

            def do_DELETE(self) -> None:
                desk._delete(self, self.path.rsplit("/", 1)[1])

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def only(self) -> dict[str, Any]:
        """Return the one order there is."""
        (order,) = self.orders.values()
        return order

    def fill(self, quantity: int, *, status: str = "filled", price: str = "3.00") -> None:
        self.only().update(status=status, filled_qty=str(quantity), filled_avg_price=price)

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        number = f"o-{len(self.orders) + 1}"
        nothing = {"limit_price": None, "stop_price": None, "filled_avg_price": None}
        self.orders[number] = {
            **nothing, **body, "id": number, "status": "accepted", "filled_qty": "0",
            "submitted_at": "2024-06-28T13:30:00Z",
        }  # fmt: skip
        return self.orders[number]

    def _post(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        with self._lock:
            self.posts.append(body)
            fault = self.faults.pop(0) if self.faults else None
            if fault == "cut before":
                return self._hang_up(handler)
            if isinstance(fault, tuple):
                return self._answer(handler, *fault)
            known = {order["client_order_id"] for order in self.orders.values()}
            if body["client_order_id"] in known:
                return self._answer(handler, 422, TAKEN)
            order = self._take(body)
            if fault == "cut after":
                return self._hang_up(handler)
            if fault == "500 after":
                return self._answer(handler, 500, {"message": "oops"})
            return self._answer(handler, 200, order)

    def _get(self, handler: BaseHTTPRequestHandler, path: str, query: dict[str, str]) -> None:
        if self.is_down:
            return self._answer(handler, 503, {"message": "down"})
        if path == "/v2/account":
            return self._answer(handler, 200, self.account)
        wanted = query.get("client_order_id")
        for order in self.orders.values():
            if not self.hidden and order["client_order_id"] == wanted:
                return self._answer(handler, 200, order)
        return self._answer(handler, 404, {"code": 40410000, "message": "order not found"})

    def _delete(self, handler: BaseHTTPRequestHandler, number: str) -> None:
        order = self.orders[number]
        self.on_cancel(order)
        if order["status"] == "canceled":
            return self._answer(handler, 204, None)
        message = "order is not cancelable"
        return self._answer(handler, 422, {"code": 42210000, "message": message})

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, body: Any) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        handler.send_response_only(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _hang_up(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(2)
