"""The timetable's first entries. What a person changed in the admin stays as it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from analytics.services.setup import Stored

NEW_YORK = "America/New_York"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the timetable.

    Attributes:
        task: What is called.
        when: A crontab's minute, hour, day_of_week; New York time, daylight saving included.
            It knows no holidays: the task asks the exchange's calendar.
        about: For people.
        expires_s: Seconds after which a call that nobody took is of no use.
        arguments: What the task is called with.
    """

    task: str
    when: Mapping[str, str]
    about: str
    expires_s: int
    arguments: Mapping[str, str] = field(default_factory=dict)


ENTRIES: Mapping[str, Entry] = {
    "Look after jobs": Entry(
        task="analytics.tasks.reap_jobs",
        when={"minute": "*"},
        about="Brings back jobs whose worker was killed or whose message was lost.",
        expires_s=55,
    ),
    "Health": Entry(
        task="performance.tasks.measure_health",
        when={"minute": "*/5"},
        about="Measures every component, opens and closes incidents, raises alerts.",
        expires_s=290,
    ),
    "Alerts": Entry(
        task="analytics.tasks.deliver_alerts",
        when={"minute": "*"},
        about="Sends alerts that could not be sent before, until they arrive or tries run out.",
        expires_s=55,
    ),
    "Reports": Entry(
        task="performance.tasks.deliver_reports",
        when={"minute": "*"},
        about="Sends reports that could not be sent before, until they arrive or tries run out.",
        expires_s=55,
    ),
    "Report before the open": Entry(
        task="performance.tasks.send_report",
        when={"minute": "0", "hour": "8", "day_of_week": "1-5"},
        about="The daily report by mail. On a holiday it does nothing.",
        expires_s=2 * 3600,
        arguments={"edition": "morning"},
    ),
    "Report after the close": Entry(
        task="performance.tasks.send_report",
        when={"minute": "15", "hour": "20", "day_of_week": "1-5"},
        about="The daily report once the session is settled, for those who want it.",
        expires_s=3 * 3600,
        arguments={"edition": "close"},
    ),
    "Weekly report": Entry(
        task="performance.tasks.send_report",
        when={"minute": "0", "hour": "9", "day_of_week": "6"},
        about="The week by mail, on Saturdays.",
        expires_s=12 * 3600,
        arguments={"edition": "weekly"},
    ),
    "Monthly report": Entry(
        task="performance.tasks.send_report",
        when={"minute": "0", "hour": "9", "day_of_month": "1"},
        about="The month by mail, on its first day after.",
        expires_s=24 * 3600,
        arguments={"edition": "monthly"},
    ),
    "Bars until they are published": Entry(
        task="performance.tasks.follow_market",
        when={"minute": "*/20"},
        about=(
            "With a provider's key: when a session has closed (13:00 on half days) and its bars "
            "are missing, fetches them, then scans and settles. Asks again until they are "
            "published; missed nights follow in order."
        ),
        expires_s=1100,
    ),
    "Orders under way": Entry(
        task="performance.tasks.follow_orders",
        when={"minute": "*/5"},
        about="Asks the broker for orders that are not finished; none are sent again.",
        expires_s=280,
    ),
    "Broker": Entry(
        task="performance.tasks.follow_broker",
        when={"minute": "10,40", "hour": "9-18", "day_of_week": "1-5"},
        about=(
            "With the broker's keys: fetches activities, positions and working stops, rebuilds the "
            "portfolio and shows every difference from the broker. Without keys it does nothing."
        ),
        expires_s=1700,
    ),
    "Session under way": Entry(
        task="analytics.tasks.watch_session",
        when={"minute": "*/5", "hour": "8-15", "day_of_week": "1-5"},
        about=(
            "Where the plan has snapshots: provisional volume so far against the usual, and "
            "pattern alerts. Without such a plan it does nothing."
        ),
        expires_s=240,
    ),
    "Reference data": Entry(
        task="analytics.tasks.start_job",
        when={"minute": "0", "hour": "7", "day_of_week": "0"},
        about="Weekly: who is listed and delisted, splits, floats.",
        expires_s=24 * 3600,
        arguments={"kind": "sync_reference"},
    ),
    "Learned variant": Entry(
        task="analytics.tasks.start_job",
        when={"minute": "30", "hour": "6", "day_of_month": "1"},
        about="Monthly: fits the learned variant anew on what has settled since.",
        expires_s=24 * 3600,
        arguments={"kind": "fit_learned"},
    ),
    "Short interest": Entry(
        task="analytics.tasks.start_short_interest",
        when={"minute": "45", "hour": "18", "day_of_week": "1-5"},
        about="When a settlement's short interest should be published and is not in the lake.",
        expires_s=12 * 3600,
    ),
    "Compaction": Entry(
        task="analytics.tasks.start_job",
        when={"minute": "0", "hour": "9", "day_of_week": "6"},
        about="Weekly: rewrites closed months of the lake that lie in many small files.",
        expires_s=24 * 3600,
        arguments={"kind": "compact_lake"},
    ),
    "Check before the open": Entry(
        task="analytics.tasks.start_job",
        when={"minute": "20", "hour": "9", "day_of_week": "1-5"},
        about=(
            "Holds the theses whose entry is this open against the last price, where the plan has "
            "snapshots; otherwise says so. On a holiday it does nothing."
        ),
        expires_s=540,
        arguments={"kind": "check_before_open"},
    ),
    "Discovery and settlement": Entry(
        task="performance.tasks.start_night",
        when={"minute": "30", "hour": "18", "day_of_week": "1-5"},
        about=(
            "After the close: scans every session with bars that was not scanned yet, in order, "
            "then settles outcomes. On a holiday it does nothing unless a night was missed."
        ),
        expires_s=12 * 3600,
    ),
    "Scores": Entry(
        task="analytics.tasks.start_job",
        when={"minute": "45", "hour": "19", "day_of_week": "1-5"},
        about=(
            "After the night's work: metrics of every window, market timing, recovery, roadmap and "
            "the summaries that pages and the API read. Settlement and synchronisation ask for "
            "them as well; this makes sure that every session has its row."
        ),
        expires_s=12 * 3600,
        arguments={"kind": "refresh_scores"},
    ),
}


@transaction.atomic
def store_timetable() -> Stored:
    """Store the entries that are not there; keep the others, whatever they say now."""
    return Stored(
        what="Timetable", rows={name: _store(name, entry) for name, entry in ENTRIES.items()}
    )


def _store(name: str, entry: Entry) -> bool:
    if PeriodicTask.objects.filter(name=name).exists():
        return False
    crontab = {"hour": "*", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*"}
    schedule, _created = CrontabSchedule.objects.get_or_create(
        **{**crontab, **entry.when}, timezone=NEW_YORK
    )
    PeriodicTask.objects.create(
        name=name,
        task=entry.task,
        crontab=schedule,
        description=entry.about,
        expire_seconds=entry.expires_s,
        kwargs=json.dumps(dict(entry.arguments)),
    )
    return True
