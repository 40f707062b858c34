"""Read trades and equity for the metrics: few queries, whole columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc import sessions
from analytics.services import lakes, market_data
from performance.calc.metrics import Trades
from performance.models import Account, EquityDay, Trade, TradeSide

SPY = "SPY"

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
TRADE_COLUMNS = {
    "id": pl.Int64,
    "account_id": pl.Int64,
    "side": pl.String,
    "opened_session": pl.Date,
    "closed_session": pl.Date,
    "status": pl.String,
    "invested": pl.Float64,
    "realised": pl.Float64,
    "unrealised": pl.Float64,
    "mark_price": pl.Float64,
    "open_quantity": pl.Float64,
    "is_frozen": pl.Boolean,
    "return_on_cost": pl.Float64,
}


@dataclass(frozen=True, kw_only=True)
class Book:
    """All trades and daily equity of a source, and SPY beside them.

    Attributes:
        source: Asked for; real sources are read together.
        as_of: The last finished session: trades and days after it are left out.
        accounts: Ids of its accounts.
        trades: Columns of ``TRADE_COLUMNS``, and ``at_zero``: the return with a frozen
            holding at 0.
        equity: ``account``, ``session``, ``equity``, ``flow`` [USD], sorted.
        market: ``session``, ``market``: SPY's return of each session, as far as it is known.
    """

    source: str
    as_of: date
    accounts: list[int]
    trades: pl.DataFrame
    equity: pl.DataFrame
    market: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a trade nor a day of equity."""
        return not (self.trades.height or self.equity.height)

    def of(self, account: int | None) -> "Book":
        """Return the book of one account; all of it for None."""
        if account is None:
            return self
        return Book(
            source=self.source,
            as_of=self.as_of,
            accounts=[account],
            trades=self.trades.filter(pl.col("account_id") == account),
            equity=self.equity.filter(pl.col("account") == account),
            market=self.market,
        )


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Trades of a window: all, those still open, without a mark, with a frozen quote."""

    trades: int
    open: int
    unmarked: int
    frozen: int


def read_book(*, source: str, now: datetime) -> Book:
    """Read what the metrics of ``source`` are made of at ``now``: three queries and SPY's bars."""
    beside = lakes.sources_beside(source)
    last = sessions.last_finished(now)
    accounts = Account.objects.filter(source__in=beside, is_active=True)
    ids = sorted(accounts.values_list("pk", flat=True))
    trades = _trades(ids, last)
    days = pl.DataFrame(
        list(
            EquityDay.objects.filter(account__in=ids, session__lte=last)
            .order_by("account", "session")
            .values_list("account", "session", "equity", "flow")
        ),
        schema={"account": pl.Int64, "session": pl.Date, "equity": pl.Float64, "flow": pl.Float64},
        orient="row",
        strict=False,
    )
    first = days["session"].min()
    return Book(
        source=source,
        as_of=last,
        accounts=ids,
        trades=trades,
        equity=days,
        market=_market(source, first, last) if isinstance(first, date) else _no_market(),
    )


def _trades(accounts: Sequence[int], last: date) -> pl.DataFrame:
    rows = (
        Trade.objects.filter(account__in=accounts)
        .open_between(None, last)
        .order_by("opened_session", "pk")
        .values_list(*TRADE_COLUMNS)
    )
    found = pl.DataFrame(list(rows), schema=TRADE_COLUMNS, orient="row", strict=False)
    value = pl.col("mark_price") * pl.col("open_quantity")
    lost = pl.col("is_frozen") & (pl.col("side") == TradeSide.LONG)
    left = pl.col("realised") + pl.col("unrealised") - value
    return found.with_columns(
        at_zero=pl.when(lost).then(left / pl.col("invested")).otherwise(pl.col("return_on_cost"))
    )


def _market(source: str, first: date, last: date) -> pl.DataFrame:
    """Return SPY's returns over sessions next to each other."""
    bars = market_data.get_bars(
        source=source, first=sessions.offset(first, -1), last=last, symbols=[SPY]
    )
    number = pl.Series([sessions.number(day) for day in bars["session"]], dtype=pl.Int64)
    return (
        bars.with_columns(number=number)
        .select(
            "session",
            market=pl.when(pl.col("number").diff() == 1).then(
                pl.col("close") / pl.col("close").shift(1) - 1
            ),
        )
        .filter(pl.col("session") >= first)
    )


def _no_market() -> pl.DataFrame:
    return pl.DataFrame(schema={"session": pl.Date, "market": pl.Float64})


def first_of(book: Book, days: int) -> date | None:
    """Return the first day of a window of calendar days; None: since inception."""
    return book.as_of - timedelta(days=days - 1) if days else None


def in_window(book: Book, first: date | None) -> tuple[Trades, Counts]:
    """Return the trades open at any time from ``first`` on, as columns, and how many there are.

    Trades without a mark or without a cost are counted, and in no figure.
    """
    own = book.trades
    if first is not None:
        own = own.filter(pl.col("closed_session").is_null() | (pl.col("closed_session") >= first))
    told = own.filter(pl.col("return_on_cost").is_not_null() & (pl.col("invested") > 0))
    counts = Counts(
        trades=own.height,
        open=own["closed_session"].null_count(),
        unmarked=own.height - told.height,
        frozen=int(told["is_frozen"].sum()),
    )
    opened = numbers(told["opened_session"])
    closed = numbers(told["closed_session"].fill_null(book.as_of))
    trades = Trades(
        returns=told["return_on_cost"].to_numpy().astype(np.float64),
        at_zero=told["at_zero"].to_numpy().astype(np.float64),
        invested=told["invested"].to_numpy().astype(np.float64),
        opened=opened,
        closed=np.maximum(closed, opened),
    )
    return trades, counts


def numbers(days: pl.Series) -> Longs:
    """Return the session number of each day."""
    found = np.searchsorted(sessions.calendar(), days.to_numpy().astype("datetime64[D]"))
    return found.astype(np.int64)
