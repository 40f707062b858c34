"""Whether the scheduler sent what the timetable says: every enabled entry (design §15)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django_celery_beat.models import PeriodicTask

GRACE: Final = timedelta(minutes=15)  # the scheduler stores what it sent every three minutes


@dataclass(frozen=True, kw_only=True)
class Unsent:
    """An entry that should have been sent and was not."""

    entry: str
    due: datetime
    last: datetime


def get_unsent(*, now: datetime) -> list[Unsent]:
    """Return the entries whose time came more than a quarter of an hour ago.

    An entry that was never sent is left alone: its first time may be to come. One that was
    switched off and on again is due from the time when it was last sent.
    """
    entries = PeriodicTask.objects.filter(
        enabled=True, crontab__isnull=False, last_run_at__isnull=False
    ).select_related("crontab")
    found = []
    for entry in entries:
        if entry.last_run_at is None:
            continue
        start, wait, _now = entry.schedule.remaining_delta(entry.last_run_at)
        due = start + wait
        if due + GRACE < now:
            found.append(Unsent(entry=entry.name, due=due, last=entry.last_run_at))
    return sorted(found, key=lambda row: (row.due, row.entry))
