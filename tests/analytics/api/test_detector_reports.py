from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.models import JobRun
from tests import detector_reports, factories

URL = "/analytics/detector-report"
pytestmark = pytest.mark.django_db


@pytest.fixture
def trader(db):
    person = factories.make_user(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="replay_exits"))
    client = APIClient()
    client.force_authenticate(person)
    return client


class TestGet:
    @pytest.mark.parametrize("url", [URL, f"{URL}/"])
    def test_answers_before_there_is_one(self, api, url):
        answer = api.get(url)

        assert answer.status_code == 200
        assert answer.json()["status"] == "insufficient_data"
        assert answer.json()["report"] is None
        assert "POST" in answer.json()["reason"]

    def test_serves_the_newest_with_its_statement_and_age(self, api):
        detector_reports.make_report(
            finished_at=timezone.now() - timedelta(hours=2), digest="e" * 32
        )
        detector_reports.make_report()

        found = api.get(URL).json()

        assert found["status"] == "ok"
        assert found["age_seconds"] == pytest.approx(7200, abs=60)
        assert found["report"]["digest"] == "e" * 32
        assert found["statement"][0] == "Variant C: no out-of-sample model."
        scope = found["report"]["figures"]["scopes"][0]
        assert scope["variants"]["A"]["precision"]["10"]["n"] > 0

    def test_labels_the_sample_market(self, api):
        detector_reports.make_report(source="simulated")

        found = api.get(f"{URL}?source=simulated").json()

        assert (found["status"], found["simulated"]) == ("simulated", True)

    def test_refuses_what_it_does_not_know(self, api):
        assert api.get(f"{URL}?sauce=imported").status_code == 400

    def test_is_for_staff(self):
        assert APIClient().get(URL).status_code in {401, 403}


class TestPost:
    def test_queues_one_job_and_shows_it(self, trader):
        first = trader.post(URL, {"source": "imported"}, format="json")
        again = trader.post(URL, {"source": "imported"}, format="json")

        assert first.status_code == again.status_code == 202
        assert first.headers["Location"] == f"/analytics/jobs/{first.json()['id']}"
        assert JobRun.objects.get().kind == "replay_exits"
        assert trader.get(URL).json()["running"]["id"] == first.json()["id"]

    def test_needs_the_permission(self, api):
        assert api.post(URL, {}, format="json").status_code == 403
        assert not JobRun.objects.exists()
