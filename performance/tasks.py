"""Ways in for the workers and the timetable. The work itself is a job."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from performance.services import job_kinds


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
