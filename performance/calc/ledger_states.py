"""What a ledger has built up so far: lots, closes, trades, and what did not fit (design §10)."""

from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from performance.calc.ledger_entries import RATIO, rounded

Status = Literal["open", "closed", "delisted"]
Opening = tuple[Literal["fill", "action"], int]


@dataclass(slots=True)
class LotState:
    """Shares entered together. ``cost`` [cents] is what a short sale brought, if it is short."""

    opening: Opening
    symbol: str
    session: date
    side: int
    quantity: int
    remaining: int
    cost: int
    cost_remaining: int
    trade: "TradeState"


@dataclass(slots=True, frozen=True)
class CloseState:
    """Shares of a lot that left; ``proceeds`` [cents] is what covering cost, if it is short."""

    lot: LotState
    closing: Opening
    session: date
    quantity: int
    cost: int
    proceeds: int

    @property
    def realised(self) -> int:
        """Result [cents]."""
        return (self.proceeds - self.cost) * self.lot.side


@dataclass(slots=True)
class TradeState:
    """One round trip from flat to flat. Quantities are in shares as they are now."""

    opening: Opening
    symbol: str
    side: int
    opened_at: datetime
    opened_session: date
    quantity: int = 0
    open_quantity: int = 0
    entered: int = 0  # quantity x price of the entries, without fees
    left: int = 0  # quantity x price of the exits, without fees
    left_quantity: int = 0
    fees: int = 0  # [1e-6 USD]
    invested: int = 0  # [cents], as all that follow
    cost_open: int = 0
    proceeds: int = 0
    income: int = 0
    realised: int = 0
    status: Status = "open"
    closed_at: datetime | None = None
    closed_session: date | None = None

    @property
    def entry_price(self) -> int:
        """Mean entry [1e-6 USD a share]."""
        return rounded(self.entered, self.quantity)

    @property
    def exit_price(self) -> int:
        """Mean exit [1e-6 USD a share]."""
        return rounded(self.left, self.left_quantity) if self.left_quantity else 0


@dataclass(slots=True, frozen=True, kw_only=True)
class Oddity:
    """Something that does not fit, in words: it becomes a finding."""

    kind: Literal["oversold", "no_effect", "contradiction"]
    severity: Literal["info", "warning", "error"]
    symbol: str
    session: date
    key: str
    text: str
    fill: int | None = None


@dataclass(slots=True)
class Book:
    """The lots of one symbol that still hold something, all of one side, and their trade."""

    symbol: str
    lots: deque[LotState] = field(default_factory=deque)
    trade: TradeState | None = None
    last: TradeState | None = None

    @property
    def held(self) -> int:
        return self.trade.open_quantity if self.trade else 0

    @property
    def side(self) -> int:
        return self.trade.side if self.trade else 0


def scale(book: Book, trade: TradeState, ratio: int, target: int) -> None:
    """Multiply all shares by ``ratio`` [1e-10]; those of the lots add up to ``target``.

    A lot too small to keep a share leaves its cost to its neighbour.
    """
    seen = given = carried = 0
    kept: deque[LotState] = deque()
    for lot in book.lots:
        seen += lot.remaining
        share = rounded(target * seen, trade.open_quantity) - given
        given += share
        lot.quantity = max(share + rounded((lot.quantity - lot.remaining) * ratio, RATIO), 1)
        lot.remaining = share
        if share:
            lot.cost_remaining += carried
            carried = 0
            kept.append(lot)
        else:
            carried += lot.cost_remaining
            lot.cost_remaining = 0
    kept[-1].cost_remaining += carried
    book.lots = kept
    trade.left_quantity = rounded(trade.left_quantity * ratio, RATIO)
    trade.quantity = target + rounded((trade.quantity - trade.open_quantity) * ratio, RATIO)
    trade.open_quantity = target
