"""What the timetable has to catch up with: sessions that have bars and no batch yet."""

from dataclasses import dataclass
from datetime import date, datetime

from analytics.calc import closes
from analytics.models import DiscoveryBatch
from analytics.services import lakes


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Sessions to be scanned, in order, both ends included."""

    source: str
    first: date
    last: date


def get_missed(*, now: datetime) -> Missed | None:
    """Return the sessions after the last recorded batch up to the last finished one with bars.

    The exchange's calendar says which session is finished: on a holiday, or before the
    close, there is nothing new. A night that was missed is part of the answer of the next.
    With no batch at all, only the newest session is due.
    """
    source = lakes.get_active_source()
    finished = closes.last_closed(now)
    days = [day for day in lakes.lake_of(source).sessions() if day <= finished]
    if not days:
        return None
    newest = DiscoveryBatch.objects.current().of(source).order_by("-session").first()
    due = [day for day in days if newest is None or day > newest.session]
    if newest is None:
        due = due[-1:]
    return Missed(source=source, first=due[0], last=due[-1]) if due else None
