"""Keep ``Security`` and the standing findings true to what the lake holds."""

from datetime import datetime
from typing import Any, Final

import polars as pl
from django.db import transaction
from django.db.models import Q

from analytics.calc import listings, quality, sessions
from analytics.models import ImportRun, Kind, Security
from analytics.services import findings, lakes

ROUNDS: Final = 3  # reads again if someone wrote to the lake meanwhile
CHUNK: Final = 1000  # rows or symbols per statement
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
    for _ in range(ROUNDS):
        versions = lake.versions()
        bars = lake.read("bars", columns=SERIES_COLUMNS, symbols=symbols)
        lists = lake.read("symbols", symbols=symbols)
        splits = lake.read("splits", columns=["symbol", "ex_date"], symbols=symbols)
        market = lake.coverage()
        cuts = listings.changes_of_company(lists)
        described = listings.describe(listings.periods(bars, cuts), lists)
        found = quality.series_findings(bars, splits, market)
        del bars
        _store_periods(described, symbols, source)
        total = Security.objects.filter(source__in=lakes.sources_beside(source)).count()
        feed = quality.feed_findings(
            market["session"].to_list(),
            symbols=total,
            last_finished=sessions.last_finished(now),
        )
        findings.replace_standing(
            found=pl.concat([found, feed]), symbols=[*symbols, ""], source=source, run=run
        )
        if lake.versions() == versions:
            return


def _store_periods(described: pl.DataFrame, symbols: list[str], source: str) -> None:
    """Make the rows of ``Security`` for ``symbols`` equal to ``described``."""
    beside = Q(source__in=lakes.sources_beside(source))
    wanted = {(row["symbol"], row["first_session"]): row for row in described.iter_rows(named=True)}
    with transaction.atomic():
        existing = {
            (security.symbol, security.first_session): security
            for part in _chunks(symbols)
            for security in Security.objects.filter(beside, symbol__in=part)
        }
        gone = [security.pk for key, security in existing.items() if key not in wanted]
        for part in _chunks(gone):
            Security.objects.filter(pk__in=part).delete()
        Security.objects.bulk_create(
            [
                Security(source=source, symbol=row["symbol"], **_facts(row))
                for key, row in wanted.items()
                if key not in existing
            ],
            batch_size=CHUNK,
            update_conflicts=True,  # another import may just have made the row
            update_fields=STORED,
            unique_fields=["source", "symbol", "first_session"],
        )
        moved = [
            security
            for key, security in existing.items()
            if key in wanted and _update(security, _facts(wanted[key]))
        ]
        Security.objects.bulk_update(moved, STORED, batch_size=CHUNK // 5)


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    kind = row["kind"] if row["kind"] in Kind.values else Kind.UNKNOWN
    texts = {field: row[field][:longest] for field, longest in LENGTHS.items()}
    return {
        "first_session": row["first_session"],
        "last_session": row["last_session"],
        "kind": kind,
        "delisted_on": row["delisted_on"],
        **texts,
    }


def _update(security: Security, facts: dict[str, Any]) -> bool:
    """Set ``facts`` on ``security``; say whether any of them was different."""
    different = {name: v for name, v in facts.items() if getattr(security, name) != v}
    for name, value in different.items():
        setattr(security, name, value)
    return bool(different)


def _chunks(items: list[Any]) -> list[list[Any]]:
    return [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]
