import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.health_rows import make_incident, make_metric

URL = "/performance/system-health"
pytestmark = pytest.mark.django_db


class TestSystemHealth:
    @pytest.mark.parametrize("url", [URL, URL + "/"])
    def test_needs_a_login(self, url):
        assert APIClient().get(url).status_code == 401

    def test_shows_score_components_and_incidents(self, api, django_assert_max_num_queries):
        now = timezone.now()
        make_metric(measured_at=now)
        make_metric(component="storage", name="probe", value=0.1, measured_at=now)
        incident = make_incident()
        incident.decisions.create(kind="batch", number=7, label="batch 7")

        with django_assert_max_num_queries(15):
            found = api.get(URL).json()

        assert (found["score"], found["status"]) == (95.0, "HEALTHY")
        assert [part["name"] for part in found["components"]] == ["storage"]
        assert found["open_incidents"][0]["decisions"] == 1

    def test_says_that_nothing_is_known(self, api):
        found = api.get(URL).json()

        assert (found["score"], found["status"]) == (None, "UNKNOWN")
        assert found["reason"]
