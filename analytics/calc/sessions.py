"""Trading sessions of XNYS. A session is a plain New York date; instants are UTC."""

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from analytics.calc import holidays

FIRST, LAST = "1995-01-01", "2035-12-31"  # years the calendar is built for
NEW_YORK = ZoneInfo("America/New_York")

Days = npt.NDArray[np.datetime64]


class OutsideCalendar(ValueError):
    """The date lies outside the years that the calendar covers."""


@cache
def calendar() -> Days:
    """Return every session from ``FIRST`` to ``LAST``, as datetime64[D], ascending."""
    every = np.arange(np.datetime64(FIRST), np.datetime64(LAST) + 1)
    closed = [
        np.datetime64(f"{year}-{day[:2]}-{day[2:]}")
        for year, days in holidays.CLOSED.items()
        for day in days.split()
    ]
    days: Days = every[np.is_busday(every, holidays=closed)]
    days.flags.writeable = False
    return days


def number(day: date) -> int:
    """Return the position in :func:`calendar` of the last session on or before ``day``.

    Raises:
        OutsideCalendar: ``day`` is before the first or after the last session.
    """
    days = calendar()
    when = np.datetime64(day)
    if not days[0] <= when <= days[-1]:
        raise OutsideCalendar(f"{day} lies outside the calendar {FIRST} to {LAST}")
    return int(np.searchsorted(days, when, side="right")) - 1


def day(number: int) -> date:
    """Return the session at ``number`` in :func:`calendar`.

    Raises:
        OutsideCalendar: There is no such session; a negative number does not count from the end.
    """
    if not 0 <= number < calendar().size:
        raise OutsideCalendar(f"session {number} lies outside the calendar {FIRST} to {LAST}")
    result: date = calendar()[number].astype(object)
    return result


def is_session(when: date) -> bool:
    """Return whether the exchange trades on ``when``."""
    return day(number(when)) == when


def offset(session: date, count: int) -> date:
    """Return the session ``count`` sessions after ``session`` (before, if negative).

    A ``session`` that is no trading day counts as the last one before it.
    """
    return day(number(session) + count)


def between(first: date, last: date) -> list[date]:
    """Return the sessions from ``first`` to ``last``, both included."""
    days = calendar()
    inside = days[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]
    return list(inside.astype(object))


def cut_off(session: date) -> datetime:
    """Return the instant up to which a scan of ``session`` may know things, in UTC.

    The end of the New York day: evening publications of the session count as known,
    those of the next morning do not.
    """
    midnight = datetime.combine(session + timedelta(days=1), time(), tzinfo=NEW_YORK)
    return midnight.astimezone(ZoneInfo("UTC"))


def opening(session: date) -> datetime:
    """Return 09:30 New York of ``session``, in UTC: after the cut-off of the session before."""
    return datetime.combine(session, time(9, 30), tzinfo=NEW_YORK).astimezone(ZoneInfo("UTC"))


def last_finished(now: datetime) -> date:
    """Return the newest session whose 16:00 New York close lies before the aware ``now``.

    Half days close earlier; using 16:00 only makes the answer later, never wrong.
    """
    local = now.astimezone(NEW_YORK)
    latest = local.date() if local.time() >= time(16) else local.date() - timedelta(days=1)
    return day(number(latest))
