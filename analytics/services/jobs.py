"""Jobs: ask for work, see how far it is, cancel it, run it again.

What people and programs call is here. Running and recovery are in ``job_running`` and
``job_reaping``; what can be asked for is in ``job_registry``.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from analytics.errors import DomainError, Unavailable
from analytics.models import JobRun, JobState
from analytics.services import job_messages
from analytics.services.job_reaping import Reaped, reap
from analytics.services.job_registry import Kind, Report, UnknownKind, get_kind, title_of
from analytics.services.job_running import run

__all__ = [
    "Kind",
    "NoSuchJob",
    "Reaped",
    "Report",
    "StillRunning",
    "UnknownKind",
    "cancel",
    "get_job",
    "get_running",
    "newest",
    "reap",
    "request",
    "run",
    "run_again",
    "title_of",
]

KEY_LENGTH = 200
TRIES = 5  # to join or to start a job while others do the same


class NoSuchJob(DomainError):
    """There is no job of that number."""


class StillRunning(DomainError):
    """The job has not ended, so it cannot be run again."""


def request(
    *,
    kind: str,
    arguments: Mapping[str, Any] | None = None,
    requested_by: User | None = None,
    now: datetime,
    key: str | None = None,
) -> JobRun:
    """Ask for work and return its job; asked twice, the one that is under way.

    The message goes out when the transaction commits.

    Args:
        kind: Of :mod:`analytics.services.job_registry`.
        arguments: Ids, texts, numbers and ISO dates only.
        requested_by: The person; None for the timetable and for commands.
        now: Noted as the time of asking.
        key: What counts as the same work; kind and arguments if not given.

    Raises:
        UnknownKind: No such kind.
    """
    wanted = get_kind(kind)
    plain = dict(arguments or {})
    name = key or f"{kind} {json.dumps(plain, sort_keys=True)}"
    if len(name) > KEY_LENGTH:
        name = f"{kind} {sha256(name.encode()).hexdigest()}"
    wish = JobRun(
        kind=wanted.name,
        arguments=plain,
        idempotency_key=name,
        requested_by=requested_by,
        source=plain.get("source", ""),
        max_attempts=wanted.max_attempts if wanted.idempotent else 1,
        created_at=now,
        published_at=now,
        publications=1,
    )
    job = _stored_or_under_way(wish)
    if job is wish:
        transaction.on_commit(partial(job_messages.send, job_id=job.pk), robust=True)
    return job


def _stored_or_under_way(wish: JobRun) -> JobRun:
    """Store ``wish`` and return it, or else the unfinished job that has its key."""
    refusal = None
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                wish.save(force_insert=True)
        except IntegrityError as error:
            refusal = error
        else:
            return wish
        under_way = JobRun.objects.unfinished().filter(idempotency_key=wish.idempotency_key).first()
        if under_way:  # else it ended in this moment
            return under_way
    raise Unavailable(f"{wish.kind} could not be asked for, try again.") from refusal


def run_again(*, job_id: int, requested_by: User | None, now: datetime) -> JobRun:
    """Ask for the work of a finished job once more; history keeps both.

    Raises:
        NoSuchJob: See :func:`get_job`.
        StillRunning: It has not ended.
    """
    old = get_job(job_id=job_id)
    if not old.is_finished:
        raise StillRunning(f"Job {job_id} is still {old.get_state_display()}.")
    return request(
        kind=old.kind,
        arguments=old.arguments,
        requested_by=requested_by,
        now=now,
        key=old.idempotency_key,
    )


def cancel(*, job_id: int, now: datetime) -> JobRun:
    """End a job: at once if it waits, at its next report if it runs. A finished one stays.

    Raises:
        NoSuchJob: See :func:`get_job`.
    """
    same = JobRun.objects.filter(pk=job_id)
    waiting = same.filter(state=JobState.QUEUED)
    if not waiting.update(
        state=JobState.CANCELLED, cancel_requested=True, message="cancelled", finished_at=now
    ):
        same.filter(state=JobState.RUNNING).update(cancel_requested=True)
    return get_job(job_id=job_id)


def get_job(*, job_id: int) -> JobRun:
    """Return a job as it stands, with the person who asked for it.

    Raises:
        NoSuchJob: There is none of that number.
    """
    job = JobRun.objects.select_related("requested_by").filter(pk=job_id).first()
    if job is None:
        raise NoSuchJob(f"There is no job {job_id}.")
    return job


def get_running(*, kind: str | None = None) -> list[JobRun]:
    """Return the jobs that wait or run, newest first; only those of ``kind`` if given."""
    jobs = JobRun.objects.unfinished().select_related("requested_by").newest_first()
    return list(jobs.of(kind) if kind else jobs)


def newest(*, kind: str | None = None) -> QuerySet[JobRun]:
    """Return jobs, newest first, to be paged through."""
    jobs = JobRun.objects.select_related("requested_by").newest_first()
    return jobs.of(kind) if kind else jobs
