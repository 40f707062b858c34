"""Hold the ledger against the broker's positions and cash: every difference, to the cent.

Nothing is smoothed over: a difference stands until the two agree (design §10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from analytics.calc import sessions
from performance.calc.ledger_entries import money
from performance.clients.alpaca_records import BrokerAccount, BrokerPosition, EquityPoint
from performance.models import Account, Difference, EquityDay, Position
from performance.services import portfolio

SHARE: Final = Decimal("1e-9")
CENT: Final = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What was compared. ``standing`` differences remain, ``resolved`` ones are gone."""

    positions: int
    standing: int
    resolved: int


@dataclass(frozen=True, kw_only=True)
class _Pair:
    kind: str
    symbol: str
    ours: Decimal
    theirs: Decimal
    session: date | None = None


@transaction.atomic
def reconcile(
    *,
    account: Account,
    theirs: BrokerAccount,
    positions: Sequence[BrokerPosition],
    history: Sequence[EquityPoint] = (),
    now: datetime,
) -> Reconciled:
    """Compare positions, cash, and equity at the last close that both know.

    The portfolio was rebuilt before.
    """
    pairs = _positions(account, positions)
    if theirs.cash is not None:
        ours = money(portfolio.get_cash(account=account, now=now))
        pairs.append(_Pair(kind="cash", symbol="", ours=ours, theirs=theirs.cash.quantize(CENT)))
    pairs += _equity(account, history)
    unequal = {(pair.kind, pair.symbol): pair for pair in pairs if pair.ours != pair.theirs}
    stored = {(row.kind, row.symbol): row for row in _standing(account)}
    gone = [row.pk for key, row in stored.items() if not _same(row, unequal.get(key))]
    resolved = Difference.objects.filter(pk__in=gone).update(resolved_at=now)
    Difference.objects.bulk_create(
        [
            Difference(
                account=account,
                kind=pair.kind,
                symbol=pair.symbol,
                session=pair.session,
                ours=pair.ours,
                theirs=pair.theirs,
                difference=pair.ours - pair.theirs,
                seen_at=now,
                source=account.source,
            )
            for key, pair in unequal.items()
            if not _same(stored.get(key), pair)
        ]
    )
    return Reconciled(positions=len(positions), standing=len(unequal), resolved=resolved)


def _standing(account: Account) -> list[Difference]:
    return list(Difference.objects.standing().filter(account=account))


def _same(row: Difference | None, pair: _Pair | None) -> bool:
    return (
        row is not None
        and pair is not None
        and (row.ours, row.theirs, row.session) == (pair.ours, pair.theirs, pair.session)
    )


def _positions(account: Account, positions: Sequence[BrokerPosition]) -> list[_Pair]:
    ours = {
        row.symbol: row.quantity if row.side == "long" else -row.quantity
        for row in Position.objects.filter(account=account)
    }
    theirs: dict[str, Decimal] = {}
    for row in positions:
        theirs[row.symbol] = theirs.get(row.symbol, Decimal(0)) + row.quantity.quantize(SHARE)
    return [
        _Pair(
            kind="position",
            symbol=symbol,
            ours=ours.get(symbol, Decimal(0)),
            theirs=theirs.get(symbol, Decimal(0)),
        )
        for symbol in sorted({*ours, *theirs})
    ]


def _equity(account: Account, history: Sequence[EquityPoint]) -> list[_Pair]:
    """Return equity at the newest session that both have valued."""
    theirs = {point.at.astimezone(sessions.NEW_YORK).date(): point.equity for point in history}
    row = (
        EquityDay.objects.filter(account=account, session__in=list(theirs))
        .order_by("-session")
        .first()
    )
    if row is None:
        return []
    known = theirs[row.session].quantize(CENT)
    return [_Pair(kind="equity", symbol="", ours=row.equity, theirs=known, session=row.session)]
