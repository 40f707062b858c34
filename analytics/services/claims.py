"""Have claimed performances checked, and keep what was found (design §2)."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from io import StringIO
from typing import Any

import polars as pl
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from analytics.calc import claims
from analytics.calc.claims import Item, Pick, Totals
from analytics.errors import DomainError
from analytics.models import Baseline, ClaimAudit, ClaimItem, ReferencePattern, Verdict
from analytics.services import lakes
from analytics.services.backtesting import digest_of

MOST_PICKS = 2_000
LARGEST_FILE = 1_000_000  # bytes
COLUMNS = (
    "symbol", "entry_date", "entry_price", "exit_date", "exit_price", "peak_date", "peak_price",
    "return_pct", "shares",
)  # fmt: skip


class BadClaims(DomainError):
    """The file cannot be read as picks."""


class NoBaseline(DomainError):
    """There is no baseline to check."""


def record_baseline_audit(
    *,
    source: str,
    now: datetime,
    baseline: Baseline | None = None,
    requested_by: User | None = None,
) -> ClaimAudit:
    """Check the baseline, its best performers and what was said of past winners.

    Raises:
        NoBaseline: None is stored.
    """
    row = baseline or Baseline.objects.order_by("pk").first()
    if row is None:
        raise NoBaseline("There is no baseline; `manage.py setup` stores the mission's.")
    totals = Totals(
        picks=row.picks,
        winners=row.winners,
        explosive=row.explosive,
        average_return=row.average_return,
        profit=float(row.profit_usd),
        invested=float(row.invested_usd),
    )
    items = claims.check_totals(totals, row.stars)
    gains = [star["return"] for star in row.stars]
    if gains:
        items.append(claims.check_winners_average(gains))
    items += [claims.check_similarity(name, said) for name, said in claims.SIMILARITIES.items()]
    picks = [
        Pick(
            symbol=star["symbol"],
            entry=star.get("entry"),
            exit=star.get("peak"),
            is_peak=True,
            gain=star["return"],
            entry_session=_signal_of(star["symbol"]),
        )
        for star in row.stars
    ]
    return _store(f"Baseline {row.period}", items, picks, source, now, requested_by, row)


def record_upload_audit(
    *, title: str, text: str, source: str, now: datetime, requested_by: User | None = None
) -> ClaimAudit:
    """Check a CSV of picks.

    Args:
        title: What it is called.
        text: With a header; columns are those of ``COLUMNS``, of which ``symbol``,
            ``entry_date`` and ``entry_price`` are needed. Dates are YYYY-MM-DD, prices USD as
            traded, ``return_pct`` percent.
        source: Whose bars it is checked against.
        now: Written on the audit.
        requested_by: The person.

    Raises:
        BadClaims: A column, a date or a number cannot be used; the message names the line.
    """
    return _store(title[:120], [], read_picks(text), source, now, requested_by, None)


def read_picks(text: str) -> list[Pick]:
    """Return the picks of a CSV. See :func:`record_upload_audit`.

    Raises:
        BadClaims: A column, a date or a number cannot be used; the message names the line.
    """
    if len(text.encode()) > LARGEST_FILE:
        raise BadClaims(f"The file is larger than {LARGEST_FILE:,} bytes.")
    rows = csv.DictReader(StringIO(text.lstrip("\ufeff")))
    named = [name.strip().lower() for name in rows.fieldnames or []]
    unknown, missing = set(named) - set(COLUMNS), set(COLUMNS[:3]) - set(named)
    if unknown or missing:
        wrong = f"unknown {sorted(unknown)}" if unknown else f"missing {sorted(missing)}"
        raise BadClaims(f"Columns: {wrong}. There are: {', '.join(COLUMNS)}.")
    rows.fieldnames = named
    picks: list[Pick] = []
    for row in rows:
        if len(picks) == MOST_PICKS:
            raise BadClaims(f"There are more than {MOST_PICKS} picks.")
        try:
            picks.append(_pick({name: (row.get(name) or "").strip() for name in named}))
        except ValueError as error:
            raise BadClaims(f"Line {rows.line_num}: {error}.") from error
    if not picks:
        raise BadClaims("The file holds no pick.")
    return picks


def get_audits() -> QuerySet[ClaimAudit]:
    """Return the audits, newest first, with the number of items by verdict."""
    counts = {
        f"count_{verdict}": Count("items", filter=Q(items__verdict=verdict))
        for verdict in Verdict.values
    }
    found = ClaimAudit.objects.annotate(**counts).select_related("baseline", "requested_by")
    return found.order_by("-created_at", "-pk")


def _pick(row: Mapping[str, str]) -> Pick:
    symbol = row["symbol"].upper()
    if not symbol or len(symbol) > 16:
        raise ValueError("a symbol of 1 to 16 letters is needed")
    sold = bool(row.get("exit_price"))
    word = "exit" if sold else "peak"
    gain = _number(row.get("return_pct"))
    return Pick(
        symbol=symbol,
        entry_session=_day(row["entry_date"]),
        entry=_number(row["entry_price"]),
        exit_session=_day(row.get(f"{word}_date")),
        exit=_number(row.get(f"{word}_price")),
        is_peak=not sold,
        gain=None if gain is None else gain / 100,
        shares=_number(row.get("shares")),
    )


def _number(text: str | None) -> float | None:
    if not text:
        return None
    value = float(text.replace("$", "").replace("%", ""))
    if not abs(value) < 1e12:
        raise ValueError(f"{text!r} is no number")
    return value


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _signal_of(symbol: str) -> date | None:
    """Return the signal session that a person has recorded for a reference."""
    row = ReferencePattern.objects.filter(symbol=symbol).first()
    return row.signal_session if row else None


def _store(
    title: str,
    items: Sequence[Item],
    picks: Sequence[Pick],
    source: str,
    now: datetime,
    requested_by: User | None,
    baseline: Baseline | None,
) -> ClaimAudit:
    lake = lakes.lake_of(source)
    versions = lake.versions()
    found = [*items, *_checked(picks, source)]
    said: list[dict[str, Any]] = [
        {"kind": item.kind, "subject": item.subject, "claim": item.claim} for item in found
    ]
    with transaction.atomic():
        audit = ClaimAudit.objects.create(
            title=title,
            baseline=baseline,
            digest=digest_of(said),
            lake_versions=versions,
            requested_by=requested_by,
            created_at=now,
            source=source,
        )
        ClaimItem.objects.bulk_create(
            ClaimItem(audit=audit, position=at, **_shortened(item))
            for at, item in enumerate(found, 1)
        )
    return audit


def _shortened(item: Item) -> dict[str, str]:
    fields: dict[str, str] = asdict(item)
    return fields | {"claim": item.claim[:200], "subject": item.subject[:40]}


def _checked(picks: Sequence[Pick], source: str) -> list[Item]:
    """Check picks against the bars of their symbols, read once."""
    if not picks:
        return []
    lake = lakes.lake_of(source)
    covered = frozenset(lake.sessions())
    symbols = sorted({pick.symbol for pick in picks})
    columns = ["symbol", "session", "high", "low", "close", "volume"]
    bars = lake.read("bars", symbols=symbols, columns=columns)
    splits = lake.read("splits", symbols=symbols, columns=["symbol", "ex_date", "ratio"])
    found: list[Item] = []
    for pick in picks:
        own = pl.col("symbol") == pick.symbol
        found += claims.check_pick(pick, bars.filter(own), splits.filter(own), covered)
    return found
