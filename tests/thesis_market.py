"""A few stocks with one story each in a lake, for theses that settle on them."""

from datetime import date

import polars as pl

from analytics.calc import sessions
from analytics.services import lakes
from tests import factories

FIRST = date(2023, 5, 1)
CALM = (3.0, 3.1, 2.9, 3.0)
UP = (3.2, 4.6, 3.1, 4.4)
MARKET = [(400.0, 401.0, 399.0, 400.0)] * 45


def day(at):
    return sessions.offset(FIRST, at)


def bars(symbol, rows, start=0):
    frame = pl.DataFrame(
        [(symbol, day(start + at), *row) for at, row in enumerate(rows) if row],
        schema=["symbol", "session", "open", "high", "low", "close"],
        orient="row",
    )
    return frame.with_columns(
        pl.col("open", "high", "low", "close").cast(pl.Float64),
        volume=1e6,
        quality=pl.lit(0, pl.Int8),
        source=pl.lit("imported"),
    )


def open_lake():
    """Return an empty lake with SPY; the caller has pointed LAKE_URL to a folder."""
    made = lakes.lake_of("imported")
    made.create_all()
    for symbol, sector in (("RISE", "Energy"), ("CALM", ""), ("GAP", ""), ("GONE", "")):
        factories.make_security(
            symbol=symbol, sector=sector, first_session=day(0), last_session=day(44)
        )
    made.upsert("bars", bars("SPY", MARKET))
    return made


def fill(lake):
    """RISE reaches its target on session 5, CALM nothing, GAP opens beyond it, GONE stops."""
    lake.upsert("bars", bars("RISE", [CALM] * 5 + [UP] + [CALM] * 39))
    lake.upsert("bars", bars("CALM", [CALM] * 45))
    lake.upsert("bars", bars("GAP", [CALM, (5.0, 5.0, 5.0, 5.0), *[CALM] * 43]))
    lake.upsert("bars", bars("GONE", [CALM] * 4))


def thesis(symbol, at=0, **fields):
    return factories.make_thesis(symbol=symbol, session=day(at), **fields)
