"""What in a ledger cannot be right, or a reader must know: findings, never averages (design §10).

A finding stands until a rebuild, an import or a synchronisation no longer finds it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from analytics.calc import sessions
from analytics.services import bulk
from performance.calc.ledger import Ledger
from performance.calc.ledger_entries import DOLLAR, RATIO, FillEntry
from performance.calc.ledger_equity import Mark
from performance.models import Account, LedgerFinding
from performance.services.ledger_market import Market
from performance.services.ledger_reading import Reading

MARGIN: Final = 0.01  # beyond the session's range
LONGEST: Final = 300
REBUILD: Final = "ledger"
Kind = LedgerFinding.Kind
Severity = LedgerFinding.Severity


@dataclass(frozen=True, kw_only=True)
class Found:
    """A finding before it is stored; ``key`` says what it is about."""

    kind: str
    severity: str
    key: str
    symbol: str
    session: date | None
    text: str
    fill: int | None = None


def of_rebuild(
    *,
    ledger: Ledger,
    reading: Reading,
    market: Market,
    marks: dict[str, Mark],
    ends: dict[str, date],
) -> list[Found]:
    """Return all that a rebuild finds.

    Args:
        ledger: Read to its end.
        reading: What it was read from.
        market: Market data of its symbols.
        marks: Of what is held.
        ends: Last session of each listing.
    """
    recorded = set(reading.recorded_splits)
    return [
        *_oddities(ledger),
        *_assumed_splits(ledger, recorded),
        *_quotes(ledger, market, marks, ends),
        *_prices(reading.fills, market),
        *_twice(reading),
    ]


def record(
    *, account: Account, found: Sequence[Found], now: datetime, origin: str = REBUILD
) -> int:
    """Store new findings, resolve those of ``origin`` that are no more; return how many stand."""
    wanted = {(one.kind, f"{origin}: {one.key}"[:200]): one for one in found}
    stored = {
        (row.kind, row.key): row
        for row in LedgerFinding.objects.filter(account=account, key__startswith=f"{origin}: ")
    }
    gone = [row.pk for key, row in stored.items() if key not in wanted and not row.resolved_at]
    LedgerFinding.objects.filter(pk__in=gone).update(resolved_at=now)
    back = [
        _renewed(stored[key], one) for key, one in wanted.items() if _differs(stored.get(key), one)
    ]
    LedgerFinding.objects.bulk_update(
        back, ["severity", "symbol", "session", "text", "resolved_at"], batch_size=200
    )
    _insert(account, {key: one for key, one in wanted.items() if key not in stored}, now)
    return len(wanted)


def add(*, account: Account, found: Iterable[Found], now: datetime, origin: str) -> None:
    """Store new findings of an import or a synchronisation; none is resolved."""
    wanted = {(one.kind, f"{origin}: {one.key}"[:200]): one for one in found}
    known = set(
        LedgerFinding.objects.filter(
            account=account, key__in=[key for _, key in wanted]
        ).values_list("kind", "key")
    )
    _insert(account, {key: one for key, one in wanted.items() if key not in known}, now)


def _insert(account: Account, new: dict[tuple[str, str], Found], now: datetime) -> None:
    columns: dict[str, list[Any]] = {
        "account_id": [account.pk] * len(new),
        "kind": [kind for kind, _ in new],
        "key": [key for _, key in new],
        "severity": [one.severity for one in new.values()],
        "symbol": [one.symbol for one in new.values()],
        "session": [one.session for one in new.values()],
        "text": [one.text[:LONGEST] for one in new.values()],
        "fill_id": [one.fill for one in new.values()],
        "found_at": [now] * len(new),
        "source": [account.source] * len(new),
    }
    bulk.insert(LedgerFinding, columns)


def _differs(row: LedgerFinding | None, one: Found) -> bool:
    return row is not None and (
        row.resolved_at is not None
        or (row.severity, row.symbol, row.session, row.text)
        != (one.severity, one.symbol, one.session, one.text[:LONGEST])
    )


def _renewed(row: LedgerFinding, one: Found) -> LedgerFinding:
    row.severity, row.symbol, row.session = one.severity, one.symbol, one.session
    row.text, row.resolved_at = one.text[:LONGEST], None
    return row


def _oddities(ledger: Ledger) -> list[Found]:
    return [
        Found(
            kind=odd.kind,
            severity=odd.severity,
            key=odd.key,
            symbol=odd.symbol,
            session=odd.session,
            text=odd.text,
            fill=odd.fill,
        )
        for odd in ledger.oddities
    ]


def _assumed_splits(ledger: Ledger, recorded: set[tuple[str, date]]) -> list[Found]:
    return [
        Found(
            kind=Kind.SPLIT_ASSUMED,
            severity=Severity.INFO,
            key=f"{symbol} {session}",
            symbol=symbol,
            session=session,
            text=f"{ratio / RATIO:g} new shares for one old, from market data: the broker's "
            "record has no such split",
        )
        for session, symbol, ratio in ledger.splits
        if (symbol, session) not in recorded
    ]


def _quotes(
    ledger: Ledger, market: Market, marks: dict[str, Mark], ends: dict[str, date]
) -> list[Found]:
    """Return what is held and no longer trades, or never did."""
    found = []
    for symbol in ledger.holdings():
        mark = marks.get(symbol)
        if mark is None or market.last is None:
            continue
        if mark.price is None or mark.session is None:
            text = "no bar of it is known: held at cost, and shown at 0 beside it"
            found.append(_about(Kind.NO_LISTING, Severity.ERROR, symbol, None, text))
        elif mark.is_frozen:
            age = sessions.number(market.last) - sessions.number(mark.session)
            text = f"last close {mark.session}, {age} sessions ago: kept, and shown at 0 beside it"
            found.append(_about(Kind.FROZEN_QUOTE, Severity.WARNING, symbol, mark.session, text))
            end = ends.get(symbol)
            if end is not None and end < market.last:
                text = f"its listing ended on {end}: record what was paid for it, or 0"
                found.append(_about(Kind.NO_LISTING, Severity.WARNING, symbol, end, text))
    return found


def _prices(fills: Sequence[FillEntry], market: Market) -> list[Found]:
    """Return fills whose price lies more than 1 % outside the range of their session."""
    if market.last is None or not fills:
        return []
    rows = pl.DataFrame(
        {
            "fill": [fill.key for fill in fills],
            "symbol": [fill.symbol for fill in fills],
            "session": [fill.session for fill in fills],
            "price": [fill.price / DOLLAR for fill in fills],
        },
        schema={"fill": pl.Int64, "symbol": pl.String, "session": pl.Date, "price": pl.Float64},
    )
    known = pl.DataFrame({"session": market.days}, schema={"session": pl.Date})
    traded = pl.col("symbol").is_in(market.bars["symbol"].unique().to_list())
    joined = (
        rows.join(known, on="session", how="semi")
        .filter(traded)
        .join(market.bars, on=["symbol", "session"], how="left")
    )
    high, low = (pl.coalesce(pl.col(name), pl.col("close")) for name in ("high", "low"))
    outside = (pl.col("price") > high * (1 + MARGIN)) | (pl.col("price") < low * (1 - MARGIN))
    wrong = joined.filter(pl.col("close").is_null() | outside)
    return [_price(row) for row in wrong.iter_rows(named=True)]


def _price(row: dict[str, Any]) -> Found:
    if row["close"] is None:
        text = "it did not trade in that session"
    else:
        text = f"at {row['price']:g} USD, but it traded from {row['low']:g} to {row['high']:g} USD"
    return Found(
        kind=Kind.IMPOSSIBLE_ENTRY,
        severity=Severity.ERROR,
        key=f"{row['fill']}",
        symbol=row["symbol"],
        session=row["session"],
        text=text,
        fill=row["fill"],
    )


def _twice(reading: Reading) -> list[Found]:
    """Return fills that came in by two ways and look like one trade."""
    seen: dict[tuple[Any, ...], FillEntry] = {}
    found = []
    for fill in sorted(reading.fills, key=lambda one: one.key):
        what = (fill.symbol, fill.session, fill.sign, fill.quantity)
        other = seen.setdefault(what, fill)
        ways = reading.origins[other.key], reading.origins[fill.key]
        if ways[0] == ways[1]:
            continue
        found.append(
            Found(
                kind=Kind.CONTRADICTION,
                severity=Severity.WARNING,
                key=f"twice {other.key} {fill.key}",
                symbol=fill.symbol,
                session=fill.session,
                text=f"recorded twice? From {ways[0]} at {other.price / DOLLAR:g} USD and from "
                f"{ways[1]} at {fill.price / DOLLAR:g} USD: both count until one is cancelled",
                fill=fill.key,
            )
        )
    return found


def _about(kind: str, severity: str, symbol: str, session: date | None, text: str) -> Found:
    return Found(
        kind=kind, severity=severity, key=symbol, symbol=symbol, session=session, text=text
    )
