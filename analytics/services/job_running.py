"""Run one job: claim it, show life and progress, end it in the right state.

Every write of a running job names its attempt. A worker that was taken for dead and comes back
finds that its attempt is over, writes nothing more and stops.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import DatabaseError, connection
from django.db.models import F

from analytics.errors import DomainError, Unavailable
from analytics.models import JobRun, JobState
from analytics.services import job_messages
from analytics.services.job_registry import GoesOn, Kind, get_kind

HEARTBEAT_S = 5.0
WRITE_EVERY_S = 0.5  # progress reaches the database at most twice a second
RETRY_S = 60  # a provider that let us down is asked again after this, times the attempt
MESSAGE_LENGTH = 300

Clock = Callable[[], datetime]

logger = logging.getLogger(__name__)
stopping = threading.Event()  # set when the worker is told to end


class Stop(Exception):
    """The work should end now."""


class Cancelled(Stop):
    """A person asked for it."""


class OutOfTime(Stop):
    """It took longer than its kind may."""


class WorkerEnding(Stop):
    """The worker ends; the job goes back into the queue."""


class Superseded(Stop):
    """This attempt was given up; another one has the job."""


class Attempt:
    """One attempt at a job: its report, its heartbeat, its end."""

    def __init__(self, job: JobRun, kind: Kind, clock: Clock) -> None:
        self._mine = JobRun.objects.filter(pk=job.pk, state=JobState.RUNNING, attempt=job.attempt)
        self._clock = clock
        self._began = clock()
        self._deadline = self._began + timedelta(seconds=kind.limit_s)
        self._limit_s = kind.limit_s
        self._latest: dict[str, Any] = {}
        self._written: datetime | None = None
        self._over = threading.Event()
        self._stop: Stop | None = None
        self._heart = threading.Thread(target=self._beat, name=f"job-{job.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._heart.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._heart.join()

    def now(self) -> datetime:
        """Return the present."""
        return self._clock()

    def progress(self, current: int, total: int | None = None, message: str = "") -> None:
        """See :class:`analytics.services.job_registry.Report`."""
        if total is not None:
            current = min(current, total)
        self._latest = {
            "progress_current": current,
            "progress_total": total,
            "message": message[:MESSAGE_LENGTH],
        }
        now = self._clock()
        if self._written is None or (now - self._written).total_seconds() >= WRITE_EVERY_S:
            self._written = now
            self._show_life(now)
        self._check(now)

    def end(self, state: JobState, **fields: Any) -> bool:
        """Write how it ended; False if the attempt was over before."""
        written = {**self._latest, **fields, "state": state}
        if state != JobState.QUEUED:
            written["finished_at"] = self._clock()
        return bool(self._mine.update(**written))

    def _check(self, now: datetime) -> None:
        if self._stop:
            raise self._stop
        if stopping.is_set():
            raise WorkerEnding
        if now > self._deadline:
            raise OutOfTime(f"It took longer than {self._limit_s // 60} minutes.")

    def _show_life(self, now: datetime) -> None:
        try:
            if not self._mine.update(heartbeat_at=now, **self._latest):
                self._stop = Superseded()
            elif self._mine.filter(cancel_requested=True).exists():
                self._stop = Cancelled()
        except DatabaseError:  # busy for longer than we wait; the next beat tries again
            logger.warning("job could not show life", exc_info=True)

    def _beat(self) -> None:
        try:
            while not self._over.wait(HEARTBEAT_S):
                self._show_life(self._clock())
        finally:
            connection.close()  # this thread's own


def run(*, job_id: int, clock: Clock, worker: str = "", celery_id: str = "") -> str:
    """Run a queued job to its end and return the state it is left in.

    A message that arrives twice, or late, finds nothing to claim: the job runs once.

    Args:
        job_id: Of the job.
        clock: Reads the time, aware.
        worker: Host and process, so that a dead one is recognised.
        celery_id: Of the task that runs it.
    """
    now = clock()
    claimed = JobRun.objects.filter(
        pk=job_id, state=JobState.QUEUED, attempt__lt=F("max_attempts")
    ).update(
        state=JobState.RUNNING,
        attempt=F("attempt") + 1,
        started_at=now,
        heartbeat_at=now,
        worker=worker,
        celery_id=celery_id,
        error="",
    )
    if not claimed:
        logger.info("job %s is not waiting: this message is one too many", job_id)
        return ""
    job = JobRun.objects.get(pk=job_id)
    try:
        kind = get_kind(job.kind)
    except DomainError as error:
        _end_unknown(job, str(error), now)
        return JobState.FAILED
    return _attempt(job, kind, clock)


def _end_unknown(job: JobRun, sentence: str, now: datetime) -> None:
    JobRun.objects.filter(pk=job.pk, attempt=job.attempt, state=JobState.RUNNING).update(
        state=JobState.FAILED, error=_sentence(sentence), finished_at=now
    )


def _attempt(job: JobRun, kind: Kind, clock: Clock) -> str:
    logger.info("job %s started: %s, attempt %s", job.pk, job.kind, job.attempt)
    with Attempt(job, kind, clock) as attempt:
        try:
            result = kind.work(job.arguments, attempt)
        except Superseded:
            return ""
        except WorkerEnding:
            return _put_back(attempt, job, clock, message="put back: the worker was stopped")
        except GoesOn as rest:
            return _put_back(attempt, job, clock, message=f"goes on: {rest}")
        except Cancelled:
            state, fields = JobState.CANCELLED, {"message": "cancelled"}
        except Unavailable as error:
            if kind.idempotent and job.attempt < job.max_attempts:
                wait = int(error.retry_after or RETRY_S * job.attempt)
                return _wait(attempt, job, clock, wait, str(error))
            state, fields = JobState.FAILED, {"error": _sentence(str(error))}
        except (DomainError, OutOfTime) as error:
            state, fields = JobState.FAILED, {"error": _sentence(str(error))}
        except Exception as error:
            logger.exception("running job %s, %s", job.pk, job.kind)
            said = f"{type(error).__name__}: {error}"
            state, fields = JobState.FAILED, {"error": _sentence(f"Not expected. {said}")}
        else:
            state, fields = JobState.SUCCEEDED, _success(result)
        ended = attempt.end(state, **fields)
    logger.info("job %s ended: %s", job.pk, state if ended else "by another attempt")
    return state if ended else ""


def _success(result: Mapping[str, Any] | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"result": dict(result) if result is not None else None}
    if result and "message" in result:
        fields["message"] = str(result["message"])[:MESSAGE_LENGTH]
    return fields


def _put_back(attempt: Attempt, job: JobRun, clock: Clock, *, message: str) -> str:
    """Queue the job again. Its attempt does not count: nothing went wrong."""
    if attempt.end(JobState.QUEUED, message=message, attempt=job.attempt - 1):
        job_messages.publish(job_id=job.pk, now=clock())
    return JobState.QUEUED


def _wait(attempt: Attempt, job: JobRun, clock: Clock, seconds: int, why: str) -> str:
    message = f"tried again in {seconds} s: {why}"[:MESSAGE_LENGTH]
    if attempt.end(JobState.QUEUED, message=message):
        job_messages.publish(job_id=job.pk, now=clock(), wait_s=seconds)
    return JobState.QUEUED


def _sentence(text: str) -> str:
    """Return text as a sentence: a capital first, a full stop at its end."""
    text = " ".join(text.split()) or "It failed without saying why"
    ended = text if text.endswith((".", "!", "?")) else f"{text}."
    return ended[:1].upper() + ended[1:]
