from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from performance.models import Heartbeat
from performance.services import dead_men, timetable
from tests import factories
from tests.health_rows import make_heartbeat, make_incident

pytestmark = pytest.mark.django_db
MORNING = datetime(2024, 6, 28, 13, tzinfo=UTC)  # Friday, 9:00 in New York
LONG_AGO = MORNING - timedelta(days=30)


@pytest.fixture(autouse=True)
def entries():
    timetable.store_timetable()
    PeriodicTask.objects.update(last_run_at=MORNING)


def job(kind="nightly", *, finished=MORNING, **fields):
    wanted = {"state": "succeeded", "created_at": finished, "finished_at": finished}
    return factories.make_job(kind=kind, **{**wanted, **fields})


def silent(now=MORNING):
    return {silence.entry for silence in dead_men.get_silences(now=now)}


NIGHT = "Discovery and settlement"


class TestSilences:
    def test_are_none_in_an_installation_that_has_just_begun(self):
        job(finished=MORNING - timedelta(hours=1))

        assert silent() == set()

    def test_name_the_night_that_did_not_report(self):
        job(kind="discover", finished=LONG_AGO)
        job(finished=MORNING - timedelta(days=2))

        (night,) = [found for found in dead_men.get_silences(now=MORNING) if found.entry == NIGHT]

        assert night.due == datetime(2024, 6, 27, 20, tzinfo=UTC)  # Thursday's close
        assert night.last == MORNING - timedelta(days=2)

    def test_end_when_it_reports(self):
        job(kind="discover", finished=LONG_AGO)
        job(finished=MORNING - timedelta(hours=10))

        assert NIGHT not in silent()

    def test_do_not_count_a_night_that_failed(self):
        job(kind="discover", finished=LONG_AGO)
        job(state="failed", error="why", finished=MORNING - timedelta(hours=10))

        assert NIGHT in silent()

    def test_do_not_count_the_weekend(self):
        job(kind="discover", finished=LONG_AGO)
        job(finished=datetime(2024, 6, 28, 23, tzinfo=UTC))  # Friday evening

        assert NIGHT not in silent(datetime(2024, 7, 1, 13, tzinfo=UTC))  # Monday morning

    def test_leave_alone_what_was_switched_off(self):
        job(kind="discover", finished=LONG_AGO)
        PeriodicTask.objects.filter(name=NIGHT).update(enabled=False)

        assert NIGHT not in silent()


class TestWorkers:
    def test_are_unknown_before_any_has_run(self):
        PeriodicTask.objects.update(last_run_at=None)

        assert dead_men.get_workers(MORNING).status == "UNKNOWN"

    def test_are_healthy_while_they_beat(self):
        job()
        make_heartbeat(started_at=LONG_AGO, beat_at=MORNING)

        found = dead_men.get_workers(MORNING)

        assert (found.status, found.figures["workers"]) == ("HEALTHY", 1)

    def test_are_critical_when_the_last_one_is_silent(self):
        job()
        make_heartbeat(started_at=LONG_AGO, beat_at=MORNING - timedelta(minutes=3))

        found = dead_men.get_workers(MORNING)

        assert (found.status, found.reason) == ("CRITICAL", "No worker is alive.")

    def test_tell_a_dead_scheduler_from_dead_workers(self):
        job()
        make_heartbeat(started_at=LONG_AGO, beat_at=MORNING)
        PeriodicTask.objects.update(last_run_at=MORNING - timedelta(minutes=7))

        assert dead_men.get_workers(MORNING).reason == "The scheduler is silent."


class TestBeat:
    def test_keeps_the_start_and_forgets_the_dead(self):
        make_heartbeat(name="old", started_at=LONG_AGO, beat_at=LONG_AGO)

        for minute in (0, 1):
            now = MORNING + timedelta(minutes=minute)
            dead_men.beat(name="here/1/2", started=MORNING, now=now)

        row = Heartbeat.objects.get()
        assert (row.started_at, row.beat_at) == (MORNING, MORNING + timedelta(minutes=1))

    def test_of_a_worker_that_was_stopped_is_not_missed(self):
        dead_men.beat(name="here/1/2", started=MORNING, now=MORNING)

        dead_men.end(name="here/1/2")

        assert not Heartbeat.objects.exists()

    def test_were_not_heard_while_the_database_was_away(self):
        make_heartbeat(beat_at=MORNING - timedelta(minutes=30), started_at=LONG_AGO)
        PeriodicTask.objects.update(last_run_at=MORNING - timedelta(minutes=30))
        make_incident(opened_at=MORNING - timedelta(minutes=29), closed_at=MORNING)

        soon = dead_men.get_workers(MORNING + timedelta(minutes=1))
        later = dead_men.get_workers(MORNING + timedelta(minutes=7))

        assert soon.status == "HEALTHY"
        assert later.reason == "No worker is alive. The scheduler is silent."


class TestBury:
    def test_forgets_only_the_workers_that_are_known_to_be_dead(self):
        for name in ("here/1/1", "here/2/1", "there/1/1"):
            make_heartbeat(name=name)

        assert dead_men.bury(is_gone=lambda name: name == "here/1/1") == 1
        assert set(Heartbeat.objects.values_list("name", flat=True)) == {"here/2/1", "there/1/1"}
