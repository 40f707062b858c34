"""What was lost is brought back, once, and by nobody else."""

import pytest

from analytics.models import JobRun, JobState
from analytics.services import jobs
from tests.analytics.services.job_desk import NOW, ask, run


def begin(clock, worker=""):
    """Leave a job as a worker that was killed leaves it."""
    job = ask(clock)
    JobRun.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING,
        attempt=1,
        started_at=clock(),
        heartbeat_at=clock(),
        published_at=clock(),
        publications=1,
        worker=worker,
    )
    return job


@pytest.mark.django_db
class TestReap:
    def test_queues_a_silent_job_again_once(self, kind, clock, sent):
        job = begin(clock)

        first = jobs.reap(now=clock.forward(seconds=61))
        second = jobs.reap(now=clock())

        assert (first.requeued, second.requeued, second.republished) == ([job.pk], [], [])
        assert sent == [job.pk]
        assert run(job, clock) == JobState.SUCCEEDED
        job.refresh_from_db()
        assert job.attempt == 2

    def test_leaves_a_job_that_shows_life(self, kind, clock, sent):
        job = begin(clock)

        assert jobs.reap(now=clock.forward(seconds=59)).requeued == []
        job.refresh_from_db()
        assert job.state == JobState.RUNNING

    def test_does_not_wait_for_a_worker_that_is_known_to_be_gone(self, kind, clock, sent):
        job = begin(clock, worker="here/7/1")
        other = ask(clock, arguments={"n": 2})
        JobRun.objects.filter(pk=other.pk).update(
            state=JobState.RUNNING, attempt=1, started_at=NOW, heartbeat_at=NOW, worker="here/8/1"
        )

        found = jobs.reap(now=clock(), is_gone=lambda worker: worker == "here/7/1")

        assert found.requeued == [job.pk]

    def test_calls_a_job_lost_that_must_not_be_repeated(self, kind, clock, sent):
        kind(idempotent=False)
        job = begin(clock)

        found = jobs.reap(now=clock.forward(seconds=61))

        assert (found.lost, sent) == ([job.pk], [])
        job.refresh_from_db()
        assert (job.state, job.error) == (JobState.LOST, "Its worker ended without a word.")

    def test_gives_up_after_the_last_attempt(self, kind, clock, sent):
        job = begin(clock)
        JobRun.objects.filter(pk=job.pk).update(attempt=3)

        assert jobs.reap(now=clock.forward(seconds=61)).lost == [job.pk]

    def test_ends_a_job_that_hangs_although_its_worker_lives(self, kind, clock, sent):
        job = begin(clock)
        kind(limit_s=100)
        later = clock.forward(seconds=161)
        JobRun.objects.filter(pk=job.pk).update(heartbeat_at=later)

        assert jobs.reap(now=later).overdue == [job.pk]

    def test_sends_a_message_again_that_nobody_took_and_less_and_less_often(
        self, kind, clock, sent
    ):
        job = ask(clock)
        JobRun.objects.filter(pk=job.pk).update(published_at=clock(), publications=1)

        assert jobs.reap(now=clock.forward(seconds=59)).republished == []
        assert jobs.reap(now=clock.forward(seconds=2)).republished == [job.pk]
        assert jobs.reap(now=clock.forward(seconds=61)).republished == []
        assert jobs.reap(now=clock.forward(seconds=60)).republished == [job.pk]
        assert sent == [job.pk, job.pk]

    def test_sends_a_message_that_never_went_out(self, kind, clock, sent):
        job = ask(clock)

        assert jobs.reap(now=clock.forward(seconds=61)).republished == [job.pk]

    def test_does_not_bring_back_what_was_cancelled(self, kind, clock, sent):
        job = begin(clock)
        jobs.cancel(job_id=job.pk, now=clock())

        jobs.reap(now=clock.forward(seconds=61))

        assert jobs.get_job(job_id=job.pk).state == JobState.CANCELLED
        assert sent == []
