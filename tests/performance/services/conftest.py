"""A small market in a lake of its own, scanned: what settling needs."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import pytest

from analytics.calc import sessions
from analytics.models import Variant
from analytics.services import discovery, lakes
from tests import factories
from tests.factories import NOW

FIRST = date(2022, 1, 3)
SYMBOLS, SESSIONS = 40, 130
SCANNED = (40, 115)  # sessions that are scanned, by position


def day(at):
    return sessions.offset(FIRST, int(at))


@dataclass
class Market:
    """Bars and splits as they went into the lake."""

    bars: pl.DataFrame
    splits: pl.DataFrame

    def lake(self):
        return lakes.lake_of("imported")

    def store(self, bars=None):
        chosen = self.bars if bars is None else bars
        self.lake().upsert("bars", chosen.drop("at"))


def make_bars(seed=5):
    """Prices that jump now and then, volumes that spike, holes, lost opens, early ends."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(SYMBOLS):
        end = SESSIONS if number % 8 else int(rng.integers(60, 110))
        steps = rng.normal(0, 0.03, SESSIONS)
        jumps = rng.random(SESSIONS) < 0.02
        steps[jumps] += rng.choice([-0.3, 0.25, 0.5], jumps.sum())
        close = rng.uniform(2, 6) * np.exp(np.cumsum(steps))
        volume = 400_000 * np.exp(rng.normal(0, 0.5, SESSIONS)) * np.where(jumps, 8, 1)
        for at in range(end):
            if rng.random() < 0.01:
                continue
            open_ = close[at] * np.exp(rng.normal(0, 0.01))
            lost = rng.random() < 0.02
            row = (open_, max(open_, close[at]) * 1.02, min(open_, close[at]) * 0.98)
            rows.append(
                (f"S{number:02d}", at, *(row if not lost else (None,) * 3), close[at], volume[at])
            )
    for at in range(SESSIONS):
        rows.append(("SPY", at, 400 + at, 402 + at, 399 + at, 401 + at, 5e7))
    frame = pl.DataFrame(
        rows,
        schema=["symbol", "at", "open", "high", "low", "close", "volume"],
        orient="row",
        infer_schema_length=None,
    )
    return frame.with_columns(
        pl.col("open", "high", "low", "close", "volume").cast(pl.Float64),
        session=pl.Series([day(at) for at in frame["at"]], dtype=pl.Date),
        quality=pl.lit(0, pl.Int8),
        source=pl.lit("imported"),
    ).sort("symbol", "session")


@pytest.fixture(scope="session")
def bars():
    return make_bars()


@pytest.fixture
def market(db, settings, tmp_path, bars):
    settings.LAKE_URL = str(tmp_path / "lake")
    splits = pl.DataFrame(
        {"symbol": ["S01"], "ex_date": [day(70)], "ratio": [0.5], "source": ["imported"]}
    ).with_columns(known_on=pl.lit(NOW).dt.convert_time_zone("UTC").dt.cast_time_unit("us"))
    made = Market(bars=bars, splits=splits)
    made.lake().create_all()
    made.lake().upsert("splits", splits)
    for symbol in bars["symbol"].unique(maintain_order=True):
        own = bars.filter(pl.col("symbol") == symbol)["session"]
        kind = {"SPY": "etf", "S03": "adr"}.get(symbol, "common")
        factories.make_security(
            symbol=symbol, first_session=own.min(), last_session=own.max(), kind=kind
        )
    volume = {"w_volume": 0.6, "w_momentum": 0.4, "w_float": 0, "w_short_interest": 0}
    for name, weights in (("A", volume), ("B", {**volume, "w_volume": 0.1, "w_technical": 0.3})):
        Variant.objects.create(name=name, title=name, top=4, **weights)
    return made


def scan(first=SCANNED[0], last=SCANNED[1]):
    return discovery.record_batches(first=day(first), last=day(last), source="imported", now=NOW)
