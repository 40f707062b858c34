"""Market data as jobs: what a worker does, and what the timetable asks for."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from django.core.management import CommandError, call_command

from analytics import tasks
from analytics.models import JobRun, JobState
from analytics.services import jobs, lakes, market_jobs
from tests.stubs import market
from tests.stubs import polygon as wire
from tests.stubs.server import running

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 6, 14, 23, tzinfo=UTC)
RANGE = {"first": "2024-06-03", "last": "2024-06-14"}


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = tmp_path / "lake"
    settings.VAR_DIR = tmp_path
    return lakes.lake_of("live")


@pytest.fixture
def stub(settings):
    with running() as server:
        settings.POLYGON_API_KEY = "secret"
        settings.POLYGON_BASE_URL = settings.FINRA_BASE_URL = server.url
        settings.POLYGON_CALLS_PER_MINUTE = 0
        market.put_market(server, date(2024, 6, 3), date(2024, 6, 14))
        yield server


def run(kind, arguments=None, clock=lambda: NOW):
    job = jobs.request(kind=kind, arguments=arguments, now=NOW)
    jobs.run(job_id=job.pk, clock=clock)
    return JobRun.objects.get(pk=job.pk)


class TestBackfill:
    def test_fills_the_lake_and_shows_how_far_it_is(self, stub, lake):
        job = run(market_jobs.BACKFILL, RANGE)

        assert (job.state, job.progress_current, job.progress_total) == ("succeeded", 13, 13)
        assert job.message.startswith("10 sessions stored, 0 were there")
        assert len(lake.sessions()) == 10

    def test_is_queued_again_with_its_work_kept_when_its_time_is_up(self, stub, lake):
        ticks = iter(range(10_000))

        job = run(market_jobs.BACKFILL, RANGE, clock=lambda: NOW + timedelta(minutes=next(ticks)))

        assert (job.state, job.attempt) == (JobState.QUEUED, 0)
        assert job.message == "goes on: what is stored stays"
        jobs.run(job_id=job.pk, clock=lambda: NOW)
        assert len(lake.sessions()) == 10

    def test_fails_with_a_sentence_without_a_key(self):
        job = run(market_jobs.BACKFILL, RANGE)

        assert job.state == "failed"
        assert job.error == "POLYGON_API_KEY is not set: market data from Polygon needs it."

    def test_is_asked_for_once(self):
        asked = [jobs.request(kind=market_jobs.BACKFILL, now=NOW) for _ in range(2)]

        assert asked[0] == asked[1]


class TestCommand:
    def test_says_beforehand_then_fills(self, stub, lake, capsys):
        call_command("sync_market_data", "--from", "2024-06-03", "--to", "2024-06-14")

        said = capsys.readouterr()
        assert said.out.startswith("10 sessions from 2024-06-03 to 2024-06-14 to be asked for")
        assert "13 of 13: done" in said.err
        assert len(lake.sessions()) == 10

    def test_only_says_on_a_dry_run(self, stub, lake):
        call_command("sync_market_data", "--dry-run", "--from", "2024-06-03", "--to", "2024-06-14")

        assert stub.asked == []

    def test_names_the_missing_key(self):
        with pytest.raises(CommandError, match="POLYGON_API_KEY is not set"):
            call_command("sync_market_data", "--from", "2024-06-03", "--to", "2024-06-14")


class TestReference:
    def test_says_what_it_stored_and_what_the_plan_lacks(self, stub):
        stub.on("/stocks/vX/float", wire.NOT_IN_PLAN)

        job = run(market_jobs.REFERENCE)

        assert job.message == (
            "securities: 24 new, 0 changed; splits: 0 new, 0 changed; public float: not in the plan"
        )

    def test_is_skipped_without_a_key(self):
        assert run(market_jobs.REFERENCE).message == "skipped: POLYGON_API_KEY is not set"


class TestShortInterest:
    def test_is_due_when_a_settlement_should_be_published(self, lake):
        def due(day):
            return market_jobs.is_short_interest_due(now=datetime(2024, 6, day, 23, tzinfo=UTC))

        settled = market_jobs.settled_by(date(2024, 6, 20))
        frame = pl.DataFrame({"symbol": ["A"] * len(settled), "settlement_date": settled})
        lake.upsert("short_interest", frame.with_columns(shares_short=1.0, source=pl.lit("live")))

        assert settled[-1] == date(2024, 5, 31)
        assert not due(24)
        assert due(26)  # that of 14 June: 7 sessions later, with one holiday between


class TestTasks:
    def test_ask_for_jobs_of_the_timetable(self):
        tasks.start_job(kind="compact_lake")

        assert JobRun.objects.get().kind == "compact_lake"

    def test_watch_nothing_without_a_key(self):
        assert tasks.watch_session() is None


class TestCompact:
    def test_goes_through_every_table(self, lake):
        lake.create_all()

        assert run(market_jobs.COMPACT).message == "0 files fewer"
