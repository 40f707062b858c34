"""A lake with SPY and two stocks, and an account that holds them: what assessing risk needs."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import polars as pl

from analytics.calc import sessions
from analytics.services import lakes
from performance.models import EquityDay
from tests import factories

LAST = date(2024, 6, 28)
EVENING = datetime(2024, 6, 28, 23, 0, tzinfo=UTC)
SYMBOLS = ("AAA", "BBB", "SPY")


def days(count, last=LAST):
    return [sessions.offset(last, at - count + 1) for at in range(count)]


def closes(count=300, seed=4):
    """Close by symbol, ending at 4, 2 and 500 dollars."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, count)
    found = {}
    for symbol, end, own in (("AAA", 4.0, 0.04), ("BBB", 2.0, 0.03), ("SPY", 500.0, 0.0)):
        steps = market + rng.normal(0, 1, count) * own
        path = np.exp(np.cumsum(steps))
        found[symbol] = path * end / path[-1]
    return found


def store(folder, settings, *, source="imported", count=300, last=LAST):
    """Store the bars in a lake of its own and say who is listed."""
    settings.LAKE_URL = str(folder)
    lake = lakes.lake_of(source)
    lake.create_all()
    for symbol, path in closes(count).items():
        frame = pl.DataFrame(
            {
                "symbol": symbol,
                "session": days(count, last),
                "open": path,
                "high": path,
                "low": path,
                "close": path,
                "volume": np.full(count, 100_000.0),
                "quality": 0,
                "source": source,
            }
        ).with_columns(pl.col("quality").cast(pl.Int8))
        lake.upsert("bars", frame)
        factories.make_security(
            symbol=symbol,
            first_session=days(count, last)[0],
            last_session=last,
            kind="etf" if symbol == "SPY" else "common",
            sector={"AAA": "Technology", "BBB": "Energy"}.get(symbol, ""),
            source=source,
        )


def make_held(account, symbol, *, quantity=100, cost=3, mark=4, thesis=None, **fields):
    """Store a position with its open trade."""
    opened = datetime(2024, 6, 20, 14, tzinfo=UTC)
    trade = factories.make_trade(
        account=account,
        symbol=symbol,
        quantity=quantity,
        entry_price=cost,
        invested=Decimal(quantity * cost),
        opened_at=opened,
        thesis=thesis,
        source=account.source,
    )
    return factories.make_position(
        account=account,
        trade=trade,
        symbol=symbol,
        quantity=quantity,
        average_cost=cost,
        cost=Decimal(quantity * cost),
        mark_price=mark,
        mark_session=LAST,
        market_value=Decimal(quantity * mark),
        unrealised=Decimal(quantity * (mark - cost)),
        source=account.source,
        **fields,
    )


def make_equity(account, values=(10_000, 9_900, 10_000), *, last=LAST):
    """Store equity after the last sessions."""
    for session, value in zip(days(len(values), last), values, strict=True):
        EquityDay.objects.create(
            account=account,
            session=session,
            cash=value,
            holdings=0,
            equity=value,
            equity_at_zero=value,
            source=account.source,
        )
