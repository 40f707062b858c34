"""Ways in for the workers and the timetable. The work itself is a job."""

import logging
import threading
from typing import Any, Final

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.db import Error, connection
from django.utils import timezone

from analytics.services import jobs
from analytics.tasks import is_gone, worker_name
from performance.services import job_kinds, portfolio_kinds, report_kinds, risk_kinds

logger = logging.getLogger(__name__)

HEARTBEAT_S: Final = 30
_ending = threading.Event()


@shared_task(acks_late=True, ignore_result=True)
def start_night(**_later: Any) -> int | None:
    """Ask for discovery and settlement after the close; return the job, None on a holiday."""
    job = job_kinds.request_night(now=timezone.now())
    return job.pk if job else None


@shared_task(acks_late=True, ignore_result=True)
def follow_market(**_later: Any) -> int | None:
    """Ask for the work of a night if a closed session's bars are missing and may be there."""
    job = job_kinds.request_if_due(now=timezone.now())
    return job.pk if job else None


@shared_task(acks_late=True, ignore_result=True)
def follow_orders(**_later: Any) -> int | None:
    """Ask for what became of orders that are not finished; None if all are."""
    job = risk_kinds.request_sync(now=timezone.now())
    return job.pk if job else None


@shared_task(acks_late=True, ignore_result=True)
def follow_broker(**_later: Any) -> int | None:
    """Ask for a synchronisation with the broker; None without its keys."""
    job = portfolio_kinds.request_sync(now=timezone.now())
    return job.pk if job else None


@shared_task(acks_late=True, ignore_result=True, time_limit=240)
def measure_health(**_later: Any) -> str:
    """Ask every probe once and follow incidents. A probe, not a job."""
    from performance.services import dead_men, system_health

    now = timezone.now()
    _quietly(dead_men.beat, name=worker_name(), started=now, now=now)  # who measures is alive
    return system_health.take(now=now).said


@shared_task(acks_late=True, ignore_result=True)
def send_report(*, edition: str, **_later: Any) -> int | None:
    """Ask for a report by mail; None on a holiday."""
    job = report_kinds.request_edition(edition=edition, now=timezone.now())
    return job.pk if job else None


@shared_task(acks_late=True, ignore_result=True)
def deliver_reports(**_later: Any) -> int | None:
    """Ask for a round of deliveries if a report waits to be tried (again)."""
    from performance.services import report_delivery

    now = timezone.now()
    due = report_delivery.is_due(now=now)
    return jobs.request(kind=report_kinds.DELIVER, now=now).pk if due else None


@worker_ready.connect
def show_life(**_signal: Any) -> None:
    """Write a heartbeat of this worker until it ends."""
    _ending.clear()
    threading.Thread(target=_beat, name="heartbeat", daemon=True).start()


@worker_shutting_down.connect
def stop_showing_life(**_signal: Any) -> None:
    """End the heartbeat: a worker that was stopped is not missed."""
    _ending.set()


def _beat() -> None:
    from performance.services import dead_men

    name, started = worker_name(), timezone.now()
    try:
        while not _ending.is_set():
            _quietly(dead_men.beat, name=name, started=started, now=timezone.now())
            _quietly(dead_men.bury, is_gone=is_gone)
            _ending.wait(HEARTBEAT_S)
        _quietly(dead_men.end, name=name)
    finally:
        connection.close()  # this thread's own


def _quietly(work: Any, **arguments: Any) -> None:
    """Do without a heartbeat while the database is away."""
    try:
        work(**arguments)
    except Error as error:
        logger.warning("no heartbeat: %s", type(error).__name__)
        connection.close()
