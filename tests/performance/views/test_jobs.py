"""Work that is started from a page, and its bar."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission

from analytics.models import JobRun
from tests import factories, small_market

NOW = datetime(2024, 6, 28, 22, 0, tzinfo=UTC)


@pytest.fixture
def runner(client, db):
    person = factories.make_user(is_staff=True, username="ann")
    person.user_permissions.add(Permission.objects.get(codename="run_discovery"))
    client.force_login(person)
    return client


def make_job(**fields):
    wanted = {"kind": "discover", "arguments": {"session": "2024-06-28"}, "created_at": NOW}
    return JobRun.objects.create(idempotency_key="one", **{**wanted, **fields})


def running(**fields):
    started = {"state": "running", "attempt": 1, "started_at": NOW, "heartbeat_at": NOW}
    return make_job(progress_current=1, progress_total=4, **started, **fields)


@pytest.mark.django_db
class TestStartDiscovery:
    @pytest.fixture(autouse=True)
    def vigl(self, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path / "lake")
        return small_market.store(tmp_path)

    def test_asks_for_the_newest_session_and_shows_its_bar(self, runner):
        answer = runner.post("/jobs/discovery", headers={"HX-Request": "true"})

        job = JobRun.objects.get()
        assert job.kind == "discover"
        assert job.arguments == {"session": "2024-06-28", "source": "imported"}
        assert job.requested_by.username == "ann"
        assert f"/jobs/{job.pk}/progress" in answer.content.decode()

    def test_starts_one_job_on_a_double_click(self, runner):
        for _ in range(2):
            runner.post("/jobs/discovery")

        assert JobRun.objects.count() == 1

    def test_starts_nothing_for_those_who_may_not(self, staff):
        answer = staff.post("/jobs/discovery")

        assert answer.status_code == 403
        assert not JobRun.objects.exists()

    def test_starts_nothing_when_it_is_only_read(self, runner):
        assert runner.get("/jobs/discovery").status_code == 405

    def test_says_that_there_is_nothing_to_scan(self, runner, source):
        source("simulated")

        answer = runner.post("/jobs/discovery")

        assert b"There are no bars yet" in answer.content
        assert not JobRun.objects.exists()


@pytest.mark.django_db
class TestJobProgress:
    def test_asks_again_every_second_while_the_job_runs(self, staff):
        job = running(message="scanned up to 2024-06-28")

        answer = staff.get(f"/jobs/{job.pk}/progress")

        assert answer.status_code == 200
        assert b'hx-trigger="every 1s"' in answer.content
        assert b'<progress class="tall" value="0.25" max="1"' in answer.content

    def test_shows_no_number_while_the_total_is_not_known(self, staff):
        answer = staff.get(f"/jobs/{make_job().pk}/progress")

        assert b'<progress class="tall" aria-label' in answer.content
        assert b"0 %" not in answer.content

    @pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled", "lost"])
    def test_stops_asking_when_it_has_ended(self, staff, state):
        job = make_job(state=state, attempt=1, finished_at=NOW, error="why")

        answer = staff.get(f"/jobs/{job.pk}/progress")

        assert answer.status_code == 286
        assert b"hx-trigger" not in answer.content
        assert "job-ended" in answer["HX-Trigger-After-Settle"]

    def test_leads_to_the_candidates_it_found(self, staff):
        job = make_job(state="succeeded", attempt=1, finished_at=NOW)

        answer = staff.get(f"/jobs/{job.pk}/progress")

        assert b"/candidates?from=2024-06-28&amp;to=2024-06-28" in answer.content

    def test_stops_asking_for_a_job_that_is_not_there(self, staff):
        answer = staff.get("/jobs/12345/progress")

        assert answer.status_code == 286
        assert b"There is no job 12345." in answer.content

    def test_reloads_the_page_when_the_session_has_ended(self, client):
        assert client.get("/jobs/1/progress")["HX-Refresh"] == "true"
