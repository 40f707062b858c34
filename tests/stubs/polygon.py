"""Polygon's wire format: bodies as documented, and its refusals."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from tests.stubs.server import Answer

GROUPED = "/v2/aggs/grouped/locale/us/market/stocks/{}"
TICKERS = "/v3/reference/tickers"
SPLITS = "/stocks/v1/splits"


def grouped_path(day: date) -> str:
    return GROUPED.format(day)


def closing_ms(day: date) -> int:
    """16:00 New York: grouped daily stamps the end of the window."""
    close = datetime.combine(day, time(16), tzinfo=ZoneInfo("America/New_York"))
    return int(close.timestamp() * 1000)


def bar(symbol: str, day: date, **changes: Any) -> dict[str, Any]:
    made = {"T": symbol, "c": 3.1, "h": 3.3, "l": 2.9, "n": 74, "o": 3.0, "v": 4369, "vw": 3.05}
    return {**made, "t": closing_ms(day), **changes}


def grouped(*bars: dict[str, Any]) -> dict[str, Any]:
    return {
        "adjusted": False,
        "queryCount": len(bars),
        "resultsCount": len(bars),
        "status": "OK",
        "request_id": "6a7e466379af0a71039d60cc78e72282",
        "results": list(bars),
    }


HOLIDAY = {"queryCount": 0, "resultsCount": 0, "adjusted": False, "status": "OK"}


def page(*results: dict[str, Any], next_url: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"status": "OK", "request_id": "r", "count": len(results)}
    made["results"] = list(results)
    return {**made, "next_url": next_url} if next_url else made


def refusal(status: int, text: str, *, under: str = "message") -> Answer:
    name = "NOT_AUTHORIZED" if status == 403 else "ERROR"
    return Answer({"status": name, "request_id": "r", under: text}, status=status)


UNKNOWN_KEY = refusal(401, "Unknown API Key", under="error")
NO_KEY = refusal(400, "API Key was not provided", under="error")
NOT_IN_PLAN = refusal(
    403,
    "You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing",
)
TOO_OLD = refusal(403, "Your plan doesn't include this data timeframe. Please upgrade your plan.")
TOO_EARLY = refusal(
    403, "Attempted to request today's data before end of day. Please upgrade your plan."
)
BUSY = Answer(
    {"status": "ERROR", "error": "You've exceeded the maximum requests per minute"}, status=429
)
