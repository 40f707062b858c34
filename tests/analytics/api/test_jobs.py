from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from analytics.models import JobRun
from tests import factories

JOBS = "/analytics/jobs"
DISCOVERY = "/analytics/discovery"
pytestmark = pytest.mark.django_db


@pytest.fixture
def trader():
    return factories.make_user(username="trader", is_staff=True)


@pytest.fixture
def as_trader(trader):
    """A client of a member of staff who may run discovery and cancel jobs."""
    allowed = Permission.objects.filter(codename__in=["run_discovery", "cancel_jobrun"])
    trader.user_permissions.set(allowed)
    client = APIClient()
    client.force_authenticate(trader)
    return client


def start(client, **wanted):
    return client.post(DISCOVERY, wanted, format="json")


class TestJobs:
    def test_show_how_far_they_are(self, api):
        job = factories.make_job(
            state="running",
            attempt=1,
            started_at=factories.NOW,
            heartbeat_at=factories.NOW,
            progress_current=30,
            progress_total=120,
            source="simulated",
        )

        shown = api.get(f"{JOBS}/{job.pk}").json()

        assert shown["state"] == "running"
        assert shown["progress"] == {"current": 30, "total": 120, "fraction": 0.25}
        assert shown["is_finished"] is False
        assert shown["simulated"] is True
        assert shown["title"] == "Discovery"
        assert api.get(shown["links"]["self"] + "/").status_code == 200

    def test_that_are_not_there_are_not_found(self, api, as_trader):
        assert api.get(f"{JOBS}/12345").status_code == 404
        assert as_trader.post(f"{JOBS}/12345/cancel").status_code == 404

    def test_are_listed_newest_first_and_filtered(self, api):
        old = factories.make_job(created_at=datetime(2024, 6, 27, tzinfo=UTC))
        new = factories.make_job(
            kind="nightly", state="failed", error="why", finished_at=factories.NOW
        )

        def listed(query=""):
            return [row["id"] for row in api.get(f"{JOBS}?{query}").json()["results"]]

        assert listed() == [new.pk, old.pk]
        assert listed("kind=discover") == [old.pk]
        assert listed("state=failed") == [new.pk]
        assert api.get(f"{JOBS}?state=lazy").status_code == 400
        assert api.get(f"{JOBS}?stat=failed").status_code == 400

    def test_take_no_more_queries_for_more_rows(self, api, trader):
        factories.make_job(requested_by=trader)
        with CaptureQueriesContext(connection) as few:
            api.get(JOBS)
        for _ in range(5):
            factories.make_job(requested_by=trader)

        with CaptureQueriesContext(connection) as many:
            api.get(JOBS)

        assert len(many) == len(few)

    @pytest.mark.parametrize("url", [JOBS, f"{JOBS}/1"])
    def test_are_for_staff(self, url):
        assert APIClient().get(url).status_code == 401
        stranger = APIClient()
        stranger.force_authenticate(factories.make_user())
        assert stranger.get(url).status_code == 403


class TestCancel:
    def test_ends_a_job_that_waits(self, as_trader):
        job = factories.make_job()

        answer = as_trader.post(f"{JOBS}/{job.pk}/cancel/")

        assert answer.status_code == 202
        assert answer.json()["state"] == "cancelled"

    def test_needs_permission(self, api):
        job = factories.make_job()

        answer = api.post(f"{JOBS}/{job.pk}/cancel")

        assert answer.status_code == 403
        assert answer.json()["detail"] == "You may not cancel jobs."
        job.refresh_from_db()
        assert job.state == "queued"

    def test_is_not_done_by_looking(self, as_trader):
        assert as_trader.get(f"{JOBS}/{factories.make_job().pk}/cancel").status_code == 405


class TestDiscovery:
    def test_queues_a_job_and_says_where_it_is(self, as_trader, trader):
        answer = start(as_trader, session="2024-06-28")

        job = JobRun.objects.get()
        assert answer.status_code == 202
        assert answer["Location"] == answer.json()["links"]["self"] == f"{JOBS}/{job.pk}"
        assert job.kind == "discover"
        assert job.arguments == {"session": "2024-06-28", "source": "imported"}
        assert job.requested_by == trader

    def test_takes_a_range(self, as_trader):
        start(as_trader, first="2024-06-01", last="2024-06-28", source="simulated")

        assert JobRun.objects.get().arguments == {
            "first": "2024-06-01",
            "last": "2024-06-28",
            "source": "simulated",
        }

    def test_asked_twice_starts_one(self, as_trader):
        both = [start(as_trader, session="2024-06-28").json()["id"] for _ in range(2)]

        assert both[0] == both[1]

    def test_needs_permission(self, api):
        answer = start(api, session="2024-06-28")

        assert answer.status_code == 403
        assert answer.json()["detail"] == "You may not run discovery."
        assert not JobRun.objects.exists()

    def test_asks_a_stranger_to_log_in(self):
        assert start(APIClient(), session="2024-06-28").status_code == 401

    def test_is_not_done_by_looking(self, as_trader):
        assert as_trader.get(DISCOVERY).status_code == 405

    @pytest.mark.parametrize(
        ("wanted", "field"),
        [
            ({}, "session"),
            ({"session": "2024-06-28", "first": "2024-06-03", "last": "2024-06-04"}, "session"),
            ({"session": "2024-06-29"}, "session"),  # a Saturday
            ({"session": "2999-06-28"}, "session"),
            ({"session": "1066-10-14"}, "session"),
            ({"first": "2024-06-03"}, "last"),
            ({"last": "2024-06-03"}, "first"),
            ({"first": "2024-06-28", "last": "2024-06-03"}, "last"),
            ({"first": "2024-06-29", "last": "2024-06-30"}, "last"),
            ({"first": "2024-06-28", "last": "2999-01-04"}, "last"),
            ({"session": "yesterday"}, "session"),
            ({"sesion": "2024-06-28"}, "sesion"),
            ({"session": "2024-06-28", "source": "claimed"}, "source"),
        ],
    )
    def test_refuses_what_cannot_be_scanned(self, as_trader, wanted, field):
        answer = start(as_trader, **wanted)

        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == [field]
        assert not JobRun.objects.exists()

    @pytest.mark.parametrize("body", ["[]", '"2024-06-28"', "{", "null"])
    def test_refuses_what_is_no_object(self, as_trader, body):
        answer = as_trader.post(DISCOVERY, body, content_type="application/json")

        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"

    def test_takes_the_newest_finished_session(self, as_trader, monkeypatch):
        evening = datetime(2024, 6, 28, 20, 30, tzinfo=UTC)
        monkeypatch.setattr("analytics.api.jobs.timezone.now", lambda: evening)

        assert start(as_trader, session=str(date(2024, 6, 28))).status_code == 202
        assert start(as_trader, session="2024-07-01").status_code == 400
