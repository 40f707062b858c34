"""Jobs: asked for once, run once, cancelled, run again."""

import threading

import pytest
from django.db import IntegrityError, transaction

from analytics.errors import DomainError, Unavailable
from analytics.models import JobRun, JobState
from analytics.services import job_messages, job_running, jobs
from analytics.services.job_registry import Kind
from tests import factories
from tests.analytics.services.job_desk import NOW, ask, run


@pytest.mark.django_db
@pytest.mark.usefixtures("kind", "sent")
class TestRequest:
    def test_returns_the_job_under_way_on_a_double_click(self, clock):
        assert ask(clock).pk == ask(clock).pk
        assert JobRun.objects.count() == 1

    def test_starts_another_job_for_other_arguments_or_after_the_end(self, clock):
        first = ask(clock)
        run(first, clock)

        assert ask(clock).pk != first.pk
        assert ask(clock, arguments={"n": 2}).pk != first.pk

    def test_asks_anew_if_the_job_under_way_ends_in_the_same_moment(self, clock, monkeypatch):
        first = ask(clock)
        real = JobRun.objects.unfinished

        def unfinished(_manager):
            JobRun.objects.filter(pk=first.pk).update(state=JobState.SUCCEEDED, finished_at=NOW)
            return real()

        monkeypatch.setattr(JobRun.objects.__class__, "unfinished", unfinished)

        assert ask(clock).pk != first.pk

    def test_tells_long_arguments_apart(self, clock):
        long = "x" * 300

        assert ask(clock, arguments={"n": long}).pk != ask(clock, arguments={"n": f"{long}y"}).pk

    def test_sends_its_message_on_commit_only(
        self, clock, sent, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            job = ask(clock)
            assert sent == []

        assert sent == [job.pk]
        job.refresh_from_db()
        assert (job.publications, job.published_at) == (1, NOW)

    def test_survives_a_broker_that_is_down(
        self, clock, monkeypatch, django_capture_on_commit_callbacks, caplog
    ):
        def down(*args, **options):
            raise job_messages.OperationalError

        monkeypatch.setattr(job_messages.current_app, "send_task", down)

        with django_capture_on_commit_callbacks(execute=True):
            job = ask(clock)

        assert jobs.get_job(job_id=job.pk).state == JobState.QUEUED
        assert "the reaper will try again" in caplog.text

    def test_refuses_a_kind_it_does_not_know(self, clock):
        with pytest.raises(jobs.UnknownKind, match="juggle"):
            ask(clock, kind="juggle")

    def test_remembers_who_asked_and_for_which_source(self, clock):
        person = factories.make_user()

        job = ask(clock, arguments={"source": "simulated"}, requested_by=person)

        assert (job.requested_by, job.source) == (person, "simulated")


@pytest.mark.django_db
@pytest.mark.usefixtures("sent")
class TestRun:
    def test_ends_with_the_result_of_the_work(self, kind, clock):
        kind(lambda arguments, report: {"n": arguments["n"], "message": "done well"})
        job = ask(clock)

        assert run(job, clock, worker="here/1/2", celery_id="abc") == JobState.SUCCEEDED

        job.refresh_from_db()
        assert job.result == {"n": 1, "message": "done well"}
        assert (job.message, job.fraction, job.attempt) == ("done well", 1.0, 1)
        assert (job.worker, job.celery_id) == ("here/1/2", "abc")

    def test_happens_once_if_the_message_comes_twice(self, kind, clock):
        ran = []
        kind(lambda arguments, report: ran.append(1))
        job = ask(clock)

        run(job, clock)

        assert run(job, clock) == ""
        assert ran == [1]

    def test_refuses_a_second_worker_while_the_first_is_at_it(self, kind, clock):
        second = []
        job = None

        def work(arguments, report):
            second.append(run(job, clock))

        kind(work)
        job = ask(clock)

        assert run(job, clock) == JobState.SUCCEEDED
        assert second == [""]

    def test_tells_a_domain_error_as_a_sentence(self, kind, clock):
        def work(arguments, report):
            raise DomainError("no bars for 2024-06-28")

        kind(work)
        job = ask(clock)

        assert run(job, clock) == JobState.FAILED
        job.refresh_from_db()
        assert job.error == "No bars for 2024-06-28."
        assert job.finished_at == NOW

    def test_logs_a_bug_and_names_it(self, kind, clock, caplog):
        kind(lambda arguments, report: 1 / 0)
        job = ask(clock)

        assert run(job, clock) == JobState.FAILED
        job.refresh_from_db()
        assert job.error == "Not expected. ZeroDivisionError: division by zero."
        assert "Traceback" in caplog.text

    def test_tries_a_provider_again_later_and_not_for_ever(self, kind, clock, sent):
        def work(arguments, report):
            raise Unavailable("polygon: 503")

        kind(work, max_attempts=2)
        job = ask(clock)

        assert run(job, clock) == JobState.QUEUED
        assert sent == [job.pk]
        assert run(job, clock) == JobState.FAILED
        job.refresh_from_db()
        assert job.error == "Polygon: 503."

    def test_writes_progress_at_most_twice_a_second(
        self, kind, clock, django_assert_max_num_queries
    ):
        def work(arguments, report):
            for n in range(100):
                report.progress(n, 100, f"step {n}")
                clock.forward(milliseconds=1)

        kind(work)
        job = ask(clock)

        with django_assert_max_num_queries(8):
            run(job, clock)
        job.refresh_from_db()
        assert (job.progress_current, job.progress_total, job.message) == (99, 100, "step 99")

    def test_ends_when_a_person_cancels_it(self, kind, clock):
        seen = []
        job = None

        def work(arguments, report):
            for n in range(100):
                seen.append(n)
                if n == 3:
                    jobs.cancel(job_id=job.pk, now=clock())
                clock.forward(seconds=1)
                report.progress(n, 100)

        kind(work)
        job = ask(clock)

        assert run(job, clock) == JobState.CANCELLED
        assert seen == [0, 1, 2, 3]

    def test_ends_when_it_takes_too_long(self, kind, clock):
        def work(arguments, report):
            clock.forward(seconds=121)
            report.progress(1)

        kind(work, limit_s=120)
        job = ask(clock)

        assert run(job, clock) == JobState.FAILED
        job.refresh_from_db()
        assert job.error == "It took longer than 2 minutes."

    def test_goes_back_into_the_queue_when_the_worker_is_stopped(
        self, kind, clock, sent, monkeypatch
    ):
        told = threading.Event()
        monkeypatch.setattr(job_running, "stopping", told)

        def work(arguments, report):
            told.set()
            report.progress(1)

        kind(work)
        job = ask(clock)

        assert run(job, clock) == JobState.QUEUED
        job.refresh_from_db()
        assert (job.attempt, job.state, sent) == (0, JobState.QUEUED, [job.pk])

    def test_writes_nothing_once_another_attempt_has_the_job(self, kind, clock):
        job = None

        def work(arguments, report):
            JobRun.objects.filter(pk=job.pk).update(attempt=2)  # the reaper was faster
            clock.forward(seconds=1)
            report.progress(7, 10)

        kind(work)
        job = ask(clock)

        assert run(job, clock) == ""
        job.refresh_from_db()
        assert (job.state, job.progress_current, job.attempt) == (JobState.RUNNING, 0, 2)


@pytest.mark.django_db
@pytest.mark.usefixtures("kind", "sent")
class TestCancel:
    def test_ends_a_waiting_job_at_once(self, clock):
        job = jobs.cancel(job_id=ask(clock).pk, now=clock())

        assert (job.state, job.finished_at) == (JobState.CANCELLED, NOW)
        assert run(job, clock) == ""

    def test_leaves_a_finished_job_as_it_is(self, clock):
        job = ask(clock)
        run(job, clock)

        assert jobs.cancel(job_id=job.pk, now=clock()).state == JobState.SUCCEEDED
        assert not jobs.get_job(job_id=job.pk).cancel_requested

    def test_does_not_know_a_job_that_is_not_there(self, clock):
        with pytest.raises(jobs.NoSuchJob):
            jobs.cancel(job_id=0, now=clock())


@pytest.mark.django_db
@pytest.mark.usefixtures("kind", "sent")
class TestRunAgain:
    def test_keeps_the_old_job_and_asks_for_a_new_one(self, clock):
        old = ask(clock)
        run(old, clock)

        new = jobs.run_again(job_id=old.pk, requested_by=None, now=clock())

        assert new.pk != old.pk
        assert (new.kind, new.arguments, new.state) == (old.kind, old.arguments, JobState.QUEUED)

    def test_refuses_while_it_has_not_ended(self, clock):
        with pytest.raises(jobs.StillRunning, match="still queued"):
            jobs.run_again(job_id=ask(clock).pk, requested_by=None, now=clock())


@pytest.mark.django_db
class TestConstraints:
    @pytest.mark.parametrize(
        "fields",
        [
            {"state": "asleep"},
            {"progress_current": 2, "progress_total": 1},
            {"attempt": 4},
            {"state": JobState.SUCCEEDED},
            {"finished_at": NOW},
            {"state": JobState.RUNNING},
            {"state": JobState.FAILED, "finished_at": NOW},
        ],
    )
    def test_refuse_what_cannot_be(self, fields):
        with pytest.raises(IntegrityError), transaction.atomic():
            factories.make_job(**fields)

    def test_allow_one_unfinished_job_per_key(self):
        factories.make_job(idempotency_key="k")

        with pytest.raises(IntegrityError), transaction.atomic():
            factories.make_job(idempotency_key="k")

        factories.make_job(idempotency_key="k", state=JobState.CANCELLED, finished_at=NOW)


class TestKind:
    def test_may_not_take_longer_than_the_broker_waits(self):
        with pytest.raises(ValueError, match="3600"):
            Kind(name="x", title="X", work=lambda arguments, report: None, limit_s=3601)
