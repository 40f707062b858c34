"""What an upsert would change: old rows and new rows compared by key. No input or output."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from analytics.lake import ordering
from analytics.lake.schemas import Shape

Completer = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]  # stored rows, new rows
Recorder = Callable[[pl.DataFrame, pl.DataFrame], None]  # of the replaced rows: before, after
Withdrawer = Callable[[pl.DataFrame], pl.DataFrame]  # of the stored rows: those to take away

UNCHANGED: Final = 0
NEW: Final = 1
CHANGED: Final = 2


@dataclass(frozen=True, kw_only=True)
class Written:
    """What an upsert did.

    Args:
        new: Rows that were not there.
        changed: Rows that replaced a different one.
        unchanged: Rows that were there already.
        version: Version of the table afterwards.
        replaced: The changed rows as they were before.
        status: Beside each key 0 (unchanged), 1 (new) or 2 (changed).
        withdrawn: Rows that were taken away.
    """

    new: int
    changed: int
    unchanged: int
    version: int
    replaced: pl.DataFrame
    status: pl.DataFrame
    withdrawn: int = 0

    def at(self, version: int, *, withdrawn: int = 0) -> "Written":
        """Return the same with another ``version``."""
        return replace(self, version=version, withdrawn=withdrawn)


def compare(
    shape: Shape, old: pl.DataFrame, rows: pl.DataFrame, keeping: pl.Expr | None = None
) -> Written:
    """Say which of ``rows`` are new, changed or unchanged beside ``old``.

    Args:
        shape: The table they are rows of.
        old: Rows of the table, keys unique.
        rows: Rows to upsert, keys unique.
        keeping: Old rows for which this is true are not replaced.
    """
    if old.is_empty():
        return _written(rows.select(*shape.key, status=pl.lit(NEW, pl.Int8)), old.clear())
    kept = pl.lit(value=False) if keeping is None else keeping.fill_null(value=False)
    both = rows.join(
        old.with_columns(_kept=kept, _there=pl.lit(value=True)),
        on=shape.key,
        how="left",
        suffix="_old",
        maintain_order="left",
    )
    differs = pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_old")) for c in shape.compared)
    status = (
        pl.when(pl.col("_there").is_null())
        .then(NEW)
        .when(differs & ~pl.col("_kept"))
        .then(CHANGED)
        .otherwise(UNCHANGED)
        .cast(pl.Int8)
    )
    marked = both.select(*shape.key, status=status)
    changed = marked.filter(pl.col("status") == CHANGED).select(shape.key)
    return _written(marked, old.join(changed, on=shape.key, how="semi").sort(shape.key))


def merge(shape: Shape, old: pl.DataFrame, rows: pl.DataFrame, written: Written) -> pl.DataFrame:
    """Return ``old`` with what is new and changed in ``rows``, in the order of storage."""
    if old.is_empty():
        return in_storage_order(shape, rows)
    coming = rows.filter(written.status["status"] != UNCHANGED)
    kept = old.join(written.replaced.select(shape.key), on=shape.key, how="anti")
    return in_storage_order(shape, pl.concat([kept, coming.select(kept.columns)]))


def in_storage_order(shape: Shape, frame: pl.DataFrame) -> pl.DataFrame:
    """Order rows by month, symbol and day: one day's correction then touches few files."""
    if shape.extra_key:
        return frame.sort(pl.col(shape.time_key).dt.truncate("1mo"), *shape.key)
    return ordering.by_symbol(frame, shape.time_key, monthly=True)


def added(shape: Shape, parts: list[Written], version: int) -> Written:
    """Return the sum of several upserts of different days."""
    none = pl.DataFrame(schema={c: shape.columns[c] for c in shape.key} | {"status": pl.Int8()})
    empty = pl.DataFrame(schema=shape.columns)
    return Written(
        new=sum(part.new for part in parts),
        changed=sum(part.changed for part in parts),
        unchanged=sum(part.unchanged for part in parts),
        withdrawn=sum(part.withdrawn for part in parts),
        version=version,
        replaced=pl.concat([empty, *(part.replaced.select(empty.columns) for part in parts)]),
        status=pl.concat([none, *(part.status for part in parts)]),
    )


def _written(marked: pl.DataFrame, replaced: pl.DataFrame) -> Written:
    counts = dict(marked["status"].value_counts().iter_rows())
    return Written(
        new=counts.get(NEW, 0),
        changed=counts.get(CHANGED, 0),
        unchanged=counts.get(UNCHANGED, 0),
        version=-1,
        replaced=replaced,
        status=marked,
    )
