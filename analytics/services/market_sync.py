"""Market data from providers: the front door. One session, reference data, one question each.

What a plan does not give is a state of its data set, not an error: see ``data_sets``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from analytics.calc import sessions
from analytics.calc.session_gates import Failure
from analytics.clients.alpaca_data import AlpacaData
from analytics.clients.answers import NotFound, NotPublishedYet
from analytics.clients.finra import Finra, settlement_dates
from analytics.clients.polygon import Polygon
from analytics.clients.reference_files import PUBLICATION_SESSIONS
from analytics.errors import BadAnswer, UpstreamError
from analytics.models import DataSet, DataSetState, Security, Source
from analytics.services import data_sets, holds, lakes, reference_sync
from analytics.services.providers import NotConfigured
from analytics.services.reference_sync import Stored
from analytics.services.session_sync import (
    SIP,
    SessionSummary,
    answered_sessions,
    fallback_sessions,
    refresh_listings,
    store_session,
    stored_sessions,
)

__all__ = [
    "SessionSummary",
    "Stored",
    "answered_sessions",
    "fallback_sessions",
    "hold_answer",
    "is_plain_refusal",
    "refresh_listings",
    "stored_sessions",
    "sync_float",
    "sync_listed",
    "sync_reference",
    "sync_sentiment",
    "sync_session",
    "sync_session_from_alpaca",
    "sync_short_interest",
    "sync_short_volume",
    "sync_splits",
]

POLYGON: Final = "polygon"
ALPACA: Final = "alpaca"
FINRA: Final = "finra"
SPLITS_BACK: Final = timedelta(days=45)  # the vendor adds some splits late
SPLITS_AHEAD: Final = timedelta(days=30)  # and announces others
FEW_FILES: Final = 5  # of so few days the last one is what is waited for
TABLES: Final = {  # of the lake, by data set
    DataSet.SHORT_INTEREST: "short_interest",
    DataSet.SHORT_VOLUME: "short_volume",
    DataSet.SENTIMENT: "sentiment",
}
TRADED_WITHIN: Final = 10  # sessions: whose bars the fallback is asked for


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What came of asking for one data set.

    Attributes:
        data_set: Which.
        stored: What was stored; None if nothing could be.
        said: One sentence.
    """

    data_set: DataSet
    stored: Stored | None
    said: str


def sync_session(*, session: date, polygon: Polygon, now: datetime) -> SessionSummary:
    """Store the bars of one session. Safe to run again; a later file supersedes.

    A session whose answer is of no use is held back, like one that fails a gate.

    Raises:
        NotPublishedYet: There are none yet.
        TooOldForPlan, NotInPlan: The plan does not have them.
        UpstreamError: The provider let us down.
    """
    try:
        reading = polygon.grouped_daily(session)
    except BadAnswer as error:
        if not is_plain_refusal(error):
            raise
        return hold_answer(session=session, error=error, provider=POLYGON, now=now)
    return store_session(session=session, reading=reading, provider=POLYGON, now=now)


def is_plain_refusal(error: UpstreamError) -> bool:
    """Return whether the answer itself was of no use, rather than the plan or the key."""
    return type(error) is BadAnswer


def hold_answer(
    *, session: date, error: UpstreamError, provider: str, now: datetime
) -> SessionSummary:
    """Hold a session whose answer cannot be read, unless good bars of it are there already."""
    said = str(error)
    if session not in stored_sessions(lake=lakes.lake_of(Source.LIVE)):
        failure = Failure(gate="unusable_answer", detail=said)
        holds.hold(session=session, failure=failure, provider=provider, now=now, run=None)
    return SessionSummary(session=session, rows=0, held=f"unusable_answer: {said}")


def sync_session_from_alpaca(
    *, session: date, alpaca: AlpacaData, feed: str, now: datetime
) -> SessionSummary:
    """Store a session's bars from the fallback provider: the consolidated tape only.

    Only symbols that traded lately are asked for; whoever is new waits for the main provider.

    Raises:
        NotConfigured: The settings name a feed that is not the consolidated tape.
        UpstreamError: The provider let us down.
    """
    if feed != SIP:
        raise NotConfigured(
            f"Bars of the feed {feed!r} are a few per cent of the volume: they are not stored "
            "beside consolidated ones. Set ALPACA_DATA_FEED=sip."
        )
    since = sessions.offset(session, -TRADED_WITHIN)
    traded = Security.objects.filter(
        source__in=lakes.sources_beside(Source.LIVE),
        last_session__gte=since,
        first_session__lte=session,
    )
    symbols = sorted(set(traded.values_list("symbol", flat=True)))
    found = alpaca.daily_bars(symbols, first=session, last=session, feed=feed)
    return store_session(
        session=session, reading=found.reading, provider=ALPACA, now=now, feed=found.feed
    )


def sync_reference(*, polygon: Polygon, as_of: date, now: datetime) -> list[Asked]:
    """Store who is listed, delisted, split, and how many shares float. Then refresh listings."""
    asked = [
        sync_listed(polygon=polygon, as_of=as_of, now=now),
        sync_splits(polygon=polygon, first=as_of - SPLITS_BACK, last=as_of + SPLITS_AHEAD, now=now),
        sync_float(polygon=polygon, now=now),
    ]
    refresh_listings(now=now, again=True)
    return asked


def sync_listed(*, polygon: Polygon, as_of: date, now: datetime) -> Asked:
    """Store who was listed on ``as_of``, and who had delisted by then."""
    return _ask(
        DataSet.SYMBOLS,
        POLYGON,
        now,
        lambda: reference_sync.sync_listed(polygon=polygon, as_of=as_of, now=now),
    )


def sync_splits(*, polygon: Polygon, first: date, last: date, now: datetime) -> Asked:
    """Store splits executed from ``first`` to ``last``; duplicates do not adjust twice."""
    return _ask(
        DataSet.SPLITS,
        POLYGON,
        now,
        lambda: reference_sync.sync_splits(polygon=polygon, first=first, last=last, now=now),
    )


def sync_float(*, polygon: Polygon, now: datetime) -> Asked:
    """Store today's public floats; the provider keeps no history, we do."""
    return _ask(
        DataSet.FLOAT,
        POLYGON,
        now,
        lambda: reference_sync.sync_floats(polygon=polygon, now=now),
    )


def sync_sentiment(*, polygon: Polygon, first: date, last: date, now: datetime) -> Asked:
    """Store what the news of ``first`` to ``last`` say, where the plan has news."""
    return _ask(
        DataSet.SENTIMENT,
        POLYGON,
        now,
        lambda: reference_sync.sync_sentiment(polygon=polygon, first=first, last=last, now=now),
    )


def sync_short_interest(
    *, polygon: Polygon | None, finra: Finra | None, first: date, last: date, now: datetime
) -> Asked:
    """Store short interest: from the provider, or from FINRA's files where the plan has none.

    Settlements that cannot be published yet are not asked for.
    """
    if polygon is not None:
        asked = _ask(
            DataSet.SHORT_INTEREST,
            POLYGON,
            now,
            lambda: reference_sync.sync_short_interest(
                polygon=polygon, first=first, last=last, now=now
            ),
        )
        if asked.stored is not None or finra is None:
            return asked
    today = now.astimezone(sessions.NEW_YORK).date()
    due = [
        day
        for day in settlement_dates(first, last)
        if sessions.offset(day, PUBLICATION_SESSIONS) <= today
    ]
    return _ask(DataSet.SHORT_INTEREST, FINRA, now, lambda: _interest_files(finra, due, now))


def sync_short_volume(
    *, polygon: Polygon | None, finra: Finra | None, days: list[date], now: datetime
) -> Asked:
    """Store the short volume of ``days``: from the provider, or from FINRA's files."""
    if polygon is not None and days:
        asked = _ask(
            DataSet.SHORT_VOLUME,
            POLYGON,
            now,
            lambda: reference_sync.sync_short_volume(
                polygon=polygon, first=days[0], last=days[-1], now=now
            ),
        )
        if asked.stored is not None or finra is None:
            return asked
    return _ask(DataSet.SHORT_VOLUME, FINRA, now, lambda: _volume_files(finra, days, now))


def _interest_files(finra: Finra | None, due: list[date], now: datetime) -> Stored:
    client = _needed(finra)
    return _each(
        due,
        lambda day: reference_sync.store_reading(
            table="short_interest",
            reading=client.short_interest(day),
            name=f"finra short interest {day}",
            now=now,
        ),
    )


def _volume_files(finra: Finra | None, days: list[date], now: datetime) -> Stored:
    client = _needed(finra)
    return _each(
        days,
        lambda day: reference_sync.store_reading(
            table="short_volume",
            reading=client.short_volume(day),
            name=f"finra short volume {day}",
            now=now,
        ),
    )


def _each(days: list[date], store: Callable[[date], Stored]) -> Stored:
    """Store each day's file; one that is not there stops no other, but none at all is said.

    Raises:
        NotPublishedYet, NotFound: There is no file of any of several days, or of the last.
    """
    parts, absent = [], None
    for day in days:
        try:
            parts.append(store(day))
            absent = None
        except (NotPublishedYet, NotFound) as error:
            absent = error
    if absent is not None and (not parts or len(days) < FEW_FILES):
        raise absent
    return _sum(parts)


def _needed(finra: Finra | None) -> Finra:
    if finra is None:
        raise NotConfigured("There is no provider of this data set.")
    return finra


def _sum(parts: list[Stored]) -> Stored:
    newest = [part.newest for part in parts if part.newest]
    return Stored(
        new=sum(part.new for part in parts),
        changed=sum(part.changed for part in parts),
        rejected=sum(part.rejected for part in parts),
        newest=max(newest, default=None),
    )


def _ask(data_set: DataSet, provider: str, now: datetime, work: Callable[[], Stored]) -> Asked:
    """Ask, note the state, and say in a sentence what came of it."""
    found = data_sets.attempt(data_set=data_set, provider=provider, now=now, work=work)
    label = data_set.label
    if not isinstance(found, Stored):
        state = data_sets.state_of(found)
        return Asked(data_set=data_set, stored=None, said=f"{label}: {state.label}")
    data_sets.record(
        data_set=data_set,
        provider=provider,
        state=DataSetState.State.CURRENT,
        now=now,
        newest=found.newest,
    )
    said = f"{label}: {found.new} new, {found.changed} changed"
    return Asked(data_set=data_set, stored=found, said=said)
