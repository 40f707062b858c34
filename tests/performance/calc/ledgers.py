"""Entries of a ledger in the units people use; each call states only what the test is about."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count

from performance.calc import ledger_entries
from performance.calc.ledger import Ledger
from performance.calc.ledger_entries import ActionEntry, CashEntry, FillEntry, in_order

MONDAY = date(2024, 6, 24)
_number = count(1)


def noon(session):
    return datetime.combine(session, time(16), tzinfo=UTC)


def fill(side, quantity, price, *, fee="0", symbol="VIGL", session=MONDAY, when=None, **fields):
    key = fields.pop("key", None) or next(_number)
    return FillEntry(
        key=key,
        tie=fields.pop("tie", f"{key:09}"),
        symbol=symbol,
        sign=1 if side == "buy" else -1,
        quantity=ledger_entries.shares_of(Decimal(quantity)),
        price=ledger_entries.price_of(Decimal(price)),
        fee=ledger_entries.price_of(Decimal(fee)),
        when=when or noon(session),
        session=session,
        **fields,
    )


def buy(quantity, price, **fields):
    return fill("buy", quantity, price, **fields)


def sell(quantity, price, **fields):
    return fill("sell", quantity, price, **fields)


def cash(amount, *, external=True, symbol="", session=MONDAY):
    return CashEntry(
        tie=f"{next(_number):09}",
        amount=ledger_entries.cents_of(Decimal(amount)),
        external=external,
        session=session,
        when=noon(session),
        symbol=symbol,
    )


def action(kind, *, session, symbol="VIGL", ratio="1", quantity=None, price=None, paid="0", new=""):
    key = next(_number)
    return ActionEntry(
        key=key,
        tie=f"{key:09}",
        kind=kind,
        symbol=symbol,
        session=session,
        when=noon(session),
        ratio=ledger_entries.ratio_of(Decimal(ratio)),
        quantity=None if quantity is None else ledger_entries.shares_of(Decimal(quantity)),
        price=None if price is None else ledger_entries.price_of(Decimal(price)),
        cash=ledger_entries.cents_of(Decimal(paid)),
        new_symbol=new,
    )


def read(*entries):
    return Ledger().read(in_order(entries))


def usd(cents):
    return f"{ledger_entries.money(cents):.2f}"


def number(shares):
    return f"{ledger_entries.shares(shares).normalize():f}"
