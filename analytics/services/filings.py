"""Filings that may mean new shares, and trading halts: dated flags beside candidates.

Dilution kills squeezes. A flag is shown to people and programs; no score reads it. It is taken at
the cut-off of the candidate's session: what was filed later is not shown beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from analytics.calc import sessions
from analytics.clients.nasdaq import Nasdaq
from analytics.clients.sec import Sec
from analytics.errors import BadAnswer
from analytics.models import (
    Candidate,
    DataSet,
    DataSetState,
    Filing,
    FilingKind,
    Halt,
    Security,
    Source,
)
from analytics.services import data_sets, lakes, reference_sync

FILED_WITHIN: Final = timedelta(days=30)  # before a session: that long an offering is news
HALTED_WITHIN: Final = timedelta(days=7)
FETCHED_BACK: Final = timedelta(days=90)
QUARTER: Final = timedelta(days=85)  # reports come once a quarter
WATCHED: Final = 20  # sessions: whoever was a candidate in them is asked about
SEC: Final = "sec"
NASDAQ: Final = "nasdaq"


@dataclass(frozen=True, kw_only=True)
class Flag:
    """Something a candidate's session knew of.

    Attributes:
        kind: ``offering``, ``event`` or ``halt``.
        label: For people.
        known_on: From when it was known.
        url: The document; "" if there is none.
    """

    kind: str
    label: str
    known_on: datetime
    url: str = ""


def get_flags(*, symbol: str, session: date, source: str) -> list[Flag]:
    """Return the flags of a symbol as its session knew them, newest first.

    Args:
        symbol: Of a candidate.
        session: Its session; nothing that became known after its cut-off is returned.
        source: Of the candidate: a simulated company files nothing.
    """
    if source == Source.SIMULATED:
        return []
    end = sessions.cut_off(session)
    filed = Filing.objects.filter(
        symbol=symbol, accepted_at__lte=end, accepted_at__gt=end - FILED_WITHIN
    )
    halted = Halt.objects.filter(
        symbol=symbol, halted_at__lte=end, halted_at__gt=end - HALTED_WITHIN
    )
    found = [_of_filing(filing) for filing in filed]
    found += [
        Flag(kind="halt", label=f"trading halted ({halt.reason})", known_on=halt.halted_at)
        for halt in halted
    ]
    return sorted(found, key=lambda flag: flag.known_on, reverse=True)


def _of_filing(filing: Filing) -> Flag:
    event = filing.kind == FilingKind.EVENT
    return Flag(
        kind="event" if event else "offering",
        label=filing.form,
        known_on=filing.accepted_at,
        url=filing.url,
    )


def get_watched(*, now: datetime) -> list[str]:
    """Return the symbols that were candidates on real data within the last 20 sessions."""
    since = sessions.offset(sessions.last_finished(now), -WATCHED)
    real = Candidate.objects.current().filter(
        batch__session__gte=since, batch__source__in=lakes.sources_beside(Source.LIVE)
    )
    return sorted(set(real.values_list("symbol", flat=True)))


def sync_filings(*, sec: Sec, symbols: Iterable[str], now: datetime) -> int:
    """Store the filings of ``symbols`` of the last 90 days; return how many are new.

    A company that the SEC does not know, or whose answer is of no use, stops no other.

    Raises:
        Unavailable: The SEC does not answer.
    """
    wanted = list(symbols)
    ciks = _ciks(sec, wanted)
    before = Filing.objects.count()
    since = (now - FETCHED_BACK).date()
    rows: list[Filing] = []
    for symbol in wanted:
        if symbol not in ciks:
            continue
        try:
            found = sec.filings(cik=ciks[symbol], symbol=symbol, since=since)
        except BadAnswer:
            continue
        rows += [
            Filing(
                accession=filing.accession,
                symbol=filing.symbol,
                cik=filing.cik,
                kind=filing.kind,
                form=filing.form[:20],
                accepted_at=filing.known_on,
                url=filing.url[:300],
                fetched_at=now,
            )
            for filing in found
        ]
    Filing.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    new = Filing.objects.count() - before
    _note(DataSet.FILINGS, SEC, now, [row.accepted_at for row in rows])
    return new


def sync_halts(*, nasdaq: Nasdaq, now: datetime) -> int:
    """Store the halts that the feed holds now; one that resumed is brought up to date."""
    before = Halt.objects.count()
    rows = [
        Halt(
            symbol=halt.symbol[:16],
            reason=halt.reason[:12],
            market=halt.market[:20],
            halted_at=halt.halted_at,
            resumes_at=halt.resumes_at,
            fetched_at=now,
        )
        for halt in {(h.symbol, h.halted_at): h for h in nasdaq.halts()}.values()
    ]
    Halt.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["symbol", "halted_at"],
        update_fields=["resumes_at", "reason", "fetched_at"],
    )
    _note(DataSet.HALTS, NASDAQ, now, [row.halted_at for row in rows])
    return Halt.objects.count() - before


def sync_shares(*, sec: Sec, symbols: Iterable[str], now: datetime) -> int:
    """Store the shares outstanding of ``symbols`` by filing date; return the rows that are new.

    Companies whose last report is younger than a quarter are not asked about.

    Raises:
        Unavailable: The SEC does not answer.
    """
    wanted = list(symbols)
    told = lakes.lake_of(Source.LIVE).read("shares", symbols=wanted).filter(origin=SEC)
    recent = told.filter(pl.col("known_on") > now - QUARTER)["symbol"].unique().to_list()
    due = [symbol for symbol in wanted if symbol not in set(recent)]
    ciks = _ciks(sec, due) if due else {}
    asked = {symbol: ciks[symbol] for symbol in due if symbol in ciks}
    stored = reference_sync.sync_shares(sec=sec, ciks=asked, now=now)
    data_sets.record(
        data_set=DataSet.SHARES,
        provider=SEC,
        state=DataSetState.State.CURRENT,
        now=now,
        newest=stored.newest,
    )
    return stored.new


def _ciks(sec: Sec, symbols: list[str]) -> Mapping[str, str]:
    """Return the CIK by symbol: as the lists have it, else as the SEC lists it now."""
    rows = Security.objects.filter(symbol__in=symbols).exclude(cik="").order_by("last_session")
    known = dict(rows.values_list("symbol", "cik"))
    if set(symbols) <= set(known):
        return known
    return {**sec.ciks(), **known}


def _note(data_set: DataSet, provider: str, now: datetime, times: list[datetime]) -> None:
    newest = max(times, default=None)
    data_sets.record(
        data_set=data_set,
        provider=provider,
        state=DataSetState.State.CURRENT,
        now=now,
        newest=newest.astimezone(sessions.NEW_YORK).date() if newest else None,
    )
