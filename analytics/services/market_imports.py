"""Read files into the lake: bars and reference data, each file once, each finding recorded.

Order of the steps, so that a killed import can simply be run again: read, write the lake,
refresh listing periods and findings, and only then call the file done.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

import polars as pl

from analytics.calc import quality
from analytics.clients import agency_files, bar_files, files, reference_files
from analytics.clients.files import Reading
from analytics.lake import bars, ordering
from analytics.lake.changes import CHANGED, NEW, UNCHANGED, Recorder, Written
from analytics.lake.schemas import SHAPES
from analytics.lake.tables import Lake
from analytics.models import DataFinding, ImportRun
from analytics.services import findings, lakes, listings, market_corrections

BATCH_ROWS: Final = 4_000_000  # small files are written together up to so many rows
YEAR_ROWS: Final = 500_000  # from so many on, a new year is a write of its own
SEALED: Final = "sealed-evaluation-set"  # never opened (data README)
FROM_BARS: Final = "bars"  # evidence of a split that only a bars file states

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class ImportSummary:
    """What an import did, over all its files.

    Args:
        files: Files looked at.
        skipped: Names of files that were in already; nothing of them was read.
        refused: One sentence per file of the wrong shape.
        rows: Rows read, of which the next four are parts.
        rejected: Lines kept out, each a finding.
        findings: New findings by gate.
    """

    files: int = 0
    skipped: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    rows: int = 0
    symbols: int = 0
    sessions: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    findings: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Batch:
    """Small files that are written together: no two of them state the same bar."""

    readings: list[tuple[ImportRun, Reading]] = field(default_factory=list)
    rows: int = 0
    symbols: list[pl.Series] = field(default_factory=list)  # of each reading
    days: set[date] = field(default_factory=set)

    def takes(self, reading: Reading) -> bool:
        """Return whether ``reading`` can be written together with what is waiting."""
        frame = reading.frame
        if self.readings and self.rows + frame.height > BATCH_ROWS:
            return False
        if self.rows > YEAR_ROWS and frame.height and self._ends_before(frame):
            return False
        if self.days.isdisjoint(frame["session"].unique()):
            return True
        names = frame["symbol"].unique().implode()
        return not any(symbols.is_in(names).any() for symbols in self.symbols)

    def _ends_before(self, frame: pl.DataFrame) -> bool:
        """Return whether all that waits is of years before those of ``frame``."""
        first = frame["session"].min()
        return isinstance(first, date) and max(self.days).year < first.year

    def add(self, run: ImportRun, reading: Reading) -> None:
        """Let ``reading`` wait to be written."""
        self.readings.append((run, reading))
        self.rows += reading.frame.height
        self.symbols.append(reading.frame["symbol"].unique())
        self.days.update(reading.frame["session"].unique())


@dataclass(kw_only=True)
class _Job:
    """An import under way: what is read and not yet written, and what was touched."""

    lake: Lake
    source: str
    now: datetime
    assume_kind: str | None = None
    batch: _Batch = field(default_factory=_Batch)
    runs: list[ImportRun] = field(default_factory=list)
    symbols: set[str] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def import_bars(
    *,
    path: Path,
    source: str,
    now: datetime,
    assume_kind: str | None = None,
    on_progress: Progress | None = None,
) -> ImportSummary:
    """Read the daily bars of a file, or of every data file in a folder, into the lake.

    A file that is in already is not read again. Splits stated in a bars file enter the
    splits table where no better evidence is there. A bar that replaces a different one is
    recorded as a correction.

    Args:
        path: A file or a folder; see :func:`analytics.clients.bar_files.read`.
        source: ``imported``, ``live`` or ``simulated``.
        now: The instant from which a replaced bar counts as known.
        assume_kind: The type of symbols that no symbol list names, e.g. ``common``.
        on_progress: Called with a file's name, bytes done and bytes in all.

    Raises:
        files.WrongShape: There is nothing at ``path``. (A file of the wrong shape among
            others is refused, named in the summary, and stops nothing else.)
    """
    job = _Job(lake=lakes.lake_of(source), source=source, now=now, assume_kind=assume_kind)
    for file in _in_turn(path, on_progress):
        run = _begin(job, file, "bars")
        if run is None:
            continue
        try:
            reading = bar_files.read(file)
        except files.WrongShape as refusal:
            _refuse(job, run, refusal)
            continue
        if not job.batch.takes(reading):
            _flush_bars(job)
        job.batch.add(run, reading)
    _flush_bars(job)
    return _finish(job)


def import_reference(
    *, path: Path, source: str, now: datetime, on_progress: Progress | None = None
) -> ImportSummary:
    """Read symbol lists, splits, short interest or volume, shares or fails from files.

    Args:
        path: A file or a folder; see :func:`analytics.clients.reference_files.read` and, for
            what FINRA and the SEC publish, :func:`analytics.clients.agency_files.read`.
        source: ``imported``, ``live`` or ``simulated``.
        now: The instant from which a replaced split counts as known.
        on_progress: Called with a file's name, bytes done and bytes in all.

    Raises:
        files.WrongShape: There is nothing at ``path``.
    """
    job = _Job(lake=lakes.lake_of(source), source=source, now=now)
    for file in _in_turn(path, on_progress, also=agency_files.SUFFIXES):
        if agency_files.is_list(file):
            continue  # read where a company's file needs it
        run = _begin(job, file, "reference")
        if run is None:
            continue
        try:
            reference = agency_files.read(file) or reference_files.read(file)
        except files.WrongShape as refusal:
            _refuse(job, run, refusal)
            continue
        run.data_set = reference.data_set
        _write_reference(job, run, reference.data_set, reference.reading)
    return _finish(job)


def _in_turn(
    path: Path, on_progress: Progress | None, *, also: tuple[str, ...] = ()
) -> Iterator[Path]:
    """Go through the files of ``path``, reporting bytes; sealed data is left alone."""
    found = [file for file in files.data_files(path, also=also) if SEALED not in file.name]
    total, done = sum(file.stat().st_size for file in found), 0
    for file in found:
        if on_progress:
            on_progress(file.name, done, total)
        yield file
        done += file.stat().st_size
    if on_progress:
        on_progress("listing periods and findings", done, total)


def _begin(job: _Job, file: Path, family: str) -> ImportRun | None:
    """Return the run to fill for ``file``, or None if the file is in already."""
    digest = files.digest(file)
    same = ImportRun.objects.filter(digest=digest, source__in=lakes.sources_beside(job.source))
    same = same.filter(data_set="bars") if family == "bars" else same.exclude(data_set="bars")
    done = same.filter(state=ImportRun.State.DONE).order_by("-pk").first()
    if done and _still_there(job, done):
        job.skipped.append(file.name)
        return None
    left = same.filter(state=ImportRun.State.RUNNING, source=job.source).first()
    run = left or ImportRun(digest=digest, source=job.source)
    run.file, run.data_set, run.started_at = file.name[:255], family, job.now
    run.message = _assumption(job)
    run.save()
    return run


def _still_there(job: _Job, done: ImportRun) -> bool:
    """Return whether the lake still holds what ``done`` wrote, under the same assumption."""
    version = job.lake.versions().get(done.data_set, -1)
    return version >= (done.lake_version or 0) and _assumption(job) in (done.message, "")


def _assumption(job: _Job) -> str:
    return f"unlisted symbols are {job.assume_kind}" if job.assume_kind else ""


def _refuse(job: _Job, run: ImportRun, refusal: files.WrongShape) -> None:
    run.state, run.message, run.finished_at = ImportRun.State.REFUSED, str(refusal), job.now
    run.save()
    job.refused.append(str(refusal))


def _flush_bars(job: _Job) -> None:
    """Gate what was read, write it, and note what each file brought."""
    if not job.batch.readings:
        return
    parts = []
    for number, (run, reading) in enumerate(job.batch.readings):
        faults = quality.row_faults(reading.frame)
        good = reading.frame
        if faults.height:
            good = good.filter(~pl.col("line").is_in(faults["line"].implode()))
        findings.record_faults(
            run=run, faults=pl.concat([reading.faults, faults.select(reading.faults.columns)])
        )
        run.rows = reading.frame.height + reading.faults.height
        if reading.note:
            _note(run, reading.note)
        parts.append(good.with_columns(file=pl.lit(number, pl.Int32)))
    runs = [run for run, _ in job.batch.readings]
    job.batch = _Batch()
    rows = ordering.by_symbol(pl.concat(parts), "session").with_columns(source=pl.lit(job.source))
    del parts
    findings.record_repeats(run=runs[-1], repeats=quality.repeated_sessions(rows))
    rows = _without_personal(job, runs, rows)
    written = job.lake.upsert(
        "bars",
        rows,
        completing=bars.keep_known,
        before_replacing=_recorder(job, runs[-1], "bars"),
    )
    _count(runs, rows, written)
    _splits_of_bars(job, runs[-1], rows)
    _assume(job, rows)
    job.symbols.update(rows["symbol"].unique())
    job.days.update(rows["session"].unique())
    job.runs += runs


def _without_personal(job: _Job, runs: list[ImportRun], rows: pl.DataFrame) -> pl.DataFrame:
    """Keep out bars that a person has corrected; the correction stands, and it is noted."""
    standing = market_corrections.personal_keys("bars", job.source)
    if standing.is_empty():
        return rows
    key = ["symbol", "session"]
    for hit in rows.join(standing, on=key, how="semi").iter_rows(named=True):
        DataFinding.objects.create(
            run=runs[hit["file"]],
            gate="corrected_by_person",
            severity=DataFinding.Severity.INFO,
            symbol=hit["symbol"],
            session=hit["session"],
            line=hit["line"],
            kept_out=True,
            detail="a person has corrected this bar; the correction stands",
            source=job.source,
        )
        runs[hit["file"]].rejected += 1
    return rows.join(standing, on=key, how="anti", maintain_order="left")


def _count(runs: list[ImportRun], rows: pl.DataFrame, written: Written) -> None:
    """Share the counts of one write among the files that were written together."""
    key = ["symbol", "session"]
    if written.status.select(key).equals(rows.select(key)):
        status = written.status.with_columns(rows["file"])
    else:
        status = written.status.join(rows.select(*key, "file"), on=key)
    tally = {
        (number, kind): count
        for number, kind, count in status.group_by("file", "status").len().iter_rows()
    }
    sizes = rows.group_by("file").agg(pl.col("symbol").n_unique(), pl.col("session").n_unique())
    found = {number: (symbols, days) for number, symbols, days in sizes.iter_rows()}
    for number, run in enumerate(runs):
        run.new = tally.get((number, NEW), 0)
        run.changed = tally.get((number, CHANGED), 0)
        run.unchanged = tally.get((number, UNCHANGED), 0)
        run.symbols, run.sessions = found.get(number, (0, 0))
        run.lake_version = written.version


def _splits_of_bars(job: _Job, run: ImportRun, rows: pl.DataFrame) -> None:
    """Put splits that only the bars state into the splits table."""
    stated = rows.filter((pl.col("split_ratio") > 0) & (pl.col("split_ratio") != 1))
    if stated.is_empty():
        return
    splits = reference_files.with_split_knowledge(
        stated.select(
            "symbol", "source", ex_date="session", ratio="split_ratio", evidence=pl.lit(FROM_BARS)
        )
    )
    job.lake.upsert(
        "splits",
        splits,
        keeping=pl.col("evidence").ne_missing(pl.lit(FROM_BARS)),
        before_replacing=_recorder(job, run, "splits"),
    )


def _recorder(job: _Job, run: ImportRun, data_set: str) -> Recorder:
    """Return what writes a correction for each replaced row, before it is replaced."""

    def record(old: pl.DataFrame, new: pl.DataFrame) -> None:
        market_corrections.record_replaced(
            data_set=data_set, old=old, new=new, source=job.source, now=job.now, run=run
        )

    return record


def _assume(job: _Job, rows: pl.DataFrame) -> None:
    """Note the type that the person who imports gives to symbols no list names."""
    if job.assume_kind is None or rows.is_empty():
        return
    job.lake.upsert(
        "symbols",
        rows.group_by("symbol")
        .agg(first_date=pl.col("session").min(), last_date=pl.col("session").max())
        .with_columns(
            kind=pl.lit(job.assume_kind),
            origin=pl.lit("assumed"),
            assumed=pl.lit(value=True),
            source=pl.lit(job.source),
        ),
    )


def _write_reference(job: _Job, run: ImportRun, table: str, reading: Reading) -> None:
    findings.record_faults(run=run, faults=reading.faults)
    rows = reading.frame.with_columns(source=pl.lit(job.source))
    run.rows = rows.height + reading.faults.height
    recorder = _recorder(job, run, table) if table == "splits" else None
    keeping = pl.col("evidence") == market_corrections.BY_PERSON if table == "splits" else None
    written = job.lake.upsert(table, rows, keeping=keeping, before_replacing=recorder)
    day = SHAPES[table].time_key
    run.new, run.changed, run.unchanged = written.new, written.changed, written.unchanged
    run.symbols, run.sessions = rows["symbol"].n_unique(), rows[day].n_unique()
    run.lake_version = written.version
    if table in ("symbols", "splits"):
        job.symbols.update(rows["symbol"].unique())
    job.runs.append(run)


def _note(run: ImportRun, note: str) -> None:
    run.message = f"{run.message}; {note}" if run.message else note


def _finish(job: _Job) -> ImportSummary:
    """Refresh what follows from the lake, call the files done, and sum up."""
    if job.symbols:
        listings.refresh_symbols(
            symbols=sorted(job.symbols),
            source=job.source,
            now=job.now,
            run=job.runs[-1] if job.runs else None,
        )
    for run in job.runs:
        run.state, run.finished_at = ImportRun.State.DONE, job.now
        run.save()
    gates = DataFinding.objects.filter(run__in=job.runs).values_list("gate", flat=True)
    counts = ("rows", "new", "changed", "unchanged", "rejected")
    return ImportSummary(
        files=len(job.runs) + len(job.skipped) + len(job.refused),
        skipped=job.skipped,
        refused=job.refused,
        symbols=len(job.symbols) or max((run.symbols for run in job.runs), default=0),
        sessions=len(job.days) or max((run.sessions for run in job.runs), default=0),
        findings=dict(Counter(gates).most_common()),
        **{name: sum(getattr(run, name) for run in job.runs) for name in counts},
    )
