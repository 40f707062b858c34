"""A session's bars from a provider through the gates into the lake.

Order of the steps, so that a killed run can simply be run again: ask, gate, write the lake, and
only then call the session done. Listing periods follow (:func:`refresh_listings`); a run that
was killed in between finds the mark of what is left to refresh.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from typing import Final

import polars as pl

from analytics.calc import quality, session_gates, sessions
from analytics.calc.session_gates import Failure
from analytics.clients.files import Reading
from analytics.lake import bars
from analytics.lake.changes import Recorder
from analytics.lake.schemas import SHAPES
from analytics.lake.tables import Lake
from analytics.models import ImportRun, Source
from analytics.services import findings, holds, lakes, listings, market_corrections

POLYGON: Final = "polygon"  # the one whose answers are of the whole market
ALPACA: Final = "alpaca"
SIP: Final = "sip"  # the consolidated tape
FILE: Final = re.compile(r"(?P<provider>\w+) sip (?P<day>\d{4}-\d\d-\d\d)")
BEFORE: Final = 5  # sessions before whose bars must not come again
WHOLE_MARKET: Final = 2_000  # symbols that make a session of an import a complete one
NOT_LISTED: Final = "listings to be refreshed"  # in the message of a run until they are


@dataclass(frozen=True, kw_only=True)
class SessionSummary:
    """What storing a session did.

    Attributes:
        session: Which.
        rows: Sound rows.
        new, changed, unchanged: Of these.
        withdrawn: Stored bars that this answer no longer has: taken away, each a correction.
        rejected: Rows kept out, each a finding.
        held: Why nothing was stored, "" if it was.
    """

    session: date
    rows: int
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    rejected: int = 0
    held: str = ""

    @property
    def moved(self) -> int:
        """Bars that are other than before."""
        return self.new + self.changed + self.withdrawn


def store_session(
    *, session: date, reading: Reading, provider: str, now: datetime, feed: str = SIP
) -> SessionSummary:
    """Gate a session's bars and write them; safe to run again and twice at once.

    A bar that replaces a different one is recorded as a correction. So is one that a later
    file of the whole market no longer has, or has for the first time: the former is taken
    away. A session that fails a hard gate is held back and leaves the lake as it is.

    Args:
        session: The session that was asked for.
        reading: What the provider's client made of the answer.
        provider: ``polygon`` or ``alpaca``.
        now: From when a replaced bar counts as known.
        feed: Only the consolidated tape enters this lake; see docs/decisions.

    Raises:
        ValueError: ``feed`` is not the consolidated tape.
    """
    if feed != SIP:
        raise ValueError(f"{feed} bars are never stored beside consolidated ones")
    lake = lakes.lake_of(Source.LIVE)
    frame = reading.frame.filter(pl.col("session") == session)
    run = _run_of(session, frame, provider, now)
    faults = quality.row_faults(frame)
    good = frame.filter(~pl.col("line").is_in(faults["line"].implode()))
    faults = pl.concat([reading.faults, faults.select(reading.faults.columns)])
    later = _Later(run=run, named=_named(good, faults), now=now) if provider == POLYGON else None
    failure = None
    if not holds.is_accepted(session=session):
        failure = _failure(lake, session, good, faults)
        if failure is None and later is not None:
            failure = later.failure(lake.read("bars", first=session, last=session))
    findings.record_faults(run=run, faults=faults)
    run.rows = frame.height + reading.faults.height
    if failure:
        return _refuse(lake, run, session, good.height, failure, provider, now)
    if not _is_answered(session):
        later = None  # a session that comes for the first time corrects nothing
    return _write(lake, run, session, good, later, now)


def _is_answered(session: date) -> bool:
    """Return whether an answer about ``session`` was stored to its end before."""
    names = [file_name(provider, session) for provider in (POLYGON, ALPACA)]
    return ImportRun.objects.filter(
        data_set="bars", file__in=names, state=ImportRun.State.DONE
    ).exists()


def _named(good: pl.DataFrame, faults: pl.DataFrame) -> pl.Series:
    """Return every symbol that an answer speaks of, be its row sound or not."""
    return pl.concat([good["symbol"].cast(pl.String), faults["symbol"].drop_nulls()]).unique()


@dataclass(frozen=True, kw_only=True)
class _Later:
    """A later file of a session that is stored: what it takes away and what it adds."""

    run: ImportRun
    named: pl.Series
    now: datetime

    def gone(self, stored: pl.DataFrame) -> pl.DataFrame:
        """Return the stored bars from a provider of which the file says nothing."""
        left_out = stored.filter(
            ~pl.col("symbol").is_in(self.named.implode()), source=Source.LIVE.value
        )
        personal = market_corrections.personal_keys("bars", Source.LIVE)
        return left_out.join(personal, on=["symbol", "session"], how="anti")

    def failure(self, stored: pl.DataFrame) -> Failure | None:
        """Return why the file cannot be right, None if it can."""
        return session_gates.find_withdrawal(self.gone(stored).height, stored=stored.height)

    def withdraw(self, good: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
        """Record what the file takes away and adds; return what it takes away."""
        gone = self.gone(stored)
        added = good.join(stored, on=["symbol", "session"], how="anti")
        none = SHAPES["bars"].columns
        for old, new in ((gone, pl.DataFrame(schema=none)), (pl.DataFrame(schema=none), added)):
            market_corrections.record_replaced(
                data_set="bars", old=old, new=new, source=Source.LIVE, now=self.now, run=self.run
            )
        return gone


def _run_of(session: date, frame: pl.DataFrame, provider: str, now: datetime) -> ImportRun:
    """Return the run of this answer; the same answer twice in a row has the same run."""
    stable = frame.drop("line").sort("symbol").hash_rows(seed=7).to_numpy().tobytes()
    digest = sha256(f"{provider} {session} {frame.height}".encode() + stable).hexdigest()
    name = file_name(provider, session)
    last = ImportRun.objects.filter(file=name, data_set="bars").order_by("-pk").first()
    same = last is not None and last.digest == digest
    run = last if last and same else ImportRun(digest=digest, data_set="bars", source=Source.LIVE)
    run.file, run.started_at = name, now
    run.state, run.message = ImportRun.State.RUNNING, ""
    run.save()
    return run


def file_name(provider: str, session: date) -> str:
    """Return what stands for a session's answer where a file would be named."""
    return f"{provider} {SIP} {session}"


def _failure(lake: Lake, session: date, good: pl.DataFrame, faults: pl.DataFrame) -> Failure | None:
    first = sessions.offset(session, -session_gates.USUAL_SESSIONS)
    columns = ["symbol", "session", "close", "volume"]
    known = lake.read("bars", first=first, last=session, columns=columns)
    known = known.filter(pl.col("session") < session)
    counts = known.group_by("session").len().sort("session")["len"].to_list()
    recent = known.filter(pl.col("session") >= sessions.offset(session, -BEFORE))
    return session_gates.find_failure(good, faults=faults, before=recent, counts=counts)


def _refuse(
    lake: Lake,
    run: ImportRun,
    session: date,
    rows: int,
    failure: Failure,
    provider: str,
    now: datetime,
) -> SessionSummary:
    """Keep the data out; hold the session unless good data of it are there already."""
    said = f"{failure.gate}: {failure.detail}"
    run.state, run.message, run.finished_at = ImportRun.State.REFUSED, said, now
    run.save()
    if session in stored_sessions(lake=lake):
        holds.record_finding(session=session, failure=failure, run=run)
    else:
        holds.hold(session=session, failure=failure, provider=provider, now=now, run=run)
    return SessionSummary(session=session, rows=rows, rejected=run.rejected, held=said)


def _write(
    lake: Lake,
    run: ImportRun,
    session: date,
    good: pl.DataFrame,
    later: _Later | None,
    now: datetime,
) -> SessionSummary:
    rows = good.with_columns(source=pl.lit(Source.LIVE.value))
    personal = market_corrections.personal_keys("bars", Source.LIVE)
    rows = rows.join(personal, on=["symbol", "session"], how="anti", maintain_order="left")
    written = lake.upsert(
        "bars",
        rows,
        completing=bars.keep_known,
        before_replacing=recorder(run, "bars", now),
        withdrawing=partial(later.withdraw, SHAPES["bars"].conform(rows)) if later else None,
    )
    run.symbols, run.sessions, run.lake_version = rows.height, 1, written.version
    run.new, run.changed, run.unchanged = written.new, written.changed, written.unchanged
    run.state, run.finished_at = ImportRun.State.DONE, now
    run.message = NOT_LISTED if written.new or written.changed or written.withdrawn else ""
    run.save()
    holds.release(session=session, now=now)
    return SessionSummary(
        session=session,
        rows=rows.height,
        new=written.new,
        changed=written.changed,
        unchanged=written.unchanged,
        withdrawn=written.withdrawn,
        rejected=run.rejected,
    )


def recorder(run: ImportRun, data_set: str, now: datetime) -> Recorder:
    """Return what writes a correction for each replaced row, before it is replaced."""

    def record(old: pl.DataFrame, new: pl.DataFrame) -> None:
        market_corrections.record_replaced(
            data_set=data_set, old=old, new=new, source=Source.LIVE, now=now, run=run
        )

    return record


def stored_sessions(*, lake: Lake) -> set[date]:
    """Return the sessions that the lake holds as a whole.

    A session counts if an answer about it was stored to its end and its bars are still there,
    or if an import brought the bars of 2,000 symbols or more.
    """
    coverage = lake.coverage()
    whole = coverage.filter(pl.col("symbols") >= WHOLE_MARKET)["session"].to_list()
    return set(whole) | (answered_sessions() & set(coverage["session"].to_list()))


def answered_sessions() -> set[date]:
    """Return the sessions that a provider's answer was stored of, to its end."""
    done = ImportRun.objects.filter(
        data_set="bars", state=ImportRun.State.DONE, source=Source.LIVE
    ).values_list("file", flat=True)
    named = [match for name in done.distinct() if (match := FILE.fullmatch(name))]
    return {date.fromisoformat(match["day"]) for match in named}


def fallback_sessions(*, since: date) -> set[date]:
    """Return the sessions from ``since`` on whose last answer came from the fallback provider.

    It was asked for the symbols that traded lately only: the main provider's answer is wanted.
    """
    done = ImportRun.objects.filter(
        data_set="bars", state=ImportRun.State.DONE, source=Source.LIVE
    ).order_by("finished_at", "pk")
    last = {
        date.fromisoformat(match["day"]): match["provider"]
        for name in done.values_list("file", flat=True)
        if (match := FILE.fullmatch(name))
    }
    return {day for day, provider in last.items() if provider == ALPACA and day >= since}


def refresh_listings(*, now: datetime, again: bool = False) -> int:
    """Bring listing periods and series findings up to date after sessions were stored.

    Args:
        now: The present: says how stale the feed is.
        again: Refresh although nothing is marked: after symbol lists or splits.

    Returns:
        How many symbols were looked at; 0 if nothing is marked.
    """
    marked = ImportRun.objects.filter(message=NOT_LISTED, source=Source.LIVE)
    waiting = list(marked.order_by("pk"))
    if not waiting and not again:
        return 0
    lake = lakes.lake_of(Source.LIVE)
    symbols = lake.read("bars", columns=["symbol"])["symbol"].unique().sort().to_list()
    run = waiting[-1] if waiting else None
    listings.refresh_symbols(symbols=symbols, source=Source.LIVE, now=now, run=run)
    marked.filter(pk__in=[run.pk for run in waiting]).update(message="")
    return len(symbols)
