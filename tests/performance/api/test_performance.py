import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from analytics.services import claims
from performance.calc import figure_json
from performance.models import DashboardSummary
from performance.services import metrics
from tests import factories, score_rows
from tests.score_rows import EVENING, LAST

pytestmark = pytest.mark.django_db
URL, TIMING = "/analytics/performance", "/performance/market-timing"
MOST_QUERIES = 15
BASELINE = {
    "picks": 15, "winners": 11, "explosive": 7, "average_return": 1.52,
    "stars": [{"symbol": "AEVA", "return": 1.62}, {"symbol": "VIGL", "return": 3.24}],
}  # fmt: skip


@pytest.fixture
def scored(tmp_path, settings):
    """A year of trades, summed up."""
    factories.make_baseline(**BASELINE)
    score_rows.make_scored(tmp_path, settings)


class TestWhoMayAsk:
    @pytest.mark.parametrize("url", [URL, TIMING])
    def test_needs_a_login(self, url):
        answer = APIClient().get(url)

        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("url", [URL, TIMING])
    def test_is_for_staff(self, url):
        client = APIClient()
        client.force_authenticate(factories.make_user())

        assert client.get(url).status_code == 403


class TestPerformance:
    @pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}?period_days=30"])
    def test_answers_with_and_without_a_slash(self, api, url):
        assert api.get(url).status_code == 200

    def test_has_the_missions_keys_letter_for_letter(self, api, scored):
        body = api.get(URL).json()

        assert body["baseline"]["period"] == "June-July 2024"
        assert body["baseline"]["best_performer"] == {"symbol": "VIGL", "return": "+324%"}
        portfolio = body["baseline"]["portfolio_metrics"]
        assert (portfolio["average_return"], portfolio["win_rate"]) == ("+152%", "73%")
        assert set(body["current"]) == {"average_return", "win_rate", "explosive_growth_rate"}
        assert set(body["recovery"]) == {
            "recovery_progress_pct", "performance_gap", "recovery_status",
            "projected_recovery_date",
        }  # fmt: skip

    def test_gives_percentages_with_fractions_as_evidence(self, api, scored):
        body = api.get(URL).json()

        told = body["evidence"]["current"]["win_rate"]
        assert body["current"]["win_rate"] == round(told["value"] * 100, 1)
        assert told["low"] <= told["value"] <= told["high"]
        assert told["n"] > 0
        gap = body["current"]["average_return"] - 152
        assert body["recovery"]["performance_gap"] == pytest.approx(gap, abs=0.11)
        assert body["recovery"]["recovery_status"] == "BEHIND_SCHEDULE"
        assert body["evidence"]["recovery"]["projection"]["reason"]
        assert "at_zero" in body["evidence"]["metrics"]["equal"]["win_rate"]

    def test_invents_nothing_without_trades(self, api):
        body = api.get(URL).json()

        assert set(body["current"].values()) == {None}
        assert body["recovery"] == {
            "recovery_progress_pct": None,
            "performance_gap": None,
            "recovery_status": "INSUFFICIENT_DATA",
            "projected_recovery_date": None,
        }
        assert body["evidence"]["reason"] == "no summary has been computed yet"
        assert body["baseline"]["best_performer"] is None

    def test_labels_the_baseline_claimed_and_stands_its_audit_beside(
        self, api, scored, tmp_path, settings
    ):
        settings.LAKE_URL = str(tmp_path / "empty")
        claims.record_baseline_audit(source="imported", now=EVENING)

        body = api.get(URL).json()

        assert body["baseline"]["status"] == "claimed"
        verdicts = {item["verdict"] for item in body["audit"]["items"]}
        assert "impossible" in verdicts
        assert api.get(body["links"]["audit"]).status_code == 200

    def test_says_that_it_was_not_audited(self, api, scored):
        assert api.get(URL).json()["audit"] is None

    def test_says_how_old_it_is(self, api, scored):
        body = api.get(URL).json()

        assert body["as_of"] == LAST.isoformat()
        assert body["age_sessions"] > 100  # the clock of the tests is today's

    def test_links_to_the_rows_behind(self, api, scored, admin_client):
        for name, url in api.get(URL).json()["links"].items():
            assert admin_client.get(url).status_code == 200, name

    def test_of_another_period_reads_its_summary(self, api, scored):
        month, whole = (api.get(f"{URL}?period_days={days}").json() for days in (30, 0))

        assert month["current"]["win_rate"] is None
        assert whole["evidence"]["current"]["win_rate"]["n"] == 30

    @pytest.mark.parametrize("url", [URL, TIMING])
    @pytest.mark.parametrize(
        ("query", "field"),
        [("period_days=31", "period_days"), ("period_days=x", "period_days"), ("days=3", "days")],
    )
    def test_refuses_with_the_name_of_the_field(self, api, url, query, field):
        answer = api.get(f"{url}?{query}")

        assert answer.status_code == 400
        assert field in answer.json()["errors"]

    def test_of_the_sample_market_says_simulated(self, api, scored):
        body = api.get(f"{URL}?source=simulated").json()

        assert body["simulated"] is True
        assert body["current"]["win_rate"] is None

    @pytest.mark.parametrize("url", [URL, TIMING])
    def test_asks_few_times_whatever_the_rows(self, api, scored, url):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(url).status_code == 200

        assert len(queries) <= MOST_QUERIES

    def test_never_writes(self, api, scored):
        before = list(DashboardSummary.objects.order_by("pk").values())

        api.get(URL)
        api.get(TIMING)

        assert list(DashboardSummary.objects.order_by("pk").values()) == before


class TestMarketTiming:
    def test_answers_for_thirty_days_unless_asked_otherwise(self, api, scored):
        body = api.get(TIMING).json()

        assert body["period_days"] == 30
        assert (body["market_timing_score"], body["status"]) == (None, "insufficient_data")
        assert body["reason"] == "2 trades, 5 are needed"

    def test_gives_scores_bridge_and_lab(self, api, scored):
        body = api.get(f"{TIMING}?period_days=0").json()

        assert 0 <= body["market_timing_score"] <= 100
        score = figure_json.from_json(body["figures"]["market_timing_score"])
        assert score.n == body["trades"] == 30
        assert [step["key"] for step in body["bridge"]] == [
            "signal", "delay", "fill", "profit", "left_during", "left_after",
        ]  # fmt: skip
        assert {lab["rule"] for lab in body["exit_lab"]} >= {"hold to horizon", "stop -15 %"}
        assert body["target"] == {"value": 90.0, "status": "claimed"}

    def test_of_nothing_says_so(self, api):
        body = api.get(TIMING).json()

        assert (body["trades"], body["reason"]) == (0, "no summary has been computed yet")

    def test_offers_the_periods_that_are_kept(self, api):
        said = api.get(f"{TIMING}?period_days=2").json()["errors"]["period_days"][0]

        assert all(str(days) in said for days in metrics.WINDOWS)
