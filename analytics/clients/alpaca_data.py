"""Alpaca's daily bars, the fallback when there are none from the main provider.

A feed is stated with every question and comes back with the answer: IEX sees a few per cent of
the volume, so a spike measured there cannot be compared with one on consolidated volume, and
the two must never meet in one series.

Source: Alpaca's OpenAPI description, as summarised in the project's notes on interfaces.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from analytics.clients import rows
from analytics.clients.answers import NotInPlan, NotPublishedYet
from analytics.clients.files import Reading
from analytics.clients.http import JsonClient
from analytics.clients.pace import Pace
from analytics.errors import BadAnswer, DomainError, UpstreamError
from analytics.lake import bars

BASE_URL: Final = "https://data.alpaca.markets"
FEEDS: Final = ("sip", "iex")
SYMBOLS_AT_ONCE: Final = 100  # in one question
MOST_PAGES: Final = 2_000
NUMBER: Final = pl.Float64()
PREFERRED: Final = re.compile(r"([A-Z]+)p([A-Z]?)")  # Polygon's KIMpL is Alpaca's KIM.PRL

BAR: Final[dict[str, tuple[str, pl.DataType]]] = {
    "symbol": ("symbol", pl.String()),
    "starts": ("t", rows.INSTANT),
    "open": ("o", NUMBER),
    "high": ("h", NUMBER),
    "low": ("l", NUMBER),
    "close": ("c", NUMBER),
    "volume": ("v", NUMBER),
    "vwap": ("vw", NUMBER),
    "trades": ("n", pl.Int64()),
}


class UnknownFeed(DomainError):
    """Bars come from the consolidated tape (sip) or from IEX (iex)."""


@dataclass(frozen=True, kw_only=True)
class FeedBars:
    """Daily bars, and the one feed that they all come from."""

    feed: str
    reading: Reading


def refusal(status: int, told: str) -> UpstreamError | None:
    """A 403 that speaks of the subscription is no fault of the key."""
    words = told.lower()
    if status == 403 and "subscription" in words:
        return NotPublishedYet(told) if "recent" in words else NotInPlan(told)
    return None


class AlpacaData:
    """Daily bars. Raises as :meth:`JsonClient.get` does.

    Args:
        key: Goes into a header.
        secret: Goes into a header.
        base_url: The only host that is asked.
        pace: The rate limit shared by all workers.
        options: Passed on to :class:`JsonClient`.
    """

    def __init__(
        self,
        key: str,
        secret: str,
        *,
        base_url: str = BASE_URL,
        pace: Pace | None = None,
        **options: Any,
    ) -> None:
        self.http = JsonClient(
            base_url,
            provider="Alpaca",
            auth={"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret},
            pace=pace,
            refusal=refusal,
            **options,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __enter__(self) -> "AlpacaData":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def daily_bars(self, symbols: Sequence[str], *, first: date, last: date, feed: str) -> FeedBars:
        """Return daily bars, raw as traded, of ``symbols`` from ``first`` to ``last``.

        Args:
            symbols: In our spelling (Polygon's).
            first: First session.
            last: Last session, included.
            feed: ``sip`` (consolidated) or ``iex``.

        Returns:
            Bars in the lake's columns and ``line``, sorted by symbol and session; a symbol
            without trades has none.

        Raises:
            UnknownFeed: ``feed`` is neither.
            NotPublishedYet: The plan shows this feed some minutes late, and it is too early.
            NotInPlan: The plan does not have this feed.
        """
        if feed not in FEEDS:
            raise UnknownFeed(f"feed must be one of {', '.join(FEEDS)}, not {feed!r}")
        ours = {_theirs(symbol): symbol for symbol in symbols}
        names = sorted(ours)
        by_symbol: dict[str, list[dict[str, Any]]] = {}
        for start in range(0, len(names), SYMBOLS_AT_ONCE):
            self._merge(names[start : start + SYMBOLS_AT_ONCE], first, last, feed, by_symbol)
        flat = [
            {**bar, "symbol": ours.get(name, name)}
            for name, found in by_symbol.items()
            for bar in found
        ]
        return FeedBars(feed=feed, reading=_reading(flat, first, last))

    def _merge(
        self,
        names: list[str],
        first: date,
        last: date,
        feed: str,
        by_symbol: dict[str, list[dict[str, Any]]],
    ) -> None:
        """Add the bars of all pages: one symbol can fill a page and go on in the next."""
        path, params = (
            "/v2/stocks/bars",
            {
                "symbols": ",".join(names),
                "timeframe": "1Day",
                "start": str(first),
                "end": str(last),
                "adjustment": "raw",
                "feed": feed,
                "limit": "10000",
            },
        )
        seen: set[str] = set()
        for _page in range(MOST_PAGES):
            body = self.http.get(path, **params)
            found = body.get("bars") or {}
            if not isinstance(found, dict):
                raise BadAnswer(f"Alpaca {path}: 'bars' is not an object")
            for name in found:
                by_symbol.setdefault(name, []).extend(rows.objects(found, name, f"Alpaca {path}"))
            token = body.get("next_page_token")
            if not token:
                return
            if str(token) in seen:
                raise BadAnswer(f"Alpaca {path}: the pages go round in a circle")
            seen.add(str(token))
            params = {**params, "page_token": str(token)}
        raise BadAnswer(f"Alpaca {path}: more than {MOST_PAGES} pages")


def _reading(flat: list[dict[str, Any]], first: date, last: date) -> Reading:
    day = pl.col("starts").dt.convert_time_zone("America/New_York").dt.date()
    frame = rows.table(flat, BAR).with_columns(session=day, quality=pl.lit(0, pl.Int8))
    wrong = [
        ("wrong_session", ~pl.col("session").is_between(first, last)),
        ("bad_price", pl.col("close").is_null()),
        ("bad_volume", pl.col("volume").is_null()),
    ]
    kept, faults = rows.sound(frame, wrong, key=["symbol", "session"], data_set="bars")
    made = rows.complete(kept, bars.COLUMNS, "session").with_columns(kept["line"])
    return Reading(frame=made.sort("symbol", "session"), faults=faults)


def _theirs(symbol: str) -> str:
    """Return Alpaca's spelling: class shares are the same, preferreds are not [reported]."""
    preferred = PREFERRED.fullmatch(symbol)
    return f"{preferred[1]}.PR{preferred[2]}" if preferred else symbol
