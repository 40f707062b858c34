"""Workers and scheduler: who is alive, and which scheduled work did not report in time (§15).

The scheduler writes when it last sent each entry of the timetable, and workers write heartbeats;
both are read here by whoever asks, the web process included, so that the death of either is
noticed by a process that does not depend on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Max, Min
from django_celery_beat.models import PeriodicTask

from analytics.calc import closes, sessions
from analytics.calc.health import Component, Status
from analytics.models import JobRun, JobState
from analytics.services import health as analytics_health
from performance.models import Heartbeat, Incident
from performance.services import timetable_watch

SILENT_WORKER: Final = timedelta(minutes=2)
SILENT_SCHEDULER: Final = timedelta(minutes=6)  # it stores what it sent every three minutes
FORGOTTEN: Final = timedelta(days=1)  # heartbeats of processes that ended
AFTER_CLOSE: Final = timedelta(hours=14)  # a session's work is done by the next morning
WEEK: Final = timedelta(days=8)
MONTH: Final = timedelta(days=33)


@dataclass(frozen=True, kw_only=True)
class DeadMan:
    """Scheduled work that has to report.

    Attributes:
        entry: Its name in the timetable.
        kind: The job whose success counts.
        due: When it should last have succeeded, at a given time.
    """

    entry: str
    kind: str
    due: Callable[[datetime], datetime]


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Scheduled work that did not report in its window."""

    entry: str
    kind: str
    due: datetime
    last: datetime | None


def _last_night(now: datetime) -> datetime:
    """Return the close before which the last night's work must not have ended."""
    return closes.closing(closes.last_closed(now, after=AFTER_CLOSE))


def _within_a_week(now: datetime) -> datetime:
    return now - WEEK


def _within_a_month(now: datetime) -> datetime:
    return now - MONTH


DEAD_MEN: Final = (
    DeadMan(entry="Discovery and settlement", kind="nightly", due=_last_night),
    DeadMan(entry="Scores", kind="refresh_scores", due=_last_night),
    DeadMan(entry="Learned variant", kind="fit_learned", due=_within_a_month),
    DeadMan(entry="Compaction", kind="compact_lake", due=_within_a_week),
    DeadMan(entry="Reference data", kind="sync_reference", due=_within_a_week),
)


def get_silences(*, now: datetime, dead_men: tuple[DeadMan, ...] = DEAD_MEN) -> list[Silence]:
    """Return the enabled work of the timetable that did not succeed since it was due.

    Nothing is missed in an installation that has not been running since then.
    """
    enabled = set(
        PeriodicTask.objects.filter(
            enabled=True, name__in=[man.entry for man in dead_men]
        ).values_list("name", flat=True)
    )
    first = JobRun.objects.aggregate(first=Min("created_at"))["first"]
    last = dict(
        JobRun.objects.filter(kind__in=[man.kind for man in dead_men], state=JobState.SUCCEEDED)
        .values_list("kind")
        .annotate(last=Max("finished_at"))
    )
    found = []
    for man in dead_men:
        due = man.due(now)
        if man.entry not in enabled or first is None or first > due:
            continue
        succeeded = last.get(man.kind)
        if succeeded is None or succeeded < due:
            found.append(Silence(entry=man.entry, kind=man.kind, due=due, last=succeeded))
    return found


def get_workers(now: datetime) -> Component:
    """Measure heartbeats, the scheduler's last word, jobs, and what did not report."""
    beat = Heartbeat.objects.aggregate(last=Max("beat_at"))["last"]
    alive = Heartbeat.objects.filter(beat_at__gte=now - SILENT_WORKER).count()
    sent = PeriodicTask.objects.filter(enabled=True).aggregate(last=Max("last_run_at"))["last"]
    back = Incident.objects.filter(component="database").aggregate(at=Max("closed_at"))["at"]
    silences = get_silences(now=now)
    is_back = back is not None and now - back < timetable_watch.GRACE  # it catches up
    unsent = [] if is_back else timetable_watch.get_unsent(now=now)
    jobs = analytics_health.get_jobs(now=now)
    figures: dict[str, Any] = {
        "workers": alive,
        "worker_silent_s": _age(beat, now),
        "scheduler_silent_s": _age(sent, now),
        "silent_work": len(silences),
        "not_sent": len(unsent),
        **_counts(jobs.figures),
    }
    critical = [
        "No worker is alive." if _is_silent(beat, back, now, SILENT_WORKER) else "",
        "The scheduler is silent." if _is_silent(sent, back, now, SILENT_SCHEDULER) else "",
        jobs.reason if jobs.status == Status.CRITICAL else "",
    ]
    warning = [
        *(f"{silence.entry} did not report since {_day(silence.due)}." for silence in silences),
        *(f"{row.entry} was not sent at {_clock(row.due)}." for row in unsent[:3]),
        jobs.reason if jobs.status == Status.WARNING else "",
    ]
    reason = " ".join(said for said in [*critical, *warning] if said)
    if any(critical):
        status = Status.CRITICAL
    elif any(warning):
        status = Status.WARNING
    elif beat is None or sent is None:
        status, reason = Status.UNKNOWN, "No worker or no scheduler has run yet."
    else:
        status = Status.HEALTHY
    return Component(name="workers and scheduler", status=status, reason=reason, figures=figures)


def beat(*, name: str, started: datetime, now: datetime) -> None:
    """Note that a worker lives, and forget those that ended long ago."""
    Heartbeat.objects.update_or_create(
        process=Heartbeat.Process.WORKER,
        name=name,
        defaults={"beat_at": now},
        create_defaults={"beat_at": now, "started_at": started},
    )
    Heartbeat.objects.filter(beat_at__lt=now - FORGOTTEN).delete()


def bury(*, is_gone: Callable[[str], bool]) -> int:
    """Forget the heartbeats of workers known to be dead; return how many.

    A living worker does this as it starts: those before it that were killed are replaced, and
    are not to be missed when it ends as it should.

    Args:
        is_gone: Says of a worker's name that its process is no more.
    """
    names = Heartbeat.objects.filter(process=Heartbeat.Process.WORKER).values_list(
        "name", flat=True
    )
    gone = [name for name in names if is_gone(name)]
    Heartbeat.objects.filter(process=Heartbeat.Process.WORKER, name__in=gone).delete()
    return len(gone)


def end(*, name: str) -> None:
    """Note that a worker ended as it should: nobody has to miss it."""
    Heartbeat.objects.filter(process=Heartbeat.Process.WORKER, name=name).delete()


def _is_silent(
    last: datetime | None, back: datetime | None, now: datetime, patience: timedelta
) -> bool:
    """Return whether it should have been heard; nobody was while the database was away."""
    return last is not None and now - max(last, back or last) > patience


def _age(when: datetime | None, now: datetime) -> float | None:
    return None if when is None else round(max(0.0, (now - when).total_seconds()))


def _counts(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {f"jobs_{name}": figures[name] for name in ("waiting", "running") if name in figures}


def _clock(when: datetime) -> str:
    return f"{when.astimezone(sessions.NEW_YORK):%Y-%m-%d %H:%M} New York"


def _day(when: datetime) -> date:
    return when.astimezone(sessions.NEW_YORK).date()
