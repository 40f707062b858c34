"""What a broker's activities mean in the ledger: fills, cash, corporate actions (design §10).

Each becomes columns of one row with the broker's id; what has no meaning here is a finding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, Literal

from analytics.calc import sessions
from performance.clients.alpaca_records import Activity
from performance.models import ActionKind, CashKind, FillKind, Side

# Alpaca's activity types that move cash only, and what they are to us.
CASH: Final[Mapping[str, str]] = {
    "CSD": CashKind.DEPOSIT,
    "CSR": CashKind.DEPOSIT,
    "CSW": CashKind.WITHDRAWAL,
    "JNLC": CashKind.TRANSFER,
    "TRANS": CashKind.TRANSFER,
    "DIV": CashKind.DIVIDEND,
    "DIVCGL": CashKind.DIVIDEND,
    "DIVCGS": CashKind.DIVIDEND,
    "DIVROC": CashKind.DIVIDEND,
    "DIVTXEX": CashKind.DIVIDEND,
    "DIVFEE": CashKind.FEE,
    "DIVFT": CashKind.TAX,
    "DIVNRA": CashKind.TAX,
    "DIVTW": CashKind.TAX,
    "INT": CashKind.INTEREST,
    "INTNRA": CashKind.TAX,
    "INTTW": CashKind.TAX,
    "FEE": CashKind.FEE,
    "CFEE": CashKind.FEE,
    "PTC": CashKind.FEE,
    "PTR": CashKind.FEE,
    "NC": CashKind.ADJUSTMENT,
    "MISC": CashKind.ADJUSTMENT,
    "CIL": CashKind.ADJUSTMENT,
}
SPLITS: Final = frozenset({"SPLIT", "SSP", "REORG"})
CENT: Final = Decimal("0.01")
Table = Literal["fill", "cash", "action"]


class NoMeaning(Exception):
    """The activity is of no kind that the ledger knows, or lacks what its kind needs."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the ledger to be. ``columns`` without account, origin and stamps."""

    table: Table
    broker_id: str
    columns: dict[str, Any]


def session_of(when: datetime) -> date:
    """Return the session that an instant counts in: its New York date, else the next session."""
    day = when.astimezone(sessions.NEW_YORK).date()
    return day if sessions.is_session(day) else sessions.offset(day, 1)


def translate(activity: Activity) -> Row:
    """Return what an activity adds to the ledger.

    Raises:
        NoMeaning: Nothing that we know; the message says why.
    """
    if activity.kind == "FILL":
        return _fill(activity)
    if activity.status == "canceled":
        return _reversal(activity)
    if activity.kind in CASH:
        return _cash(activity)
    if activity.kind in SPLITS and activity.raw.get("ratio"):
        return _split(activity)
    raise NoMeaning(f"activity {activity.kind} {activity.symbol} is not understood".strip())


def _fill(activity: Activity) -> Row:
    if activity.at is None or activity.quantity is None or activity.price is None:
        raise NoMeaning(f"fill {activity.id} has no time, quantity or price")
    if activity.quantity <= 0 or activity.price <= 0:
        raise NoMeaning(f"fill {activity.id}: quantity and price must be above 0")
    if activity.side not in {"buy", "sell", "sell_short"}:
        raise NoMeaning(f"fill {activity.id}: side is {activity.side!r}")
    return Row(
        table="fill",
        broker_id=activity.id,
        columns={
            "kind": FillKind.FILL,
            "symbol": activity.symbol,
            "side": Side.BUY if activity.side == "buy" else Side.SELL,
            "short_sale": activity.side == "sell_short" if activity.side != "buy" else None,
            "quantity": activity.quantity.quantize(Decimal("1e-9")),
            "price": activity.price.quantize(Decimal("1e-6")),
            "fee": Decimal(0),
            "executed_at": activity.at,
            "session": session_of(activity.at),
            "order_id": activity.order_id,
            "raw": dict(activity.raw),
        },
    )


def _cash(activity: Activity) -> Row:
    if activity.amount is None or activity.day is None:
        raise NoMeaning(f"activity {activity.id} has no amount or date")
    amount = activity.amount.quantize(CENT)
    if not amount:
        raise NoMeaning(f"activity {activity.id} moves no cash")
    kind = CASH[activity.kind]
    if kind == CashKind.DEPOSIT and amount < 0:
        kind = CashKind.WITHDRAWAL
    elif kind == CashKind.WITHDRAWAL and amount > 0:
        kind = CashKind.DEPOSIT
    when = _midday(activity)
    return Row(
        table="cash",
        broker_id=activity.id,
        columns={
            "kind": kind,
            "amount": amount,
            "symbol": activity.symbol,
            "occurred_at": when,
            "session": session_of(when),
            "note": activity.description[:200],
            "raw": dict(activity.raw),
        },
    )


def _reversal(activity: Activity) -> Row:
    """Take back the cash of an activity that the broker cancelled after it was booked."""
    if activity.kind not in CASH:
        raise NoMeaning(f"activity {activity.kind} {activity.id} was cancelled")
    row = _cash(activity)
    return Row(
        table="cash",
        broker_id=f"{activity.id} canceled",
        columns={**row.columns, "amount": -row.columns["amount"], "corrects": activity.id},
    )


def _split(activity: Activity) -> Row:
    try:
        ratio = Decimal(str(activity.raw["ratio"]))
    except ArithmeticError:
        raise NoMeaning(f"split {activity.id}: ratio is {activity.raw['ratio']!r}") from None
    if activity.day is None or ratio <= 0:
        raise NoMeaning(f"split {activity.id} has no date or ratio")
    return Row(
        table="action",
        broker_id=activity.id,
        columns={
            "kind": ActionKind.SPLIT,
            "symbol": activity.symbol,
            "session": session_of(_midday(activity)),
            "ratio": ratio,
            "note": activity.description[:200],
            "raw": dict(activity.raw),
        },
    )


def _midday(activity: Activity) -> datetime:
    assert activity.day is not None  # noqa: S101 - the callers look
    return datetime.combine(activity.day, time(12), tzinfo=sessions.NEW_YORK)
