"""Polygon.io (now Massive): bars of the whole market, market status, and how pages are read.

Prices are raw as traded. Tickers are case-sensitive: ``KIMpL`` is KIM preferred L, and this
spelling is the one we keep everywhere.

Source: the provider's OpenAPI description, as summarised in the project's notes on interfaces.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from analytics.calc import sessions
from analytics.clients import rows
from analytics.clients.answers import NotInPlan, NotPublishedYet, TooOldForPlan, Unauthorized
from analytics.clients.files import Reading
from analytics.clients.http import AT_ONCE, JsonClient
from analytics.clients.pace import Pace
from analytics.errors import BadAnswer, UpstreamError
from analytics.lake import bars

BASE_URL: Final = "https://api.massive.com"
MOST_PAGES: Final = 2_000  # a list longer than that is no list of ours
NUMBER: Final = pl.Float64()
KEY_PARAMETERS: Final = frozenset({"apikey", "api_key"})

GROUPED: Final[dict[str, tuple[str, pl.DataType]]] = {
    "symbol": ("T", pl.String()),
    "ends_ms": ("t", pl.Int64()),
    "open": ("o", NUMBER),
    "high": ("h", NUMBER),
    "low": ("l", NUMBER),
    "close": ("c", NUMBER),
    "volume": ("v", NUMBER),  # may be fractional
    "vwap": ("vw", NUMBER),
    "trades": ("n", pl.Int64()),
}
SNAPSHOT: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "updated_at": rows.INSTANT,
    "open": NUMBER,
    "high": NUMBER,
    "low": NUMBER,
    "last": NUMBER,
    "volume": NUMBER,  # so far today
    "vwap": NUMBER,
    "previous_close": NUMBER,
    "previous_volume": NUMBER,
}


def refusal(status: int, told: str) -> UpstreamError | None:
    """Tell the three 403s apart by their words; a missing key has been seen as 400 too."""
    words = told.lower()
    if status == 403 and "timeframe" in words:
        return TooOldForPlan(told)
    if status == 403 and ("before end of day" in words or "today's data" in words):
        return NotPublishedYet(told)
    if status == 403:
        return NotInPlan(told)
    if status == 400 and "api key" in words:
        return Unauthorized(told)
    return None


@dataclass(frozen=True, kw_only=True)
class MarketStatus:
    """What the market does now.

    Args:
        market: ``open``, ``closed`` or ``extended-hours``.
        at: The provider's time.
        early_hours: Before the open.
        after_hours: After the close.
    """

    market: str
    at: datetime
    early_hours: bool
    after_hours: bool

    @property
    def is_open(self) -> bool:
        """Regular trading goes on."""
        return self.market == "open"


@dataclass(frozen=True, kw_only=True)
class SpecialDay:
    """A day to come on which an exchange is closed or closes early."""

    day: date
    exchange: str
    name: str
    status: str  # closed, early-close
    opens_at: datetime | None
    closes_at: datetime | None


class Polygon:
    """Market data. Every method raises as :meth:`JsonClient.get` does.

    :class:`NotInPlan`, :class:`TooOldForPlan` and :class:`NotPublishedYet` are three
    different answers: leave it, do not ask so far back, ask again later.

    Args:
        key: Goes into a header, never into a URL.
        base_url: The only host that is asked, whatever an answer says.
        pace: The rate limit shared by all workers; None for an unlimited plan.
        options: Passed on to :class:`JsonClient`.
    """

    def __init__(
        self, key: str, *, base_url: str = BASE_URL, pace: Pace | None = None, **options: Any
    ) -> None:
        self.http = JsonClient(
            base_url,
            provider="Polygon",
            auth={"Authorization": f"Bearer {key}"},
            pace=pace,
            refusal=refusal,
            **options,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __enter__(self) -> "Polygon":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def grouped_daily(self, session: date) -> Reading:
        """Return the bar of every US stock for one session, raw as traded.

        Returns:
            A reading whose frame has the columns of the lake's bars and ``line``; symbols are
            unique. Rows that repeat a symbol, name none or belong to another day are faults.
            Empty on a day that is no session.

        Raises:
            NotPublishedYet: No row for a session.
        """
        return _grouped(session, self.http.get(_grouped_path(session), **_AS_TRADED))

    def grouped_daily_of(
        self, days: Sequence[date], *, at_once: int = AT_ONCE
    ) -> Generator[tuple[date, Reading | UpstreamError], None, None]:
        """Yield :meth:`grouped_daily`, or the error instead, of each day in order.

        Several are asked for at the same time, as far as the rate limit lets them; what
        lies more than ``at_once`` days ahead of the caller is not asked for yet.
        """
        wanted = [(_grouped_path(day), _AS_TRADED) for day in days]
        with closing(self.http.get_each(wanted, at_once=at_once)) as answers:
            for day, answer in zip(days, answers, strict=True):
                if isinstance(answer, UpstreamError):
                    yield day, answer
                else:
                    yield day, _grouped_or_error(day, answer)

    def snapshot(self) -> pl.DataFrame:
        """Return what every stock has done so far today (needs a plan with snapshots).

        Returns:
            Columns as in ``SNAPSHOT``, sorted by symbol. Zeros, which stand before the first
            trade, are null: no data yet.

        Raises:
            NotInPlan: The plan has no snapshots.
        """
        path = "/v2/snapshot/locale/us/markets/stocks/tickers"
        found = rows.objects(self.http.get(path, include_otc="false"), "tickers", path)
        flat = [_flat_snapshot(row) for row in found if isinstance(row.get("ticker"), str)]
        columns = {
            name: (name, dtype if name != "updated_at" else pl.Int64())
            for name, dtype in SNAPSHOT.items()
        }
        frame = rows.table(flat, columns).with_columns(
            updated_at=pl.from_epoch("updated_at", time_unit="ns").dt.replace_time_zone("UTC")
        )
        seen = [
            pl.when(pl.col(name) > 0).then(pl.col(name)).alias(name)
            for name, dtype in SNAPSHOT.items()
            if dtype == NUMBER
        ]
        frame = frame.with_columns(seen).select(
            pl.col(name).cast(dtype) for name, dtype in SNAPSHOT.items()
        )
        return frame.unique("symbol", keep="first", maintain_order=True).sort("symbol")

    def market_status(self) -> MarketStatus:
        """Return what the market does now."""
        path = "/v1/marketstatus/now"
        body = self.http.get(path)
        at = rows.instant_of(body.get("serverTime"))
        if at is None or not isinstance(body.get("market"), str):
            raise BadAnswer(f"{path}: no market or no serverTime")
        return MarketStatus(
            market=body["market"],
            at=at,
            early_hours=body.get("earlyHours") is True,
            after_hours=body.get("afterHours") is True,
        )

    def special_days(self) -> list[SpecialDay]:
        """Return the holidays and early closes to come, one per exchange and day."""
        found = self.http.get_array("/v1/marketstatus/upcoming")
        return [
            SpecialDay(
                day=day,
                exchange=str(row.get("exchange", "")),
                name=str(row.get("name", "")),
                status=str(row.get("status", "")),
                opens_at=rows.instant_of(row.get("open")),
                closes_at=rows.instant_of(row.get("close")),
            )
            for row in found
            if isinstance(row, dict) and (day := rows.day_of(row.get("date")))
        ]

    def pages(self, path: str, **params: str) -> Iterator[list[dict[str, Any]]]:
        """Yield the ``results`` of each page.

        ``next_url`` names a host; only its path and query are used, on the host we were
        given, so that the key goes nowhere else.

        Raises:
            BadAnswer: A page leads back to one that was read, or there is no end of them.
        """
        asked: set[tuple[str, frozenset[tuple[str, str]]]] = set()
        for _page in range(MOST_PAGES):
            mark = (path, frozenset(params.items()))
            if mark in asked:
                raise BadAnswer(f"Polygon {path}: the pages go round in a circle")
            asked.add(mark)
            body = self.http.get(path, **params)
            yield rows.objects(body, "results", f"Polygon {path}")
            following = body.get("next_url")
            if not following:
                return
            path, params = _rebased(following, path)
        raise BadAnswer(f"Polygon {path}: more than {MOST_PAGES} pages")

    def all_rows(self, path: str, **params: str) -> list[dict[str, Any]]:
        """Return the ``results`` of all pages."""
        return [row for page in self.pages(path, **params) for row in page]


_AS_TRADED: Final = {"adjusted": "false", "include_otc": "false"}


def _grouped_path(session: date) -> str:
    return f"/v2/aggs/grouped/locale/us/market/stocks/{session}"


def _grouped(session: date, body: dict[str, Any]) -> Reading:
    found = rows.objects(body, "results", f"Polygon grouped daily {session}")
    if not found and sessions.is_session(session):
        raise NotPublishedYet(f"Polygon grouped daily {session}: no rows yet")
    end = pl.from_epoch("ends_ms", time_unit="ms").dt.replace_time_zone("UTC")
    day = end.dt.convert_time_zone("America/New_York").dt.date()
    frame = rows.table(found, GROUPED).with_columns(
        session=pl.lit(session, pl.Date), quality=pl.lit(0, pl.Int8), _day=day
    )
    wrong = [
        ("wrong_session", pl.col("_day") != session),
        ("bad_price", pl.col("close").is_null()),
        ("bad_volume", pl.col("volume").is_null()),
    ]
    kept, faults = rows.sound(frame, wrong, key=["symbol", "session"], data_set="bars")
    if found and kept.is_empty():
        raise BadAnswer(f"Polygon grouped daily {session}: not one usable row of {len(found)}")
    made = rows.complete(kept, bars.COLUMNS, "session")
    return Reading(frame=made.with_columns(kept["line"]), faults=faults)


def _grouped_or_error(session: date, body: dict[str, Any]) -> Reading | UpstreamError:
    try:
        return _grouped(session, body)
    except UpstreamError as error:
        return error


def _flat_snapshot(row: dict[str, Any]) -> dict[str, Any]:
    day, before, minute, trade = (
        part if isinstance(part := row.get(key), dict) else {}
        for key in ("day", "prevDay", "min", "lastTrade")
    )
    return {
        "symbol": row["ticker"],
        "updated_at": row.get("updated") or None,
        "open": day.get("o"),
        "high": day.get("h"),
        "low": day.get("l"),
        "last": trade.get("p") or day.get("c") or minute.get("c"),
        "volume": day.get("v") or minute.get("av"),
        "vwap": day.get("vw"),
        "previous_close": before.get("c"),
        "previous_volume": before.get("v"),
    }


def _rebased(following: object, path: str) -> tuple[str, dict[str, str]]:
    """Return path and parameters of ``next_url``, without its host and without any key."""
    try:
        parts = urlsplit(str(following))
    except ValueError as error:
        raise BadAnswer(f"Polygon {path}: next_url is no URL") from error
    if not parts.path.strip("/"):
        raise BadAnswer(f"Polygon {path}: next_url has no path")
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = {name: value for name, value in query if name.lower() not in KEY_PARAMETERS}
    return "/" + parts.path.lstrip("/"), kept
