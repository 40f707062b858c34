"""Rows of each broker's export as drafts of the ledger.

Column names are those of the brokers' own exports: Alpaca (account activities), Schwab
(transaction history), TD Ameritrade (transactions), Interactive Brokers (activity statement and
Flex query of trades), Robinhood (account activity report), and a plain layout of our own.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from analytics.errors import BadAnswer
from performance.clients import alpaca_records, broker_csv
from performance.clients.alpaca_records import Activity
from performance.clients.broker_csv import CsvRow, Export
from performance.clients.broker_drafts import (
    Draft,
    RowFault,
    above_zero,
    cell,
    fee_within,
    in_usd,
    instant,
    maybe_number,
    number,
)

# What brokers call things, in lower case: (table, kind or side, short sale).
FILLS: Final[Mapping[str, tuple[str, bool | None]]] = {
    "buy": ("buy", None),
    "bought": ("buy", None),
    "reinvest shares": ("buy", None),
    "buy to cover": ("buy", None),
    "btc": ("buy", None),
    "cover": ("buy", None),
    "sell": ("sell", None),
    "sold": ("sell", None),
    "sell short": ("sell", True),
    "short": ("sell", True),
    "sto": ("sell", True),
}
CASH: Final[Mapping[str, str]] = {
    # Schwab
    "cash dividend": "dividend",
    "qualified dividend": "dividend",
    "non-qualified div": "dividend",
    "special dividend": "dividend",
    "reinvest dividend": "dividend",
    "long term cap gain": "dividend",
    "short term cap gain": "dividend",
    "bank interest": "interest",
    "credit interest": "interest",
    "margin interest": "interest",
    "moneylink transfer": "transfer",
    "wire funds": "transfer",
    "wire funds received": "transfer",
    "wire sent": "transfer",
    "journal": "transfer",
    "service fee": "fee",
    "adr mgmt fee": "fee",
    "misc cash entry": "adjustment",
    "cash in lieu": "adjustment",
    "foreign tax paid": "tax",
    "nra tax adj": "tax",
    # Robinhood
    "cdiv": "dividend",
    "mdiv": "dividend",
    "int": "interest",
    "mint": "interest",
    "ach": "transfer",
    "wire": "transfer",
    "xent_cc": "transfer",
    "dfee": "fee",
    "gold": "fee",
    "afee": "fee",
    "dtax": "tax",
    "cil": "adjustment",
    # our own
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "transfer": "transfer",
    "dividend": "dividend",
    "interest": "interest",
    "fee": "fee",
    "tax": "tax",
    "adjustment": "adjustment",
}
IBKR_CASH: Final[Mapping[str, str]] = {
    "Deposits & Withdrawals": "transfer",
    "Dividends": "dividend",
    "Interest": "interest",
    "Fees": "fee",
    "Withholding Tax": "tax",
}
TDA_TRADE: Final = re.compile(r"(?i)^(bought|sold short|sold|buy to cover)\b")
ACTIONS: Final = ("split", "delisting", "symbol_change", "transfer_in", "transfer_out")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A row that could not be read: its line, its column, what is wrong, and what it says."""

    line: int
    column: str
    message: str
    raw: Mapping[str, str]

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """All rows of an export: drafts, activities in the broker's own words, and faults."""

    layout: str
    drafts: list[Draft]
    activities: list[tuple[int, Activity]]
    faults: list[Fault]


def draft_all(export: Export) -> Drafts:
    """Return what every row says; a row is a draft, an activity or a fault."""
    made = Drafts(layout=export.layout, drafts=[], activities=[], faults=[])
    for row in export.rows:
        try:
            if export.layout == broker_csv.ALPACA:
                made.activities.append((row.line, _alpaca(row)))
            else:
                made.drafts.append(READERS[export.layout](row))
        except RowFault as fault:
            raw = dict(row.cells)
            made.faults.append(
                Fault(line=row.line, column=fault.column, message=fault.message, raw=raw)
            )
    return made


def _alpaca(row: CsvRow) -> Activity:
    """Read a row of account activities: the columns are the keys of the interface."""
    known: dict[str, Any] = {key: value for key, value in row.cells.items() if value}
    if known.get("raw", "").startswith("{"):
        known = {**json.loads(known.pop("raw")), **known}
    try:
        return alpaca_records.activity(known)
    except BadAnswer as error:
        told = str(error).removeprefix("Alpaca: ")
        raise RowFault(told.split(" ")[0], told) from None


def _robinhood(row: CsvRow) -> Draft:
    code = cell(row, "trans code").lower()
    when = instant(row, "activity date")
    note = row.cells.get("description", "")
    if code in FILLS:
        return _fill(row, code, when, note=note, amount="amount", fee=None)
    return _cash_row(row, code, "trans code", when, symbol=row.cells.get("instrument", ""))


def _schwab(row: CsvRow) -> Draft:
    action = cell(row, "action").lower()
    when = instant(row, "date")
    note = row.cells.get("description", "")
    if action in FILLS:
        return _fill(row, action, when, note=note, amount="amount", fee="fees & comm")
    return _cash_row(row, action, "action", when, symbol=row.cells.get("symbol", ""))


def _tda(row: CsvRow) -> Draft:
    text = cell(row, "description")
    when = instant(row, "date")
    key = cell(row, "transaction id")
    trade = TDA_TRADE.match(text)
    if trade:
        word = trade[1].lower()
        word = {"sold short": "sell short"}.get(word, word)
        draft = _fill(row, word, when, note=text, amount="amount", fee=("commission", "reg fee"))
    else:
        kind = _kind_of(text)
        draft = _cash(row, kind, when, symbol=row.cells.get("symbol", ""), note=text)
    return replace(draft, broker_id=key)


def _kind_of(text: str) -> str:
    """Return the kind of cash that TD Ameritrade describes in words."""
    words = text.lower()
    for word, kind in (
        ("dividend", "dividend"),
        ("interest", "interest"),
        ("tax", "tax"),
        ("fee", "fee"),
        ("funding", "transfer"),
        ("wire", "transfer"),
        ("disbursement", "transfer"),
        ("cash in lieu", "adjustment"),
    ):
        if word in words:
            return kind
    raise RowFault("description", f"{text!r} is not understood")


def _ibkr(row: CsvRow) -> Draft:
    in_usd(row, "currency")
    if row.table != "Trades":
        day = "settle date" if "settle date" in row.cells else "date"
        text = cell(row, "description")
        symbol = re.match(r"([A-Z][A-Z. ]*)\(", text)
        named = symbol[1] if symbol and row.table in {"Dividends", "Withholding Tax"} else ""
        kind = IBKR_CASH[row.table]
        return _cash(row, kind, instant(row, day), symbol=named, note=text)
    if row.cells.get("asset category", "Stocks") != "Stocks":
        raise RowFault("asset category", f"{row.cells['asset category']!r}: only stocks are kept")
    return _signed_fill(row, "t. price", "date/time", "comm/fee", row.cells.get("code", ""))


def _ibkr_flex(row: CsvRow) -> Draft:
    in_usd(row, "currencyprimary")
    kind = row.cells.get("assetclass") or row.cells.get("assetcategory") or "STK"
    if kind != "STK":
        raise RowFault("assetclass", f"{kind!r}: only stocks (STK) are kept")
    codes = row.cells.get("open/closeindicator", "")
    draft = _signed_fill(row, "tradeprice", "datetime", "ibcommission", codes)
    return replace(draft, broker_id=row.cells.get("tradeid", ""))


def _signed_fill(row: CsvRow, price: str, when: str, fee: str, codes: str) -> Draft:
    """Read a trade whose quantity is negative for a sale and whose fee is negative."""
    quantity = number(row, "quantity")
    if not quantity:
        raise RowFault("quantity", "is 0")
    opens = "O" in re.split(r"[;,]", codes)
    selling = quantity < 0
    return Draft(
        line=row.line,
        table="fill",
        kind="fill",
        when=instant(row, when),
        symbol=cell(row, "symbol").replace(" ", "."),
        side="sell" if selling else "buy",
        short_sale=True if selling and opens else None,
        quantity=abs(quantity),
        price=above_zero(row, price, places=6),
        fee=_paid(row, fee),
        order_id=row.cells.get("iborderid", ""),
        raw=dict(row.cells),
    )


def _paid(row: CsvRow, column: str) -> Decimal:
    """Return a fee, whatever its sign; rebates of a fee are no fee."""
    paid = -(maybe_number(row, column) or Decimal(0))
    return max(paid, Decimal(0)).quantize(Decimal("1e-6"))


def _generic(row: CsvRow) -> Draft:
    in_usd(row, "currency")
    kind = cell(row, "kind").lower()
    when = instant(row, "date", "time")
    key = row.cells.get("id", "")
    if kind in FILLS:
        draft = _fill(row, kind, when, note=row.cells.get("note", ""), fee="fee")
    elif kind in CASH:
        symbol, note = row.cells.get("symbol", ""), row.cells.get("note", "")
        draft = _cash(row, CASH[kind], when, symbol=symbol, note=note)
    elif kind in ACTIONS:
        draft = _action(row, kind, when)
    else:
        raise RowFault("kind", f"{kind!r} is not understood")
    return replace(draft, broker_id=key)


def _action(row: CsvRow, kind: str, when: datetime) -> Draft:
    """Read a corporate action or a transfer of shares of our own layout."""
    return Draft(
        line=row.line,
        table="action",
        kind=kind,
        when=when,
        symbol=cell(row, "symbol"),
        ratio=above_zero(row, "ratio") if kind == "split" else None,
        quantity=(
            above_zero(row, "quantity")
            if kind.startswith("transfer")
            else maybe_number(row, "quantity")
            if kind == "split"
            else None
        ),
        price=number(row, "price") if kind == "transfer_in" else maybe_number(row, "price"),
        amount=maybe_number(row, "amount"),
        new_symbol=cell(row, "new_symbol") if kind == "symbol_change" else "",
        note=row.cells.get("note", ""),
        raw=dict(row.cells),
    )


def _fill(
    row: CsvRow,
    word: str,
    when: datetime,
    *,
    note: str,
    amount: str = "",
    fee: str | Iterable[str] | None = None,
) -> Draft:
    """Read a trade of a layout with separate columns; its amount must fit the rest."""
    side, short = FILLS[word]
    quantity = abs(number(row, "quantity"))
    if not quantity:
        raise RowFault("quantity", "is 0")
    price = above_zero(row, "price", places=6)
    columns = () if fee is None else (fee,) if isinstance(fee, str) else tuple(fee)
    stated = sum((abs(maybe_number(row, name) or Decimal(0)) for name in columns), Decimal(0))
    net = maybe_number(row, amount) if amount else None
    left = stated
    if net is not None:
        left = fee_within(amount, quantity * price, net, side=side)
        if columns and abs(left - stated) > Decimal("0.01"):
            raise RowFault(amount, f"{net} does not fit quantity, price and fees")
    return Draft(
        line=row.line,
        table="fill",
        kind="fill",
        when=when,
        symbol=cell(row, "instrument" if "instrument" in row.cells else "symbol"),
        side=side,
        short_sale=short,
        quantity=quantity,
        price=price,
        fee=stated if columns else left,
        order_id=row.cells.get("order_id", ""),
        note=note,
        raw=dict(row.cells),
    )


def _cash_row(row: CsvRow, word: str, column: str, when: datetime, *, symbol: str) -> Draft:
    if word not in CASH:
        raise RowFault(column, f"{row.cells[column]!r} is not understood")
    return _cash(row, CASH[word], when, symbol=symbol, note=row.cells.get("description", ""))


def _cash(row: CsvRow, kind: str, when: datetime, *, symbol: str, note: str) -> Draft:
    amount = number(row, "amount")
    if not amount:
        raise RowFault("amount", "is 0")
    if kind in {"deposit", "withdrawal"} and (kind == "deposit") != (amount > 0):
        raise RowFault("amount", f"{amount} does not fit a {kind}")
    return Draft(
        line=row.line,
        table="cash",
        kind=kind,
        when=when,
        symbol=symbol,
        amount=amount,
        note=note,
        raw=dict(row.cells),
    )


READERS: Final[Mapping[str, Callable[[CsvRow], Draft]]] = {
    broker_csv.ROBINHOOD: _robinhood,
    broker_csv.SCHWAB: _schwab,
    broker_csv.TDA: _tda,
    broker_csv.IBKR: _ibkr,
    broker_csv.IBKR_FLEX: _ibkr_flex,
    broker_csv.GENERIC: _generic,
}
