"""Keep ``Security`` and the standing findings true to what the lake holds."""

from datetime import datetime
from typing import Any, Final

import polars as pl
from django.db import transaction
from django.db.models import Q

from analytics.calc import listings, quality, sessions
from analytics.lake.tables import Lake
from analytics.models import ImportRun, Kind, Security
from analytics.services import bulk, findings, lakes

ROUNDS: Final = 3  # reads again if someone wrote to the lake meanwhile
AT_ONCE: Final = 4000  # symbols whose whole history is held in memory
CHUNK: Final = 1000  # rows or symbols per statement
KINDS: Final = frozenset(Kind.values)
LENGTHS: Final = {
    "name": 200,
    "exchange": 20,
    "sector": 80,
    "industry": 120,
    "country": 60,
    "figi": 12,
    "cik": 10,
}
STORED: Final = ["last_session", *listings.FIELDS, "delisted_on"]
SERIES_COLUMNS: Final = ["symbol", "session", "close", "volume", "quality"]


def refresh_symbols(
    *, symbols: list[str], source: str, now: datetime, run: ImportRun | None = None
) -> None:
    """Bring listing periods and series findings of ``symbols`` up to date with the lake.

    Safe to run again; the result depends on what the lake holds, not on the order in which
    it came. New findings are filed under ``run``; those no longer true are taken away.
    """
    lake = lakes.lake_of(source)
    market = lake.coverage()
    ordered = sorted(set(symbols))
    for at in range(0, len(ordered), AT_ONCE):
        _refresh(lake, ordered[at : at + AT_ONCE], market, source, run)
    total = Security.objects.filter(source__in=lakes.sources_beside(source)).count()
    feed = quality.feed_findings(
        market["session"].to_list(), symbols=total, last_finished=sessions.last_finished(now)
    )
    findings.replace_standing(found=feed, symbols=[""], source=source, run=run)


def _refresh(
    lake: Lake, symbols: list[str], market: pl.DataFrame, source: str, run: ImportRun | None
) -> None:
    """Do a part of the symbols; again if someone wrote to the lake meanwhile."""
    for turn in range(ROUNDS):
        versions = lake.versions()
        bars = lake.read("bars", columns=SERIES_COLUMNS, symbols=symbols)
        lists = lake.read("symbols", symbols=symbols)
        splits = lake.read("splits", columns=["symbol", "ex_date"], symbols=symbols)
        market = lake.coverage() if turn else market
        cuts = listings.changes_of_company(lists)
        described = listings.describe(listings.periods(bars, cuts), lists)
        found = quality.series_findings(bars, splits, market)
        del bars
        _store_periods(described, symbols, source)
        findings.replace_standing(found=found, symbols=symbols, source=source, run=run)
        if lake.versions() == versions:
            return


def _store_periods(described: pl.DataFrame, symbols: list[str], source: str) -> None:
    """Make the rows of ``Security`` for ``symbols`` equal to ``described``."""
    beside = Q(source__in=lakes.sources_beside(source))
    kept = ["pk", "source", "symbol", "first_session", *STORED]
    wanted = {(row["symbol"], row["first_session"]): row for row in described.iter_rows(named=True)}
    with transaction.atomic():
        existing = {
            (row["symbol"], row["first_session"]): row
            for part in _chunks(symbols)
            for row in Security.objects.filter(beside, symbol__in=part).values(*kept)
        }
        gone = [row["pk"] for key, row in existing.items() if key not in wanted]
        for part in _chunks(gone):
            Security.objects.filter(pk__in=part).delete()
        fresh = []
        for key, row in wanted.items():
            old, facts = existing.get(key), _facts(row)
            if old is None or any(old[name] != value for name, value in facts.items()):
                fresh.append(
                    {**facts, "symbol": key[0], "source": old["source"] if old else source}
                )
        columns = {name: [row[name] for row in fresh] for name in (fresh[0] if fresh else ())}
        if columns:
            bulk.upsert(Security, columns, key=["source", "symbol", "first_session"])


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    kind = row["kind"] if row["kind"] in KINDS else Kind.UNKNOWN.value
    texts = {field: row[field][:longest] for field, longest in LENGTHS.items()}
    return {
        "first_session": row["first_session"],
        "last_session": row["last_session"],
        "kind": kind,
        "delisted_on": row["delisted_on"],
        **texts,
    }


def _chunks(items: list[Any]) -> list[list[Any]]:
    return [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]
