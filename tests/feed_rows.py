"""Rows about providers for tests: each call states only what the test is about."""

from itertools import count
from typing import Any

from analytics.models import (
    Alert,
    AlertDelivery,
    AlertRoute,
    DataSetState,
    Filing,
    Halt,
    HeldSession,
    LiveQuote,
)
from tests.factories import NOW, SESSION

_number = count(1)


def make_state(**fields: Any) -> DataSetState:
    wanted = {"data_set": "bars", "state": "current", "provider": "polygon", "checked_at": NOW}
    return DataSetState.objects.create(**{**wanted, **fields})


def make_hold(**fields: Any) -> HeldSession:
    wanted = {
        "session": SESSION,
        "gate": "too_few_symbols",
        "reason": "5 symbols where 24 are usual",
        "provider": "polygon",
        "held_at": NOW,
        "source": "live",
    }
    return HeldSession.objects.create(**{**wanted, **fields})


def make_filing(**fields: Any) -> Filing:
    wanted = {
        "accession": f"0001-24-{next(_number):06}",
        "symbol": "VIGL",
        "cik": "0000320193",
        "kind": "424B",
        "form": "424B5",
        "accepted_at": NOW,
        "url": "https://www.sec.gov/x",
        "fetched_at": NOW,
    }
    return Filing.objects.create(**{**wanted, **fields})


def make_halt(**fields: Any) -> Halt:
    wanted = {"symbol": "VIGL", "reason": "LUDP", "halted_at": NOW, "fetched_at": NOW}
    return Halt.objects.create(**{**wanted, **fields})


def make_quote(**fields: Any) -> LiveQuote:
    wanted = {
        "symbol": "VIGL",
        "session": SESSION,
        "as_of": NOW,
        "last": 3.5,
        "previous_close": 3.0,
        "volume": 4e6,
        "usual_volume": 1e6,
        "rel_volume": 4.0,
    }
    return LiveQuote.objects.create(**{**wanted, **fields})


def make_alert(**fields: Any) -> Alert:
    wanted = {
        "kind": "volume",
        "severity": "info",
        "symbol": "VIGL",
        "session": SESSION,
        "message": "VIGL at 3.50, volume 16.0x the usual by now (provisional)",
        "provisional": True,
        "crossed_at": NOW,
        "source": "live",
    }
    return Alert.objects.create(**{**wanted, **fields})


def make_route(**fields: Any) -> AlertRoute:
    wanted = {"name": "desk", "channel": "email", "address": "trader@example.com"}
    return AlertRoute.objects.create(**{**wanted, **fields})


def make_delivery(**fields: Any) -> AlertDelivery:
    alert = fields.get("alert") or make_alert(symbol=f"D{next(_number)}")
    wanted = {"alert": alert, "due_at": NOW}
    wanted["route"] = fields.get("route") or make_route(name=f"desk {next(_number)}")
    return AlertDelivery.objects.create(**{**wanted, **fields})
