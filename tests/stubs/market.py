"""A small market behind a Polygon stub: bars, lists and splits of a few hundred sessions."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from analytics.calc import sessions
from tests.stubs import polygon as wire
from tests.stubs.server import Stub

SYMBOLS = [f"S{n:02}" for n in range(24)]


def bars_of(day: date, symbols: Sequence[str] = SYMBOLS, **changes: Any) -> list[dict[str, Any]]:
    """A bar per symbol; every session has figures of its own."""
    number = sessions.number(day)
    return [
        wire.bar(
            symbol,
            day,
            **(
                {
                    "o": 3.0 + place / 10,
                    "h": 4.5 + place / 10,
                    "l": 2.5 + place / 10,
                    "c": 3.0 + place / 10 + (number % 7) / 20,
                    "v": 900_000 + 1_000 * place + number + 0.5,
                }
                | changes
            ),
        )
        for place, symbol in enumerate(symbols)
    ]


def put_session(stub: Stub, day: date, bars: list[dict[str, Any]] | None = None) -> None:
    stub.on(wire.grouped_path(day), wire.grouped(*(bars_of(day) if bars is None else bars)))


def ticker(symbol: str, **changes: Any) -> dict[str, Any]:
    made = {
        "ticker": symbol,
        "name": f"{symbol} Inc.",
        "market": "stocks",
        "locale": "us",
        "type": "CS",
        "primary_exchange": "XNAS",
        "active": True,
        "cik": "0000320193",
        "share_class_figi": f"BBG001{symbol:0>6}"[:12],
    }
    return made | changes


def put_lists(
    stub: Stub, active: Sequence[dict[str, Any]], gone: Sequence[dict[str, Any]] = ()
) -> None:
    """Answer lists as of any day: first those listed, then those delisted, and so on."""
    stub.on(wire.TICKERS, *([wire.page(*active), wire.page(*gone)] * 20))


def put_market(stub: Stub, first: date, last: date) -> list[date]:
    """Answer everything a backfill of ``first`` to ``last`` asks for."""
    days = sessions.between(first, last)
    for day in days:
        put_session(stub, day)
    put_lists(stub, [ticker(symbol) for symbol in SYMBOLS])
    stub.on(wire.SPLITS, wire.page())
    for path in ("/stocks/v1/short-interest", "/stocks/v1/short-volume", "/v2/reference/news"):
        stub.on(path, wire.NOT_IN_PLAN)
    stub.on("/stocks/vX/float", wire.page())
    return days


def body(day: date, symbols: Sequence[str]) -> bytes:
    """The body of a session of that many symbols, for measuring."""
    return json.dumps(wire.grouped(*bars_of(day, symbols))).encode()
