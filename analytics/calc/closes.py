"""When a session closes: 16:00 New York, 13:00 on half days."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from analytics.calc import sessions

CLOSE: Final = time(16)
EARLY_CLOSE: Final = time(13)
THURSDAY, FRIDAY = 3, 4


def is_half_day(session: date) -> bool:
    """Return whether the exchange closes early on ``session``.

    Source:
        NYSE, "Holidays and Trading Hours": the day after Thanksgiving, Christmas Eve and the
        day before Independence Day where these are sessions, in force like this since 2013.
        Earlier years had some more and some less.
    """
    if session.month == 11 and session.weekday() == FRIDAY:
        return 23 <= session.day <= 29
    eves = ((12, 24), (7, 3))
    return (session.month, session.day) in eves and session.weekday() <= THURSDAY


def closing(session: date) -> datetime:
    """Return the close of ``session`` in UTC."""
    at = EARLY_CLOSE if is_half_day(session) else CLOSE
    return datetime.combine(session, at, tzinfo=sessions.NEW_YORK).astimezone(ZoneInfo("UTC"))


def last_closed(now: datetime, *, after: timedelta = timedelta()) -> date:
    """Return the newest session that closed at least ``after`` before the aware ``now``."""
    latest = sessions.number(now.astimezone(sessions.NEW_YORK).date())
    newest = sessions.day(latest)
    return newest if closing(newest) + after <= now else sessions.day(latest - 1)
