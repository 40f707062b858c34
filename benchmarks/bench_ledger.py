"""The ledger: 100,000 fills rebuilt in under 10 s, and a peer that reads them in plain Decimal.

    python -m benchmarks.bench_ledger [--fills 100000] [--postgres postgresql://...]

Two years of a day-trader in 500 symbols with bars: the fills are stored, then the portfolio is
rebuilt from nothing (lots, trades, positions, equity, findings) and rebuilt again, which changes
no row. The peer is first in, first out in Decimal over the same fills in memory, as it is usually
written; it is held against our pass over the same entries.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict, deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

MOST_S = 10.0
SYMBOLS, SESSIONS, SEED = 500, 504, 11
LAST = date(2024, 6, 28)
NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)
CENT = Decimal("0.01")


def set_up(folder: str, postgres: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "amc_trader.settings"
    os.environ.update(ENV_FILE="", VAR_DIR=folder, LAKE_URL=f"{folder}/lake", AMC_DATA_DIR="")
    os.environ["DATABASE_URL"] = postgres or f"sqlite:///{folder}/bench.sqlite3"
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.MIGRATION_MODULES = {"analytics": None, "performance": None}
    django.setup()
    call_command("migrate", "auth", verbosity=0)  # first: our tables point at it
    call_command("migrate", run_syncdb=True, verbosity=0)


def make_bars(random: np.random.Generator) -> tuple[list[date], np.ndarray]:
    from analytics.calc import sessions
    from analytics.services import lakes

    days = [sessions.offset(LAST, at - SESSIONS + 1) for at in range(SESSIONS)]
    steps = np.exp(random.normal(0, 0.03, (SYMBOLS, SESSIONS)).cumsum(axis=1))
    closes = np.round(random.uniform(1, 8, (SYMBOLS, 1)) * steps + 0.5, 4)
    flat = closes.reshape(-1)
    frame = pl.DataFrame(
        {
            "symbol": np.repeat([f"Z{at:03}" for at in range(SYMBOLS)], SESSIONS),
            "session": days * SYMBOLS,
            "open": flat,
            "high": flat * 1.05,
            "low": flat * 0.95,
            "close": flat,
            "volume": np.full(flat.size, 1e6),
            "source": "imported",
        }
    ).with_columns(quality=pl.lit(0, pl.Int8))
    lake = lakes.lake_of("imported")
    lake.create_all()
    lake.upsert("bars", frame)
    return days, closes


def store_fills(count: int, days: list[date], closes: np.ndarray, random) -> Any:
    """Buy and sell in turns: most sales close, some go through zero, some stay open."""
    from analytics.calc import sessions
    from analytics.services import bulk
    from performance.models import Account, CashMovement, Fill

    account = Account.objects.create(name="bench", source="imported")
    symbol = random.integers(0, SYMBOLS, count)
    day = np.sort(random.integers(0, SESSIONS, count))
    quantity = random.integers(1, 500, count)
    buys = random.random(count) < 0.52
    seconds = np.arange(count) % 23_000
    opens = [sessions.opening(one) for one in days]
    stamps = {"origin": "csv", "source": "imported", "kind": "fill", "order_id": ""}
    bulk.insert(
        Fill,
        {
            "account_id": [account.pk] * count,
            "broker_id": [f"{at:07}" for at in range(count)],
            "symbol": [f"Z{at:03}" for at in symbol],
            "side": ["buy" if one else "sell" for one in buys],
            "short_sale": [None if one else True for one in buys],
            "quantity": [Decimal(int(one)) for one in quantity],
            "price": [Decimal(f"{closes[s, d]:.4f}") for s, d in zip(symbol, day, strict=True)],
            "fee": [Decimal("0.01")] * count,
            "executed_at": [
                opens[d] + timedelta(seconds=int(s)) for d, s in zip(day, seconds, strict=True)
            ],
            "session": [days[d] for d in day],
            "raw": [{}] * count,
            "recorded_at": [NOW] * count,
            **{name: [value] * count for name, value in stamps.items()},
        },
    )
    CashMovement.objects.create(
        account=account,
        broker_id="deposit",
        kind="deposit",
        amount="10000000",
        occurred_at=opens[0],
        session=days[0],
        origin="csv",
        recorded_at=NOW,
        source="imported",
    )
    return account


def peer(fills) -> Decimal:
    """Return what first in, first out realises, in Decimal, lot by lot."""
    lots: dict[str, deque] = defaultdict(deque)
    realised = Decimal(0)
    for symbol, sign, quantity, price, fee in fills:
        book = lots[symbol]
        left = quantity
        realised -= fee
        while left and book and book[0][0] == -sign:
            lot = book[0]
            part = min(left, lot[1])
            realised += ((price - lot[2]) * part * -sign).quantize(CENT)
            lot[1] -= part
            left -= part
            if not lot[1]:
                book.popleft()
        if left:
            book.append([sign, left, price])
    return realised


def measure(count: int) -> bool:
    from performance.calc.ledger import Ledger
    from performance.calc.ledger_entries import dollars, in_order, shares
    from performance.services import ledger_reading, portfolio

    random = np.random.default_rng(SEED)
    days, closes = make_bars(random)
    account = store_fills(count, days, closes, random)
    spent = time.process_time()
    first = portfolio.rebuild(account=account, now=NOW)
    spent = time.process_time() - spent
    print(
        f"{first.fills} fills, {first.trades} trades, {first.lots} lots, {first.days} sessions: "
        f"rebuilt from nothing in {first.seconds:.1f} s (at most {MOST_S:g}), "
        f"{spent:.1f} s of it on the processor"
    )
    again = portfolio.rebuild(account=account, now=NOW)
    print(f"again: {again.changed} rows changed, {again.seconds:.1f} s")
    reading = ledger_reading.read(account)
    started = time.process_time()
    Ledger().read(in_order(reading.entries))
    ours = time.process_time() - started
    plain = [
        (fill.symbol, fill.sign, shares(fill.quantity), dollars(fill.price), dollars(fill.fee))
        for fill in sorted(reading.fills, key=lambda one: one.place)
    ]
    started = time.process_time()
    peer(plain)
    theirs = time.process_time() - started
    print(
        f"lots, trades, cash and steps in {ours:.2f} s; the peer's realised result alone in plain "
        f"Decimal {theirs:.2f} s: {theirs / ours:.1f} times as long"
    )
    return first.seconds < MOST_S and again.changed == 0


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--fills", type=int, default=100_000)
    asked.add_argument("--postgres", default="", help="an empty database")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        set_up(folder, options.postgres)
        good = measure(options.fills)
    print("ok" if good else "NOT as promised")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
