"""A handful of bars in a lake, for pages that show one symbol."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

from analytics.calc import sessions
from analytics.services import lakes
from tests import factories

LAST = date(2024, 6, 28)
SPLIT = date(2024, 6, 20)


def store(folder: Path, *, symbol="VIGL", source="imported", days=60, last=LAST):
    """Store ``days`` bars of one symbol with a 1-for-10 reverse split, shorts and float.

    The caller has pointed LAKE_URL to ``folder``.
    """
    lake = lakes.lake_of(source)
    lake.create_all()
    dates = [sessions.offset(last, at - days + 1) for at in range(days)]
    closes = [0.3 if day < SPLIT else 3.0 for day in dates]
    lake.upsert(
        "bars",
        pl.DataFrame(
            {
                "symbol": symbol,
                "session": dates,
                "open": closes,
                "high": [close * 1.1 for close in closes],
                "low": [close * 0.9 for close in closes],
                "close": closes,
                "volume": [1_000_000.0 if day < SPLIT else 100_000.0 for day in dates],
                "quality": 0,
                "source": source,
            }
        ).with_columns(pl.col("quality").cast(pl.Int8)),
    )
    lake.upsert("splits", _frame(symbol, source, ex_date=[SPLIT], ratio=[0.1], known=[SPLIT]))
    lake.upsert(
        "short_interest",
        _frame(
            symbol,
            source,
            settlement_date=[date(2024, 5, 31), date(2024, 6, 14)],
            shares_short=[500_000.0, 600_000.0],
            days_to_cover=[1.0, None],
            known=[date(2024, 6, 11), date(2024, 7, 5)],
        ),
    )
    lake.upsert(
        "shares",
        _frame(
            symbol,
            source,
            effective_date=[date(2024, 6, 3)],
            public_float=[4_000_000.0],
            shares_outstanding=[None],
            origin=["screener"],
            known=[date(2024, 6, 4)],
        ),
    )
    return factories.make_security(
        symbol=symbol, first_session=dates[0], last_session=dates[-1], source=source
    )


def _frame(symbol, source, *, known, **columns):
    instants = [datetime.combine(day, time(14), tzinfo=UTC) for day in known]
    return pl.DataFrame(
        {"symbol": [symbol] * len(known), "source": [source] * len(known), **columns},
        strict=False,
    ).with_columns(
        pl.Series("known_on", instants, dtype=pl.Datetime("us", "UTC")),
        *(
            pl.col(name).cast(pl.Float64)
            for name in columns
            if name.startswith(("shares_", "days_"))
        ),
    )
