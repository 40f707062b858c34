"""The portfolio page: what is held, what was traded, equity against SPY and the claim (§10)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from analytics.models import Baseline
from analytics.services import lakes
from performance.calc import metrics_equity, portfolio_chart
from performance.calc.spans import Span
from performance.models import EquityDay, Position, PositionAdvice, Trade
from performance.services import advice, portfolio, risk_reading

SHOWN = 200  # trades in the table, the newest


@dataclass(frozen=True, kw_only=True)
class PortfolioPage:
    """What the page shows.

    Attributes:
        first, last: Days looked at; None without any equity.
        equity: Of all accounts on the last day [USD].
        advice: By account and symbol.
        total: Trades of the range; ``trades`` are the newest of them.
        claims: What the baseline claims for its two months, by name.
        chart: For the browser; ``words`` says the same.
    """

    source: str
    first: date | None
    last: date | None
    equity: float | None
    cash: float | None
    positions: list[tuple[Position, PositionAdvice | None]]
    trades: list[Trade]
    total: int
    claims: dict[str, float]
    chart: dict[str, Any]
    words: str
    table: list[tuple[date, float, float, float | None]]


def get_page(*, source: str, span: Span) -> PortfolioPage:
    """Return the page: at most eight queries, whatever the rows."""
    rows = EquityDay.objects.filter(source__in=lakes.sources_beside(source))
    stored = list(
        rows.order_by("account", "session").values_list(
            "account_id", "session", "equity", "flow", "cash"
        )
    )
    names = ["account", "session", "equity", "flow", "cash"]
    plain = [(row[0], row[1], *map(float, row[2:])) for row in stored]
    schema = {"account": pl.Int64, "session": pl.Date, **dict.fromkeys(names[2:], pl.Float64)}
    days = pl.DataFrame(plain, schema=schema, orient="row")
    first, last = _bounds(days, span)
    returns = metrics_equity.portfolio_returns(days) if days.height else _no_returns()
    if first is not None and last is not None:
        returns = returns.filter(pl.col("session").is_between(first, last))
    shown = returns["session"].to_list()
    growth = portfolio_chart.growth_of(returns["value"].to_numpy())
    market = portfolio_chart.beside(shown, _spy(source, shown))
    claims = _claims()
    advised = {(row.account_id, row.symbol): row for row in advice.get_advice(source=source)}
    held = portfolio.get_positions(source=source).select_related("account", "trade")
    trades = portfolio.get_trades(source=source, first=first, last=last)
    newest = list(trades.select_related("account").newest_first()[:SHOWN])
    total = days.group_by("session").agg(pl.col("equity", "cash").sum()).sort("session")
    return PortfolioPage(
        source=source,
        first=first,
        last=last,
        equity=total["equity"][-1] if total.height else None,
        cash=total["cash"][-1] if total.height else None,
        positions=[
            (row, advised.get((row.account_id, row.symbol)))
            for row in held.order_by("account__name", "symbol")
        ],
        trades=newest,
        total=trades.count() if len(newest) == SHOWN else len(newest),
        claims=claims,
        chart=portfolio_chart.payload(shown, growth, market, claims=claims),
        words=portfolio_chart.describe(shown, growth, market),
        table=_table(shown, growth, market, returns),
    )


def _bounds(days: pl.DataFrame, span: Span) -> tuple[date | None, date | None]:
    """Return the first and last day that the range asks for, counted from the newest equity."""
    newest = days["session"].max()
    return span.days_of(newest) if isinstance(newest, date) else (None, None)


def _no_returns() -> pl.DataFrame:
    return pl.DataFrame(schema={"session": pl.Date, "value": pl.Float64})


def _spy(source: str, days: list[date]) -> dict[date, float]:
    """Return SPY's closes over ``days``."""
    if not days:
        return {}
    bars = lakes.lake_of(source).read(
        "bars",
        first=days[0],
        last=days[-1],
        columns=["symbol", "session", "close"],
        symbols=[risk_reading.BENCHMARK],
    )
    return dict(bars.select("session", "close").iter_rows())


def _claims() -> dict[str, float]:
    """Return what the baseline claims: its average return, and its profit on what was put in."""
    row = Baseline.objects.order_by("pk").first()
    if row is None:
        return {}
    return {
        "average return": row.average_return,
        "profit on what was invested": float(row.profit_usd / row.invested_usd),
    }


def _table(
    days: list[date], growth: Any, market: Any, returns: pl.DataFrame
) -> list[tuple[date, float, float, float | None]]:
    """Return day, the day's return, growth, and SPY's growth, newest first."""
    own = returns["value"].to_list()
    spy = [None if np.isnan(value) else float(value) for value in market]
    rows = zip(days, own, growth.tolist(), spy, strict=True)
    return list(rows)[::-1][:SHOWN]
