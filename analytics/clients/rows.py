"""Rows of a provider's JSON as typed columns, and the instants from which they may be used."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

import polars as pl

from analytics.calc import sessions
from analytics.clients import files
from analytics.clients.reference_files import PUBLICATION_SESSIONS
from analytics.errors import BadAnswer

LIVE: Final = "live"  # the source of what a provider sent
INSTANT: Final = pl.Datetime("us", "UTC")

Row = Mapping[str, Any]
Wrong = Sequence[tuple[str, pl.Expr]]


def table(rows: Sequence[Row], columns: Mapping[str, tuple[str, pl.DataType]]) -> pl.DataFrame:
    """Return one column per name, read from the key given with its type.

    Args:
        rows: JSON objects.
        columns: Key and type by column name. Dates and instants are read from ISO text.

    Returns:
        ``columns`` and ``line``, the number of the row from 1. A value that is missing or not
        of its type is null.
    """
    made = {name: _column(rows, key, dtype) for name, (key, dtype) in columns.items()}
    frame = pl.DataFrame(made)
    return frame.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=files.LINE))


def _column(rows: Sequence[Row], key: str, dtype: pl.DataType) -> pl.Series:
    cells = [row.get(key) for row in rows]
    if dtype.is_numeric() or dtype == pl.Boolean:
        figures = pl.Series("x", cells, dtype=dtype, strict=False)
        if not dtype.is_float():
            return figures
        finite = pl.when(pl.col("x").is_finite()).then(pl.col("x"))
        return figures.to_frame().select(finite).to_series()
    text = pl.Series([c if isinstance(c, str) else None for c in cells], dtype=pl.String)
    if dtype == pl.Date:
        return text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    if dtype == INSTANT:
        return text.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    return text


def objects(body: Row, key: str, where: str) -> list[dict[str, Any]]:
    """Return the list of objects at ``key``; an absent or null one is empty.

    Raises:
        BadAnswer: There is something else.
    """
    found = body.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise BadAnswer(f"{where}: {key!r} is not a list of objects")
    return found


def sound(
    frame: pl.DataFrame, wrong: Wrong, *, key: Sequence[str], data_set: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep out the rows that cannot be right, and all but the first of each key.

    Args:
        frame: Rows with ``line``, ``symbol`` and ``key`` (the last of which is a date).
        wrong: Name of a gate, and what is true of the rows it keeps out; the first hit counts.
        key: Columns that identify a row.
        data_set: For the message.

    Returns:
        The rows that are left, and a fault (``files.FAULT``) per row kept out.
    """
    hit = pl.lit(None, pl.String)
    for gate, condition in reversed(wrong):
        hit = pl.when(condition.fill_null(value=False)).then(pl.lit(gate)).otherwise(hit)
    incomplete = pl.any_horizontal(pl.col(key).is_null())
    marked = frame.with_columns(
        gate=pl.when(incomplete).then(pl.lit("unreadable")).otherwise(hit)
    ).with_columns(
        again=pl.col("gate").is_null() & pl.struct("gate", *key).is_first_distinct().not_()
    )
    out = marked.filter(pl.col("gate").is_not_null() | pl.col("again")).select(
        gate=pl.col("gate").fill_null("duplicate_key"),
        severity=pl.when("again").then(pl.lit("warning")).otherwise(pl.lit("error")),
        symbol=pl.col("symbol").fill_null("").str.slice(0, 16),
        session=pl.col(key[-1]),
        line="line",
        detail=pl.lit(f"{data_set} from the provider, row ") + pl.col("line").cast(pl.String),
    )
    kept = marked.filter(pl.col("gate").is_null() & ~pl.col("again")).drop("gate", "again")
    return kept, out.select(list(files.FAULT))


def complete(frame: pl.DataFrame, columns: Mapping[str, pl.DataType], day: str) -> pl.DataFrame:
    """Return ``frame`` with exactly the lake's columns: source, year and nulls filled in."""
    filled = frame.with_columns(source=pl.lit(LIVE), year=pl.col(day).dt.year().cast(pl.Int32))
    return filled.select(
        pl.col(name).cast(dtype) if name in filled.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in columns.items()
    )


def known(frame: pl.DataFrame, day: str, rule: Callable[[date], datetime]) -> pl.DataFrame:
    """Add ``known_on`` = ``rule`` of the date in column ``day``."""
    days = frame[day].unique().to_list()
    instants = pl.DataFrame(
        {day: days, "known_on": [rule(each) for each in days]},
        schema={day: pl.Date(), "known_on": INSTANT},
    )
    return frame.join(instants, on=day, how="left", maintain_order="left")


def outside(day: str) -> pl.Expr:
    """Return whether a date lies outside the years of the exchange calendar."""
    first, last = date.fromisoformat(sessions.FIRST), date.fromisoformat(sessions.LAST)
    return ~pl.col(day).is_between(first.replace(month=2), last.replace(month=10))


def short_interest_known(settled: date) -> datetime:
    """FINRA publishes 7 sessions after settlement; one more is our margin (design §3)."""
    return sessions.opening(sessions.offset(settled, PUBLICATION_SESSIONS + 1))


def evening(day: date) -> datetime:
    """Return 21:00 New York of ``day`` in UTC: after the evening's files, before the cut-off."""
    return datetime.combine(day, time(21), tzinfo=sessions.NEW_YORK).astimezone(UTC)


def next_opening(day: date) -> datetime:
    """Return the open of the session after ``day``: one session of margin."""
    return sessions.opening(sessions.offset(day, 1))


def day_of(text: object) -> date | None:
    """Return the date that ``text`` begins with; None if it does not."""
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def instant_of(text: object) -> datetime | None:
    """Return the instant of an RFC 3339 text, in UTC; None if it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def texts(values: Iterable[object]) -> list[str]:
    """Return ``values`` as text, "" for None."""
    return ["" if value is None else str(value) for value in values]
