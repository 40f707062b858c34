"""Say beforehand what a backfill will do: how many questions, how long, what cannot be had."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Final

from analytics.calc import sessions
from analytics.clients.finra import settlement_dates
from analytics.clients.pace import MINUTE, Limit
from analytics.errors import DomainError
from analytics.models import DataSet, DataSetState, Source
from analytics.services import backfill_records, lakes, market_sync
from analytics.services.backfill_records import Stretch

FREE_CALLS: Final = 5  # a minute: what the free plan allows
FREE_HISTORY: Final = timedelta(days=730)
DEFAULT_SESSIONS: Final = 500  # two years, as far as every plan goes
LIST_CALLS: Final = 35  # pages of one list of the market, delisted names included
SPLITS_A_PAGE: Final = 3  # years of splits
FLOAT_CALLS: Final = 2
INTEREST_CALLS: Final = 0.4  # pages of one settlement: 18,000 rows of 50,000
VOLUME_CALLS: Final = 0.25  # pages of one session: 11,000 rows of 50,000
NEWS_CALLS: Final = 0.75  # pages of one day: some 500 articles of 1,000, more on busy days
FINRA_CALLS_A_SECOND: Final = 2
FINRA_VOLUME: Final = date(2020, 1, 2)  # its daily files are known to reach back to here
FINRA_INTEREST: Final = date(2021, 6, 1)  # from then on its files list exchange-listed stocks


class NothingToSync(DomainError):
    """There is no session in that range."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a backfill would do.

    Attributes:
        first, last: Sessions, both included.
        days: To be asked for, in order.
        skipped: Sessions that are in the lake already.
        stretches: Months of shorts and news to be asked for.
        costs: About how many questions each part takes, by its name.
        seconds: At least so long at the agreed pace; 0 without a limit.
        cannot: What the plan cannot give, as far as we know: sentences.
    """

    first: date
    last: date
    days: list[date]
    skipped: int
    stretches: list[Stretch]
    costs: dict[str, int]
    seconds: float
    cannot: list[str]

    @property
    def calls(self) -> int:
        """About how many questions it takes in all."""
        return sum(self.costs.values())

    def __str__(self) -> str:
        left = f"about {duration(self.seconds)}" if self.seconds else "no limit on calls"
        parts = ", ".join(f"{name} {calls}" for name, calls in self.costs.items() if calls)
        told = (
            f"{len(self.days)} sessions from {self.first} to {self.last} to be asked for, "
            f"{self.skipped} are there already; about {self.calls} calls ({parts}), {left}."
        )
        return " ".join([told, *self.cannot])


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
    stretches = backfill_records.get_missing(first=wanted[0], last=wanted[-1])
    costs = _costs(wanted, len(days), stretches)
    calls = sum(costs.values())
    return Plan(
        first=wanted[0],
        last=wanted[-1],
        days=days,
        skipped=len(wanted) - len(days),
        stretches=stretches,
        costs=costs,
        seconds=limit.seconds_for(calls) if limit else 0.0,
        cannot=_cannot(days, stretches, limit, now),
    )


def list_days(first: date, last: date) -> list[date]:
    """Return the days as of which the market is listed: both ends and each new year."""
    years = [date(year, 1, 2) for year in range(first.year + 1, last.year + 1)]
    return sorted({first, *(day for day in years if day < last), last})


def missing_lists(first: date, last: date) -> list[date]:
    """Return the days of :func:`list_days` whose lists are not in the lake."""
    known = lakes.lake_of(Source.LIVE).read("symbols", columns=["first_date", "origin"])
    there = set(known.filter(origin="polygon")["first_date"].unique().to_list())
    return [day for day in list_days(first, last) if day not in there]


def _costs(wanted: list[date], bars: int, stretches: list[Stretch]) -> dict[str, int]:
    """Return about how many questions each part takes. Pages are as measured in 2026."""
    years = (wanted[-1] - wanted[0]).days / 365
    sizes: dict[DataSet, Callable[[Stretch], float]] = {
        DataSet.SHORT_INTEREST: lambda s: len(settlement_dates(s.first, s.last)) * INTEREST_CALLS,
        DataSet.SHORT_VOLUME: lambda s: len(sessions.between(s.first, s.last)) * VOLUME_CALLS,
        DataSet.SENTIMENT: lambda s: ((s.last - s.first).days + 1) * NEWS_CALLS,
    }
    return {
        "bars": bars,
        "lists": LIST_CALLS * len(missing_lists(wanted[0], wanted[-1])),
        "splits": 1 + int(years / SPLITS_A_PAGE),
        "float": FLOAT_CALLS,
        **{
            kind.label: sum(max(1, ceil(size(s))) for s in stretches if s.data_set == kind)
            for kind, size in sizes.items()
        },
    }


def _cannot(
    days: list[date], stretches: list[Stretch], limit: Limit | None, now: datetime
) -> list[str]:
    told = []
    if limit is not None and limit.calls <= FREE_CALLS and limit.window >= MINUTE:
        oldest = now.date() - FREE_HISTORY
        lost = sum(day < oldest for day in days)
        if lost:
            told.append(f"A free plan reaches back two years: {lost} sessions are too old for it.")
        told.append("A free plan has no snapshots of a session under way and no bars of today.")
    missing = DataSetState.objects.filter(state=DataSetState.State.NOT_IN_PLAN)
    names = ", ".join(DataSet(row.data_set).label for row in missing.order_by("data_set"))
    if names:
        told.append(f"Not in the plan when last asked: {names}.")
    return [*told, *_of_finra(stretches), *_float(days)]


def _of_finra(stretches: Iterable[Stretch]) -> list[str]:
    """Say what FINRA's files cost and lack, should the plan have no shorts."""
    wanted = list(stretches)
    volume = [s for s in wanted if s.data_set == DataSet.SHORT_VOLUME]
    interest = [s for s in wanted if s.data_set == DataSet.SHORT_INTEREST]
    files = sum(len(sessions.between(s.first, s.last)) for s in volume)
    files += sum(len(settlement_dates(s.first, s.last)) for s in interest)
    if not files:
        return []
    took = duration(files / FINRA_CALLS_A_SECOND)
    told = [f"Shorts that the plan lacks come from {files} files of FINRA, about {took}."]
    if any(s.first < FINRA_VOLUME for s in volume):
        told.append(f"FINRA's daily short volume is not known to begin before {FINRA_VOLUME}.")
    if any(s.first < FINRA_INTEREST for s in interest):
        told.append(f"FINRA's short interest has exchange-listed stocks from {FINRA_INTEREST} on.")
    return told


def _float(days: list[date]) -> list[str]:
    return ["Public floats are of today only: no plan has their history."] if days else []


def duration(seconds: float) -> str:
    """Return a stretch of time for people."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
