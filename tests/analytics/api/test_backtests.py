from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.models import JobRun
from analytics.services import jobs
from tests import evidence_rows, factories

URL = "/analytics/backtesting/squeeze-detector"
pytestmark = pytest.mark.django_db


@pytest.fixture
def trader(db):
    person = factories.make_user(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="run_backtest"))
    client = APIClient()
    client.force_authenticate(person)
    return client


class TestGet:
    @pytest.mark.parametrize("url", [URL, f"{URL}/"])
    def test_answers_before_there_is_one(self, api, url):
        answer = api.get(url)

        assert answer.status_code == 200
        assert answer.json()["status"] == "insufficient_data"
        assert answer.json()["backtest"] is None
        assert "POST" in answer.json()["reason"]

    def test_serves_the_newest_at_once_and_says_how_old_it_is(self, api):
        evidence_rows.make_run()
        ended = timezone.now() - timedelta(hours=2)
        evidence_rows.make_run(finished_at=ended, digest="e" * 32)
        evidence_rows.make_certificate()

        found = api.get(URL).json()

        assert found["status"] == "ok"
        assert found["age_seconds"] == pytest.approx(7200, abs=60)
        assert found["backtest"]["digest"] == "e" * 32
        assert found["backtest"]["variants"]["B v1"]["counts"] == {"candidates": 1200}
        assert found["backtest"]["historical_winners"][0]["verdict"] == "unverifiable"
        assert found["look_ahead_certificate"]["leaks_caught"] == 8

    def test_shows_the_run_that_is_under_way(self, api):
        jobs.request(kind="backtest", now=factories.NOW)

        assert api.get(URL).json()["running"]["kind"] == "backtest"

    def test_labels_the_sample_market(self, api):
        evidence_rows.make_run(source="simulated")

        found = api.get(f"{URL}?source=simulated").json()

        assert (found["status"], found["simulated"]) == ("simulated", True)
        assert api.get(URL).json()["status"] == "insufficient_data"

    def test_needs_a_login(self):
        assert APIClient().get(URL).status_code == 401

    def test_asks_the_database_little(self, api, django_assert_max_num_queries):
        evidence_rows.make_run()

        with django_assert_max_num_queries(4):
            api.get(URL)


class TestPost:
    def test_queues_a_job(self, trader):
        answer = trader.post(URL, {"first": "2022-01-03", "top": 5}, format="json")

        job = JobRun.objects.get()
        assert answer.status_code == 202
        assert answer["Location"] == f"/analytics/jobs/{job.pk}"
        assert job.arguments == {"source": "imported", "first": "2022-01-03", "top": 5}

    def test_gives_the_job_under_way_if_asked_twice(self, trader):
        first, again = (trader.post(URL, {}, format="json").json()["id"] for _ in range(2))

        assert first == again

    @pytest.mark.parametrize(
        "wrong",
        [
            {"hold": 99},
            {"top": 0},
            {"cost_bp": -1},
            {"first": "soon"},
            {"first": "2022-02-01", "last": "2022-01-03"},
            {"variant": "B"},
            {"variants": []},
        ],
    )
    def test_names_the_field_that_is_wrong(self, trader, wrong):
        answer = trader.post(URL, wrong, format="json")

        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert set(answer.json()["errors"]) <= {*wrong}

    def test_needs_permission(self, api):
        assert api.post(URL, {}, format="json").status_code == 403
        assert JobRun.objects.count() == 0
