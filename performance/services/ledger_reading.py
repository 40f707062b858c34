"""Read an account's ledger from the database and the splits that market data adds to it."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from analytics.calc import sessions
from performance.calc import ledger_entries
from performance.calc.ledger_entries import ActionEntry, CashEntry, Entry, FillEntry
from performance.models import (
    EXTERNAL,
    Account,
    ActionKind,
    CashMovement,
    CorporateAction,
    Fill,
    FillKind,
    Side,
)

SAME_SPLIT: Final = timedelta(days=7)  # a broker's date and the ex-date differ by days at most
CLOSE: Final = time(16)


@dataclass(frozen=True, kw_only=True)
class Link:
    """Candidate and thesis stated with a fill."""

    candidate: int | None
    thesis: int | None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What counts of an account's ledger.

    Attributes:
        entries: In no order.
        links: By fill.
        origins: By fill: how it came in.
        recorded_splits: (symbol, session) of every split in the ledger, cancelled ones included.
    """

    entries: list[Entry]
    links: dict[int, Link] = field(default_factory=dict)
    origins: dict[int, str] = field(default_factory=dict)
    recorded_splits: list[tuple[str, date]] = field(default_factory=list)

    @property
    def fills(self) -> list[FillEntry]:
        """The fills among the entries."""
        return [entry for entry in self.entries if isinstance(entry, FillEntry)]

    @property
    def symbols(self) -> list[str]:
        """Every symbol that shares were ever held of."""
        found = {entry.symbol for entry in self.entries if not isinstance(entry, CashEntry)}
        renamed = {
            entry.new_symbol
            for entry in self.entries
            if isinstance(entry, ActionEntry) and entry.new_symbol
        }
        return sorted(found | renamed)


def read(account: Account) -> Reading:
    """Return what counts: corrected rows give way to what corrects them."""
    links: dict[int, Link] = {}
    origins: dict[int, str] = {}
    entries: list[Entry] = [*_fills(account, links, origins), *_cash(account)]
    actions, splits = _actions(account)
    return Reading(
        entries=[*entries, *actions], links=links, origins=origins, recorded_splits=splits
    )


def market_splits(reading: Reading, splits: pl.DataFrame) -> list[ActionEntry]:
    """Return the splits that market data shows and the ledger does not.

    Args:
        reading: The ledger.
        splits: Of its symbols: ``symbol``, ``ex_date``, ``ratio`` (new shares for one old).
    """
    known: dict[str, list[date]] = {}
    for symbol, session in reading.recorded_splits:
        known.setdefault(symbol, []).append(session)
    found = []
    for symbol, day, ratio in splits.select("symbol", "ex_date", "ratio").iter_rows():
        if any(abs(day - other) <= SAME_SPLIT for other in known.get(symbol, [])):
            continue
        found.append(
            ActionEntry(
                key=None,
                tie=f"market {symbol} {day}",
                kind="split",
                symbol=symbol,
                session=day,
                when=sessions.opening(day),
                ratio=ledger_entries.ratio_of(Decimal(repr(ratio))),
            )
        )
    return found


def _fills(account: Account, links: dict[int, Link], origins: dict[int, str]) -> list[FillEntry]:
    rows = list(
        Fill.objects.of(account).values_list(
            "pk", "corrects_id", "kind", "broker_id", "symbol", "side", "quantity", "price", "fee",
            "executed_at", "session", "short_sale", "candidate_id", "thesis_id", "origin",
        )
    )  # fmt: skip
    ends = ledger_entries.resolve([(row[0], row[1]) for row in rows])
    ids = {row[0]: row[3] for row in rows}
    found = []
    for row in rows:
        if row[0] not in ends or row[2] == FillKind.CANCELLATION:
            continue
        key = ends[row[0]]
        found.append(
            FillEntry(
                key=key,
                tie=ids[key],
                symbol=row[4],
                sign=1 if row[5] == Side.BUY else -1,
                quantity=ledger_entries.shares_of(row[6]),
                price=ledger_entries.price_of(row[7]),
                fee=ledger_entries.price_of(row[8]),
                when=row[9],
                session=row[10],
                marked_short=row[11],
            )
        )
        origins[key] = row[14]
        if row[12] or row[13]:
            links[key] = Link(candidate=row[12], thesis=row[13])
    return found


def _cash(account: Account) -> list[CashEntry]:
    rows = CashMovement.objects.of(account).values_list(
        "broker_id", "kind", "amount", "symbol", "occurred_at", "session"
    )
    return [
        CashEntry(
            tie=tie,
            amount=ledger_entries.cents_of(amount),
            external=kind in EXTERNAL,
            session=session,
            when=when,
            symbol=symbol,
        )
        for tie, kind, amount, symbol, when, session in rows
    ]


def _actions(account: Account) -> tuple[list[ActionEntry], list[tuple[str, date]]]:
    rows = list(CorporateAction.objects.of(account))
    ends = ledger_entries.resolve([(row.pk, row.corrects_id) for row in rows])
    ids = {row.pk: row.broker_id for row in rows}
    splits = [(row.symbol, row.session) for row in rows if row.kind == ActionKind.SPLIT]
    counted = [row for row in rows if row.pk in ends and row.kind != ActionKind.CANCELLATION]
    return [_action(row, ends[row.pk], ids[ends[row.pk]]) for row in counted], splits


def _action(row: CorporateAction, key: int, tie: str) -> ActionEntry:
    return ActionEntry(
        key=key,
        tie=tie,
        kind=row.kind,  # type: ignore[arg-type]
        symbol=row.symbol,
        session=row.session,
        when=_instant(row),
        ratio=ledger_entries.RATIO if row.ratio is None else ledger_entries.ratio_of(row.ratio),
        quantity=None if row.quantity is None else ledger_entries.shares_of(row.quantity),
        price=None if row.price is None else ledger_entries.price_of(row.price),
        cash=ledger_entries.cents_of(row.amount),
        new_symbol=row.new_symbol,
    )


def _instant(row: CorporateAction) -> datetime:
    """Return the open of its session, or the close for what ends a holding."""
    if row.kind in {ActionKind.DELISTING, ActionKind.TRANSFER_OUT}:
        return datetime.combine(row.session, CLOSE, tzinfo=sessions.NEW_YORK)
    return sessions.opening(row.session)
