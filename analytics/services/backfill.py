"""Fill the lake from a provider: resumable, at the provider's pace, with the time that is left.

What the lake holds is skipped, so killed work goes on where it was, and two at once do each
session twice at worst: writing a session again changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from analytics.clients.answers import NotInPlan, NotPublishedYet, TooOldForPlan, Unauthorized
from analytics.clients.finra import Finra
from analytics.clients.http import AT_ONCE
from analytics.clients.polygon import Polygon
from analytics.errors import Unavailable, UpstreamError
from analytics.models import DataSet, DataSetState, Source
from analytics.services import backfill_plan, data_sets, lakes, market_sync
from analytics.services.backfill_plan import NothingToSync, Plan, duration, get_plan
from analytics.services.backfill_records import Records
from analytics.services.session_sync import store_session

__all__ = ["Filled", "MoreToDo", "NothingToSync", "Plan", "fill", "get_plan"]

PART: Final = 20  # sessions asked for before looking again what is there
MOST_SILENT: Final = 3  # sessions in a row without an answer: the provider is down

Progress = Callable[[int, int, str], None]
Clock = Callable[[], datetime]


class MoreToDo(Exception):
    """Time is up with work left; what was done is stored."""


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
        finra: Where shorts come from if the plan has none; None to do without.
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
    work.records(finra)
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
        return len(self.plan.days) + len(self.plan.stretches) or 1

    def lists(self) -> None:
        """Store who was listed as of some days, and the splits of the whole range."""
        first, last = self.plan.first, self.plan.last
        for day in backfill_plan.missing_lists(first, last):
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

    def records(self, finra: Finra | None) -> None:
        """Store floats, short interest, short volume and news, as far as they are to be had."""
        asked = market_sync.sync_float(polygon=self.polygon, now=self.clock())
        self.filled.said.append(asked.said)
        self._say(asked.said)
        records = Records(polygon=self.polygon, finra=finra)
        for stretch in self.plan.stretches:
            records.store(stretch, now=self.clock())
            self.done += 1
            self._say(str(stretch))
        if str(records):
            self.filled.said.append(str(records))

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
            told = f"{what}; {left} steps left, about {duration(seconds)}"
        self.on_progress(min(self.done, self.total), self.total, told)
        if self.until is not None and now >= self.until:
            raise MoreToDo
