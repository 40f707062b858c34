"""Exports of brokers as plain rows: which layout it is, and where the table begins and ends.

Brokers put titles above the table, totals and small print below it, and IBKR several tables in
one file. What is left out here is only what is no row of the table; everything else is read, or
is a fault with its line.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.errors import DomainError

GENERIC, ALPACA, ROBINHOOD, SCHWAB, TDA, IBKR, IBKR_FLEX = (
    "generic",
    "alpaca",
    "robinhood",
    "schwab",
    "td ameritrade",
    "ibkr statement",
    "ibkr flex",
)
MOST_TITLES: Final = 30  # lines above the table
# The columns by which a layout is known, in lower case; the first that fits is taken.
MARKS: Final[Mapping[str, frozenset[str]]] = {
    ALPACA: frozenset({"id", "activity_type"}),
    ROBINHOOD: frozenset({"activity date", "instrument", "trans code", "amount"}),
    TDA: frozenset({"date", "transaction id", "description", "symbol", "amount"}),
    SCHWAB: frozenset({"date", "action", "symbol", "quantity", "price", "amount"}),
    IBKR_FLEX: frozenset({"symbol", "datetime", "buy/sell", "quantity", "tradeprice"}),
    GENERIC: frozenset({"date", "kind"}),
}
FOOTERS: Final = ("transactions total", "***end of file***", "total")
IBKR_TABLES: Final = frozenset(
    {"Trades", "Deposits & Withdrawals", "Dividends", "Interest", "Fees", "Withholding Tax"}
)


class UnknownLayout(DomainError):
    """The file has the columns of no broker that we know."""


@dataclass(frozen=True, kw_only=True)
class CsvRow:
    """One row: its line in the file, counted from 1, and its cells by column in lower case.

    ``table`` is the part of a file with several tables; blank otherwise.
    """

    line: int
    cells: Mapping[str, str]
    table: str = ""


@dataclass(frozen=True, kw_only=True)
class Export:
    """A file's layout and the rows of its table."""

    layout: str
    rows: list[CsvRow]


def read(content: bytes) -> Export:
    """Return layout and rows of an export.

    Raises:
        UnknownLayout: No line holds the columns of a known layout; the message lists them.
    """
    text = content.decode("utf-8-sig", errors="replace")
    lines = list(_lines(text))
    if any(cells[:2] == ["Statement", "Header"] or cells[:2] == ["Trades", "Header"]
           for _, cells in lines):  # fmt: skip
        return Export(layout=IBKR, rows=_statement(lines))
    for at, (_, cells) in enumerate(lines[:MOST_TITLES]):
        names = [cell.strip().lower() for cell in cells]
        for layout, marks in MARKS.items():
            if marks <= set(names):
                return Export(layout=layout, rows=list(_table(lines[at + 1 :], names)))
    known = "; ".join(f"{name}: {', '.join(sorted(marks))}" for name, marks in MARKS.items())
    raise UnknownLayout(f"no line has the columns of a known layout ({known})")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    start = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield start, cells
        start = reader.line_num + 1


def _table(lines: Sequence[tuple[int, list[str]]], names: Sequence[str]) -> Iterator[CsvRow]:
    for line, cells in lines:
        filled = [cell.strip() for cell in cells if cell.strip()]
        first = cells[0].strip().lower()
        if first.startswith(FOOTERS) or (len(filled) == 1 and len(names) > 2):
            continue  # totals and small print
        padded = [cell.strip() for cell in cells] + [""] * (len(names) - len(cells))
        yield CsvRow(line=line, cells=dict(zip(names, padded, strict=False)))


def _statement(lines: Sequence[tuple[int, list[str]]]) -> list[CsvRow]:
    """Read the tables of an IBKR activity statement that move shares or cash."""
    names: dict[str, list[str]] = {}
    found = []
    for line, cells in lines:
        table, what = cells[0].strip(), cells[1].strip() if len(cells) > 1 else ""
        if table not in IBKR_TABLES:
            continue
        if what == "Header":
            names[table] = [cell.strip().lower() for cell in cells[2:]]
        elif what == "Data" and table in names:
            padded = [cell.strip() for cell in cells[2:]] + [""] * len(names[table])
            row = dict(zip(names[table], padded, strict=False))
            if _counts(table, row):
                found.append(CsvRow(line=line, cells=row, table=table))
    return found


def _counts(table: str, row: Mapping[str, str]) -> bool:
    """Return whether a line is a row itself, and neither a total nor a part of one."""
    if table == "Trades":
        return row.get("datadiscriminator", "Order") in {"Order", "Trade"}
    return not row.get("currency", "").lower().startswith("total")
