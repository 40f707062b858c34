"""The portfolio: rebuilt from the ledger, and read (design §10)."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from time import perf_counter
from typing import Any

import polars as pl
from django.db import models, transaction

from analytics.calc import sessions
from analytics.models import Source
from analytics.services import lakes
from performance.calc import ledger_equity
from performance.calc.ledger import Ledger
from performance.calc.ledger_entries import ActionEntry, Entry, in_order
from performance.models import Account, EquityDay, Position, Trade
from performance.models.portfolio import TradeQuerySet
from performance.services import (
    ledger_findings,
    ledger_links,
    ledger_market,
    ledger_reading,
    ledger_writing,
)
from performance.services.ledger_market import Market
from performance.services.ledger_reading import Reading

EQUITY = ("session", "equity", "flow", "cash", "holdings", "frozen", "equity_at_zero")


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What a rebuild made of an account.

    Attributes:
        fills: That count.
        changed: Rows that are new, different or gone; 0 the second time.
        last: Newest session that was valued; None without market data.
    """

    account: str
    fills: int
    trades: int
    open_trades: int
    lots: int
    days: int
    findings: int
    changed: int
    last: date | None
    seconds: float


def sources_of(source: str) -> tuple[str, ...]:
    """Return the sources that count together: live and imported are both real (design §1)."""
    return (Source.CLAIMED,) if source == Source.CLAIMED else lakes.sources_beside(source)


def rebuild(*, account: Account, now: datetime) -> Rebuilt:
    """Derive lots, trades, positions, equity and findings of ``account`` from its ledger.

    Rows keep their keys; a second run changes nothing. Holdings are valued at the last close
    known at ``now``.
    """
    started = perf_counter()
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)  # one rebuild at a time
        done = _rebuild(account, now)
        Account.objects.filter(pk=account.pk).update(rebuilt_at=now)
    return replace(done, seconds=perf_counter() - started)


def rebuild_all(*, now: datetime, source: str | None = None) -> list[Rebuilt]:
    """Rebuild every active account (of ``source`` and what counts together with it)."""
    accounts = Account.objects.filter(is_active=True).order_by("pk")
    if source is not None:
        accounts = accounts.filter(source__in=sources_of(source))
    return [rebuild(account=account, now=now) for account in accounts]


def get_cash(*, account: Account, now: datetime) -> int:
    """Return the cash that the ledger comes to [cents]."""
    return _read(account, now)[2].cash


def _read(account: Account, now: datetime) -> tuple[Reading, Market, Ledger]:
    """Return the rows that count, the market beside them, and the ledger read to its end."""
    reading = ledger_reading.read(account)
    last = sessions.last_finished(now)
    first = min((entry.session for entry in reading.entries), default=last)
    market = ledger_market.read(
        source=account.source, symbols=reading.symbols, first=min(first, last), last=last
    )
    entries = _settled(
        [*reading.entries, *ledger_reading.market_splits(reading, market.splits)], market
    )
    return reading, market, Ledger().read(in_order(entries))


def _rebuild(account: Account, now: datetime) -> Rebuilt:
    reading, market, ledger = _read(account, now)
    marks = {}
    if market.days:
        marks = ledger_equity.marks_of(ledger, days=market.days, closes=market.closes)
    days = ledger_equity.days_of(ledger, days=market.days, closes=market.closes)
    joined = ledger_links.join(ledger.trades, source=account.source, stated=reading.links)
    trades, changed = ledger_writing.write_trades(account, ledger.trades, joined, marks)
    lots, more = ledger_writing.write_lots(account, ledger.lots, trades)
    changed += more + ledger_writing.write_closes(account, ledger.closes, lots)
    changed += ledger_writing.write_positions(account, ledger, marks, trades, now)
    changed += ledger_writing.write_days(account, days)
    found = ledger_findings.of_rebuild(
        ledger=ledger,
        reading=reading,
        market=market,
        marks=marks,
        ends=ledger_market.listings(source=account.source, last=sessions.last_finished(now)),
    )
    return Rebuilt(
        account=account.name,
        fills=len(reading.fills),
        trades=len(ledger.trades),
        open_trades=len(ledger.holdings()),
        lots=len(ledger.lots),
        days=len(days),
        findings=ledger_findings.record(account=account, found=found, now=now),
        changed=changed,
        last=market.last,
        seconds=0.0,
    )


def _settled(entries: list[Entry], market: Market) -> list[Entry]:
    """Give a delisting without a recovery value the last close before it; 0 if there is none."""
    return [
        replace(entry, price=_last_close(market, entry))
        if isinstance(entry, ActionEntry) and entry.kind == "delisting" and entry.price is None
        else entry
        for entry in entries
    ]


def _last_close(market: Market, entry: ActionEntry) -> int:
    known = market.closes.get(entry.symbol)
    if known is None:
        return 0
    until = [
        int(price)
        for at, price in zip(known.at, known.price, strict=True)
        if market.days[int(at)] <= entry.session
    ]
    return until[-1] if until else 0


def get_trades(
    *,
    source: str,
    first: date | None = None,
    last: date | None = None,
    account: Account | None = None,
) -> TradeQuerySet:
    """Return the trades open at any time from ``first`` to ``last``, both included.

    Closed ones are at their result, open ones at mark. ``source`` brings those it counts
    together with: live and imported.
    """
    found = Trade.objects.of(sources_of(source)).open_between(first, last)
    return found.filter(account=account) if account else found


def get_positions(*, source: str, account: Account | None = None) -> models.QuerySet[Position]:
    """Return what is held."""
    found = Position.objects.filter(source__in=sources_of(source))
    return found.filter(account=account) if account else found


def get_equity_days(
    *,
    source: str,
    first: date | None = None,
    last: date | None = None,
    account: str = "",
) -> models.QuerySet[EquityDay, Any]:
    """Return equity by session, exact, summed over the accounts (or that of one name)."""
    rows = EquityDay.objects.filter(source__in=sources_of(source))
    if account:
        rows = rows.filter(account__name=account)
    if first is not None:
        rows = rows.filter(session__gte=first)
    if last is not None:
        rows = rows.filter(session__lte=last)
    sums = {name: models.Sum(name) for name in EQUITY if name != "session"}
    return rows.values("session").annotate(**sums).order_by("session")


def get_equity(
    *,
    source: str,
    first: date | None = None,
    last: date | None = None,
    account: Account | None = None,
) -> pl.DataFrame:
    """Return equity by session, summed over the accounts.

    Returns:
        ``session`` date, ``equity``, ``flow``, ``cash``, ``holdings``, ``equity_at_zero``
        [USD], ``frozen`` (marks); ascending; empty if nothing was valued.
    """
    rows = get_equity_days(
        source=source, first=first, last=last, account=account.name if account else ""
    )
    money = {name: pl.Float64 for name in EQUITY if name not in {"session", "frozen"}}
    frame = pl.DataFrame(
        [
            (session, *(float(value) for value in values))
            for session, *values in rows.values_list(*EQUITY)
        ],
        schema={
            name: pl.Date if name == "session" else money.get(name, pl.Float64) for name in EQUITY
        },
        orient="row",
    )
    return frame.with_columns(pl.col("frozen").cast(pl.Int64), pl.col(list(money)).round(2))
