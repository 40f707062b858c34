"""Write what a ledger makes: rows of the same key stay the same rows, others go.

All money is exact; a row that would not change is not written.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import models

from analytics.services import bulk
from performance.calc.ledger import Ledger
from performance.calc.ledger_entries import SHARE, dollars, money, rounded, shares
from performance.calc.ledger_equity import Day, Mark
from performance.calc.ledger_states import CloseState, LotState, Opening, TradeState
from performance.models import Account, EquityDay, Lot, LotClose, Position, Trade
from performance.services.ledger_links import Joined

CHUNK: Final = 500
SIDES: Final = {1: "long", -1: "short"}
MICRO_PER_CENT: Final = 10_000
Keys = dict[Opening, int]


def write_trades(
    account: Account,
    trades: Sequence[TradeState],
    joined: Sequence[Joined],
    marks: Mapping[str, Mark],
) -> tuple[Keys, int]:
    """Write trades; return their keys by opening, and how many rows changed."""
    stored, changed = _drop(Trade, account, [trade.opening for trade in trades])
    for what in ("fill", "action"):
        part = [pair for pair in zip(trades, joined, strict=True) if pair[0].opening[0] == what]
        columns = _trade_columns(account, part, marks)
        key = f"opening_{what}"
        columns[f"{key}_id"] = [trade.opening[1] for trade, _ in part]
        changed += _write(Trade, columns, key=["account", key], new=not stored)
    return _keys(Trade, account), changed


def _trade_columns(
    account: Account, part: Sequence[tuple[TradeState, Joined]], marks: Mapping[str, Mark]
) -> dict[str, list[Any]]:
    rows = [trade for trade, _ in part]
    held = [marks.get(trade.symbol) if trade.status == "open" else None for trade in rows]
    known = [mark if mark and mark.price is not None else None for mark in held]
    unrealised = [
        mark.value - trade.cost_open * trade.side if mark else None
        for trade, mark in zip(rows, known, strict=True)
    ]
    return {
        **_same(account, len(rows)),
        "symbol": [trade.symbol for trade in rows],
        "side": [SIDES[trade.side] for trade in rows],
        "quantity": [shares(trade.quantity) for trade in rows],
        "open_quantity": [shares(trade.open_quantity) for trade in rows],
        "opened_at": [trade.opened_at for trade in rows],
        "opened_session": [trade.opened_session for trade in rows],
        "closed_at": [trade.closed_at for trade in rows],
        "closed_session": [trade.closed_session for trade in rows],
        "status": [trade.status for trade in rows],
        "entry_price": [dollars(trade.entry_price) for trade in rows],
        "exit_price": [_exit_price(trade) for trade in rows],
        "fees": [dollars(trade.fees) for trade in rows],
        "invested": [money(trade.invested) for trade in rows],
        "proceeds": [money(trade.proceeds) for trade in rows],
        "income": [money(trade.income) for trade in rows],
        "realised": [money(trade.realised) for trade in rows],
        "unrealised": [None if value is None else money(value) for value in unrealised],
        "mark_price": [_mark_price(mark) for mark in known],
        "mark_session": [mark.session if mark else None for mark in known],
        "is_frozen": [bool(mark and mark.is_frozen) for mark in known],
        "return_on_cost": [
            _on_cost(trade, value) for trade, value in zip(rows, unrealised, strict=True)
        ],
        "candidate_id": [found.candidate for _, found in part],
        "thesis_id": [found.thesis for _, found in part],
        "link": [found.link for _, found in part],
    }


def write_lots(account: Account, lots: Sequence[LotState], trades: Keys) -> tuple[Keys, int]:
    """Write lots; return their keys by opening, and how many rows changed."""
    stored, changed = _drop(Lot, account, [lot.opening for lot in lots])
    for what in ("fill", "action"):
        part = [lot for lot in lots if lot.opening[0] == what]
        columns: dict[str, list[Any]] = {
            **_same(account, len(part)),
            f"opening_{what}_id": [lot.opening[1] for lot in part],
            "trade_id": [trades[lot.trade.opening] for lot in part],
            "symbol": [lot.symbol for lot in part],
            "side": [SIDES[lot.side] for lot in part],
            "opened_session": [lot.session for lot in part],
            "quantity": [shares(lot.quantity) for lot in part],
            "remaining": [shares(lot.remaining) for lot in part],
            "cost": [money(lot.cost) for lot in part],
            "cost_remaining": [money(lot.cost_remaining) for lot in part],
            "unit_cost": [_a_share(lot.cost, lot.quantity) for lot in part],
        }
        key = ["account", f"opening_{what}"]
        changed += _write(Lot, columns, key=key, new=not stored)
    return _keys(Lot, account), changed


def write_closes(account: Account, closes: Sequence[CloseState], lots: Keys) -> int:
    """Write what left each lot; return how many rows changed."""
    wanted = {(lots[close.lot.opening], close.closing) for close in closes}
    stored = list(
        LotClose.objects.filter(lot__account=account).values_list(
            "pk", "lot_id", "closing_fill_id", "closing_action_id"
        )
    )
    gone = [pk for pk, lot, fill, action in stored if (lot, _opening(fill, action)) not in wanted]
    changed = _delete(LotClose, gone)
    for what in ("fill", "action"):
        part = [close for close in closes if close.closing[0] == what]
        columns: dict[str, list[Any]] = {
            "lot_id": [lots[close.lot.opening] for close in part],
            f"closing_{what}_id": [close.closing[1] for close in part],
            "session": [close.session for close in part],
            "quantity": [shares(close.quantity) for close in part],
            "cost": [money(close.cost) for close in part],
            "proceeds": [money(close.proceeds) for close in part],
            "realised": [money(close.realised) for close in part],
            "source": [account.source] * len(part),
        }
        key = ["lot", f"closing_{what}"]
        changed += _write(LotClose, columns, key=key, new=not stored)
    return changed


def write_positions(
    account: Account, ledger: Ledger, marks: Mapping[str, Mark], trades: Keys, now: datetime
) -> int:
    """Write what is held; stops are left as they are. Return how many rows changed."""
    held = ledger.holdings()
    wanted = {(symbol, trades[trade.opening]) for symbol, trade in held.items()}
    stored = Position.objects.filter(account=account).values_list("pk", "symbol", "trade_id")
    changed = _delete(Position, [pk for pk, *key in stored if tuple(key) not in wanted])
    rows = list(held.items())
    known = [marks.get(symbol) for symbol, _ in rows]
    known = [mark if mark and mark.price is not None else None for mark in known]
    columns: dict[str, list[Any]] = {
        **_same(account, len(rows)),
        "symbol": [symbol for symbol, _ in rows],
        "trade_id": [trades[trade.opening] for _, trade in rows],
        "side": [SIDES[trade.side] for _, trade in rows],
        "quantity": [shares(trade.open_quantity) for _, trade in rows],
        "average_cost": [_a_share(max(t.cost_open, 0), t.open_quantity) for _, t in rows],
        "cost": [money(trade.cost_open) for _, trade in rows],
        "mark_price": [_mark_price(mark) for mark in known],
        "mark_session": [mark.session if mark else None for mark in known],
        "market_value": [money(mark.value) if mark else None for mark in known],
        "unrealised": [
            money(mark.value - trade.cost_open * trade.side) if mark else None
            for (_, trade), mark in zip(rows, known, strict=True)
        ],
        "is_frozen": [bool(mark and mark.is_frozen) for mark in known],
        "updated_at": [now] * len(rows),
    }
    return changed + bulk.upsert(
        Position, columns, key=["account", "symbol"], stamps=["updated_at"]
    )


def write_days(account: Account, days: Sequence[Day]) -> int:
    """Write equity by session; return how many rows changed."""
    stored = EquityDay.objects.filter(account=account)
    if days:
        stored = stored.exclude(session__range=(days[0].session, days[-1].session))
    changed = stored.delete()[0]
    equity = [day.cash + day.holdings for day in days]
    columns: dict[str, list[Any]] = {
        **_same(account, len(days)),
        "session": [day.session for day in days],
        "cash": [money(day.cash) for day in days],
        "holdings": [money(day.holdings) for day in days],
        "equity": [money(value) for value in equity],
        "flow": [money(day.flow) for day in days],
        "frozen": [day.frozen for day in days],
        "equity_at_zero": [
            money(value - day.frozen_value) for value, day in zip(equity, days, strict=True)
        ],
    }
    return changed + bulk.upsert(EquityDay, columns, key=["account", "session"])


def _same(account: Account, size: int) -> dict[str, list[Any]]:
    return {"account_id": [account.pk] * size, "source": [account.source] * size}


def _opening(fill: int | None, action: int | None) -> Opening:
    if fill is not None:
        return ("fill", fill)
    assert action is not None  # noqa: S101 - the database sees to it
    return ("action", action)


def _keys(model: type[models.Model], account: Account) -> Keys:
    rows = model._default_manager.filter(account=account).values_list(
        "pk", "opening_fill_id", "opening_action_id"
    )
    return {_opening(fill, action): pk for pk, fill, action in rows}


def _drop(
    model: type[models.Model], account: Account, wanted: Iterable[Opening]
) -> tuple[int, int]:
    """Delete the rows of openings that there are no more; return how many there were and went."""
    kept, stored = set(wanted), _keys(model, account)
    gone = [pk for opening, pk in stored.items() if opening not in kept]
    return len(stored), _delete(model, gone)


def _write(
    model: type[models.Model], columns: dict[str, list[Any]], *, key: list[str], new: bool
) -> int:
    """Write rows; nothing is compared where none is stored. The account is locked meanwhile."""
    return bulk.insert(model, columns) if new else bulk.upsert(model, columns, key=key)


def _delete(model: type[models.Model], keys: Sequence[int]) -> int:
    done = 0
    for start in range(0, len(keys), CHUNK):
        some = model._default_manager.filter(pk__in=keys[start : start + CHUNK])
        done += some.delete()[0]
    return done


def _a_share(cents: int, quantity: int) -> Decimal:
    return dollars(rounded(cents * MICRO_PER_CENT * SHARE, quantity))


def _exit_price(trade: TradeState) -> Decimal | None:
    return None if trade.status == "open" else dollars(trade.exit_price)


def _mark_price(mark: Mark | None) -> Decimal | None:
    return None if mark is None or mark.price is None else dollars(mark.price)


def _on_cost(trade: TradeState, unrealised: int | None) -> float | None:
    """Return (realised + unrealised) / invested; None if a part is not known."""
    if trade.invested <= 0 or (trade.status == "open" and unrealised is None):
        return None
    return (trade.realised + (unrealised or 0)) / trade.invested


def last_day(days: Sequence[Day]) -> date | None:
    """Return the newest session that was valued."""
    return days[-1].session if days else None
