"""Tell the workers about a job. The message carries its id; all else is in the database."""

import logging
from datetime import datetime

from celery import current_app
from django.db.models import F
from kombu.exceptions import OperationalError

from analytics.models import JobRun, JobState

RUN_TASK = "analytics.tasks.run_job"
# A request must not hang on a broker that is down: the reaper publishes again.
RETRIES = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.1, "interval_max": 0.2}

logger = logging.getLogger(__name__)


def publish(*, job_id: int, now: datetime, wait_s: int = 0) -> bool:
    """Send the message of a queued job; return whether it went out.

    Args:
        job_id: Of a job that is queued; others are left alone.
        now: Noted as the time of sending.
        wait_s: Seconds until a worker may begin.
    """
    queued = JobRun.objects.filter(pk=job_id, state=JobState.QUEUED)
    if not queued.update(published_at=now, publications=F("publications") + 1):
        return False
    return send(job_id=job_id, wait_s=wait_s)


def send(*, job_id: int, wait_s: int = 0) -> bool:
    """Send a message that is noted already; return whether it went out."""
    try:
        current_app.send_task(
            RUN_TASK,
            kwargs={"job_id": job_id},
            countdown=wait_s or None,
            retry=True,
            retry_policy=RETRIES,
            ignore_result=True,
        )
    except (OperationalError, OSError) as error:
        logger.warning("publishing job %s: %s; the reaper will try again", job_id, error)
        return False
    return True
