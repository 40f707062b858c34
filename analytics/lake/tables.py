"""The lake: Delta tables of market data that many writers may fill at the same time.

The pattern, measured: compare first and commit nothing if nothing differs; else overwrite
just what changed, by a predicate, through the *same handle that was read*, so that a commit
of someone else in between is refused by Delta; on refusal take a fresh handle and start over.
Rows lie by month, symbol and session in small files, so that correcting one session rewrites
little. Reads are sorted explicitly: a Delta read is not.
"""

import random
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Final, TypeVar

import polars as pl
from deltalake import DeltaTable, Field, Schema, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType

from analytics.errors import Unavailable
from analytics.lake import changes, ordering
from analytics.lake.changes import Completer, Recorder, Withdrawer, Written
from analytics.lake.schemas import SHAPES, Shape

TRIES: Final = 8
FIRST_WAIT_S: Final = 0.02  # doubled each time, with jitter
LONGEST_WAIT_S: Final = 2.0
TARGET_FILE_BYTES: Final = 1_500_000
DELTA_TYPES: Final = {
    pl.String: "string",
    pl.Date: "date",
    pl.Float64: "double",
    pl.Int64: "long",
    pl.Int32: "integer",
    pl.Int8: "byte",
    pl.Boolean: "boolean",
    pl.Datetime: "timestamp",
}
CROWDED: Final = 40  # files of one year beyond which it is worth rewriting
FEW_DAYS: Final = 12  # up to so many days are overwritten one by one, more by whole years


T = TypeVar("T")


class LakeBusy(Unavailable):
    """Other writers were faster each time we tried."""


class Lake:
    """One realm of the lake: ``market`` (live and imported) or ``simulated``.

    Args:
        url: A directory or ``s3://bucket/prefix``.
        realm: Folder under ``url``; realms are never mixed.
        storage_options: Passed on to the object store; None for a directory.
        sleep: Waits so many seconds between tries.
        jitter: Returns a factor for each wait; seeded or fixed in tests.
    """

    def __init__(
        self,
        url: str,
        realm: str,
        *,
        storage_options: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.5),  # noqa: S311
    ) -> None:
        self.url = str(url).rstrip("/")
        self.realm = realm
        self._options = dict(storage_options or {}) or None
        self._sleep = sleep
        self._jitter = jitter

    def path(self, table: str) -> str:
        """Return where ``table`` lies."""
        return f"{self.url}/{self.realm}/{SHAPES[table].name}"

    def create_all(self) -> None:
        """Create the tables that do not exist. Safe to run again and by several at once."""
        for name in SHAPES:
            self._create(SHAPES[name])

    def versions(self) -> dict[str, int]:
        """Return the version of each table that exists."""
        found = {name: self._open(name) for name in SHAPES}
        return {name: handle.version() for name, handle in found.items() if handle}

    def is_empty(self, table: str) -> bool:
        """Return whether ``table`` has no row, or does not exist."""
        handle = self._open(table)
        return handle is None or not handle.file_uris()

    def sessions(self) -> list[date]:
        """Return the sessions that have at least one bar, ascending."""
        return self.coverage()["session"].to_list()

    def coverage(self) -> pl.DataFrame:
        """Return ``session`` and how many ``symbols`` have a bar on it, ascending."""
        handle = self._open("bars")
        if handle is None:
            return pl.DataFrame(schema={"session": pl.Date, "symbols": pl.UInt32})
        scan = pl.scan_delta(handle, storage_options=self._options)
        counts = scan.group_by("session").agg(symbols=pl.len())
        return counts.collect(engine="in-memory").sort("session")

    def read(
        self,
        table: str,
        *,
        first: date | None = None,
        last: date | None = None,
        columns: list[str] | None = None,
        symbols: list[str] | None = None,
    ) -> pl.DataFrame:
        """Return the rows of ``table``, sorted by (symbol, time key).

        Args:
            table: Name of the table.
            first: Leave out rows whose time key lies before.
            last: Leave out rows whose time key lies after.
            columns: Only these columns; all of them otherwise.
            symbols: Only these symbols; all of them otherwise.

        Returns:
            No rows, but all columns, if the table does not exist.
        """
        shape = SHAPES[table]
        wanted = columns or list(shape.columns)
        needed = list(dict.fromkeys([*wanted, *shape.key]))  # the sort needs the key
        found = self._rows(self._open(table), shape, first, last, needed, symbols)
        if shape.extra_key:
            return found.sort(shape.key).select(wanted)
        return ordering.by_symbol(found, shape.time_key).select(wanted)

    def upsert(
        self,
        table: str,
        frame: pl.DataFrame,
        *,
        completing: Completer | None = None,
        keeping: pl.Expr | None = None,
        before_replacing: Recorder | None = None,
        withdrawing: Withdrawer | None = None,
    ) -> Written:
        """Insert the rows of ``frame``, replacing those of the same key that differ.

        Safe to run again and beside other writers. If nothing differs nothing is committed;
        otherwise there is one commit (one per day if there are few days).

        Args:
            table: Name of the table.
            frame: Rows with at least the key and what is known of the other columns.
            completing: Given the stored rows and ``frame``, returns ``frame`` filled up.
            keeping: Stored rows for which this is true are not replaced.
            before_replacing: Called with the rows about to be replaced and their
                replacements, before each attempt to commit: must be safe to call again.
            withdrawing: Given the stored rows of the day, returns those to take away in the
                same commit; called before each attempt. For ``frame`` of a single day.

        Raises:
            ValueError: A key column is null, or a key occurs twice in ``frame``.
            LakeBusy: Other writers were faster 8 times.
        """
        shape = SHAPES[table]
        rows = shape.conform(frame)
        days = rows[shape.time_key].unique().sort().to_list()
        replace = partial(
            self._replace,
            shape,
            completing=completing,
            keeping=keeping,
            before_replacing=before_replacing,
            withdrawing=withdrawing,
        )
        if len(days) > FEW_DAYS:
            return replace(rows, days)
        parts = [replace(rows.filter(pl.col(shape.time_key) == day), [day]) for day in days]
        return changes.added(shape, parts, self._handle(shape).version())

    def delete(self, table: str, keys: pl.DataFrame) -> int:
        """Take away the rows whose key is in ``keys``; return how many there were."""
        shape = SHAPES[table]
        taken = 0
        for day in keys[shape.time_key].unique().sort().to_list():
            going = keys.filter(pl.col(shape.time_key) == day)

            def without(handle: DeltaTable, day: date = day, going: pl.DataFrame = going) -> int:
                old = self._rows(handle, shape, day, day)
                left = old.join(going.select(shape.key), on=shape.key, how="anti")
                if left.height < old.height:
                    self._write(handle, shape, left, _day_predicate(shape, day))
                return old.height - left.height

            taken += self._retry(shape, without)
        return taken

    def compact(self, table: str, *, before: date) -> int:
        """Rewrite what has many small files into few, in the order of storage.

        Only what lies before the month of ``before`` is rewritten, a year at a time. The rows
        stay the same, and so do the older versions: files that a version needs are not
        taken away.

        Returns:
            How many files fewer the newest version has.
        """
        shape = SHAPES[table]
        end = before.replace(day=1)
        return sum(
            self._retry(shape, partial(self._compact_year, shape, year=year, end=end))
            for year in self._crowded_years(shape, end)
        )

    def _crowded_years(self, shape: Shape, end: date) -> list[int]:
        """Return the years that have many more files than months before ``end``."""
        handle = self._open(shape.name)
        if handle is None:
            return []
        files = [_year_of(path) for path in handle.file_uris()]
        return [
            year
            for year in sorted(set(files))
            if year <= end.year and files.count(year) > CROWDED and date(year, 1, 1) < end
        ]

    def _compact_year(self, shape: Shape, handle: DeltaTable, *, year: int, end: date) -> int:
        first, last = date(year, 1, 1), min(end - timedelta(days=1), date(year, 12, 31))
        rows = self._rows(handle, shape, first, last)
        if rows.is_empty():
            return 0
        count = len(handle.file_uris())
        predicate = f"year = {year} AND {shape.time_key} <= '{last}'"
        self._write(handle, shape, changes.in_storage_order(shape, rows), predicate)
        return count - len(self._handle(shape).file_uris())

    def _replace(
        self,
        shape: Shape,
        rows: pl.DataFrame,
        days: list[date],
        *,
        completing: Completer | None,
        keeping: pl.Expr | None,
        before_replacing: Recorder | None,
        withdrawing: Withdrawer | None,
    ) -> Written:
        """Compare and write ``rows``: one day, or the whole years that ``days`` touch."""
        if len(days) == 1:
            first, last = days[0], days[0]
            predicate = _day_predicate(shape, days[0])
        else:
            years = sorted({day.year for day in days})
            first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
            predicate = " OR ".join(f"year = {year}" for year in years)
            rows_years = pl.col("year").is_in(years)

        def attempt(handle: DeltaTable) -> Written:
            old = self._rows(handle, shape, first, last)
            if len(days) > 1:
                old = old.filter(rows_years)
            coming = completing(old, rows) if completing and old.height else rows
            outcome = changes.compare(shape, old, coming, keeping)
            if outcome.changed and before_replacing:
                keys = outcome.replaced.select(shape.key)
                before_replacing(outcome.replaced, coming.join(keys, on=shape.key, how="semi"))
            going = withdrawing(old) if withdrawing else old.clear()
            if outcome.new or outcome.changed or going.height:
                left = old.join(going.select(shape.key), on=shape.key, how="anti")
                merged = changes.merge(shape, left, coming, outcome)
                self._write(handle, shape, merged, predicate)
            return outcome.at(handle.version(), withdrawn=going.height)

        return self._retry(shape, attempt)

    def _retry(self, shape: Shape, attempt: Callable[[DeltaTable], T]) -> T:
        for turn in range(TRIES):
            try:
                return attempt(self._handle(shape))
            except CommitFailedError:
                self._sleep(min(FIRST_WAIT_S * 2**turn, LONGEST_WAIT_S) * self._jitter())
        raise LakeBusy(f"{shape.name}: other writers were faster {TRIES} times")

    def _write(self, handle: DeltaTable, shape: Shape, frame: pl.DataFrame, predicate: str) -> None:
        """Overwrite what ``predicate`` selects. A stale ``handle`` raises CommitFailedError."""
        write_deltalake(
            handle,
            frame.select(list(shape.columns)),
            mode="overwrite",
            predicate=predicate,
            target_file_size=TARGET_FILE_BYTES,
        )

    def _rows(
        self,
        handle: DeltaTable | None,
        shape: Shape,
        first: date | None = None,
        last: date | None = None,
        columns: list[str] | None = None,
        symbols: list[str] | None = None,
    ) -> pl.DataFrame:
        """Return rows as they lie in the files, in no particular order."""
        wanted = columns or list(shape.columns)
        if handle is None:
            return pl.DataFrame(schema={name: shape.columns[name] for name in wanted})
        scan = self._scan(handle, shape)
        if first is not None:
            scan = scan.filter(pl.col("year") >= first.year, pl.col(shape.time_key) >= first)
        if last is not None:
            scan = scan.filter(pl.col("year") <= last.year, pl.col(shape.time_key) <= last)
        if symbols:  # the range lets whole parts of files be passed over
            scan = scan.filter(
                pl.col("symbol").is_between(pl.lit(min(symbols)), pl.lit(max(symbols)))
            )
        if symbols is not None:
            scan = scan.filter(pl.col("symbol").is_in(symbols))
        return scan.select(wanted).collect(engine="in-memory")

    def _scan(self, handle: DeltaTable, shape: Shape) -> pl.LazyFrame:
        """Return the table; columns that are younger than it are null."""
        scan = pl.scan_delta(handle, storage_options=self._options)
        there = {field.name for field in handle.schema().fields}
        younger = [name for name in shape.columns if name not in there]
        return scan.with_columns(pl.lit(None, shape.columns[name]).alias(name) for name in younger)

    def _handle(self, shape: Shape) -> DeltaTable:
        """Return a fresh handle, creating the table or its younger columns if need be."""
        handle = self._open(shape.name) or self._create(shape)
        there = {field.name for field in handle.schema().fields}
        younger = [field for field in _delta_schema(shape).fields if field.name not in there]
        if younger:
            handle.alter.add_columns(younger)
        return handle

    def _open(self, table: str) -> DeltaTable | None:
        try:
            return DeltaTable(self.path(table), storage_options=self._options)
        except TableNotFoundError:
            return None

    def _create(self, shape: Shape) -> DeltaTable:
        """Create a table. Of several who try at once, one succeeds and the others open it."""
        for turn in range(TRIES):
            existing = self._open(shape.name)
            if existing is not None:
                return existing
            try:
                return DeltaTable.create(
                    self.path(shape.name),
                    schema=_delta_schema(shape),
                    mode="ignore",
                    partition_by=["year"],
                    storage_options=self._options,
                )
            except DeltaError:  # someone else is creating it
                self._sleep(min(FIRST_WAIT_S * 2**turn, LONGEST_WAIT_S) * self._jitter())
        raise LakeBusy(f"{shape.name}: could not be created in {TRIES} tries")


def _day_predicate(shape: Shape, day: date) -> str:
    return f"year = {day.year} AND {shape.time_key} = '{day}'"


def _year_of(path: str) -> int:
    return int(path.partition("/year=")[2].partition("/")[0] or 0)


def _delta_schema(shape: Shape) -> Schema:
    return Schema(
        [
            Field(name, PrimitiveType(DELTA_TYPES[type(kind)]))
            for name, kind in shape.columns.items()
        ]
    )
