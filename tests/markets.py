"""Small random markets as frames, the same for the same seed, with every nuisance of real ones.

Holes, splits, missing prices, sessions without volume, reused tickers, symbols that nobody
lists, records that come late: what a feature must stand, a market here has.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from analytics.calc import fingerprint, panel, sessions
from analytics.calc.panel import Panel
from analytics.lake.tables import Lake

FIRST = date(2021, 3, 1)
KINDS = ("common", "common", "common", "common", "adr", "etf")
RATIOS = (2.0, 3.0, 10.0, 0.1, 0.25)
INSTANT = pl.Datetime("us", "UTC")

SCHEMAS: dict[str, dict[str, Any]] = {
    "bars": {
        "symbol": pl.String,
        "session": pl.Date,
        **dict.fromkeys(("open", "high", "low", "close", "volume"), pl.Float64),
    },
    "securities": {
        "symbol": pl.String,
        "first_session": pl.Date,
        "last_session": pl.Date,
        "kind": pl.String,
    },
    "splits": {"symbol": pl.String, "ex_date": pl.Date, "ratio": pl.Float64, "known_on": INSTANT},
    "short_interest": {
        "symbol": pl.String,
        "settlement_date": pl.Date,
        "known_on": INSTANT,
        "shares_short": pl.Float64,
        "days_to_cover": pl.Float64,
    },
    "shares": {
        "symbol": pl.String,
        "effective_date": pl.Date,
        "known_on": INSTANT,
        "public_float": pl.Float64,
        "shares_outstanding": pl.Float64,
    },
    "short_volume": {
        "symbol": pl.String,
        "session": pl.Date,
        "known_on": INSTANT,
        "short_volume": pl.Float64,
        "total_volume": pl.Float64,
    },
    "sentiment": {"symbol": pl.String, "published_at": INSTANT, "sentiment": pl.Float64},
}
ABOUT = {
    "bars": "session",
    "splits": "ex_date",
    "short_interest": "settlement_date",
    "shares": "effective_date",
    "short_volume": "session",
}


@dataclass(frozen=True)
class Market:
    """Frames with the columns that ``panel.build`` wants."""

    bars: pl.DataFrame
    securities: pl.DataFrame
    splits: pl.DataFrame
    short_interest: pl.DataFrame
    shares: pl.DataFrame
    short_volume: pl.DataFrame
    sentiment: pl.DataFrame

    @property
    def sessions(self) -> list[date]:
        """Sessions with a bar, ascending."""
        return self.bars["session"].unique().sort().to_list()

    def panel(self) -> Panel:
        return panel.build(**{name: getattr(self, name) for name in SCHEMAS})

    def until(self, last: date) -> "Market":
        """Return what anybody could have known after session ``last``."""
        known = pl.col("known_on") <= sessions.cut_off(last)
        return Market(
            bars=self.bars.filter(pl.col("session") <= last),
            securities=self.securities.filter(pl.col("first_session") <= last),
            splits=self.splits.filter(pl.col("ex_date") <= last),
            short_interest=self.short_interest.filter(known),
            shares=self.shares.filter(known),
            short_volume=self.short_volume.filter(known),
            sentiment=self.sentiment.filter(pl.col("published_at") <= sessions.cut_off(last)),
        )

    def reading(self, session: date) -> "Market":
        """Return what ``services.panels.get_panel`` reads for a scan of one session."""
        oldest = sessions.offset(session, 1 - fingerprint.LOOKBACK)
        record = sessions.offset(session, -fingerprint.RECORD_LOOKBACK - 5)
        return Market(
            bars=self.bars.filter(pl.col("session").is_between(oldest, session)),
            securities=self.securities.filter(pl.col("first_session") <= session),
            splits=self.splits.filter(pl.col("ex_date") <= session),
            short_interest=self.short_interest.filter(
                pl.col("settlement_date").is_between(record, session)
            ),
            shares=self.shares.filter(pl.col("effective_date") <= session),
            short_volume=self.short_volume.filter(pl.col("session").is_between(record, session)),
            sentiment=self.sentiment.filter(
                pl.col("published_at").is_between(
                    sessions.cut_off(record), sessions.cut_off(session)
                )
            ),
        )

    def with_(self, table: str, rows: pl.DataFrame) -> "Market":
        """Return a copy with another ``table``, sorted if it is the bars."""
        key = ["symbol", "session"] if table == "bars" else []
        return replace(self, **{table: rows.sort(key) if key else rows})

    def changed(self, table: str, row: int, column: str, value: Any) -> "Market":
        """Return a copy with one value replaced."""
        frame = getattr(self, table)
        at = pl.int_range(pl.len()) == row
        fresh = pl.lit(value, SCHEMAS[table][column])
        return self.with_(
            table, frame.with_columns(pl.when(at).then(fresh).otherwise(column).alias(column))
        )


def make_market(
    *,
    seed: int = 0,
    symbols: int = 6,
    length: int = 70,
    hole: float = 0.03,
    blank: float = 0.03,
    split: float = 0.01,
    listed: bool = True,
) -> Market:
    """Draw a market.

    Args:
        symbols: Tickers S00, S01, ...
        length: Sessions from ``FIRST`` on.
        hole: Share of bars that are missing.
        blank: Share of bars without open, high or low, and again without volume.
        split: Splits per bar.
        listed: Whether every ticker has a security; else about every fifth has none.
    """
    random = np.random.default_rng(seed)
    days = [sessions.offset(FIRST, n) for n in range(length)]
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in SCHEMAS}
    for number in range(symbols):
        symbol = f"S{number:02d}"
        periods = _periods(random, length)
        for begin, end in periods:
            _draw_listing(random, symbol, days[begin:end], (hole, blank, split), rows)
            if listed or random.random() > 0.2:
                kind = str(random.choice(KINDS))
                rows["securities"].append((symbol, days[begin], days[end - 1], kind))
        _draw_records(random, symbol, days, rows)
    return from_rows(**rows)


def from_rows(**rows: list[tuple[Any, ...]]) -> Market:
    """Return a market of rows per table, each in the order of its columns."""
    frames = {
        name: pl.DataFrame(rows.get(name, []), schema=schema, orient="row")
        for name, schema in SCHEMAS.items()
    }
    frames["bars"] = frames["bars"].sort("symbol", "session")
    return Market(**frames)


def _periods(random: np.random.Generator, length: int) -> list[tuple[int, int]]:
    """Return the listings of one ticker as ranges of sessions: mostly one, sometimes two."""
    late = int(random.integers(0, length // 2)) if random.random() < 0.3 else 0
    early = int(random.integers(late + 1, length + 1)) if random.random() < 0.2 else length
    if random.random() < 0.3 and early - late > 10:
        cut = int(random.integers(late + 4, early - 4))
        gap = int(random.choice([0, 0, 2, 25]))
        return [(late, cut), *([(cut + gap, early)] if cut + gap < early else [])]
    return [(late, early)]


def _draw_listing(
    random: np.random.Generator,
    symbol: str,
    days: list[date],
    odds: tuple[float, float, float],
    rows: dict[str, list[tuple[Any, ...]]],
) -> None:
    hole, blank, split = odds
    size = len(days)
    close = float(random.uniform(0.7, 12)) * np.exp(np.cumsum(random.normal(0, 0.05, size)))
    volume = np.exp(random.normal(0, 0.7, size)) * random.uniform(5e4, 1e6)
    volume *= np.where(random.random(size) < 0.08, random.uniform(2, 40, size), 1)
    factor = 1.0
    for at, day in enumerate(days):
        if at and random.random() < split:
            ratio = float(random.choice(RATIOS))
            factor *= ratio
            rows["splits"].append((symbol, day, ratio, sessions.opening(day)))
        if random.random() < hole:
            continue
        price = close[at] / factor
        spread = price * abs(random.normal(0, 0.04))
        high, low = price + spread * random.random(), price - spread * random.random() * 0.9
        values: list[float | None] = [random.uniform(low, high), high, low]
        if random.random() < blank:
            values[int(random.integers(3))] = None
        shares = 0.0 if random.random() < blank else float(np.rint(volume[at] * factor))
        rows["bars"].append((symbol, day, *values, price, shares))


def _draw_records(
    random: np.random.Generator,
    symbol: str,
    days: list[date],
    rows: dict[str, list[tuple[Any, ...]]],
) -> None:
    def known(day: date, lag: int) -> datetime:
        late = sessions.offset(day, lag)
        if random.random() < 0.3:
            return sessions.cut_off(late)
        return datetime.combine(late, time(int(random.integers(24))), tzinfo=UTC)

    shares_out = float(np.rint(np.exp(random.uniform(np.log(2e6), np.log(3e8)))))
    for day in days[:: int(random.choice([10, 11, 37]))]:
        lag = 8 if random.random() < 0.9 else 25
        short = float(np.rint(shares_out * random.uniform(0.01, 0.4)))
        cover = None if random.random() < 0.2 else float(random.uniform(0.1, 9))
        rows["short_interest"].append((symbol, day, known(day, lag), short, cover))
    for _ in range(int(random.integers(0, 4))):
        day = days[0] + timedelta(days=int(random.integers(-450, len(days))))
        public = float(np.rint(shares_out * 0.8)) if random.random() < 0.6 else None
        outstanding = shares_out if random.random() < 0.8 else None
        lag = int(random.integers(-3, 40))
        rows["shares"].append((symbol, day, known(day, lag), public, outstanding))
    for day in days[:: int(random.choice([1, 4, 9]))]:
        total = 0.0 if random.random() < 0.1 else 1e5
        rows["short_volume"].append((symbol, day, sessions.cut_off(day), 4e4, total))
    if random.random() < 0.5:
        for day in days[::3]:
            mood = float(random.uniform(-1, 1))
            rows["sentiment"].append((symbol, known(day, 0), mood))


def markets(*, lengths: tuple[int, int] = (26, 80), most: int = 8) -> st.SearchStrategy[Market]:
    """Return markets of 1 to ``most`` symbols over as many sessions as ``lengths`` says."""
    return st.builds(
        make_market,
        seed=st.integers(0, 2**31),
        symbols=st.integers(1, most),
        length=st.integers(*lengths),
        hole=st.sampled_from([0.0, 0.02, 0.2]),
        blank=st.sampled_from([0.0, 0.03]),
        split=st.sampled_from([0.0, 0.01, 0.05]),
        listed=st.booleans(),
    )


def fill_lake(market: Market, lake: Lake, *, source: str) -> None:
    """Store the frames of ``market`` in ``lake``; the securities belong to the database."""
    for name in ("bars", "splits", "short_interest", "shares", "short_volume"):
        frame = getattr(market, name)
        lake.upsert(name, frame.with_columns(source=pl.lit(source)))


def alert_market(*, length: int = 40) -> Market:
    """Return seven common stocks at 3 dollars: S1 to S5 trade 2 to 6 times as much at the end.

    S0 is steady; S6 is too expensive; an ETF stands beside them.
    """
    days = [sessions.offset(FIRST, n) for n in range(length)]
    bars = []
    for number in range(8):
        price = 30.0 if number == 6 else 3.0
        for day in days:
            times = number + 1 if day == days[-1] and 1 <= number <= 5 else 1.0
            bars.append(
                (f"S{number}", day, price, price * 1.05, price * 0.98, price * 1.01, times * 1e6)
            )
    listed = [(f"S{k}", days[0], days[-1], "etf" if k == 7 else "common") for k in range(8)]
    shares = [("S3", days[1], sessions.opening(days[3]), 2e7, 3e7)]
    short = [("S3", days[-20], sessions.opening(days[-12]), 4e6, 1.5)]
    return from_rows(bars=bars, securities=listed, shares=shares, short_interest=short)
