"""What Alpaca's trading interface says, as values: money Decimal, instants UTC.

A key that is missing or of another kind is an error that names it; keys we do not know are left.
Source: Alpaca's OpenAPI description, as summarised in the project's notes on interfaces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from analytics.errors import BadAnswer

FINAL_STATUSES: Final = frozenset({"filled", "canceled", "expired", "replaced", "rejected"})
STATUSES: Final = FINAL_STATUSES | {
    "new",
    "partially_filled",
    "done_for_day",
    "pending_cancel",
    "pending_replace",
    "accepted",
    "pending_new",
    "accepted_for_bidding",
    "stopped",
    "suspended",
    "calculated",
    "held",
}
MILLISECONDS_FROM: Final = 10**11  # an epoch above this is in milliseconds
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class BrokerAccount:
    """An account as the broker sees it. ``can_trade`` is false if anything blocks it."""

    id: str
    number: str
    status: str
    currency: str
    cash: Decimal | None
    equity: Decimal | None
    buying_power: Decimal | None
    can_trade: bool
    opened_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class BrokerPosition:
    """Shares that the broker says are held; ``quantity`` is negative for a short."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    market_value: Decimal | None
    price: Decimal | None


@dataclass(frozen=True, kw_only=True)
class OrderRecord:
    """An order as the broker has it. A ``status`` that we do not know is "other"."""

    id: str
    client_order_id: str
    symbol: str
    side: str
    kind: str
    status: str
    quantity: Decimal | None
    filled_quantity: Decimal
    filled_price: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    time_in_force: str
    order_class: str
    submitted_at: datetime | None
    updated_at: datetime | None
    filled_at: datetime | None
    replaced_by: str
    legs: tuple["OrderRecord", ...] = ()
    raw: Row = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in FINAL_STATUSES


@dataclass(frozen=True, kw_only=True)
class NewOrder:
    """An order to be sent. ``client_order_id`` is stored before: it makes sending idempotent."""

    client_order_id: str
    symbol: str
    side: Literal["buy", "sell"]
    quantity: Decimal
    kind: Literal["market", "limit", "stop", "stop_limit"]
    time_in_force: Literal["day", "gtc"] = "day"
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None

    def body(self) -> dict[str, Any]:
        """Return what is sent: numbers as strings; ``bracket`` or ``oto`` if exits are given."""
        body: dict[str, Any] = {
            "client_order_id": self.client_order_id,
            "symbol": self.symbol,
            "side": self.side,
            "qty": f"{self.quantity:f}",
            "type": self.kind,
            "time_in_force": self.time_in_force,
        }
        for name, price in (("limit_price", self.limit_price), ("stop_price", self.stop_price)):
            if price is not None:
                body[name] = f"{price:f}"
        if self.stop_loss is not None:
            body["stop_loss"] = {"stop_price": f"{self.stop_loss:f}"}
        if self.take_profit is not None:
            body["take_profit"] = {"limit_price": f"{self.take_profit:f}"}
        exits = ("stop_loss" in body) + ("take_profit" in body)
        return {**body, "order_class": ("", "oto", "bracket")[exits]} if exits else body


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One row of the account's activities, a fill or anything else.

    Attributes:
        kind: ``FILL``, ``DIV``, ``SPLIT``, ...
        status: ``executed``, ``correct`` or ``canceled``; blank for fills.
        at: Instant of a fill; None for the others, which have a ``day``.
        amount: Net cash of what is no fill.
        raw: As it came.
    """

    id: str
    kind: str
    status: str
    symbol: str
    side: str
    quantity: Decimal | None
    price: Decimal | None
    amount: Decimal | None
    at: datetime | None
    day: date | None
    order_id: str
    description: str
    raw: Row = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class EquityPoint:
    """Equity as the broker recorded it, at the end of a day [USD]."""

    at: datetime
    equity: Decimal


def account(row: Row) -> BrokerAccount:
    """Read ``GET /v2/account``. Only ``id`` and ``status`` must be there."""
    flags = ("trading_blocked", "transfers_blocked", "account_blocked", "trade_suspended_by_user")
    status = _text(row, "status")
    return BrokerAccount(
        id=_text(row, "id"),
        number=_maybe_text(row, "account_number"),
        status=status,
        currency=_maybe_text(row, "currency") or "USD",
        cash=_maybe_number(row, "cash"),
        equity=_maybe_number(row, "equity"),
        buying_power=_maybe_number(row, "buying_power"),
        can_trade=status == "ACTIVE" and not any(row.get(flag) for flag in flags),
        opened_at=_maybe_instant(row, "created_at"),
    )


def position(row: Row) -> BrokerPosition:
    """Read one row of ``GET /v2/positions``; a short's quantity is made negative."""
    quantity = _number(row, "qty")
    if row.get("side") == "short":
        quantity = -abs(quantity)
    return BrokerPosition(
        symbol=_text(row, "symbol"),
        quantity=quantity,
        entry_price=_maybe_number(row, "avg_entry_price"),
        market_value=_maybe_number(row, "market_value"),
        price=_maybe_number(row, "current_price"),
    )


def order(row: Row) -> OrderRecord:
    """Read an order and its legs."""
    status = _text(row, "status")
    return OrderRecord(
        id=_text(row, "id"),
        client_order_id=_maybe_text(row, "client_order_id"),
        symbol=_maybe_text(row, "symbol"),
        side=_maybe_text(row, "side"),
        kind=_maybe_text(row, "type"),
        status=status if status in STATUSES else "other",
        quantity=_maybe_number(row, "qty"),
        filled_quantity=_maybe_number(row, "filled_qty") or Decimal(0),
        filled_price=_maybe_number(row, "filled_avg_price"),
        limit_price=_maybe_number(row, "limit_price"),
        stop_price=_maybe_number(row, "stop_price"),
        time_in_force=_maybe_text(row, "time_in_force"),
        order_class=_maybe_text(row, "order_class"),
        submitted_at=_maybe_instant(row, "submitted_at"),
        updated_at=_maybe_instant(row, "updated_at"),
        filled_at=_maybe_instant(row, "filled_at"),
        replaced_by=_maybe_text(row, "replaced_by"),
        legs=tuple(order(leg) for leg in row.get("legs") or ()),
        raw=row,
    )


def activity(row: Row) -> Activity:
    """Read an activity; only ``id`` and ``activity_type`` must be there."""
    day = _maybe_text(row, "date")
    try:
        on = date.fromisoformat(day[:10]) if day else None
    except ValueError:
        raise BadAnswer(f"Alpaca: date is {day!r}, no date") from None
    return Activity(
        id=_text(row, "id"),
        kind=_text(row, "activity_type"),
        status=_maybe_text(row, "status"),
        symbol=_maybe_text(row, "symbol"),
        side=_maybe_text(row, "side"),
        quantity=_maybe_number(row, "qty"),
        price=_maybe_number(row, "price"),
        amount=_maybe_number(row, "net_amount"),
        at=_maybe_instant(row, "transaction_time"),
        day=on,
        order_id=_maybe_text(row, "order_id"),
        description=_maybe_text(row, "description"),
        raw=row,
    )


def history(body: Row) -> list[EquityPoint]:
    """Read portfolio history; points without equity are left out."""
    stamps, values = body.get("timestamp") or [], body.get("equity") or []
    if not isinstance(stamps, list) or not isinstance(values, list) or len(stamps) != len(values):
        raise BadAnswer("Alpaca: timestamp and equity differ in length")
    points = []
    for stamp, value in zip(stamps, values, strict=True):
        equity = _maybe_number({"equity": value}, "equity")
        if equity is not None:
            seconds = stamp / 1000 if stamp > MILLISECONDS_FROM else stamp
            points.append(EquityPoint(at=datetime.fromtimestamp(seconds, UTC), equity=equity))
    return points


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"Alpaca: {key} is {value!r}, no text")
    return value


def _maybe_text(row: Row, key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _number(row: Row, key: str) -> Decimal:
    value = _maybe_number(row, key)
    if value is None:
        raise BadAnswer(f"Alpaca: {key} is missing")
    return value


def _maybe_number(row: Row, key: str) -> Decimal | None:
    value = row.get(key)
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadAnswer(f"Alpaca: {key} is {value!r}, no number") from None
    if not number.is_finite():
        raise BadAnswer(f"Alpaca: {key} is {value!r}, no number")
    return number


def _maybe_instant(row: Row, key: str) -> datetime | None:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise BadAnswer(f"Alpaca: {key} is {value!r}, no instant") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
