from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.calc import sessions
from tests import factories
from tests.thesis_rows import make_settled

pytestmark = pytest.mark.django_db
URL = "/performance/thesis-accuracy"
RECENT = sessions.offset(timezone.now().date(), -20)  # its horizon of 14 sessions is over


def history(count, **fields):
    for at in range(count):
        make_settled(hit=at % 4 == 0, session=RECENT, **fields)


class TestWhoMayAsk:
    def test_needs_a_login(self):
        answer = APIClient().get(URL)

        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"

    def test_is_for_staff(self):
        client = APIClient()
        client.force_authenticate(factories.make_user())

        assert client.get(URL).status_code == 403

    def test_is_read_only(self, api):
        assert api.post(URL).status_code == 405


class TestThesisAccuracy:
    @pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}?period_days=30"])
    def test_answers_with_and_without_a_slash(self, api, url):
        assert api.get(url).status_code == 200

    def test_says_what_it_covers(self, api):
        body = api.get(f"{URL}?period_days=7").json()

        today = timezone.now().astimezone(sessions.NEW_YORK).date()
        assert (body["period_days"], body["source"]) == (7, "imported")
        assert (body["first"], body["end"]) == (str(today - timedelta(days=7)), str(today))
        assert body["window"]["accuracy"]["status"] == "insufficient_data"
        assert body["thesis_accuracy"] is None

    def test_gives_figures_with_their_evidence(self, api):
        history(40)

        body = api.get(f"{URL}?period_days=60").json()

        accuracy = body["window"]["accuracy"]
        assert set(accuracy) == {
            "value", "n", "low", "high", "level", "method", "as_of", "source", "status", "reason",
        }  # fmt: skip
        assert (accuracy["value"], accuracy["n"]) == (0.25, 40)
        assert body["thesis_accuracy"] == 25.0
        assert (body["target"]["value"], body["target"]["status"]) == (0.73, "claimed")
        assert body["window"]["constant_call"] == "always AVOID"
        raw = body["history"]["raw"]
        assert raw["curve"][0]["said"] == pytest.approx(0.2)
        parts = raw["decomposition"]
        assert raw["brier"]["value"] == pytest.approx(
            parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bins"]
        )

    def test_cuts_and_links_to_the_rows(self, api, admin_client):
        history(4, thesis__author="claude:m-1", thesis__model_id="m-1")
        make_settled(session=RECENT, counts_as_skill=False, no_skill_reason="known")

        body = api.get(f"{URL}?period_days=60").json()

        group = body["by"]["author"][0]
        assert (group["name"], group["history"]["theses"]) == ("claude:m-1", 4)
        assert body["by"]["sector"][0]["links"] == {}
        for link, rows in ((group["links"]["rows"], 4), (body["links"]["no_skill"], 1),
                           (body["links"]["rows"], 4), (body["links"]["wrong"], 3)):  # fmt: skip
            listed = admin_client.get(link)
            assert listed.status_code == 200
            assert listed.context["cl"].result_count == rows

    def test_of_the_sample_market_says_simulated(self, api):
        body = api.get(f"{URL}?source=simulated").json()

        assert (body["source"], body["simulated"]) == ("simulated", True)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("period_days=0", "period_days"),
            ("period_days=soon", "period_days"),
            ("period=30", "period"),
            ("source=claimed", "source"),
        ],
    )
    def test_names_the_parameter_that_is_wrong(self, api, query, field):
        answer = api.get(f"{URL}?{query}")

        assert answer.status_code == 400
        assert field in str(answer.json())

    def test_asks_as_often_whatever_there_is(self, api):
        history(3)
        few = _queries(api)
        history(12, thesis__author="somebody")

        assert _queries(api) == few <= 15


def _queries(api):
    with CaptureQueriesContext(connection) as captured:
        assert api.get(f"{URL}?period_days=60").status_code == 200
    return len(captured)
