"""Find jobs that nobody works on any more. Recovery happens here and nowhere else.

No broker is trusted with it: a message that was lost, or a worker that was killed, looks the
same from here, and a message that comes twice finds its job taken.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from analytics.models import JobRun, JobState
from analytics.services import job_messages
from analytics.services.job_registry import LONGEST_S, UnknownKind, get_kind

SILENT_S = 60  # a running job shows life every 5 s
UNCLAIMED_S = 60  # a published job that nobody began; doubles with every message sent
UNCLAIMED_MOST_S = 3600
GRACE_S = 60  # beyond the limit of its kind, until a job counts as hung

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reaped:
    """What was found, by job id.

    Attributes:
        requeued: Lost by their worker, queued again.
        lost: Lost for good: not to be repeated, or too often.
        overdue: Ended because they took too long.
        republished: Queued, and their message sent again.
    """

    requeued: list[int]
    lost: list[int]
    overdue: list[int]
    republished: list[int]


def reap(
    *,
    now: datetime,
    is_gone: Callable[[str], bool] = lambda _worker: False,
    unclaimed_s: float = UNCLAIMED_S,
) -> Reaped:
    """Bring back what was lost. Safe to run at any time, and twice at once.

    Args:
        now: The present.
        is_gone: Says of a worker ("host/process") that it is known to be dead, so that its
            jobs need not fall silent first.
        unclaimed_s: Seconds until the message of a queued job is sent for the second time.
    """
    requeued: list[int] = []
    lost: list[int] = []
    overdue: list[int] = []
    running = JobRun.objects.filter(state=JobState.RUNNING).order_by("pk")
    for job in running:
        silent = job.heartbeat_at is None or job.heartbeat_at < now - timedelta(seconds=SILENT_S)
        if silent or (job.worker and is_gone(job.worker)):
            if _bring_back(job, now):
                (requeued if _repeatable(job) else lost).append(job.pk)
        elif _overdue(job, now) and _end(job, JobState.FAILED, now, "It took too long and hung."):
            overdue.append(job.pk)
    for job_id in requeued:
        job_messages.publish(job_id=job_id, now=now)
    republished = _republish(now, unclaimed_s)
    if requeued or lost or overdue or republished:
        logger.warning(
            "reaped: %s queued again, %s lost, %s overdue, %s sent again",
            len(requeued), len(lost), len(overdue), len(republished),
        )  # fmt: skip
    return Reaped(requeued=requeued, lost=lost, overdue=overdue, republished=republished)


def _bring_back(job: JobRun, now: datetime) -> bool:
    """Queue the job again or call it lost; False if it moved on meanwhile."""
    if not _repeatable(job):
        return _end(job, JobState.LOST, now, "Its worker ended without a word.")
    if job.cancel_requested:
        return _end(job, JobState.CANCELLED, now, "")
    return bool(
        _same(job).update(state=JobState.QUEUED, message="lost by its worker, queued again")
    )


def _same(job: JobRun) -> QuerySet[JobRun]:
    """Return the job if nothing has been heard of it since it was read."""
    return JobRun.objects.filter(
        pk=job.pk,
        state=JobState.RUNNING,
        attempt=job.attempt,
        heartbeat_at=job.heartbeat_at,
    )


def _end(job: JobRun, state: JobState, now: datetime, error: str) -> bool:
    same = JobRun.objects.filter(pk=job.pk, state=JobState.RUNNING, attempt=job.attempt)
    return bool(same.update(state=state, finished_at=now, error=error))


def _repeatable(job: JobRun) -> bool:
    try:
        return get_kind(job.kind).idempotent and job.attempt < job.max_attempts
    except UnknownKind:
        return False


def _overdue(job: JobRun, now: datetime) -> bool:
    try:
        limit = get_kind(job.kind).limit_s
    except UnknownKind:
        limit = LONGEST_S
    began = job.started_at or job.created_at
    return now > began + timedelta(seconds=limit + GRACE_S)


def _republish(now: datetime, unclaimed_s: float) -> list[int]:
    """Send the messages of queued jobs again that nobody has claimed for long."""
    sent = []
    waiting = JobRun.objects.filter(state=JobState.QUEUED).filter(
        Q(published_at__isnull=True, created_at__lt=now - timedelta(seconds=unclaimed_s))
        | Q(published_at__lt=now - timedelta(seconds=unclaimed_s))
    )
    for job in waiting.order_by("pk"):
        patience = min(unclaimed_s * 2 ** min(max(job.publications - 1, 0), 10), UNCLAIMED_MOST_S)
        since = job.published_at or job.created_at
        if since < now - timedelta(seconds=patience) and job_messages.publish(
            job_id=job.pk, now=now
        ):
            sent.append(job.pk)
    return sent
