"""What a ledger is made of, in whole numbers, and the one order in which it is read (design §10).

Shares are counted in 1e-9, prices and fees in 1e-6 USD, money in cents: sums are exact, and the
only rounding is that of one fill's amount to the cent, half up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

SHARE: Final = 10**9
DOLLAR: Final = 10**6  # of a price or a fee
CENT: Final = SHARE * DOLLAR // 100  # one cent, in units of shares x price
RATIO: Final = 10**10

ActionName = Literal["split", "delisting", "symbol_change", "transfer_in", "transfer_out"]
PHASES: Final[Mapping[str, int]] = {
    "symbol_change": 0,
    "split": 1,
    "transfer_in": 2,
    "fill": 3,
    "cash": 4,
    "transfer_out": 5,
    "delisting": 6,
}
Place = tuple[date, int, datetime | date, int, str]


class AmbiguousCorrection(ValueError):
    """Two rows correct the same one, or a chain of corrections runs in a circle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FillEntry:
    """Shares that changed hands.

    Attributes:
        key: Of the first row of its chain of corrections: stays when it is corrected.
        tie: Orders what happened at one instant.
        sign: +1 bought, -1 sold.
        quantity: [1e-9 shares], above 0.
        price: [1e-6 USD].
        fee: [1e-6 USD], 0 or more.
        marked_short: The broker called it a short sale; None: not said.
    """

    key: int
    tie: str
    symbol: str
    sign: int
    quantity: int
    price: int
    fee: int
    when: datetime
    session: date
    marked_short: bool | None = None

    @property
    def place(self) -> Place:
        """Where it stands in the ledger. At one instant, purchases come before sales."""
        return (self.session, PHASES["fill"], self.when, -self.sign, self.tie)


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionEntry:
    """A corporate action or a transfer of shares.

    Attributes:
        key: None for a split that market data shows and the ledger does not.
        ratio: New shares for one old share [1e-10]; splits only.
        quantity: [1e-9 shares]: moved, or held after a split; None: not said.
        price: [1e-6 USD a share]; None: not said.
        cash: Paid in lieu of fractions [cents].
    """

    key: int | None
    tie: str
    kind: ActionName
    symbol: str
    session: date
    when: datetime
    ratio: int = RATIO
    quantity: int | None = None
    price: int | None = None
    cash: int = 0
    new_symbol: str = ""

    @property
    def place(self) -> Place:
        """Where it stands in the ledger."""
        return (self.session, PHASES[self.kind], self.when, 0, self.tie)


@dataclass(frozen=True, kw_only=True, slots=True)
class CashEntry:
    """Cash without a trade.

    Attributes:
        amount: Into the account [cents]; negative: out of it.
        external: From outside: no result of the account.
        symbol: Whose result it is; blank: the account's.
    """

    tie: str
    amount: int
    external: bool
    session: date
    when: datetime
    symbol: str = ""

    @property
    def place(self) -> Place:
        """Where it stands in the ledger."""
        return (self.session, PHASES["cash"], self.when, 0, self.tie)


Entry = FillEntry | ActionEntry | CashEntry


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries as they are read: by session, phase, instant and tie.

    The order does not depend on when or in what order they were imported.
    """
    return sorted(entries, key=_place)


def _place(entry: Entry) -> Place:
    return entry.place


def resolve(links: Sequence[tuple[int, int | None]]) -> dict[int, int]:
    """Return the first row of each chain by its last row: what counts, and who it is.

    Args:
        links: Of each row, its key and the key of the row it corrects (None: of none).

    Raises:
        AmbiguousCorrection: A row is corrected twice, or by itself in the end.
    """
    corrects = {key: target for key, target in links if target is not None}
    if len(set(corrects.values())) < len(corrects):
        raise AmbiguousCorrection("one row is corrected twice")
    corrected = set(corrects.values())
    ends = {}
    for key, _target in links:
        if key not in corrected:
            ends[key] = _root(key, corrects)
    if links and not ends:
        raise AmbiguousCorrection("corrections run in a circle")
    return ends


def _root(key: int, corrects: Mapping[int, int]) -> int:
    for _step in range(len(corrects) + 1):
        if key not in corrects:
            return key
        key = corrects[key]
    raise AmbiguousCorrection("corrections run in a circle")


def rounded(numerator: int, denominator: int) -> int:
    """Return the quotient as a whole number, half away from 0. ``denominator`` is above 0."""
    if numerator < 0:
        return -((-numerator * 2 + denominator) // (2 * denominator))
    return (numerator * 2 + denominator) // (2 * denominator)


def shares_of(value: Decimal) -> int:
    """Return shares in 1e-9."""
    return int(value.scaleb(9).to_integral_value())


def price_of(value: Decimal) -> int:
    """Return USD in 1e-6."""
    return int(value.scaleb(6).to_integral_value())


def cents_of(value: Decimal) -> int:
    """Return USD in cents."""
    return int(value.scaleb(2).to_integral_value())


def ratio_of(value: Decimal) -> int:
    """Return a split's ratio in 1e-10."""
    return int(value.scaleb(10).to_integral_value())


def shares(count: int) -> Decimal:
    """Return 1e-9 shares as Decimal."""
    return Decimal(count).scaleb(-9)


def dollars(price: int) -> Decimal:
    """Return 1e-6 USD as Decimal."""
    return Decimal(price).scaleb(-6)


def money(cents: int) -> Decimal:
    """Return cents as Decimal USD."""
    return Decimal(cents).scaleb(-2)
