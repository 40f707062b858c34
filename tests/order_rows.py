"""Rows of advice, broken rules, proposals and orders."""

from datetime import timedelta
from itertools import count
from typing import Any

from analytics.models import Source
from performance.models import (
    BrokerOrder,
    OrderEvent,
    OrderProposal,
    PositionAdvice,
    RuleBreach,
    TradingSwitch,
)
from tests import factories
from tests.instants import NOW, SESSION

_number = count(1)


def make_advice(**fields: Any) -> PositionAdvice:
    wanted: dict[str, Any] = {
        "symbol": "VIGL",
        "session": SESSION,
        "advice": "HOLD",
        "reason": "the entry thesis stands",
        "reasons": ["the entry thesis stands"],
        "stop_state": "working",
        "stop_text": "a stop of $2.55 works at the broker",
        "advised_at": NOW,
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or factories.make_account()
    return PositionAdvice.objects.create(account=account, **{**wanted, **fields})


def make_breach(**fields: Any) -> RuleBreach:
    wanted: dict[str, Any] = {
        "rule": "oversize",
        "symbol": "VIGL",
        "opened_at": NOW,
        "session": SESSION,
        "measured": 0.2,
        "allowed": 0.1,
        "text": "entered at 20.0% of equity, 10.0% are allowed",
        "found_at": NOW,
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or factories.make_account()
    return RuleBreach.objects.create(account=account, **{**wanted, **fields})


def make_proposal(**fields: Any) -> OrderProposal:
    wanted: dict[str, Any] = {
        "key": f"close VIGL {next(_number)}",
        "kind": "close",
        "symbol": "VIGL",
        "side": "sell",
        "quantity": 100,
        "order_type": "market",
        "reason": "loss of -30.0% is beyond -25%",
        "risk": "a market order takes the price it finds",
        "proposed_at": NOW,
        "expires_at": NOW + timedelta(days=1),
        "source": Source.IMPORTED,
    }
    account = fields.pop("account", None) or factories.make_account()
    return OrderProposal.objects.create(account=account, **{**wanted, **fields})


def make_order(**fields: Any) -> BrokerOrder:
    """Store an order; its proposal is confirmed by a person of its own unless given."""
    person = fields.pop("confirmed_by", None) or factories.make_user()
    proposal = fields.pop("proposal", None) or make_proposal(
        state="confirmed", decided_by=person, decided_at=NOW
    )
    same = ("account", "symbol", "side", "quantity", "order_type", "limit_price", "stop_price")
    wanted: dict[str, Any] = {
        **{name: getattr(proposal, name) for name in same},
        "time_in_force": proposal.time_in_force,
        "client_order_id": f"amc-{next(_number)}",
        "confirmed_by": person,
        "confirmed_at": NOW,
        "source": proposal.source,
    }
    return BrokerOrder.objects.create(proposal=proposal, **{**wanted, **fields})


def make_event(**fields: Any) -> OrderEvent:
    proposal = fields.pop("proposal", None) or make_proposal()
    return OrderEvent.objects.create(proposal=proposal, **{"what": "proposed", "at": NOW, **fields})


def make_switch(**fields: Any) -> TradingSwitch:
    row, _ = TradingSwitch.objects.update_or_create(
        pk=1, defaults={"is_halted": False, "changed_at": NOW, **fields}
    )
    return row
