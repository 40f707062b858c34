"""A company under other tickers: its listing periods are linked by FIGI, never joined.

A rename ends one listing period and begins another; features and outcomes do not cross
(design §3). The link is for people: what the company was called before, and its bars then.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from analytics.calc import sessions
from analytics.clients import polygon_tickers
from analytics.clients.answers import NotFound
from analytics.clients.files import Reading
from analytics.clients.polygon import Polygon
from analytics.clients.polygon_tickers import Rename
from analytics.models import Kind, Security, Source
from analytics.services import lakes, reference_sync
from analytics.services.reference_sync import Stored

ORIGIN: Final = "polygon-renames"
NEW_WITHIN: Final = 40  # sessions: tickers that are so young may be renamed companies
MOST: Final = 30  # companies asked about at a time, one question each


@dataclass(frozen=True, kw_only=True)
class OtherName:
    """A listing period of the same share class under another ticker."""

    symbol: str
    first: date
    last: date
    name: str


def get_other_names(*, symbol: str, source: str) -> list[OtherName]:
    """Return the listing periods of the companies behind ``symbol`` under other tickers.

    Two periods are of one company if the lists give them the same share-class FIGI. Newest
    first.
    """
    beside = Security.objects.filter(source__in=lakes.sources_beside(source))
    figis = beside.filter(symbol=symbol).exclude(figi="").values("figi")
    others = beside.filter(figi__in=figis).exclude(symbol=symbol)
    return [
        OtherName(symbol=row.symbol, first=row.first_session, last=row.last_session, name=row.name)
        for row in others.order_by("-last_session", "symbol")
    ]


def sync_renames(*, polygon: Polygon, now: datetime) -> Stored:
    """Ask under which tickers the companies behind young ones have traded, and store it.

    Common stocks and ADRs of the last 40 sessions with a FIGI, each asked about once, by the
    ticker it bears now; at most 30 at a time, the youngest first. Safe to run again.

    Raises:
        NotInPlan: The plan has no ticker events.
        UpstreamError: The provider let us down.
    """
    found = []
    for company in _unasked(now):
        try:
            names = polygon_tickers.renames(polygon, of=company.symbol)
        except NotFound:
            names = []
        found += _rows(company, names, now)
    frame = pl.DataFrame(found, schema=_SCHEMA, orient="row")
    kept = frame.unique(["symbol", "first_date"], keep="first", maintain_order=True)
    day = now.astimezone(sessions.NEW_YORK).date()
    return reference_sync.store_reading(
        table="symbols", reading=Reading(frame=kept), name=f"polygon renames {day}", now=now
    )


_SCHEMA: Final = {
    "symbol": pl.String,
    "first_date": pl.Date,
    "last_date": pl.Date,
    "figi": pl.String,
    "origin": pl.String,
    "assumed": pl.Boolean,
}


@dataclass(frozen=True, kw_only=True)
class _Company:
    symbol: str
    since: date
    figi: str


def _unasked(now: datetime) -> list[_Company]:
    """Return the companies behind young tickers that were not asked about."""
    since = sessions.offset(sessions.last_finished(now), -NEW_WITHIN)
    stored = lakes.lake_of(Source.LIVE).sessions()[:1]  # who was there from the start is not young
    young = Security.objects.filter(
        source__in=lakes.sources_beside(Source.LIVE),
        kind__in=[Kind.COMMON, Kind.ADR],
        first_session__gte=max([since, *(sessions.offset(day, 1) for day in stored)]),
    ).exclude(figi="")
    rows = list(
        young.order_by("-first_session", "symbol").values_list("symbol", "first_session", "figi")
    )
    symbols = [symbol for symbol, _, _ in rows]
    lists = lakes.lake_of(Source.LIVE).read("symbols", symbols=symbols)
    asked = set(lists.filter(origin=ORIGIN)["figi"].to_list())
    return [
        _Company(symbol=symbol, since=first, figi=figi)
        for symbol, first, figi in rows
        if figi not in asked
    ][:MOST]


def _rows(company: _Company, names: list[Rename], now: datetime) -> list[tuple[object, ...]]:
    """Return the days between which the company bore each of its tickers."""
    today = now.astimezone(sessions.NEW_YORK).date()
    if not names:  # nothing is known of it: that it was asked about is noted
        names = [Rename(symbol=company.symbol, since=company.since, name="")]
    ends = [later.since - timedelta(days=1) for _, later in pairwise(names)]
    return [
        (name.symbol, name.since, max(end, name.since), company.figi, ORIGIN, False)
        for name, end in zip(names, [*ends, today], strict=True)
    ]
