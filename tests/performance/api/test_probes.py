import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


class TestPerformanceHealth:
    @pytest.mark.parametrize("url", ["/performance/health", "/performance/health/"])
    def test_is_open(self, url):
        answer = APIClient().get(url)

        assert answer.status_code == 200
        assert answer.json()["status"] == "UNKNOWN"
        assert "components" not in answer.json()

    def test_shows_staff_the_details(self, api):
        names = [part["name"] for part in api.get("/performance/health").json()["components"]]

        assert names == ["database", "outcomes", "jobs", "workers and scheduler", "probes"]
