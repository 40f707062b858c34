"""Shorts and news of a backfill: month by month, the newest first, each month once.

What stands for a month is the run that stored it: killed work goes on with the months that have
none. A month whose end is young is asked for again, as its records may still have been coming.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from analytics.calc import sessions
from analytics.clients.finra import Finra
from analytics.clients.polygon import Polygon
from analytics.models import DataSet, DataSetState, ImportRun, Source
from analytics.services import data_sets, market_sync
from analytics.services.market_sync import Asked

SETTLES: Final[dict[DataSet, timedelta]] = {  # from when on nothing more is to come of a day
    DataSet.SHORT_INTEREST: timedelta(days=20),
    DataSet.SHORT_VOLUME: timedelta(days=3),
    DataSet.SENTIMENT: timedelta(days=2),
}
NAMES: Final = {  # of the runs that stand for a month, by data set
    DataSet.SHORT_INTEREST: "short interest",
    DataSet.SHORT_VOLUME: "short volume",
    DataSet.SENTIMENT: "news",
}
REFUSED: Final = {DataSetState.State.NOT_IN_PLAN, DataSetState.State.UNAUTHORIZED}


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A month of a data set, or the part of it that is asked for; both ends included."""

    data_set: DataSet
    first: date
    last: date

    @property
    def mark(self) -> str:
        """The name of the run that stands for it."""
        return f"backfill of {NAMES[self.data_set]} {self.first} to {self.last}"

    def __str__(self) -> str:
        return f"{self.data_set.label} of {self.first:%B %Y}"


def get_missing(*, first: date, last: date) -> list[Stretch]:
    """Return the months from ``first`` to ``last`` not stored yet, the newest first."""
    wanted = [
        Stretch(data_set=data_set, first=begins, last=ends)
        for begins, ends in reversed(list(_months(first, last)))
        for data_set in SETTLES
    ]
    runs = ImportRun.objects.filter(
        state=ImportRun.State.DONE, source=Source.LIVE, file__startswith="backfill of "
    )
    done = dict(runs.order_by("pk").values_list("file", "finished_at"))
    return [one for one in wanted if not _is_settled(one, done.get(one.mark))]


def _is_settled(stretch: Stretch, stored: datetime | None) -> bool:
    if stored is None:
        return False
    since = stretch.last + SETTLES[stretch.data_set]
    return stored.astimezone(sessions.NEW_YORK).date() > since


def _months(first: date, last: date) -> Iterator[tuple[date, date]]:
    begins = first
    while begins <= last:
        following = (begins.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield begins, min(last, following - timedelta(days=1))
        begins = following


@dataclass(kw_only=True)
class Records:
    """Asks for stretches; a data set that the plan lacks is asked for once.

    Attributes:
        stored: Rows new or changed, by data set.
        lacking: Data sets that the plan does not have.
        refused: Months that could not be had, by data set, and the last reason.
    """

    polygon: Polygon
    finra: Finra | None
    stored: dict[DataSet, int] = field(default_factory=dict)
    lacking: set[DataSet] = field(default_factory=set)
    refused: dict[DataSet, tuple[int, str]] = field(default_factory=dict)

    def store(self, stretch: Stretch, *, now: datetime) -> Asked | None:
        """Store one stretch; None if nobody can be asked for it."""
        asked = self._ask(stretch, now)
        if asked is None:
            return None
        kind = stretch.data_set
        if asked.stored is None:
            count, _ = self.refused.get(kind, (0, ""))
            self.refused[kind] = (count + 1, asked.said)
            return asked
        self.stored[kind] = self.stored.get(kind, 0) + asked.stored.moved
        _mark(stretch, asked, now)
        return asked

    def __str__(self) -> str:
        told = [f"{kind.label}: {count} rows" for kind, count in self.stored.items()]
        told += [
            said if kind not in self.stored else f"{count} months refused, the last: {said}"
            for kind, (count, said) in self.refused.items()
        ]
        return "; ".join(told)

    def _ask(self, stretch: Stretch, now: datetime) -> Asked | None:
        kind = stretch.data_set
        asked = None
        if kind not in self.lacking:
            asked = self._of_provider(stretch, now)
            if asked.stored is not None:
                return asked
            state = data_sets.get_state(data_set=kind)
            if state is not None and state.state in REFUSED:
                self.lacking.add(kind)
        return self._of_finra(stretch, now) or asked

    def _of_provider(self, stretch: Stretch, now: datetime) -> Asked:
        first, last = stretch.first, stretch.last
        asks: dict[DataSet, Callable[[], Asked]] = {
            DataSet.SHORT_INTEREST: lambda: market_sync.sync_short_interest(
                polygon=self.polygon, finra=None, first=first, last=last, now=now
            ),
            DataSet.SHORT_VOLUME: lambda: market_sync.sync_short_volume(
                polygon=self.polygon, finra=None, days=sessions.between(first, last), now=now
            ),
            DataSet.SENTIMENT: lambda: market_sync.sync_sentiment(
                polygon=self.polygon, first=first, last=last, now=now
            ),
        }
        return asks[stretch.data_set]()

    def _of_finra(self, stretch: Stretch, now: datetime) -> Asked | None:
        first, last = stretch.first, stretch.last
        if self.finra is None or stretch.data_set == DataSet.SENTIMENT:
            return None
        if stretch.data_set == DataSet.SHORT_INTEREST:
            return market_sync.sync_short_interest(
                polygon=None, finra=self.finra, first=first, last=last, now=now
            )
        days = sessions.between(first, last)
        return market_sync.sync_short_volume(polygon=None, finra=self.finra, days=days, now=now)


def _mark(stretch: Stretch, asked: Asked, now: datetime) -> None:
    """Note that a stretch is stored, in the run that stands for it."""
    stored = asked.stored
    ImportRun.objects.update_or_create(
        file=stretch.mark,
        source=Source.LIVE,
        defaults={
            "digest": "",
            "data_set": market_sync.TABLES[stretch.data_set],
            "state": ImportRun.State.DONE,
            "new": stored.new if stored else 0,
            "changed": stored.changed if stored else 0,
            "started_at": now,
            "finished_at": now,
            "message": asked.said,
        },
    )
