"""What accounts hold, with the past of it: what the assessment of risk reads (design §14)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from django.conf import settings

from analytics.calc import sessions
from analytics.models import Security
from analytics.services import lakes
from performance.calc import metrics, metrics_equity, risk_past
from performance.calc.risk_holdings import Holdings
from performance.calc.risk_past import Seen
from performance.models import Account, EquityDay, Position, Trade, TradeSide

BENCHMARK = "SPY"
BROKER = "alpaca"  # whose orders we can read
NAN = float("nan")

Floats = npt.NDArray[np.float64]


@dataclass(kw_only=True)
class Market:
    """Bars and splits of what is held, up to a session.

    Attributes:
        session: The last one that both the lake has and the clock has seen end.
        days: Sessions read, ascending.
    """

    session: date
    days: list[date]
    bars: pl.DataFrame
    splits: pl.DataFrame
    since: Mapping[str, date]
    sectors: Mapping[str, str]

    def past(self, symbols: Sequence[str]) -> Seen:
        """Return the past of ``symbols``."""
        return risk_past.seen(
            self.bars,
            self.splits,
            symbols=symbols,
            benchmark=BENCHMARK,
            days=self.days,
            since=self.since,
        )

    def factor(self, symbol: str, after: date, until: date | None = None) -> float:
        """Return the new shares that one share of ``after`` has become by ``until``."""
        end, product = until or self.session, 1.0
        for day, ratio in self.splits_of.get(symbol, ()):
            if after < day <= end:
                product *= ratio
        return product

    @cached_property
    def splits_of(self) -> dict[str, list[tuple[date, float]]]:
        """Return ex-date and new shares per old one, by symbol."""
        found: dict[str, list[tuple[date, float]]] = {}
        for symbol, day, ratio in self.splits.select("symbol", "ex_date", "ratio").iter_rows():
            found.setdefault(symbol, []).append((day, ratio))
        return found


def broker_tells(account: Account) -> bool:
    """Return whether the broker tells us which orders of the account work."""
    return account.broker.strip().lower() == BROKER and account.synced_at is not None


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Daily equity of an account, ascending.

    Attributes:
        days: Session numbers.
        equity: At each close [USD].
        flow: External cash of the day [USD].
    """

    days: npt.NDArray[np.int64]
    equity: Floats
    flow: Floats

    def at(self, numbers: npt.NDArray[np.int64]) -> Floats:
        """Return the equity at the close of each session or the last one before; NaN: none."""
        place = np.searchsorted(self.days, numbers, side="right")
        return np.concatenate([[NAN], self.equity])[place]

    def returns(self) -> Floats:
        """Return daily time-weighted returns; those without invested money are left out."""
        if not self.days.size:
            return np.empty(0)
        days = pl.DataFrame(
            {"account": 0, "session": self.days, "equity": self.equity, "flow": self.flow},
            schema_overrides={"account": pl.Int64},
        )
        found: Floats = metrics_equity.portfolio_returns(days)["value"].to_numpy()
        return found


@dataclass(frozen=True, kw_only=True)
class Held:
    """One account and what it holds.

    Attributes:
        stop_basis: Per position "broker", "thesis" or "none": where its stop comes from.
    """

    account: Account
    positions: list[Position]
    holdings: Holdings
    stop_basis: list[str]
    curve: Curve


def get_market(*, source: str, symbols: Iterable[str], now: datetime) -> Market:
    """Return what the lake knows of ``symbols`` and the benchmark."""
    lake = lakes.lake_of(source)
    finished, stored = sessions.last_finished(now), lake.sessions()
    session = min(stored[-1], finished) if stored else finished
    last = sessions.number(session)
    days = [sessions.day(at) for at in range(max(last - risk_past.READ, 0), last + 1)]
    wanted = sorted({*symbols, BENCHMARK})
    listings = (
        Security.objects.filter(source__in=lakes.sources_beside(source), symbol__in=wanted)
        .filter(first_session__lte=session)
        .order_by("first_session")
        .values_list("symbol", "first_session", "sector")
    )
    since: dict[str, date] = {}
    sectors: dict[str, str] = {}
    for symbol, first, sector in listings:
        since[symbol], sectors[symbol] = first, sector
    columns = ["symbol", "session", "close", "volume"]
    return Market(
        session=session,
        days=days,
        bars=lake.read("bars", first=days[0], last=session, columns=columns, symbols=wanted),
        splits=lake.read("splits", last=session, symbols=wanted),
        since=since,
        sectors=sectors,
    )


def get_accounts(source: str) -> list[Account]:
    """Return the active accounts of the realm, by name."""
    wanted = Account.objects.filter(source__in=lakes.sources_beside(source), is_active=True)
    return list(wanted.order_by("name", "pk"))


def get_positions(accounts: Sequence[Account]) -> dict[int, list[Position]]:
    """Return the positions of each account by symbol, with trade and thesis: one query."""
    found: dict[int, list[Position]] = {account.pk: [] for account in accounts}
    rows = Position.objects.filter(account__in=accounts).select_related("trade__thesis")
    for position in rows.order_by("symbol"):
        found[position.account_id].append(position)
    return found


def get_curves(accounts: Sequence[Account], *, until: date) -> dict[int, Curve]:
    """Return the equity of each account up to a session: one query."""
    rows: dict[int, list[tuple[date, float, float]]] = defaultdict(list)
    stored = EquityDay.objects.filter(account__in=accounts, session__lte=until)
    for account, session, equity, flow in stored.order_by("session").values_list(
        "account_id", "session", "equity", "flow"
    ):
        rows[account].append((session, float(equity), float(flow)))
    return {
        account.pk: Curve(
            days=np.array([sessions.number(row[0]) for row in rows[account.pk]], np.int64),
            equity=np.array([row[1] for row in rows[account.pk]], np.float64),
            flow=np.array([row[2] for row in rows[account.pk]], np.float64),
        )
        for account in accounts
    }


def hold(account: Account, positions: list[Position], curve: Curve, market: Market) -> Held:
    """Put positions into columns; a stop is the broker's if confirmed, else the thesis's."""
    symbols = tuple(position.symbol for position in positions)
    stops = [stop_of(position, market) for position in positions]
    side = np.array([-1.0 if p.side == TradeSide.SHORT else 1.0 for p in positions])
    return Held(
        account=account,
        positions=positions,
        curve=curve,
        stop_basis=[basis for _, basis in stops],
        holdings=Holdings(
            symbols=symbols,
            value=_column(p.market_value for p in positions),
            cost=side * _column(p.cost for p in positions),
            price=_column(p.mark_price for p in positions),
            stop=_column(stop for stop, _ in stops),
            dollar_volume=market.past(symbols).dollar_volume,
            sectors=tuple(market.sectors.get(symbol, "") for symbol in symbols),
            equity=float(curve.at(np.array([sessions.number(market.session)]))[0]),
            limit=settings.POSITION_SIZE_LIMIT,
        ),
    )


def stop_of(position: Position, market: Market) -> tuple[float | None, str]:
    """Return the stop of a position and where it comes from."""
    if position.stop_price is not None and position.stop_confirmed_at is not None:
        return float(position.stop_price), "broker"
    thesis = position.trade.thesis if position.trade else None
    if thesis is None:
        return None, "none"
    return float(thesis.stop_price) / market.factor(position.symbol, thesis.session), "thesis"


@dataclass(frozen=True, kw_only=True)
class Sized:
    """Trades with the weight that they were entered at.

    Attributes:
        weight: Cost over the equity at the close before the entry.
        group: Cluster of overlapping holding windows.
    """

    weight: Floats
    capital: Floats
    result: Floats
    group: npt.NDArray[np.int64]


def entry_weights(opened: npt.NDArray[np.int64], invested: Floats, curve: Curve) -> Floats:
    """Return cost over the equity at the close before the entry; NaN where it is not known.

    The first trade of an account has no day before: that day's own close counts.
    """
    before, after = curve.at(opened - 1), curve.at(opened)
    equity = np.where(before > 0, before, after)
    found: Floats = np.divide(invested, equity, out=np.full(equity.size, NAN), where=equity > 0)
    return found


def get_sized(account: Account, curve: Curve, *, until: date) -> Sized:
    """Return every trade of an account whose result and entry weight are known: one query."""
    rows = Trade.objects.filter(
        account=account, opened_session__lte=until, return_on_cost__isnull=False
    ).values_list("opened_session", "closed_session", "invested", "return_on_cost")
    found = list(rows.order_by("opened_at", "pk"))
    opened = np.array([sessions.number(row[0]) for row in found], np.int64)
    closed = np.array([sessions.number(row[1] or until) for row in found], np.int64)
    capital = np.array([float(row[2]) for row in found], np.float64)
    weight = entry_weights(opened, capital, curve)
    known = weight > 0
    return Sized(
        weight=weight[known],
        capital=capital[known],
        result=np.array([row[3] for row in found], np.float64)[known],
        group=metrics.clusters(opened[known], closed[known]),
    )


def _column(values: Iterable[object]) -> Floats:
    return np.array([NAN if value is None else float(value) for value in values], np.float64)  # type: ignore[arg-type]


def cents(value: float | None) -> Decimal | None:
    """Return an amount to the cent; None if it is not known."""
    return Decimal(f"{value:.2f}") if value is not None and np.isfinite(value) else None


def price(value: float | None) -> Decimal | None:
    """Return a price with six decimals; None if it is not known."""
    return Decimal(f"{value:.6f}") if value is not None and np.isfinite(value) else None
