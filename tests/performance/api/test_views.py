from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from analytics.calc import sessions
from tests import factories

pytestmark = pytest.mark.django_db
ANALYSIS = "/performance/discovery-analysis"
OUTCOMES = "/performance/outcomes"
LAST = date(2024, 6, 28)


def settled_sessions(count, *, variant=None, source="imported"):
    """``count`` complete sessions with 10 candidates each, one of them explosive."""
    variant = variant or factories.make_variant()
    for at in range(count):
        batch = factories.make_batch(
            session=sessions.offset(LAST, -at), variant=variant, source=source
        )
        factories.make_analysis(
            batch=batch,
            first_settled=5,
            first_explosive=1,
            explosive=1,
            positive_14=4,
            mean_coverage=0.8,
            by_decile=[[1, 0, 0, 0, 90, 3]] * 10,
        )


def ask(api, query=""):
    return api.get(f"{ANALYSIS}?end=2024-06-28&{query}")


class TestWhoMayAsk:
    @pytest.mark.parametrize("url", [ANALYSIS, OUTCOMES])
    def test_needs_a_login(self, url):
        answer = APIClient().get(url)

        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("url", [ANALYSIS, OUTCOMES])
    def test_is_for_staff(self, url):
        client = APIClient()
        client.force_authenticate(factories.make_user())

        assert client.get(url).status_code == 403


class TestDiscoveryAnalysis:
    @pytest.mark.parametrize("url", [ANALYSIS, f"{ANALYSIS}/", f"{ANALYSIS}?days_back=7"])
    def test_answers_with_and_without_a_slash(self, api, url):
        assert api.get(url).status_code == 200

    def test_says_what_it_covers(self, api):
        body = ask(api, "days_back=7").json()

        assert (body["days_back"], body["first"], body["end"]) == (7, "2024-06-21", "2024-06-28")
        assert body["source"] == "imported"
        assert body["variants"] == []

    def test_gives_figures_with_their_evidence(self, api):
        settled_sessions(70)

        found = ask(api, "days_back=200").json()["variants"][0]

        explosive = found["window"]["all_rows"]["explosive"]
        assert set(explosive) == {
            "value", "n", "low", "high", "level", "method", "as_of", "source", "status", "reason",
        }  # fmt: skip
        assert (explosive["value"], explosive["n"], explosive["status"]) == (0.1, 700, "ok")
        assert explosive["low"] < 0.1 < explosive["high"]

    def test_gives_the_missions_key_in_percent(self, api):
        settled_sessions(70)

        found = ask(api, "days_back=200").json()["variants"][0]

        assert found["window"]["first_signals"]["explosive"]["value"] == 0.2
        assert found["explosive_growth_rate"] == 20.0

    def test_invents_nothing_for_a_short_window(self, api):
        settled_sessions(70)

        found = ask(api, "days_back=7").json()["variants"][0]

        assert found["explosive_growth_rate"] is None
        few = found["window"]["all_rows"]["explosive"]
        assert (few["value"], few["status"]) == (None, "insufficient_data")
        assert few["reason"]
        assert found["history"]["all_rows"]["explosive"]["value"] == 0.1

    def test_labels_the_target_a_claim(self, api):
        settled_sessions(1)

        target = ask(api).json()["variants"][0]["quality_target"]

        assert (target["value"], target["status"]) == (85.0, "claimed")

    def test_narrows_down_to_a_variant(self, api):
        settled_sessions(1)
        settled_sessions(1, variant=factories.make_variant(name="A"))

        both = ask(api).json()["variants"]
        one = ask(api, "variant=A").json()["variants"]

        assert [v["variant"] for v in both] == ["A v1", "B v1"]
        assert [v["variant"] for v in one] == ["A v1"]

    def test_links_to_the_rows_behind_the_figures(self, api, admin_client):
        settled_sessions(3)

        links = ask(api, "days_back=1").json()["variants"][0]["links"]

        for url in links.values():
            assert admin_client.get(url).status_code == 200
        page = admin_client.get(links["batches"])
        days = [row.batch.session for row in page.context["cl"].result_list]
        assert days == [LAST, LAST - timedelta(days=1)]

    def test_of_the_sample_market_says_simulated(self, api):
        settled_sessions(1, source="simulated")

        body = ask(api, "source=simulated").json()

        assert body["simulated"] is True
        assert len(body["variants"]) == 1
        assert "simulated" not in ask(api).json()

    def test_takes_no_more_queries_for_more_sessions(self, api):
        settled_sessions(2)
        with CaptureQueriesContext(connection) as few:
            ask(api)
        settled_sessions(12, variant=factories.make_variant(name="A"))

        with CaptureQueriesContext(connection) as many:
            ask(api)

        assert len(many) == len(few)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("days_back=0", "days_back"),
            ("days_back=week", "days_back"),
            ("days_back=99999", "days_back"),
            ("end=tomorrow", "end"),
            ("variant=Z", "variant"),
            ("source=claimed", "source"),
            ("days=7", "days"),
        ],
    )
    def test_refuses_with_the_name_of_the_field(self, api, query, field):
        answer = api.get(f"{ANALYSIS}?{query}")

        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert list(answer.json()["errors"]) == [field]


class TestOutcomes:
    def test_stand_beside_their_candidates(self, api):
        candidate = factories.make_candidate(symbol="AAAA")
        factories.make_tracking(candidate=candidate, return_14=-0.06)

        row = api.get(OUTCOMES).json()["results"][0]

        assert (row["symbol"], row["session"], row["rank"]) == ("AAAA", "2024-06-28", 1)
        assert row["returns"]["14"] == -0.06
        assert row["links"]["candidate"] == f"/analytics/candidates/{candidate.pk}"

    def test_that_are_open_have_no_return(self, api):
        factories.make_tracking(status="pending")

        row = api.get(OUTCOMES).json()["results"][0]

        assert row["returns"]["14"] is None
        assert row["reason"]

    @pytest.mark.parametrize(
        "query", ["symbol=aaaa", "status=pending", "session=2024-06-27", "variant=A"]
    )
    def test_are_filtered(self, api, query):
        factories.make_tracking()
        wanted = factories.make_candidate(
            symbol="AAAA", session=date(2024, 6, 27), variant=factories.make_variant(name="A")
        )
        factories.make_tracking(candidate=wanted, status="pending")

        rows = api.get(f"{OUTCOMES}?{query}").json()["results"]

        assert [row["symbol"] for row in rows] == ["AAAA"]

    def test_take_no_more_queries_for_more_rows(self, api):
        batch = factories.make_batch()
        factories.make_tracking(candidate=factories.make_candidate(batch=batch))
        with CaptureQueriesContext(connection) as few:
            api.get(OUTCOMES)
        for n in range(8):
            candidate = factories.make_candidate(symbol=f"S{n}", batch=batch)
            factories.make_tracking(candidate=candidate)

        with CaptureQueriesContext(connection) as many:
            api.get(OUTCOMES)

        assert len(many) == len(few)

    def test_refuse_an_unknown_status(self, api):
        answer = api.get(f"{OUTCOMES}?status=lucky")

        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["status"]
