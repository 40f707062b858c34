"""Fill the lake from a provider: resumable, at the provider's pace, with the time that is left.

What the lake holds is skipped, so killed work goes on where it was, and two at once do each
session twice at worst: writing a session again changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from analytics.calc import sessions
from analytics.clients.answers import NotInPlan, NotPublishedYet, TooOldForPlan, Unauthorized
from analytics.clients.finra import Finra
from analytics.clients.http import AT_ONCE
from analytics.clients.pace import MINUTE, Limit
from analytics.clients.polygon import Polygon
from analytics.errors import DomainError, Unavailable, UpstreamError
from analytics.models import DataSet, DataSetState, Source
from analytics.services import data_sets, lakes, market_sync
from analytics.services.session_sync import store_session

FREE_CALLS: Final = 5  # a minute: what the free plan allows
FREE_HISTORY: Final = timedelta(days=730)
DEFAULT_SESSIONS: Final = 500  # two years, as far as every plan goes
LIST_CALLS: Final = 35  # pages of one list of the market, delisted names included
OTHER_CALLS: Final = 20  # splits, short interest, float, news
PART: Final = 20  # sessions asked for before looking again what is there
MOST_SILENT: Final = 3  # sessions in a row without an answer: the provider is down
MOODS: Final = timedelta(days=10)  # of news: older ones matter to no scan of today
RECENT: Final = 30  # sessions of short volume

Progress = Callable[[int, int, str], None]
Clock = Callable[[], datetime]


class NothingToSync(DomainError):
    """There is no session in that range."""


class MoreToDo(Exception):
    """Time is up with work left; what was done is stored."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a backfill would do.

    Attributes:
        first, last: Sessions, both included.
        days: To be asked for, in order.
        skipped: Sessions that are in the lake already.
        calls: About how many questions it takes.
        seconds: At least so long at the agreed pace; 0 without a limit.
        cannot: What the plan cannot give, as far as we know: sentences.
    """

    first: date
    last: date
    days: list[date]
    skipped: int
    calls: int
    seconds: float
    cannot: list[str]

    def __str__(self) -> str:
        left = f"about {_duration(self.seconds)}" if self.seconds else "no limit on calls"
        told = (
            f"{len(self.days)} sessions from {self.first} to {self.last} to be asked for, "
            f"{self.skipped} are there already; about {self.calls} calls, {left}."
        )
        return " ".join([told, *self.cannot])


@dataclass(kw_only=True)
class Filled:
    """What a backfill did."""

    stored: int = 0
    skipped: int = 0
    rows: int = 0
    held: list[str] = field(default_factory=list)
    too_old: int = 0
    unanswered: list[date] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.stored} sessions stored, {self.skipped} were there"]
        if self.too_old:
            parts.append(f"{self.too_old} too old for the plan")
        if self.held:
            parts.append(f"{len(self.held)} held back")
        if self.unanswered:
            parts.append(f"{len(self.unanswered)} unanswered")
        return "; ".join([*parts, *self.said])


def get_plan(
    *, now: datetime, limit: Limit | None, first: date | None = None, last: date | None = None
) -> Plan:
    """Say beforehand what a backfill will do, how long it takes, and what it cannot get.

    Args:
        now: Nothing that has not closed is asked for.
        limit: How often the plan lets us call; None for as often as we like.
        first: First session; two years back if not given.
        last: Last session; the newest finished one if not given.

    Raises:
        NothingToSync: There is no finished session in that range.
    """
    finished = sessions.last_finished(now)
    end = min(last or finished, finished)
    start = first or sessions.offset(end, 1 - DEFAULT_SESSIONS)
    wanted = sessions.between(start, end)
    if not wanted:
        raise NothingToSync(f"There is no finished session from {start} to {end}.")
    there = market_sync.stored_sessions(lake=lakes.lake_of(Source.LIVE))
    days = [day for day in wanted if day not in there]
    calls = len(days) + LIST_CALLS * len(list_days(wanted[0], wanted[-1])) + OTHER_CALLS
    return Plan(
        first=wanted[0],
        last=wanted[-1],
        days=days,
        skipped=len(wanted) - len(days),
        calls=calls,
        seconds=limit.seconds_for(calls) if limit else 0.0,
        cannot=_cannot(days, limit, now),
    )


def list_days(first: date, last: date) -> list[date]:
    """Return the days as of which the market is listed: both ends and each new year."""
    years = [date(year, 1, 2) for year in range(first.year + 1, last.year + 1)]
    return sorted({first, *(day for day in years if day < last), last})


def _cannot(days: list[date], limit: Limit | None, now: datetime) -> list[str]:
    told = []
    if limit is not None and limit.calls <= FREE_CALLS and limit.window >= MINUTE:
        oldest = now.date() - FREE_HISTORY
        lost = sum(day < oldest for day in days)
        if lost:
            told.append(f"A free plan reaches back two years: {lost} sessions are too old for it.")
        told.append("A free plan has no snapshots of a session under way and no bars of today.")
    missing = DataSetState.objects.filter(state=DataSetState.State.NOT_IN_PLAN)
    names = ", ".join(DataSet(row.data_set).label for row in missing.order_by("data_set"))
    return [*told, f"Not in the plan when last asked: {names}."] if names else told


def fill(
    *,
    polygon: Polygon,
    finra: Finra | None,
    plan: Plan,
    clock: Clock,
    on_progress: Progress,
    until: datetime | None = None,
) -> Filled:
    """Do what ``plan`` says, oldest session first.

    Args:
        polygon: Where bars and reference data come from.
        finra: Where short interest comes from if the plan has none; None to do without.
        plan: From :func:`get_plan`.
        clock: Reads the time.
        on_progress: Told steps done, steps in all, and a sentence with the time left. May
            raise to end the work; what was stored stays.
        until: When to stop although work is left.

    Raises:
        MoreToDo: ``until`` has come. Run it again.
        Unauthorized: The key is not accepted.
        Unavailable: The provider does not answer.
    """
    filled = Filled(skipped=plan.skipped)
    work = _Work(
        polygon=polygon,
        plan=plan,
        clock=clock,
        on_progress=on_progress,
        until=until,
        filled=filled,
        began=clock(),
    )
    try:
        work.lists()
        work.bars()
    finally:
        now = clock()
        market_sync.refresh_listings(now=now, again=bool(filled.said))
    work.shorts(finra)
    on_progress(work.total, work.total, "done")
    return filled


@dataclass(kw_only=True)
class _Work:
    """A backfill under way."""

    polygon: Polygon
    plan: Plan
    clock: Clock
    on_progress: Progress
    until: datetime | None
    filled: Filled
    began: datetime
    done: int = 0
    silent: int = 0  # sessions in a row without an answer
    probed: set[date] = field(default_factory=set)  # asked for to see how far the plan reaches

    @property
    def total(self) -> int:
        return len(self.plan.days) or 1

    def lists(self) -> None:
        """Store who was listed as of some days, and the splits of the whole range."""
        first, last = self.plan.first, self.plan.last
        known = lakes.lake_of(Source.LIVE).read("symbols", columns=["first_date", "origin"])
        there = set(known.filter(origin="polygon")["first_date"].unique().to_list())
        for day in list_days(first, last):
            if day in there:
                continue
            self._say(f"who was listed on {day}")
            asked = market_sync.sync_listed(polygon=self.polygon, as_of=day, now=self.clock())
            self.filled.said.append(asked.said)
        self._say("splits")
        splits = market_sync.sync_splits(
            polygon=self.polygon,
            first=first,
            last=last + market_sync.SPLITS_AHEAD,
            now=self.clock(),
        )
        self.filled.said.append(splits.said)

    def bars(self) -> None:
        """Store the bars, session by session."""
        days = self._in_plan(self.plan.days)
        lake = lakes.lake_of(Source.LIVE)
        for at in range(0, len(days), PART):
            part = days[at : at + PART]
            there = market_sync.stored_sessions(lake=lake)  # someone else may be at it, too
            missing = [day for day in part if day not in there | self.probed]
            self.filled.skipped += sum(day in there - self.probed for day in part)
            self.done += len(part) - len(missing)
            for day, answer in self._answers(missing):
                self._take(day, answer)
                self.done += 1
                self._say(f"{day} is in")
        self._note_state()

    def shorts(self, finra: Finra | None) -> None:
        """Store short interest, short volume, floats and moods, as far as the plan has them."""
        first, last, now = self.plan.first, self.plan.last, self.clock()
        recent = sessions.between(sessions.offset(last, -RECENT), last)
        steps: tuple[Callable[[], market_sync.Asked], ...] = (
            lambda: market_sync.sync_short_interest(
                polygon=self.polygon, finra=finra, first=first, last=last, now=now
            ),
            lambda: market_sync.sync_short_volume(
                polygon=self.polygon, finra=finra, days=recent, now=now
            ),
            lambda: market_sync.sync_float(polygon=self.polygon, now=now),
            lambda: market_sync.sync_sentiment(
                polygon=self.polygon, first=last - MOODS, last=last, now=now
            ),
        )
        for step in steps:
            asked = step()
            self.filled.said.append(asked.said)
            self._say(asked.said)

    def _in_plan(self, days: list[date]) -> list[date]:
        """Return the days that the plan reaches back to: found by halving, not by asking all."""
        if not days or not self._too_old(days[0]):
            return days
        low, high = 0, len(days)  # days[low] is too old; days[high] is not, or is the end
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._too_old(days[middle]) else (low, middle)
        self.filled.too_old = high
        self.done += high
        plan_from = days[high] if high < len(days) else None
        data_sets.record(
            data_set=DataSet.BARS,
            provider=market_sync.POLYGON,
            state=DataSetState.State.TOO_OLD,
            now=self.clock(),
            detail=f"{high} sessions from {days[0]} on are too old for the plan",
            plan_from=plan_from,
        )
        return days[high:]

    def _too_old(self, day: date) -> bool:
        self._say(f"whether the plan reaches back to {day}")
        try:
            found = market_sync.sync_session(session=day, polygon=self.polygon, now=self.clock())
        except TooOldForPlan:
            return True
        except UpstreamError:
            return False  # it is asked again in its turn
        self.probed.add(day)
        self._count(found)
        return False

    def _answers(self, days: list[date]) -> Iterator[tuple[date, object]]:
        pace = self.polygon.http.pace
        at_once = AT_ONCE if pace is None else max(1, min(AT_ONCE, pace.limit.calls // 5))
        return self.polygon.grouped_daily_of(days, at_once=at_once)

    def _take(self, day: date, answer: object) -> None:
        """Store one answer, or note why there is none."""
        if isinstance(answer, UpstreamError):
            self._refused(day, answer)
            return
        self.silent = 0
        summary = store_session(
            session=day,
            reading=answer,  # type: ignore[arg-type]
            provider=market_sync.POLYGON,
            now=self.clock(),
        )
        self._count(summary)

    def _count(self, summary: market_sync.SessionSummary) -> None:
        if summary.held:
            self.filled.held.append(f"{summary.session} {summary.held}")
        else:
            self.filled.stored += 1
            self.filled.rows += summary.rows

    def _refused(self, day: date, error: UpstreamError) -> None:
        if isinstance(error, TooOldForPlan):
            self.filled.too_old += 1
            return
        if isinstance(error, NotPublishedYet):
            self.filled.unanswered.append(day)
            return
        if isinstance(error, Unauthorized | NotInPlan):
            state = data_sets.state_of(error)
            data_sets.record(
                data_set=DataSet.BARS,
                provider=market_sync.POLYGON,
                state=state,
                now=self.clock(),
                detail=str(error),
            )
            raise error
        if isinstance(error, Unavailable):
            self.filled.unanswered.append(day)
            self.silent += 1
            if self.silent >= MOST_SILENT:
                raise error
            return
        self._count(
            market_sync.hold_answer(
                session=day, error=error, provider=market_sync.POLYGON, now=self.clock()
            )
        )

    def _note_state(self) -> None:
        found = market_sync.stored_sessions(lake=lakes.lake_of(Source.LIVE))
        if self.filled.too_old:
            data_sets.note_newest(data_set=DataSet.BARS, newest=max(found, default=None))
            return
        data_sets.record(
            data_set=DataSet.BARS,
            provider=market_sync.POLYGON,
            state=DataSetState.State.CURRENT,
            now=self.clock(),
            newest=max(found, default=None),
        )

    def _say(self, what: str) -> None:
        now = self.clock()
        left = self.total - self.done
        took = (now - self.began).total_seconds()
        told = what
        if left and self.done:
            seconds = left * took / self.done
            pace = self.polygon.http.pace
            seconds = max(seconds, pace.limit.seconds_for(left) if pace else 0.0)
            told = f"{what}; {left} sessions left, about {_duration(seconds)}"
        self.on_progress(min(self.done, self.total), self.total, told)
        if self.until is not None and now >= self.until:
            raise MoreToDo


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
