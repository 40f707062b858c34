"""Ways in for the workers: one generic task runs any job, one looks after those that were lost.

Work that a person waits for, or that must not be lost, is a job: see ``services.jobs``.
"""

import logging
import os
import socket
from pathlib import Path
from typing import Any

import structlog
from celery import Task, shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.utils import timezone

from analytics.errors import UpstreamError
from analytics.services import alert_delivery, job_running, jobs, market_jobs

logger = logging.getLogger(__name__)


def worker_name() -> str:
    """Return this process, "host/process id/start", so that it is recognised when it is gone."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}"


def is_gone(worker: str) -> bool:
    """Return whether a worker of this machine has ended; of other machines we cannot know."""
    host, _, process = worker.partition("/")
    number, _, started = process.partition("/")
    if host != socket.gethostname() or not number.isdigit():
        return False
    return not _lives(int(number)) or _started(int(number)) != started


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # someone else's, so not ours any more
        return False
    return True


def _started(process: int) -> str:
    """Return when a process began, where the system says so: numbers are used again."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


@shared_task(bind=True, acks_late=True, ignore_result=True)
def run_job(self: Task[Any, Any], /, *, job_id: int, **_later: Any) -> str:
    """Run one job. A message that comes twice does nothing the second time."""
    structlog.contextvars.bind_contextvars(job_id=job_id)
    return jobs.run(
        job_id=job_id,
        clock=timezone.now,
        worker=worker_name(),
        celery_id=self.request.id or "",
    )


@shared_task(acks_late=True, ignore_result=True)
def reap_jobs(**_later: Any) -> int:
    """Bring back the jobs of workers that are gone; return how many."""
    found = jobs.reap(now=timezone.now(), is_gone=is_gone)
    return len(found.requeued) + len(found.republished)


@shared_task(acks_late=True, ignore_result=True)
def start_job(*, kind: str, **_later: Any) -> int:
    """Ask for a job of the timetable; return it."""
    return jobs.request(kind=kind, now=timezone.now()).pk


@shared_task(acks_late=True, ignore_result=True)
def start_short_interest(**_later: Any) -> int | None:
    """Ask for short interest if a settlement should be published and is not in the lake."""
    now = timezone.now()
    if not market_jobs.is_short_interest_due(now=now):
        return None
    return jobs.request(kind=market_jobs.SHORT_INTEREST, now=now).pk


@shared_task(acks_late=True, ignore_result=True, time_limit=240)
def watch_session(**_later: Any) -> int | None:
    """Look at the session under way once; return the alerts raised. A probe, not a job."""
    from analytics.services import live_session, providers

    now = timezone.now()
    if not providers.has_polygon() or not live_session.is_watched(now=now):
        return None
    try:
        with providers.connect_polygon() as polygon:
            return live_session.watch(polygon=polygon, now=now)
    except UpstreamError as error:
        logger.warning("looking at the session under way: %s", error)
        return None


@shared_task(acks_late=True, ignore_result=True)
def deliver_alerts(**_later: Any) -> int | None:
    """Ask for a round of deliveries if an alert waits to be tried (again)."""
    now = timezone.now()
    return (
        jobs.request(kind=alert_delivery.KIND, now=now).pk
        if alert_delivery.is_due(now=now)
        else None
    )


@worker_ready.connect
def reap_on_start(**_signal: Any) -> None:
    """A new worker first looks for what the one before it left behind."""
    reap_jobs.delay()


@worker_shutting_down.connect
def put_jobs_back(**_signal: Any) -> None:
    """Have running jobs stop at their next report and go back into the queue."""
    job_running.stopping.set()
