"""Lots, first in, first out, and what they make: trades, cash, holdings (design §10).

A ledger is read once, in the order of :func:`ledger_entries.in_order`. Every amount is a whole
number, so that cash and cost add up to the cent however often a lot is cut.
"""

from collections import deque
from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from performance.calc.ledger_entries import (
    CENT,
    RATIO,
    SHARE,
    ActionEntry,
    CashEntry,
    Entry,
    FillEntry,
    rounded,
)
from performance.calc.ledger_states import (
    Book,
    CloseState,
    LotState,
    Oddity,
    Opening,
    Status,
    TradeState,
    scale,
)


class Ledger:
    """The state of one account after the entries that it was given.

    Attributes:
        trades: In the order of their opening; likewise ``lots``; ``closes`` of their closing.
        cash: [cents].
        other_income: Interest, fees and the like of no trade [cents].
        flows: Cash and shares from outside by session [cents].
        cash_after: Cash after each session that moved it [cents].
        steps: (session, symbol, shares held from then on, negative for a short, their cost
            [cents]), in order.
        splits: (session, symbol, ratio) of every split that was applied.
        oddities: What did not fit.
    """

    def __init__(self) -> None:
        self.trades: list[TradeState] = []
        self.lots: list[LotState] = []
        self.closes: list[CloseState] = []
        self.cash = 0
        self.other_income = 0
        self.flows: dict[date, int] = {}
        self.cash_after: dict[date, int] = {}
        self.steps: list[tuple[date, str, int, int]] = []
        self.splits: list[tuple[date, str, int]] = []
        self.oddities: list[Oddity] = []
        self.last_place: tuple[object, ...] | None = None
        self._books: dict[str, Book] = {}

    def read(self, entries: Iterable[Entry]) -> "Ledger":
        """Apply entries that stand in order, behind those read before; return the ledger.

        Raises:
            ValueError: An entry stands before one that was read.
        """
        for entry in entries:
            place = entry.place
            if self.last_place is not None and place < self.last_place:
                raise ValueError(f"{entry.tie} stands before what was read: rebuild")
            self.last_place = place
            if isinstance(entry, FillEntry):
                self._fill(entry)
            elif isinstance(entry, CashEntry):
                self._cash(entry)
            else:
                self._act(entry)
        return self

    def holdings(self) -> dict[str, TradeState]:
        """Return the open trade of each symbol that is held."""
        return {book.symbol: book.trade for book in self._books.values() if book.trade}

    # ------------------------------------------------------------------ fills

    def _fill(self, fill: FillEntry) -> None:
        book = self._book(fill.symbol)
        gross = fill.quantity * fill.price
        amount = rounded(gross + fill.sign * fill.fee * SHARE, CENT)
        opening: Opening = ("fill", fill.key)
        closing = min(fill.quantity, book.held) if book.side == -fill.sign else 0
        if closing:
            part = rounded(amount * closing, fill.quantity)
            fee = rounded(fill.fee * closing, fill.quantity)
            self._close(book, opening, fill.session, fill.when, closing, part, "closed")
            trade = book.last if book.trade is None else book.trade
            assert trade is not None  # noqa: S101 - shares were held
            trade.left += closing * fill.price
            trade.left_quantity += closing
            trade.fees += fee
            amount_left, fee_left = amount - part, fill.fee - fee
        else:
            amount_left, fee_left = amount, fill.fee
        if closing < fill.quantity:
            self._check_short(fill, closing)
            entered = fill.quantity - closing
            trade = self._enter(
                book, opening, fill.sign, entered, amount_left, fill.when, fill.session
            )
            trade.entered += entered * fill.price
            trade.fees += fee_left
        self._pay(fill.session, -fill.sign * amount)
        self._step(book, fill.session)

    def _check_short(self, fill: FillEntry, closed: int) -> None:
        held = self._books[fill.symbol].held
        if fill.sign > 0 or fill.marked_short or held:
            return
        self.oddities.append(
            Oddity(
                kind="oversold",
                severity="warning" if fill.marked_short is None else "error",
                symbol=fill.symbol,
                session=fill.session,
                key=f"{fill.key}",
                text=f"sold {_plain(fill.quantity)} while {_plain(closed)} were held and not "
                "marked as a short sale: kept as a short position",
                fill=fill.key,
            )
        )

    def _enter(
        self,
        book: Book,
        opening: Opening,
        side: int,
        quantity: int,
        cost: int,
        when: datetime,
        session: date,
    ) -> TradeState:
        trade = book.trade
        if trade is None:
            trade = TradeState(opening, book.symbol, side, when, session)
            self.trades.append(trade)
            book.trade = trade
        lot = LotState(opening, book.symbol, session, side, quantity, quantity, cost, cost, trade)
        self.lots.append(lot)
        book.lots.append(lot)
        trade.quantity += quantity
        trade.open_quantity += quantity
        trade.invested += cost
        trade.cost_open += cost
        return trade

    def _close(
        self,
        book: Book,
        closing: Opening,
        session: date,
        when: datetime,
        quantity: int,
        amount: int,
        status: Status,
    ) -> None:
        """Take ``quantity`` from the oldest lots for ``amount`` [cents], spread by shares."""
        trade = book.trade
        assert trade is not None  # noqa: S101 - the caller saw shares
        taken = paid = 0
        while taken < quantity:
            lot = book.lots[0]
            part = min(lot.remaining, quantity - taken)
            taken += part
            proceeds = rounded(amount * taken, quantity) - paid
            paid += proceeds
            cost = rounded(lot.cost_remaining * part, lot.remaining)
            lot.remaining -= part
            lot.cost_remaining -= cost
            if not lot.remaining:
                book.lots.popleft()
            close = CloseState(lot, closing, session, part, cost, proceeds)
            self.closes.append(close)
            trade.cost_open -= cost
            trade.realised += close.realised
        trade.proceeds += amount
        trade.open_quantity -= quantity
        if not trade.open_quantity:
            trade.status = status
            trade.closed_at, trade.closed_session = when, session
            book.last, book.trade = trade, None

    # ------------------------------------------------------------------ cash

    def _cash(self, cash: CashEntry) -> None:
        self._pay(cash.session, cash.amount)
        if cash.external:
            self._flow(cash.session, cash.amount)
            return
        book = self._books.get(cash.symbol)
        trade = (book.trade or book.last) if book else None
        if trade is None:
            self.other_income += cash.amount
            return
        trade.income += cash.amount
        trade.realised += cash.amount

    def _pay(self, session: date, amount: int) -> None:
        self.cash += amount
        self.cash_after[session] = self.cash

    def _flow(self, session: date, amount: int) -> None:
        self.flows[session] = self.flows.get(session, 0) + amount

    def _step(self, book: Book, session: date) -> None:
        trade = book.trade
        held, cost = (trade.open_quantity * trade.side, trade.cost_open) if trade else (0, 0)
        self.steps.append((session, book.symbol, held, cost))

    def _book(self, symbol: str) -> Book:
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = Book(symbol)
        return book

    # ------------------------------------------------------------------ actions

    def _act(self, action: ActionEntry) -> None:
        book = self._book(action.symbol)
        if action.kind == "transfer_in":
            self._transfer_in(book, action)
        elif not book.held:
            if action.key is not None:
                self._odd(action, "no_effect", "info", "nothing was held")
            return
        elif action.kind == "split":
            self._split(book, action)
        elif action.kind == "symbol_change":
            self._rename(book, action)
            return
        else:
            self._leave(book, action)
        self._step(book, action.session)

    def _split(self, book: Book, action: ActionEntry) -> None:
        trade = book.trade
        assert trade is not None  # noqa: S101 - the caller saw shares
        exact = rounded(trade.open_quantity * action.ratio, RATIO)
        whole = exact // SHARE * SHARE if action.cash else exact
        target = whole if action.quantity is None else action.quantity
        if exact:
            scale(book, trade, action.ratio, max(exact, target))
        self.splits.append((action.session, book.symbol, action.ratio))
        lost = trade.open_quantity - target
        if lost > 0 and action.key is not None:
            amount = action.cash * trade.side
            self._close(
                book, ("action", action.key), action.session, action.when, lost, amount, "closed"
            )
            trade.left += amount * CENT
            trade.left_quantity += lost
        elif action.cash:
            trade.income += action.cash
            trade.realised += action.cash
        if action.cash:
            self._pay(action.session, action.cash)

    def _leave(self, book: Book, action: ActionEntry) -> None:
        """Delisted, or transferred out: at its price, or at cost if a transfer has none."""
        trade = book.trade
        assert trade is not None and action.key is not None  # noqa: S101, PT018
        moved = trade.open_quantity
        if action.kind == "transfer_out" and action.quantity is not None:
            moved = min(action.quantity, moved)
            if moved < action.quantity:
                self._odd(action, "contradiction", "error", "more moved out than was held")
        amount = rounded(trade.cost_open * moved, trade.open_quantity)
        if action.price is not None:
            amount = rounded(moved * action.price, CENT)
        delisted = action.kind == "delisting"
        self._close(
            book,
            ("action", action.key),
            action.session,
            action.when,
            moved,
            amount,
            "delisted" if delisted else "closed",
        )
        trade.left += amount * CENT
        trade.left_quantity += moved
        if delisted:
            self._pay(action.session, amount * trade.side)
        else:
            self._flow(action.session, -amount * trade.side)

    def _transfer_in(self, book: Book, action: ActionEntry) -> None:
        assert action.key is not None and action.quantity and action.price is not None  # noqa: S101, PT018
        if book.side < 0:
            self._odd(action, "contradiction", "error", "shares moved in while it was held short")
            return
        cost = rounded(action.quantity * action.price, CENT)
        opening: Opening = ("action", action.key)
        trade = self._enter(book, opening, 1, action.quantity, cost, action.when, action.session)
        trade.entered += action.quantity * action.price
        self._flow(action.session, cost)

    def _rename(self, book: Book, action: ActionEntry) -> None:
        other = self._book(action.new_symbol)
        if other.trade is not None:
            self._odd(action, "contradiction", "error", f"{action.new_symbol} is held already")
            return
        self.steps.append((action.session, book.symbol, 0, 0))
        trade = book.trade
        assert trade is not None  # noqa: S101 - the caller saw shares
        trade.symbol = action.new_symbol
        for lot in book.lots:
            lot.symbol = action.new_symbol
        other.lots, other.trade = book.lots, trade
        book.lots, book.trade, book.last = deque(), None, trade
        self._step(other, action.session)

    def _odd(
        self,
        action: ActionEntry,
        kind: Literal["no_effect", "contradiction"],
        severity: Literal["info", "error"],
        why: str,
    ) -> None:
        self.oddities.append(
            Oddity(
                kind=kind,
                severity=severity,
                symbol=action.symbol,
                session=action.session,
                key=f"{action.kind} {action.tie}",
                text=f"{action.kind.replace('_', ' ')}: {why}",
            )
        )


def _plain(quantity: int) -> str:
    return f"{quantity / SHARE:g}"
