"""Reference data from files: symbol lists, splits, short interest, shares, fails to deliver.

Each row gets a ``known_on``, the instant from which a scan may use it. A file may state it
(column ``known_on`` or ``publication_date``); otherwise it is computed, with one session of
margin after the computed publication (design §3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from analytics.calc import sessions
from analytics.clients import files
from analytics.clients.files import Layout, Reading

NUMBER: Final = pl.Float64()
TEXT: Final = pl.String()
PUBLICATION_SESSIONS: Final = 7  # FINRA publishes short interest so long after settlement
NO_VOLUME_DAYS: Final = 999.99  # FINRA's days to cover where average volume is zero
SEEN_THAT_EVENING: Final = ("screener", "wsj")  # collected, hence known, on the evening itself
ALWAYS: Final = (date(1990, 1, 1), date(2099, 12, 31))  # a list that states no dates
MID_MONTH: Final = 15

SYMBOLS: Final = Layout(
    name="symbol list",
    required={"symbol": TEXT},
    optional={
        "first_date": pl.Date(),
        "last_date": pl.Date(),
        "name": TEXT,
        "sec_type": TEXT,
        "exchange": TEXT,
        "sector": TEXT,
        "industry": TEXT,
        "country": TEXT,
    },
    renamed={"sec_type": "kind"},
    one_of=("name", "sec_type"),
)
SPLITS: Final = Layout(
    name="splits",
    required={"symbol": TEXT, "date": pl.Date(), "split_ratio": NUMBER},
    optional={"evidence": TEXT},
    renamed={"date": "ex_date", "split_ratio": "ratio"},
)
SHORT_INTEREST: Final = Layout(
    name="short interest",
    required={"symbol": TEXT, "settlement_date": pl.Date(), "shares_short": NUMBER},
    optional={"publication_date": pl.Date(), "avg_daily_volume": NUMBER, "days_to_cover": NUMBER},
)
SHARES: Final = Layout(
    name="shares and float",
    required={"symbol": TEXT, "as_of_date": pl.Date()},
    optional={
        "publication_date": pl.Date(),
        "shares_outstanding": NUMBER,
        "public_float": NUMBER,
        "source": TEXT,
    },
    renamed={"as_of_date": "effective_date", "source": "origin"},
    one_of=("shares_outstanding", "public_float"),
)
FAILS: Final = Layout(
    name="fails to deliver",
    required={"symbol": TEXT, "settlement_date": pl.Date(), "quantity": NUMBER},
    optional={"price": NUMBER},
)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A reading and the lake table it belongs to."""

    data_set: str
    reading: Reading


def read(path: Path) -> Reference:
    """Read one reference file; its columns say what it is.

    Args:
        path: Parquet, CSV or CSV.gz. Splits: ``symbol, date, split_ratio``. Short interest:
            ``symbol, settlement_date, shares_short``. Shares: ``symbol, as_of_date`` and
            ``shares_outstanding`` or ``public_float``. Fails: ``symbol, settlement_date,
            quantity``. Symbol list: ``symbol`` and any of ``name, sec_type, exchange, sector,
            industry, country, first_date, last_date``.

    Returns:
        The table's name, and a reading with that table's columns (without ``source`` and
        ``year``) plus ``line``.

    Raises:
        files.WrongShape: It fits none of the five.
    """
    layout, reading = files.load(path, (SPLITS, SHORT_INTEREST, FAILS, SHARES, SYMBOLS))
    table, complete = _TABLES[layout.name]
    frame, faults = _sound(complete(reading.frame, path), table)
    faults = pl.concat([reading.faults, faults]).sort("line")
    return Reference(data_set=table, reading=Reading(frame=frame, faults=faults))


def _evening(day: date) -> datetime:
    return datetime.combine(day, time(21), tzinfo=sessions.NEW_YORK).astimezone(UTC)


def _known(frame: pl.DataFrame, column: str, rule: Callable[[date], datetime]) -> pl.DataFrame:
    """Add ``known_on`` = ``rule`` of each distinct date in ``column``."""
    days = frame[column].unique().drop_nulls().to_list()
    table = pl.DataFrame(
        {column: days, "known_on": [rule(day) for day in days]},
        schema={column: pl.Date(), "known_on": pl.Datetime("us", "UTC")},
    )
    return frame.join(table, on=column, how="left", maintain_order="left")


def _symbols(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    return frame.with_columns(
        pl.col("first_date").fill_null(ALWAYS[0]),
        pl.col("last_date").fill_null(ALWAYS[1]),
        kind=pl.col("kind").str.to_lowercase(),
        name=pl.col("name").str.slice(0, 200),
        origin=pl.lit(path.name.split(".")[0]),
        assumed=pl.lit(value=False),
    )


def with_split_knowledge(splits: pl.DataFrame) -> pl.DataFrame:
    """Add ``known_on`` to splits: a split counts as known from the open of its ``ex_date``."""
    return _known(splits, "ex_date", sessions.opening)


def _splits(frame: pl.DataFrame, _path: Path) -> pl.DataFrame:
    return with_split_knowledge(frame)


def _short_interest(frame: pl.DataFrame, _path: Path) -> pl.DataFrame:
    def published(settled: date) -> date:
        return sessions.offset(settled, PUBLICATION_SESSIONS)

    def margin(day: date) -> datetime:
        return sessions.opening(sessions.offset(day, 1))

    settled = frame["settlement_date"].unique().to_list()
    computed = dict(zip(settled, map(published, settled), strict=True))
    frame = frame.with_columns(
        pl.col("publication_date").fill_null(
            pl.col("settlement_date").replace_strict(computed, return_dtype=pl.Date)
        ),
        days_to_cover=pl.when(pl.col("days_to_cover") != NO_VOLUME_DAYS).then("days_to_cover"),
    )
    return _known(frame, "publication_date", margin)


def _shares(frame: pl.DataFrame, _path: Path) -> pl.DataFrame:
    def next_open(day: date) -> datetime:
        return sessions.opening(sessions.offset(day, 1))

    frame = frame.with_columns(_from=pl.coalesce("publication_date", "effective_date"))
    seen = pl.col("origin").is_in(SEEN_THAT_EVENING).fill_null(value=False)
    evening = _known(frame.filter(seen), "_from", _evening)
    later = _known(frame.filter(~seen), "_from", next_open)
    return pl.concat([evening, later]).sort("line")


def _fails(frame: pl.DataFrame, _path: Path) -> pl.DataFrame:
    return _known(frame, "settlement_date", _fails_known)


def _fails_known(settled: date) -> datetime:
    """The SEC publishes a month's first half at its end, the second half mid next month."""
    next_month = (settled.replace(day=1) + timedelta(days=32)).replace(day=1)
    half = next_month - timedelta(days=1)
    published = half if settled.day <= MID_MONTH else next_month.replace(day=MID_MONTH)
    return sessions.opening(sessions.offset(published, 1))


def _sound(frame: pl.DataFrame, table: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep out rows with an impossible figure, and all but the first of each key."""
    wrong, day = _IMPOSSIBLE[table]
    key = ["symbol", day]
    again = pl.struct(key).is_first_distinct().not_()
    marked = frame.with_columns(
        gate=pl.when(wrong).then(pl.lit("bad_figure")).when(again).then(pl.lit("duplicate_key"))
    )
    faults = marked.filter(pl.col("gate").is_not_null()).select(
        "gate",
        severity=pl.lit("error"),
        symbol=pl.col("symbol").str.slice(0, 16),
        session=pl.col(day),
        line="line",
        detail=pl.lit(f"{table}, key {' and '.join(key)}"),
    )
    return marked.filter(pl.col("gate").is_null()).drop("gate"), faults


Complete = Callable[[pl.DataFrame, Path], pl.DataFrame]
_TABLES: Final[dict[str, tuple[str, Complete]]] = {
    SYMBOLS.name: ("symbols", _symbols),
    SPLITS.name: ("splits", _splits),
    SHORT_INTEREST.name: ("short_interest", _short_interest),
    SHARES.name: ("shares", _shares),
    FAILS.name: ("fails", _fails),
}
_NOTHING_KNOWN: Final = pl.col("shares_outstanding").is_null() & pl.col("public_float").is_null()
_IMPOSSIBLE: Final[dict[str, tuple[pl.Expr, str]]] = {
    "symbols": (pl.col("last_date") < pl.col("first_date"), "first_date"),
    "splits": (~(pl.col("ratio") > 0) | (pl.col("ratio") == 1), "ex_date"),
    "short_interest": (pl.col("shares_short") < 0, "settlement_date"),
    "shares": (
        _NOTHING_KNOWN
        | (pl.col("shares_outstanding") < 0).fill_null(value=False)
        | (pl.col("public_float") < 0).fill_null(value=False),
        "effective_date",
    ),
    "fails": (pl.col("quantity") < 0, "settlement_date"),
}
