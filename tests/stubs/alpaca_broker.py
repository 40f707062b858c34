"""Alpaca's trading interface: bodies as documented, its refusals, and a broker with a memory.

``Broker`` keeps orders, positions and activities and answers like the documented interface;
``broker.fault(method, path, ...)`` lets the next requests fail first.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from tests.stubs.server import Answer, Asked, Stub, running

ACCOUNT = {
    "id": "1d9eed04-be39-4e01-9b84-a48ac5bbafcf",
    "account_number": "PA0000001",
    "status": "ACTIVE",
    "currency": "USD",
    "cash": "1000.00",
    "equity": "1000.00",
    "buying_power": "2000.00",
    "trading_blocked": False,
    "transfers_blocked": False,
    "account_blocked": False,
    "trade_suspended_by_user": False,
    "created_at": "2024-01-02T18:20:20.272275Z",
}


def refusal(status: int, code: int, text: str, **more: Any) -> Answer:
    return Answer({"code": code, "message": text, **more}, status=status)


UNAUTHORIZED = refusal(401, 40110000, "request is not authorized")
FORBIDDEN = refusal(403, 40310000, "insufficient buying power", buying_power="1", cost_basis="2")
NO_ORDER = refusal(404, 40410000, "order not found")
NO_POSITION = refusal(404, 40410000, "position does not exist")
BAD_PRICE = refusal(
    422,
    42210000,
    "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
)
TAKEN = refusal(422, 40010001, "client_order_id must be unique")
NOT_CANCELLABLE = refusal(422, 42210000, "order is not cancelable")
BUSY = refusal(429, 42910000, "too many requests")
BUSY_FOR_A_SECOND = Answer(BUSY.body, status=429, headers={"Retry-After": "1"})
BROKEN = Answer("<html>Internal Server Error</html>", status=500)
CUT_SHORT = Answer('[{"id": "2024', cut=200)
HANGS = Answer({}, delay=1.0)  # longer than the tests' client waits


def fill(key: str, symbol: str = "VIGL", **changes: Any) -> dict[str, Any]:
    made = {
        "id": key,
        "activity_type": "FILL",
        "type": "fill",
        "transaction_time": "2024-06-24T14:53:18.500245123Z",
        "symbol": symbol,
        "side": "buy",
        "qty": "100",
        "price": "3.00",
        "cum_qty": "100",
        "leaves_qty": "0",
        "order_id": "b677e464-c2d0-4fdd-a4b1-8830b386aa50",
        "order_status": "filled",
    }
    return {**made, **changes}


def other(key: str, kind: str, amount: str, **changes: Any) -> dict[str, Any]:
    made = {
        "id": key,
        "activity_type": kind,
        "date": "2024-06-25",
        "net_amount": amount,
        "status": "executed",
        "description": "",
    }
    return {**made, **changes}


def position(symbol: str, quantity: str, **changes: Any) -> dict[str, Any]:
    made = {
        "asset_id": "904837e3-3b76-47ec-b432-046db621571b",
        "symbol": symbol,
        "side": "short" if quantity.startswith("-") else "long",
        "qty": quantity,
        "avg_entry_price": "3.00",
        "market_value": None,
        "current_price": None,
    }
    return {**made, **changes}


def order(key: str, client_order_id: str, **changes: Any) -> dict[str, Any]:
    made = {
        "id": key,
        "client_order_id": client_order_id,
        "symbol": "VIGL",
        "asset_class": "us_equity",
        "qty": "100",
        "notional": None,
        "filled_qty": "0",
        "filled_avg_price": None,
        "order_class": "",
        "type": "limit",
        "order_type": "limit",
        "side": "buy",
        "time_in_force": "day",
        "limit_price": "3.00",
        "stop_price": None,
        "status": "accepted",
        "legs": None,
        "created_at": "2024-06-24T14:00:00.668464435Z",
        "submitted_at": "2024-06-24T14:00:00.577215743Z",
        "updated_at": "2024-06-24T14:00:00.668464435Z",
        "filled_at": None,
        "replaced_by": None,
        "replaces": None,
    }
    return {**made, **changes}


class Broker:
    """A broker's books behind a stub server. Change its attributes to change what it says.

    Args:
        stub: Where it answers.

    Attributes:
        account: The body of ``/v2/account``.
        positions: Rows of ``/v2/positions``.
        activities: Rows, oldest first; pages hold 100 at most.
        orders: By id, in the order they came.
        history: The body of ``/v2/account/portfolio/history``.
    """

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.url = stub.url
        self.account: dict[str, Any] = dict(ACCOUNT)
        self.positions: list[dict[str, Any]] = []
        self.activities: list[dict[str, Any]] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.history: dict[str, Any] = {"timestamp": [], "equity": [], "timeframe": "1D"}
        self._faults: list[tuple[str, str, Answer, bool]] = []
        stub.answer = self._answer

    @property
    def asked(self) -> list[Asked]:
        return self.stub.asked

    def fault(self, method: str, path: str, *answers: Answer, done: bool = False) -> None:
        """Let the next requests to a path that begins so get these answers first.

        Args:
            done: The request takes effect all the same: the answer is what gets lost.
        """
        self._faults += [(method, path, answer, done) for answer in answers]

    def sent(self) -> list[dict[str, Any]]:
        """Return the bodies of the orders that were sent."""
        return [json.loads(a.body) for a in self.asked if a.method == "POST"]

    def _answer(self, asked: Asked) -> Answer:
        for fault in self._faults:
            method, path, answer, done = fault
            if asked.method == method and asked.path.startswith(path):
                self._faults.remove(fault)
                if done:
                    self._serve(asked)
                return answer
        return self._serve(asked)

    def _serve(self, asked: Asked) -> Answer:
        if "Apca-Api-Key-Id" not in asked.headers and "APCA-API-KEY-ID" not in asked.headers:
            return UNAUTHORIZED
        if asked.path.startswith("/v2/orders"):
            return self._orders(asked)
        if asked.path == "/v2/account":
            return Answer(self.account)
        if asked.path == "/v2/positions":
            return Answer(self.positions)
        if asked.path == "/v2/account/activities":
            return Answer(self._page(asked))
        if asked.path == "/v2/account/portfolio/history":
            return Answer(self.history)
        return refusal(404, 40410000, "endpoint not found.")

    def _page(self, asked: Asked) -> list[dict[str, Any]]:
        rows = self.activities
        if "after" in asked.query:
            rows = [row for row in rows if _day(row) > asked.query["after"]]
        token = asked.query.get("page_token")
        if token:
            ids = [row["id"] for row in rows]
            rows = rows[ids.index(token) + 1 :] if token in ids else rows
        return rows[: int(asked.query.get("page_size", "100"))]

    def _orders(self, asked: Asked) -> Answer:
        key = unquote(asked.path.removeprefix("/v2/orders").lstrip("/"))
        if asked.path == "/v2/orders:by_client_order_id":
            wanted = asked.query.get("client_order_id")
            found = [row for row in self.orders.values() if row["client_order_id"] == wanted]
            return Answer(found[0]) if found else NO_ORDER
        if asked.method == "POST":
            return self._take(json.loads(asked.body))
        if not key:
            return Answer(self._listed(asked))
        if key not in self.orders:
            return NO_ORDER
        return self._change(asked, key)

    def _listed(self, asked: Asked) -> list[dict[str, Any]]:
        final = {"filled", "canceled", "expired", "replaced", "rejected"}
        rows = list(self.orders.values())
        if asked.query.get("status", "open") == "open":
            return [row for row in rows if row["status"] not in final]
        return [row for row in rows if row["submitted_at"] > asked.query.get("after", "")]

    def _take(self, body: dict[str, Any]) -> Answer:
        name = body["client_order_id"]
        if any(row["client_order_id"] == name for row in self.orders.values()):
            return TAKEN
        key = f"order-{len(self.orders) + 1}"
        plain = {k: v for k, v in body.items() if not isinstance(v, dict)}
        made = {**order(key, name), **plain, "id": key}
        self.orders[key] = made
        return Answer(made)

    def _change(self, asked: Asked, key: str) -> Answer:
        row = self.orders[key]
        if asked.method == "GET":
            return Answer(row)
        if row["status"] in {"filled", "canceled", "expired", "replaced", "rejected"}:
            return NOT_CANCELLABLE
        if asked.method == "DELETE":
            row["status"] = "canceled"
            return Answer(b"", status=204)
        changes = json.loads(asked.body)
        taken = self._take({**row, **changes})
        if taken.status == 200:
            row.update(status="replaced", replaced_by=taken.body["id"])
            taken.body.update(replaces=key, status="accepted")
        return taken


def _day(row: dict[str, Any]) -> str:
    return str(row.get("date") or row.get("transaction_time"))[:10]


@contextmanager
def open_for_business() -> Iterator[Broker]:
    """A broker that is closed in the end."""
    with running() as stub:
        yield Broker(stub)
