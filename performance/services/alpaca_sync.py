"""Bring the ledger up to what the broker did: account, activities, positions, stops (design §10).

Idempotent by the broker's ids, and resumable: each page is stored before the next is asked for,
and a later run goes on some days before the newest row, because activities may arrive late. What
is stored is never changed: where the broker now says something else, that is a correction if it
says so, and a finding if it does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import models, transaction

from analytics.errors import DomainError
from analytics.models import Source
from performance.clients.alpaca import ActivityPage, Alpaca
from performance.clients.alpaca_records import BrokerAccount, OrderRecord
from performance.models import (
    Account,
    CashMovement,
    CorporateAction,
    Fill,
    LedgerFinding,
    Origin,
    Position,
)
from performance.services import broker_activities, brokers, ledger_findings, portfolio
from performance.services.broker_activities import CENT, NoMeaning, Row
from performance.services.ledger_findings import Found
from performance.services.reconciliation import Reconciled, reconcile

OVERLAP: Final = timedelta(days=10)  # activities may arrive that late
ORIGIN: Final = "sync"
TABLES: Final[dict[str, type[models.Model]]] = {
    "fill": Fill,
    "cash": CashMovement,
    "action": CorporateAction,
}
COMPARED: Final = {
    "fill": ("symbol", "side", "quantity", "price"),
    "cash": ("amount", "symbol"),
    "action": ("kind", "symbol", "ratio"),
}
Say = Callable[[int, int | None, str], None]


class WrongCurrency(DomainError):
    """The account is not kept in USD."""


class AnotherAccount(DomainError):
    """The keys belong to another account than the one that was asked for."""


@dataclass(kw_only=True)
class Synced:
    """What a synchronisation did.

    Attributes:
        new: Rows of the ledger that are new.
        known: Activities that were there.
        found: Activities that are findings.
        pages: Of activities.
    """

    account: Account
    new: int = 0
    known: int = 0
    found: int = 0
    pages: int = 0
    stops: int = 0
    differences: int = 0
    said: list[str] = field(default_factory=list)


def sync(
    *,
    alpaca: Alpaca,
    now: datetime,
    account: Account | None = None,
    full: bool = False,
    say: Say = lambda _done, _total, _what: None,
) -> Synced:
    """Synchronise the account that the keys belong to, rebuild and reconcile it.

    Args:
        alpaca: The broker.
        now: Written on new rows.
        account: It must be this one; any otherwise, made if there is none.
        full: Ask for all activities again, not only the newest.
        say: Told how far it is.

    Raises:
        AnotherAccount: The keys belong to another account.
        WrongCurrency: It is not kept in USD.
        UpstreamError: The broker does not answer, or refuses; what was stored stays.
    """
    theirs = alpaca.account()
    ours = _account(theirs, account)
    done = Synced(account=ours)
    for page in alpaca.activities(after=None if full else _resume_from(ours)):
        _store_page(done, page, now)
        say(done.pages, None, f"{done.new} new, {done.known} known")
    say(done.pages, None, "rebuilding")
    portfolio.rebuild(account=ours, now=now)
    done.stops = _store_stops(ours, alpaca.open_orders(), now)
    reconciled = _reconciled(alpaca, ours, theirs, now)
    done.differences = reconciled.standing
    Account.objects.filter(pk=ours.pk).update(synced_at=now)
    done.said.append(_told(done, reconciled))
    return done


def check(*, alpaca: Alpaca, account: Account, now: datetime) -> Reconciled:
    """Rebuild ``account`` and hold it against the broker. Raises as :func:`sync` does."""
    theirs = alpaca.account()
    ours = _account(theirs, account)
    portfolio.rebuild(account=ours, now=now)
    return _reconciled(alpaca, ours, theirs, now)


def _reconciled(
    alpaca: Alpaca, account: Account, theirs: BrokerAccount, now: datetime
) -> Reconciled:
    return reconcile(
        account=account,
        theirs=theirs,
        positions=alpaca.positions(),
        history=alpaca.history(),
        now=now,
    )


def _account(theirs: BrokerAccount, wanted: Account | None) -> Account:
    """Return our row of the broker's account; make it the first time."""
    if theirs.currency != "USD":
        raise WrongCurrency(f"the account is kept in {theirs.currency}; only USD is understood")
    known = Account.objects.filter(broker=brokers.NAME, broker_account_id=theirs.id).first()
    if wanted is not None and (known is None or known.pk != wanted.pk):
        if known is not None or wanted.broker_account_id:
            raise AnotherAccount(f"the keys belong to {theirs.number}, not to {wanted}")
        wanted.broker, wanted.broker_account_id = brokers.NAME, theirs.id
        wanted.save(update_fields=["broker", "broker_account_id"])
        return wanted
    if known is not None:
        return known
    kind = brokers.account_kind()
    return Account.objects.create(
        name=f"Alpaca {kind} {theirs.number}".strip(),
        broker=brokers.NAME,
        number=theirs.number,
        broker_account_id=theirs.id,
        kind=kind,
        opened_on=theirs.opened_at.date() if theirs.opened_at else None,
        source=Source.LIVE,
    )


def _resume_from(account: Account) -> date | None:
    """Return the day after which to ask; None: from the beginning."""
    fills = Fill.objects.filter(account=account, origin=Origin.ALPACA)
    cash = CashMovement.objects.filter(account=account, origin=Origin.ALPACA)
    newest = [
        fills.aggregate(newest=models.Max("session"))["newest"],
        cash.aggregate(newest=models.Max("session"))["newest"],
    ]
    known = [day for day in newest if day is not None]
    return max(known) - OVERLAP if known else None


@transaction.atomic
def _store_page(done: Synced, page: ActivityPage, now: datetime) -> None:
    """Store one page: all of it or nothing."""
    done.pages += 1
    rows: dict[str, Row] = {}
    found: list[Found] = [_unreadable(str(raw.get("id", "")), why) for raw, why in page.unreadable]
    corrected: dict[str, Row] = {}
    for activity in page.rows:
        try:
            row = broker_activities.translate(activity)
        except NoMeaning as why:
            found.append(_unreadable(activity.id, str(why), activity.symbol))
            continue
        if activity.status == "correct":
            corrected[row.broker_id] = row
        twin = rows.setdefault(row.broker_id, row)
        if twin is not row and twin.columns != row.columns:
            found.append(_contradiction(row, twin.columns))
    for table, model in TABLES.items():
        part = {key: row for key, row in rows.items() if row.table == table}
        found += _store_table(done, model, part, corrected, now)
    done.found += len(found)
    ledger_findings.add(account=done.account, found=found, now=now, origin=ORIGIN)


def _store_table(
    done: Synced, model: Any, rows: dict[str, Row], corrected: dict[str, Row], now: datetime
) -> list[Found]:
    stored = {
        row.broker_id: row
        for row in model.objects.filter(account=done.account, broker_id__in=list(rows))
    }
    found: list[Found] = []
    for key, row in rows.items():
        if key not in stored:
            if not _append(done.account, model, row, now):
                found.append(_unreadable(key, "it takes back what is not in the ledger"))
                continue
            done.new += 1
            continue
        done.known += 1
        before = {name: getattr(stored[key], name) for name in COMPARED[row.table]}
        if all(row.columns.get(name) == value for name, value in before.items()):
            continue
        if key in corrected and row.table == "cash":
            done.new += _correct_cash(stored[key], row, now)
        else:
            found.append(_contradiction(row, before))
    return found


def _append(account: Account, model: Any, row: Row, now: datetime) -> bool:
    """Append a row; False if it takes back one that is not there."""
    columns = dict(row.columns)
    target = columns.pop("corrects", None)
    if target is not None:
        original = model.objects.filter(account=account, broker_id=target).first()
        if original is None:
            return False
        columns["corrects"] = original
    model.objects.create(
        account=account,
        broker_id=row.broker_id,
        origin=Origin.ALPACA,
        recorded_at=now,
        source=account.source,
        **columns,
    )
    return True


def _correct_cash(stored: CashMovement, row: Row, now: datetime) -> int:
    """Append what a corrected amount differs by from all that is known of it."""
    known = stored.amount + sum((one.amount for one in stored.reversals.all()), Decimal(0))
    change = (row.columns["amount"] - known).quantize(CENT)
    if not change:
        return 0
    number = stored.reversals.count() + 1
    CashMovement.objects.create(
        account=stored.account,
        broker_id=f"{stored.broker_id} correct {number}"[:128],
        kind=stored.kind,
        corrects=stored,
        amount=change,
        symbol=stored.symbol,
        occurred_at=stored.occurred_at,
        session=stored.session,
        note="correction by the broker",
        origin=Origin.ALPACA,
        raw=row.columns["raw"],
        recorded_at=now,
        source=stored.source,
    )
    return 1


def _store_stops(account: Account, orders: Sequence[OrderRecord], now: datetime) -> int:
    """Note for each position the stop that works at the broker, if any; return how many do."""
    working: dict[tuple[str, str], OrderRecord] = {}
    for order in (leg for parent in orders for leg in (parent, *parent.legs)):
        if order.stop_price is not None and not order.is_final:
            working.setdefault((order.symbol, order.side), order)
    held = list(Position.objects.filter(account=account))
    for position in held:
        exit_side = "sell" if position.side == "long" else "buy"
        stop = working.get((position.symbol, exit_side))
        position.stop_price = stop.stop_price if stop else None
        position.stop_order_id = stop.id if stop else ""
        position.stop_confirmed_at = now if stop else None
    Position.objects.bulk_update(
        held, ["stop_price", "stop_order_id", "stop_confirmed_at"], batch_size=200
    )
    return sum(position.stop_order_id != "" for position in held)


def _unreadable(key: str, why: str, symbol: str = "") -> Found:
    return Found(
        kind=LedgerFinding.Kind.UNREADABLE,
        severity=LedgerFinding.Severity.ERROR,
        key=key or why,
        symbol=symbol[:16],
        session=None,
        text=f"{why} ({key})" if key else why,
    )


def _contradiction(row: Row, before: dict[str, Any]) -> Found:
    changed = [
        f"{name} {_shown(before.get(name))} and {_shown(row.columns.get(name))}"
        for name in COMPARED[row.table]
        if before.get(name) != row.columns.get(name)
    ]
    said = ", ".join(changed) or "two records"
    return Found(
        kind=LedgerFinding.Kind.CONTRADICTION,
        severity=LedgerFinding.Severity.ERROR,
        key=row.broker_id,
        symbol=row.columns["symbol"],
        session=row.columns["session"],
        text=f"{row.broker_id}: the broker says {said}; the first counts",
    )


def _shown(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _told(done: Synced, reconciled: Reconciled) -> str:
    return (
        f"{done.account}: {done.new} new rows, {done.known} known, {done.found} findings, "
        f"{reconciled.standing} differences from the broker"
    )
