"""How the part that predicts is doing, measured now: database, bars, discovery, jobs (design §15).

Nothing is assumed: what cannot be measured is UNKNOWN and says why.
"""

from datetime import date, datetime, timedelta
from time import perf_counter

from django.db import Error, connection
from django.db.models import Max

from analytics.calc import sessions
from analytics.calc.health import Component, Health, Status, of_age
from analytics.models import DiscoveryBatch, JobRun, JobState
from analytics.services import job_registry, lakes

LONGEST_WAIT = timedelta(minutes=15)  # of a job, while none runs
FAILURES = (JobState.FAILED, JobState.LOST)


def get_health(*, now: datetime) -> Health:
    """Measure every component; where the database is down, no other can be."""
    database = get_database()
    if database.status == Status.CRITICAL:
        return Health(measured_at=now, components=(database,))
    try:
        source = lakes.get_active_source()
        days = lakes.lake_of(source).sessions()
    except unreadable() as error:
        broken = Component(name="market data", status=Status.CRITICAL, reason=_unread(error))
        return Health(measured_at=now, components=(database, broken, get_jobs(now=now)))
    components = (
        database,
        get_market_data(days=days, now=now),
        get_discovery(source=source, days=days),
        get_jobs(now=now),
    )
    return Health(measured_at=now, components=components, source=source)


def get_database() -> Component:
    """Return whether the database answers, and how long that took."""
    started = perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return Component(
            name="database", status=Status.CRITICAL, reason="The database does not answer."
        )
    taken = round(perf_counter() - started, 4)
    return Component(name="database", status=Status.HEALTHY, figures={"seconds": taken})


def get_market_data(*, days: list[date], now: datetime) -> Component:
    """Return how old the newest bar is, in sessions of the exchange's calendar."""
    if not days:
        return Component(
            name="market data",
            status=Status.CRITICAL,
            reason="There are no bars: nothing can be discovered.",
            figures={"sessions": 0, "newest_session": None, "age_sessions": None},
        )
    age = _sessions_after(days[-1], sessions.last_finished(now))
    status = of_age(age)
    return Component(
        name="market data",
        status=status,
        reason="" if status == Status.HEALTHY else f"The newest bar is {age} sessions old.",
        figures={
            "sessions": len(days),
            "newest_session": days[-1].isoformat(),
            "age_sessions": age,
        },
    )


def get_discovery(*, source: str, days: list[date]) -> Component:
    """Return how many sessions with bars came after the newest batch."""
    batches = DiscoveryBatch.objects.current().filter(source__in=lakes.sources_beside(source))
    newest = batches.order_by("-session", "-pk").first()
    if newest is None:
        reason = "No session was scanned yet."
        return Component(name="discovery", status=Status.UNKNOWN, reason=reason)
    behind = sum(day > newest.session for day in days)
    status = of_age(behind)
    return Component(
        name="discovery",
        status=status,
        reason="" if status == Status.HEALTHY else f"{behind} sessions with bars are not scanned.",
        figures={
            "newest_batch": newest.session.isoformat(),
            "candidates": newest.candidate_count,
            "sessions_behind": behind,
        },
    )


def get_jobs(*, now: datetime, kinds: tuple[str, ...] = ()) -> Component:
    """Return how the last job of each kind ended, and whether jobs wait for nobody.

    Args:
        now: The present.
        kinds: Only these; all of them if none are given.
    """
    jobs = JobRun.objects.filter(kind__in=kinds) if kinds else JobRun.objects.all()
    newest = jobs.finished().order_by().values("kind").annotate(last=Max("pk")).values("last")
    ended = {job.kind: job.state for job in JobRun.objects.filter(pk__in=newest)}
    failed = [job_registry.title_of(kind) for kind, end in ended.items() if end in FAILURES]
    running = jobs.filter(state=JobState.RUNNING).count()
    waiting = jobs.filter(state=JobState.QUEUED)
    stuck = 0 if running else waiting.filter(created_at__lt=now - LONGEST_WAIT).count()
    if stuck:
        status, reason = Status.CRITICAL, f"{stuck} jobs wait and none runs: is a worker there?"
    elif failed:
        status, reason = Status.WARNING, f"The last job failed: {', '.join(sorted(failed))}."
    elif ended:
        status, reason = Status.HEALTHY, ""
    else:
        status, reason = Status.UNKNOWN, "No job has ended yet."
    counts = {"waiting": waiting.count(), "running": running}
    last = {f"last {kind}": state for kind, state in sorted(ended.items())}
    return Component(name="jobs", status=status, reason=reason, figures={**counts, **last})


def _sessions_after(day: date, last: date) -> int:
    return max(0, sessions.number(last) - sessions.number(day))


def unreadable() -> tuple[type[Exception], ...]:
    """Return what reading a lake raises where it is broken or out of reach."""
    from deltalake.exceptions import DeltaError
    from polars.exceptions import PolarsError

    return (OSError, DeltaError, PolarsError)


def _unread(error: Exception) -> str:
    return f"The lake cannot be read: {type(error).__name__}."
