"""Rows of the ledger, and of what is derived from it."""

from itertools import count
from typing import Any

from analytics.models import Source
from performance.models import (
    Account,
    CashMovement,
    CorporateAction,
    Difference,
    EquityDay,
    Fill,
    LedgerFinding,
    Lot,
    LotClose,
    Position,
    Trade,
)
from tests.instants import NOW, SESSION

_number = count(1)


def make_account(**fields: Any) -> Account:
    wanted = {"name": f"account {next(_number)}", "kind": "paper", "source": Source.IMPORTED}
    return Account.objects.create(**{**wanted, **fields})


def make_fill(**fields: Any) -> Fill:
    number = next(_number)
    wanted: dict[str, Any] = {
        "broker_id": f"fill {number}",
        "symbol": "VIGL",
        "side": "buy",
        "quantity": 100,
        "price": "3",
        "executed_at": NOW,
        "session": SESSION,
        "origin": "csv",
        "recorded_at": NOW,
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or make_account()
    return Fill.objects.create(account=account, **{**wanted, **fields})


def make_trade(**fields: Any) -> Trade:
    """A trade with its opening fill; closed if ``closed_at`` is given."""
    quantity, closed = fields.get("quantity", 100), fields.get("closed_at")
    opened = fields.get("opened_at", NOW)
    wanted: dict[str, Any] = {
        "symbol": "VIGL",
        "quantity": quantity,
        "open_quantity": 0 if closed else quantity,
        "opened_at": opened,
        "opened_session": opened.date(),
        "closed_session": closed.date() if closed else None,
        "status": "closed" if closed else "open",
        "entry_price": "3",
        "link": "explicit" if fields.get("candidate") or fields.get("thesis") else "none",
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or make_account()
    if "opening_fill" not in fields and "opening_action" not in fields:
        symbol = fields.get("symbol", "VIGL")
        wanted["opening_fill"] = make_fill(account=account, symbol=symbol, executed_at=opened)
    return Trade.objects.create(account=account, **{**wanted, **fields})


def make_position(**fields: Any) -> Position:
    wanted: dict[str, Any] = {
        "symbol": "VIGL",
        "quantity": 100,
        "average_cost": "3",
        "updated_at": NOW,
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or make_account()
    return Position.objects.create(account=account, **{**wanted, **fields})


def make_cash(**fields: Any) -> CashMovement:
    wanted: dict[str, Any] = {
        "broker_id": f"cash {next(_number)}",
        "kind": "deposit",
        "amount": "1000",
        "occurred_at": NOW,
        "session": SESSION,
        "origin": "csv",
        "recorded_at": NOW,
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or make_account()
    return CashMovement.objects.create(account=account, **{**wanted, **fields})


def make_action(**fields: Any) -> CorporateAction:
    wanted: dict[str, Any] = {
        "broker_id": f"action {next(_number)}",
        "kind": "split",
        "symbol": "VIGL",
        "session": SESSION,
        "ratio": "2" if fields.get("kind", "split") == "split" else None,
        "origin": "csv",
        "recorded_at": NOW,
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or make_account()
    return CorporateAction.objects.create(account=account, **{**wanted, **fields})


def make_lot(**fields: Any) -> Lot:
    trade = fields.pop("trade", None) or make_trade()
    wanted: dict[str, Any] = {
        "account": trade.account,
        "symbol": trade.symbol,
        "side": trade.side,
        "opening_fill": trade.opening_fill,
        "opened_session": SESSION,
        "quantity": 100,
        "remaining": 100,
        "cost": "300",
        "cost_remaining": "300",
        "unit_cost": "3",
        "source": Source.IMPORTED,
    }
    return Lot.objects.create(trade=trade, **{**wanted, **fields})


def make_close(**fields: Any) -> LotClose:
    lot = fields.pop("lot", None) or make_lot(remaining=0, cost_remaining=0)
    wanted: dict[str, Any] = {
        "session": SESSION,
        "quantity": 100,
        "cost": "300",
        "proceeds": "350",
        "realised": "50",
        "source": Source.IMPORTED,
    }
    if "closing_action" not in fields:
        wanted["closing_fill"] = make_fill(account=lot.account, side="sell")
    return LotClose.objects.create(lot=lot, **{**wanted, **fields})


def make_equity(**fields: Any) -> EquityDay:
    wanted: dict[str, Any] = {
        "session": SESSION,
        "cash": "1000",
        "holdings": "500",
        "equity": "1500",
        "equity_at_zero": "1500",
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or make_account()
    return EquityDay.objects.create(account=account, **{**wanted, **fields})


def make_difference(**fields: Any) -> Difference:
    wanted: dict[str, Any] = {
        "kind": "cash",
        "ours": "1000",
        "theirs": "999.99",
        "difference": "0.01",
        "seen_at": NOW,
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or make_account()
    return Difference.objects.create(account=account, **{**wanted, **fields})


def make_finding(**fields: Any) -> LedgerFinding:
    wanted: dict[str, Any] = {
        "kind": "frozen_quote",
        "key": f"ledger: {next(_number)}",
        "severity": "warning",
        "symbol": "VIGL",
        "text": "no trade for 9 sessions",
        "found_at": NOW,
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or make_account()
    return LedgerFinding.objects.create(account=account, **{**wanted, **fields})
