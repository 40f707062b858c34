"""How long data may be taken for current: the browser compares these instants with its clock."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from analytics.calc import sessions

LIVE_SECONDS = 150  # what changes while one looks is late after two and a half refreshes


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """The time of the data on a card, not the time of its last refresh (design §1).

    Attributes:
        as_of: Time of the data, UTC.
        due: Newer data should be there by then.
        stale_after: From then on it must not be taken for current.
        session: The session it belongs to; None for what is not daily.
    """

    as_of: datetime
    due: datetime
    stale_after: datetime
    session: date | None = None

    @property
    def words(self) -> str:
        """How a person reads the time of the data."""
        if self.session:
            return f"close of {self.session}"
        return f"{self.as_of.astimezone(sessions.NEW_YORK):%Y-%m-%d %H:%M:%S} ET"


def of_session(session: date) -> Freshness:
    """Return the freshness of data of one session: due by the end of the next session's day."""
    return Freshness(
        as_of=_closing(session),
        due=sessions.cut_off(sessions.offset(session, 1)),
        stale_after=sessions.cut_off(sessions.offset(session, 2)),
        session=session,
    )


def of_moment(now: datetime) -> Freshness:
    """Return the freshness of what was read at ``now`` and changes at any time."""
    due = now + timedelta(seconds=LIVE_SECONDS)
    return Freshness(as_of=now, due=due, stale_after=due + timedelta(seconds=LIVE_SECONDS))


def _closing(session: date) -> datetime:
    """Return 16:00 New York of ``session``, in UTC."""
    return sessions.opening(session) + timedelta(hours=6, minutes=30)
