"""Alpaca's trading interface: what an account holds and did, and orders for it.

Reading is tried again; sending never is: whoever does not know whether an order arrived asks
for it by ``client_order_id``. The host with live money is refused unless it is asked for.

Source: Alpaca's OpenAPI description, as summarised in the project's notes on interfaces.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from analytics.clients import answers
from analytics.clients.answers import NotFound, RateLimited
from analytics.clients.http import TIMEOUT, JsonClient
from analytics.clients.pace import Pace
from analytics.errors import BadAnswer, DomainError, Unavailable
from performance.clients import alpaca_records
from performance.clients.alpaca_records import (
    Activity,
    BrokerAccount,
    BrokerPosition,
    EquityPoint,
    NewOrder,
    OrderRecord,
)

PAPER_URL: Final = "https://paper-api.alpaca.markets"
LIVE_HOST: Final = "api.alpaca.markets"
PAGE: Final = 100  # activities; the interface allows no more
ORDERS_PAGE: Final = 500
MOST_PAGES: Final = 10_000


class LiveHost(DomainError):
    """The host with live money was named, but not allowed."""


class OutcomeUnknown(Unavailable):
    """Something was sent, and no usable answer came. Ask for it; never send it again."""


class OrderRefused(BadAnswer):
    """The broker refused: buying power, a bad price, an order that is final."""


class AlreadySent(OrderRefused):
    """An order with this ``client_order_id`` exists."""


@dataclass(frozen=True, kw_only=True)
class ActivityPage:
    """Activities in order, and the id to go on from (None: these were the last)."""

    rows: list[Activity]
    unreadable: list[tuple[dict[str, Any], str]]
    next_token: str | None


class Alpaca:
    """One account. Reading raises as :meth:`JsonClient.get` does.

    Args:
        key: Goes into a header.
        secret: Goes into a header.
        base_url: The only host that is asked.
        live: Whether the host with live money may be asked.
        pace: The rate limit shared by all workers.
        options: Passed on to :class:`JsonClient`.

    Raises:
        LiveHost: ``base_url`` is the live host and ``live`` is false.
    """

    def __init__(
        self,
        key: str,
        secret: str,
        *,
        base_url: str = PAPER_URL,
        live: bool = False,
        pace: Pace | None = None,
        **options: Any,
    ) -> None:
        if urlsplit(base_url).hostname == LIVE_HOST and not live:
            raise LiveHost(f"{LIVE_HOST} trades live money, which is not allowed by the settings")
        auth = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        self.http = JsonClient(base_url, provider="Alpaca", auth=auth, pace=pace, **options)
        self._pace = pace
        self._hidden = list(auth.values())
        self._sender = httpx.Client(
            base_url=base_url,
            headers={"Accept": "application/json", **auth},
            timeout=options.get("timeout", TIMEOUT),
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()
        self._sender.close()

    def __enter__(self) -> "Alpaca":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # ---------------------------------------------------------------- reading

    def account(self) -> BrokerAccount:
        """Return the account."""
        return alpaca_records.account(self.http.get("/v2/account"))

    def positions(self) -> list[BrokerPosition]:
        """Return what is held."""
        rows = self.http.get_array("/v2/positions")
        return [alpaca_records.position(_object(row)) for row in rows]

    def open_orders(self) -> list[OrderRecord]:
        """Return the orders that are working, newest first; legs are folded into their parent."""
        rows = self.http.get_array(
            "/v2/orders", status="open", limit=str(ORDERS_PAGE), nested="true"
        )
        return [alpaca_records.order(_object(row)) for row in rows]

    def orders(self, *, after: datetime, until: datetime | None = None) -> list[OrderRecord]:
        """Return all orders submitted after ``after`` (and before ``until``), oldest first.

        Raises:
            BadAnswer: The pages go round in a circle.
        """
        found: dict[str, OrderRecord] = {}
        params = {"status": "all", "limit": str(ORDERS_PAGE), "direction": "asc", "nested": "true"}
        if until is not None:
            params["until"] = until.isoformat()
        start = after
        for _page in range(MOST_PAGES):
            rows = self.http.get_array("/v2/orders", after=start.isoformat(), **params)
            page = [alpaca_records.order(_object(row)) for row in rows]
            new = {row.id: row for row in page if row.id not in found}
            found.update(new)
            stamps = [row.submitted_at for row in page if row.submitted_at]
            if len(page) < ORDERS_PAGE or not stamps:
                return list(found.values())
            if not new:
                raise BadAnswer("Alpaca /v2/orders: the pages go round in a circle")
            start = max(stamps)
        raise BadAnswer(f"Alpaca /v2/orders: more than {MOST_PAGES} pages")

    def order(self, order_id: str) -> OrderRecord:
        """Return one order with its legs."""
        body = self.http.get(f"/v2/orders/{quote(order_id, safe='')}", nested="true")
        return alpaca_records.order(body)

    def find_order(self, client_order_id: str) -> OrderRecord | None:
        """Return the order sent with ``client_order_id``; None: the broker knows none."""
        try:
            body = self.http.get("/v2/orders:by_client_order_id", client_order_id=client_order_id)
        except NotFound:
            return None
        return alpaca_records.order(body)

    def activities(
        self, *, after: date | None = None, token: str | None = None
    ) -> Iterator[ActivityPage]:
        """Yield pages of activities, oldest first. A row that cannot be read is handed over.

        Args:
            after: Only later days; all of them otherwise.
            token: Go on behind this id.

        Raises:
            BadAnswer: The pages go round in a circle.
        """
        params = {"direction": "asc", "page_size": str(PAGE)}
        if after is not None:
            params["after"] = after.isoformat()
        seen: set[str] = set()
        for _page in range(MOST_PAGES):
            asked = {**params, "page_token": token} if token else params
            rows = self.http.get_array("/v2/account/activities", **asked)
            page = _page_of(rows)
            if len(rows) < PAGE:
                yield ActivityPage(rows=page.rows, unreadable=page.unreadable, next_token=None)
                return
            token = str(_object(rows[-1]).get("id"))
            if token in seen:
                raise BadAnswer("Alpaca /v2/account/activities: the pages go round in a circle")
            seen.add(token)
            yield ActivityPage(rows=page.rows, unreadable=page.unreadable, next_token=token)
        raise BadAnswer(f"Alpaca /v2/account/activities: more than {MOST_PAGES} pages")

    def history(self, *, period: str = "1M") -> list[EquityPoint]:
        """Return equity by day over ``period`` (a number and D, W, M or A)."""
        body = self.http.get("/v2/account/portfolio/history", period=period, timeframe="1D")
        return alpaca_records.history(body)

    # ---------------------------------------------------------------- sending

    def submit_order(self, order: NewOrder) -> OrderRecord:
        """Send an order, once.

        Raises:
            AlreadySent: The ``client_order_id`` is taken: :meth:`find_order` has it.
            OrderRefused: The broker refused it.
            OutcomeUnknown: No usable answer: it may or may not be there. Ask, never send again.
            Unavailable: It did not arrive, for certain.
        """
        return alpaca_records.order(self._send("POST", "/v2/orders", order.body()))

    def replace_order(
        self,
        order_id: str,
        *,
        client_order_id: str,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
    ) -> OrderRecord:
        """Replace a working order, once; the answer is the new one. Raises as submitting does."""
        changes = {"qty": quantity, "limit_price": limit_price, "stop_price": stop_price}
        body = {name: f"{value:f}" for name, value in changes.items() if value is not None}
        path = f"/v2/orders/{quote(order_id, safe='')}"
        return alpaca_records.order(
            self._send("PATCH", path, {**body, "client_order_id": client_order_id})
        )

    def cancel_order(self, order_id: str) -> None:
        """Ask for an order to be cancelled; whether it was, its status will say.

        Raises:
            OrderRefused: It is final already, or unknown.
            OutcomeUnknown: No usable answer. Asking for it twice does no harm.
        """
        self._send("DELETE", f"/v2/orders/{quote(order_id, safe='')}", None)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        if self._pace:
            self._pace.take_turn()
        where = f"Alpaca {path}"
        try:
            response = self._sender.request(method, path, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unavailable(f"{where}: not reached ({type(error).__name__})") from None
        except httpx.RequestError as error:
            raise OutcomeUnknown(f"{where}: no answer ({type(error).__name__})") from None
        self._judge(response, where)
        if not response.content.strip() and method == "DELETE":
            return {}
        try:
            return _object(answers.decode(response, where))
        except (Unavailable, BadAnswer) as error:
            raise OutcomeUnknown(str(error)) from None

    def _judge(self, response: httpx.Response, where: str) -> None:
        """Return if the answer is a success; refusals of orders have their own errors."""
        try:
            answers.judge(response, where, refusal=answers.no_opinion, hidden=self._hidden)
        except RateLimited:
            raise
        except Unavailable as error:
            raise OutcomeUnknown(str(error)) from None
        except BadAnswer as error:
            if response.status_code == httpx.codes.UNAUTHORIZED:
                raise
            taken = "client_order_id" in str(error) and "unique" in str(error)
            raise (AlreadySent if taken else OrderRefused)(str(error)) from None


def _object(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BadAnswer(f"Alpaca: expected a JSON object, found {type(row).__name__}")
    return row


def _page_of(rows: list[Any]) -> ActivityPage:
    read: list[Activity] = []
    unreadable: list[tuple[dict[str, Any], str]] = []
    for row in rows:
        try:
            read.append(alpaca_records.activity(_object(row)))
        except BadAnswer as error:
            unreadable.append((row if isinstance(row, dict) else {"row": row}, str(error)))
    return ActivityPage(rows=read, unreadable=unreadable, next_token=None)
