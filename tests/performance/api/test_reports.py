import pytest
from rest_framework.test import APIClient

from tests.performance.services.test_reporting import SECTIONS, fill

URL = "/performance/comprehensive-report"
pytestmark = pytest.mark.django_db


class TestComprehensiveReport:
    def test_gives_every_section_with_evidence(self, api):
        fill()

        found = api.get(f"{URL}?period_days=30").json()

        assert (found["source"], found["period_days"], found["window_days"]) == ("imported", 30, 30)
        assert [each["key"] for each in found["sections"]] == SECTIONS
        for each in found["sections"]:
            for line in each["lines"]:
                assert line["figure"]["value"] is not None or line["figure"]["reason"]
        assert set(found["links"]) == {"page", "pdf"}

    def test_of_nothing_says_why(self, api):
        found = api.get(f"{URL}/?source=simulated").json()

        assert found["simulated"] is True
        assert found["sections"][0]["status"] == "insufficient_data"

    @pytest.mark.parametrize("query", ["period_days=0", "period_days=366", "days=30"])
    def test_refuses_what_it_does_not_know(self, api, query):
        assert api.get(f"{URL}?{query}").status_code == 400

    def test_needs_a_login(self):
        assert APIClient().get(URL).status_code == 401
