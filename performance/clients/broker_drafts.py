"""What a row of a broker's export says before it is one of the ledger, and how cells are read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from analytics.calc import sessions
from performance.clients.broker_csv import CsvRow

NOON: Final = time(12)  # New York; where only a date is given
DATES: Final = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%Y%m%d")
TIMES: Final = ("%H:%M:%S", "%H:%M", "%H%M%S", "%I:%M:%S %p", "%I:%M %p")
CENT: Final = Decimal("0.01")
DIGITS: Final = 15  # that every database keeps exactly


class RowFault(Exception):
    """A cell that cannot be read, or does not fit another.

    Args:
        column: Which one, as the file calls it.
        message: What is wrong.
    """

    def __init__(self, column: str, message: str) -> None:
        super().__init__(f"{column}: {message}")
        self.column = column
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A row of the ledger to be. ``broker_id`` is blank where the layout has no id."""

    line: int
    table: Literal["fill", "cash", "action"]
    kind: str
    when: datetime
    broker_id: str = ""
    symbol: str = ""
    side: str = ""
    short_sale: bool | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    fee: Decimal = Decimal(0)
    amount: Decimal | None = None
    ratio: Decimal | None = None
    new_symbol: str = ""
    order_id: str = ""
    note: str = ""
    raw: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


def cell(row: CsvRow, column: str) -> str:
    """Return a cell that must be filled.

    Raises:
        RowFault: It is empty, or the column is missing.
    """
    value = row.cells.get(column, "")
    if not value:
        raise RowFault(column, "is empty")
    return value


def number(row: CsvRow, column: str, *, places: int = 9) -> Decimal:
    """Return a number: "1,234.50", "$3", "($300.00)" and "-5" are understood.

    Args:
        places: Decimals that are kept.

    Raises:
        RowFault: It is none, or has more digits or decimals than a database keeps.
    """
    text = cell(row, column)
    plain = text.replace(",", "").replace("$", "").replace(" ", "")
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise RowFault(column, f"{text!r} is no number") from None
    if not value.is_finite():
        raise RowFault(column, f"{text!r} is no number")
    if len(value.normalize().as_tuple().digits) > DIGITS:
        raise RowFault(column, f"{text!r} has more than {DIGITS} digits")
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise RowFault(column, f"{text!r} has more than {places} decimals")
    return value


def maybe_number(row: CsvRow, column: str) -> Decimal | None:
    """Return a number; None if the cell is empty. Raises as :func:`number` does."""
    return number(row, column) if row.cells.get(column, "") not in {"", "--"} else None


def above_zero(row: CsvRow, column: str, *, places: int = 9) -> Decimal:
    """Return a number above 0. Raises as :func:`number` does."""
    value = number(row, column, places=places)
    if value <= 0:
        raise RowFault(column, f"{row.cells[column]!r} is not above 0")
    return value


def instant(row: CsvRow, column: str, clock: str = "") -> datetime:
    """Return an aware instant; a time without a zone is New York's.

    Args:
        column: A date, or date and time.
        clock: Column of the time, if it is apart.

    Raises:
        RowFault: It is neither.
    """
    text = cell(row, column).split(" as of ")[-1]
    joined = f"{text} {row.cells.get(clock, '')}".strip() if clock else text
    try:
        found = datetime.fromisoformat(joined.replace(", ", " "))
    except ValueError:
        found = _loose(row, column, joined)
    else:
        if found.tzinfo is None and not re.search(r"\d[T ;]\d", joined.replace(", ", " ")):
            found = datetime.combine(found.date(), NOON)
    return found if found.tzinfo else found.replace(tzinfo=sessions.NEW_YORK)


def _loose(row: CsvRow, column: str, text: str) -> datetime:
    day, _, clock = re.sub(r"[;,T]\s*", " ", text).partition(" ")
    for pattern in DATES:
        try:
            date = datetime.strptime(day, pattern).date()  # noqa: DTZ007 - a date only
        except ValueError:
            continue
        return datetime.combine(date, _clock(column, clock.strip()))
    raise RowFault(column, f"{row.cells[column]!r} is no date")


def _clock(column: str, text: str) -> time:
    if not text:
        return NOON
    for pattern in TIMES:
        try:
            return datetime.strptime(text, pattern).time()  # noqa: DTZ007 - a time only
        except ValueError:
            continue
    raise RowFault(column, f"{text!r} is no time")


def fee_within(column: str, gross: Decimal, net: Decimal, *, side: str) -> Decimal:
    """Return the fee that an amount leaves between itself and quantity x price.

    Raises:
        RowFault: It would be negative, or more than 5 % and a dollar: the row contradicts itself.
    """
    whole = gross.quantize(CENT)
    fee = whole - net if side == "sell" else -net - whole
    if fee < -CENT or fee > max(Decimal(1), whole / 20):
        raise RowFault(column, f"{net} does not fit quantity x price = {whole}")
    return max(fee, Decimal(0))


def in_usd(row: CsvRow, column: str) -> None:
    """Return if the row is in USD, or says nothing of it.

    Raises:
        RowFault: It is in another currency.
    """
    value = row.cells.get(column, "")
    if value and value.upper() != "USD":
        raise RowFault(column, f"{value!r}: only USD is kept")
