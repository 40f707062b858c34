"""What a night asks of the providers: new sessions in order, and what came late."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, Protocol

from django.conf import settings
from django.db.models import Max, Min

from analytics.calc import closes, sessions
from analytics.clients.answers import NotPublishedYet
from analytics.clients.polygon import Polygon
from analytics.errors import UpstreamError
from analytics.models import DataSet, DataSetState, DiscoveryBatch, JobRun, JobState, Source
from analytics.services import (
    consequences,
    data_sets,
    filings,
    holds,
    jobs,
    lakes,
    market_jobs,
    market_sync,
    nights,
    providers,
)
from analytics.services.market_sync import SessionSummary

AFTER_CLOSE: Final = timedelta(minutes=20)  # no bars are asked for before
RECHECKED: Final = (1, 5)  # sessions back that are asked for again: late prints
MOST: Final = 30  # sessions a night catches up; more is a backfill's work
SPLITS_BACK: Final = timedelta(days=10)
UNKNOWN_NIGHT: Final = timedelta(days=7)  # corrections looked back for before the first night


class Say(Protocol):
    """Hears how far a night is."""

    def __call__(self, message: str) -> None:
        """Take a sentence. May raise to end the work."""


@dataclass(kw_only=True)
class Night:
    """What a night brought.

    Attributes:
        stored: New sessions, in order.
        late: Sessions whose bars are other than when they were scanned.
        said: What was asked for and what came of it; what was skipped and why.
        needs_backfill: There is more to fetch than a night may.
        waiting: A closed session's bars are not to be had yet; it is asked for again.
        filling: A backfill is to come to its end first: what it has stored so far must not be
            scanned as if it were all there was.
    """

    stored: list[date] = field(default_factory=list)
    late: list[date] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    needs_backfill: bool = False
    waiting: bool = False
    filling: bool = False


def get_due(*, now: datetime) -> list[date]:
    """Return the closed sessions after the newest stored one, in order.

    A holiday is no session; a half day is closed at 13:00. With an empty lake, nothing is due:
    that is a backfill's work.
    """
    newest = _newest_stored()
    if newest is None:
        return []
    closed = closes.last_closed(now, after=AFTER_CLOSE)
    return [day for day in sessions.between(newest, closed) if day > newest]


def is_due(*, now: datetime) -> bool:
    """Return whether a provider should be asked for bars now."""
    if not is_connected():
        return False
    if not data_sets.may_ask(data_set=DataSet.BARS, now=now):
        return False
    if _newest_stored() is None:
        return providers.has_polygon() and not _is_filling()
    due = get_due(now=now)
    if (len(due) > MOST and _is_filling()) or _is_first_backfill():
        return False
    return bool(due) or _has_unscanned(now)


def is_connected() -> bool:
    """Return whether there is a key for any provider of bars."""
    return providers.has_polygon() or providers.has_alpaca_data()


def sync_night(*, now: datetime, say: Say, after_backfill: bool = False) -> Night:
    """Fetch what is new. What a plan or a missing key does not allow is said, not raised.

    Args:
        now: The present.
        say: Told each step.
        after_backfill: A backfill asked for this night at its end: there is none to wait for.
    """
    night = Night()
    if not is_connected():
        night.said.append("no bars fetched: POLYGON_API_KEY is not set")
        return night
    due = get_due(now=now)
    too_much = len(due) > MOST or _is_first_backfill()
    if _newest_stored() is None or (too_much and not after_backfill):
        _leave_to_backfill(night, due, now)
        return night
    due = due[:MOST]
    if not providers.has_polygon():
        _from_fallback(night, due, now, say)
    else:
        with providers.connect_polygon() as polygon:
            _from_polygon(night, polygon, due, now, say)
    market_sync.refresh_listings(now=now)
    return night


def _is_filling() -> bool:
    return bool(jobs.get_running(kind=market_jobs.BACKFILL))


def _is_first_backfill() -> bool:
    """Return whether a backfill goes on and nothing was ever scanned."""
    return _is_filling() and not DiscoveryBatch.objects.of(lakes.get_active_source()).exists()


def _has_unscanned(now: datetime) -> bool:
    """Return whether bars are there that no batch was made of: a night came to grief."""
    missed = nights.get_missed(now=now)
    if missed is None:
        return False
    held = holds.get_held(source=missed.source, first=missed.first, last=missed.last)
    stored = lakes.lake_of(missed.source).sessions()
    return bool({day for day in stored if missed.first <= day <= missed.last} - set(held))


def _leave_to_backfill(night: Night, due: list[date], now: datetime) -> None:
    """There is more to fetch than a night may: a backfill does, unless it cannot."""
    night.filling = _is_filling()
    if night.filling:
        night.said.append("a backfill is under way: nothing is scanned before its end")
        return
    may = data_sets.may_ask(data_set=DataSet.BARS, now=now)
    night.needs_backfill = night.filling = providers.has_polygon() and may
    if due:
        night.said.append(f"{len(due)} sessions are missing: a backfill fetches them")
    else:
        night.said.append("the lake holds no market data yet: a backfill comes first")


def get_touched(*, night: Night, source: str, now: datetime) -> list[date]:
    """Return the sessions whose bars or splits are other than when they were scanned.

    Those of this night, and every correction since the last one that came to its end: a
    person's, an import's, one of a night that was killed before it could scan again.
    """
    ended = JobRun.objects.of(market_jobs.NIGHTLY).filter(
        state=JobState.SUCCEEDED, started_at__isnull=False
    )
    last = ended.order_by("-started_at").values_list("started_at", flat=True).first()
    since = last or now - UNKNOWN_NIGHT
    return sorted({*night.late, *consequences.get_corrected(since=since, source=source)})


def get_rescans(*, touched: list[date], source: str) -> list[tuple[date, date]]:
    """Return the stretches of sessions to be scanned again, merged, ascending.

    Only where something was said: sessions up to the newest batch. The old batches stay. A
    session between two that were scanned is scanned as well: its bars came late.
    """
    current = DiscoveryBatch.objects.current().of(source)
    ends = current.aggregate(oldest=Min("session"), newest=Max("session"))
    oldest, newest = ends["oldest"], ends["newest"]
    if newest is None:
        return []
    stretches: list[tuple[date, date]] = []
    for day in sorted({*_left_out(source, newest), *touched}):
        end = min(consequences.get_reach(session=day).last, newest)
        if end < oldest or day > newest:
            continue
        if stretches and day <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((max(day, oldest), end))
    return stretches


def _left_out(source: str, newest: date) -> set[date]:
    """Return the sessions with bars but no batch between those scanned lately."""
    window = sessions.offset(newest, -consequences.REACH)
    current = DiscoveryBatch.objects.current().of(source).filter(session__gte=window)
    scanned = set(current.values_list("session", flat=True))
    held = holds.get_held(source=source, first=window, last=newest)
    stored = [day for day in lakes.lake_of(source).sessions() if min(scanned) < day < newest]
    return set(stored) - scanned - set(held)


def _newest_stored() -> date | None:
    days = lakes.lake_of(Source.LIVE).sessions()
    return days[-1] if days else None


def _from_polygon(night: Night, polygon: Polygon, due: list[date], now: datetime, say: Say) -> None:
    for day in due:
        say(f"asking for the bars of {day}")
        found = data_sets.attempt(
            data_set=DataSet.BARS,
            provider=market_sync.POLYGON,
            now=now,
            work=partial(market_sync.sync_session, session=day, polygon=polygon, now=now),
        )
        if isinstance(found, SessionSummary):
            _take(night, found, market_sync.POLYGON, now)
            continue
        night.said.append(f"{day}: {data_sets.state_of(found).label}")
        if isinstance(found, NotPublishedYet) or not _fall_back(night, day, now, say):
            night.waiting = True
            break  # the sessions after it wait, so that they come in order
    if night.stored:
        _recheck(night, polygon, night.stored[0], now, say)
        _beside(night, polygon, now, say)


def _from_fallback(night: Night, due: list[date], now: datetime, say: Say) -> None:
    night.said.append("POLYGON_API_KEY is not set: bars come from Alpaca")
    for day in due:
        if not _fall_back(night, day, now, say):
            break


def _fall_back(night: Night, day: date, now: datetime, say: Say) -> bool:
    """Ask the fallback provider for a session; return whether it gave it."""
    if not providers.has_alpaca_data():
        return False
    say(f"asking Alpaca for the bars of {day}")

    def ask() -> SessionSummary:
        with providers.connect_alpaca_data() as alpaca:
            return market_sync.sync_session_from_alpaca(
                session=day, alpaca=alpaca, feed=settings.ALPACA_DATA_FEED, now=now
            )

    found = data_sets.attempt(data_set=DataSet.BARS, provider=market_sync.ALPACA, now=now, work=ask)
    if isinstance(found, SessionSummary):
        _take(night, found, market_sync.ALPACA, now)
        return True
    night.said.append(f"{day} from Alpaca: {data_sets.state_of(found).label}")
    return False


def _take(night: Night, summary: SessionSummary, provider: str, now: datetime) -> None:
    """Note what came of a session."""
    day = summary.session
    if summary.held:
        night.said.append(f"{day} is held back, {summary.held}")
        data_sets.record(
            data_set=DataSet.BARS,
            provider=provider,
            state=DataSetState.State.REFUSED,
            now=now,
            detail=f"{day} is held back, {summary.held}",
        )
        return
    night.stored.append(day)
    if DiscoveryBatch.objects.filter(session__gte=day, source=Source.IMPORTED).exists():
        night.late.append(day)
    night.said.append(f"{day}: {summary.rows} bars from {provider}")
    data_sets.record(
        data_set=DataSet.BARS,
        provider=provider,
        state=DataSetState.State.CURRENT,
        now=now,
        newest=day,
    )


def _recheck(night: Night, polygon: Polygon, first: date, now: datetime, say: Say) -> None:
    """Ask again for sessions that may have been corrected, were held back or are a fallback's."""
    there = market_sync.answered_sessions()
    back = {sessions.offset(first, -count) for count in RECHECKED} & there
    back |= market_sync.fallback_sessions(since=sessions.offset(first, -MOST)) - set(night.stored)
    back |= holds.get_waiting(before=first) - there
    for day in sorted(back):
        say(f"asking again for the bars of {day}")
        try:
            found = market_sync.sync_session(session=day, polygon=polygon, now=now)
        except UpstreamError as error:
            night.said.append(f"{day} again: {error}")
            return
        if found.held:
            night.said.append(f"{day} is still held back, {found.held}")
        elif found.moved:
            night.late.append(day)
            counts = f"{found.new} new, {found.changed} changed, {found.withdrawn} withdrawn"
            night.said.append(f"{day} again: {counts}")


def _beside(night: Night, polygon: Polygon, now: datetime, say: Say) -> None:
    """Ask for what goes with the bars; none of it stops a night."""
    first, last = night.stored[0], night.stored[-1]
    with providers.connect_finra() as finra:
        say("splits, short volume, news")
        asked = (
            market_sync.sync_splits(
                polygon=polygon,
                first=first - SPLITS_BACK,
                last=last + market_sync.SPLITS_AHEAD,
                now=now,
            ),
            market_sync.sync_short_volume(polygon=polygon, finra=finra, days=night.stored, now=now),
            market_sync.sync_sentiment(
                polygon=polygon, first=sessions.offset(first, -1), last=last, now=now
            ),
        )
    night.said += [one.said for one in asked]
    splits = asked[0].stored
    if splits is not None:  # one that came late changes sessions that were scanned without it
        night.late += [day for day in splits.days if day < first]


def sync_flags(*, now: datetime, say: Say) -> list[str]:
    """Fetch filings of recent candidates and the day's halts; say what came of it.

    Called after discovery, so that tonight's candidates are among those asked about.
    """
    said: list[str] = []
    watched = filings.get_watched(now=now)
    if not watched:
        return said
    say("filings and halts")

    def ask_sec() -> int:
        with providers.connect_sec() as sec:
            return filings.sync_filings(sec=sec, symbols=watched, now=now)

    def ask_shares() -> int:
        with providers.connect_sec() as sec:
            return filings.sync_shares(sec=sec, symbols=watched, now=now)

    def ask_nasdaq() -> int:
        with providers.connect_nasdaq() as nasdaq:
            return filings.sync_halts(nasdaq=nasdaq, now=now)

    for data_set, provider, ask in (
        (DataSet.FILINGS, filings.SEC, ask_sec),
        (DataSet.SHARES, filings.SEC, ask_shares),
        (DataSet.HALTS, filings.NASDAQ, ask_nasdaq),
    ):
        found = data_sets.attempt(data_set=data_set, provider=provider, now=now, work=ask)
        told = f"{found} new" if isinstance(found, int) else data_sets.state_of(found).label
        said.append(f"{data_set.label}: {told}")
    return said
