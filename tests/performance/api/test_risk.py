import pytest
from rest_framework.test import APIClient

from performance.services import advice, risk_assessments
from tests import factories, order_rows, risk_market
from tests.risk_market import EVENING, make_equity, make_held

URL = "/performance/risk-management"
pytestmark = pytest.mark.django_db


@pytest.fixture
def assessed(tmp_path, settings):
    risk_market.store(tmp_path / "lake", settings)
    account = factories.make_account(name="paper", broker="Alpaca", synced_at=EVENING)
    make_equity(account)
    make_held(account, "AAA", quantity=300)
    make_held(account, "BBB", quantity=100, mark=2)
    risk_assessments.record_assessments(source="imported", now=EVENING)
    advice.record_advice(source="imported", now=EVENING)
    order_rows.make_breach(account=account)
    order_rows.make_proposal(account=account)
    return account


class TestRiskManagement:
    def test_gives_every_figure_with_its_evidence(self, api, assessed):
        found = api.get(URL).json()

        assert (found["source"], found["as_of"], found["status"]) == (
            "imported", "2024-06-28", "ok",
        )  # fmt: skip
        (account,) = found["accounts"]
        for figures in (
            account["portfolio"],
            account["position_sizing"],
            *(position["figures"] for position in account["positions"]),
        ):
            for name, figure in figures.items():
                assert set(figure) >= {"value", "n", "low", "high", "as_of", "source", "status"}
                assert figure["value"] is not None or figure["reason"], name
        assert account["portfolio"]["var_95"]["n"] == 250
        first = account["positions"][0]
        assert (first["symbol"], first["is_oversize"], first["advice"]) == ("AAA", True, "TRIM")
        assert found["advice"][0]["symbol"] == "BBB"
        assert found["advice"][0]["advice"] == "LIQUIDATE"
        assert found["compliance"]["counts"] == {"oversize": 1}
        assert found["compliance"]["latest"][0]["text"]
        assert found["proposals"][0]["risk"]
        assert found["trading_halted"] is True

    def test_links_lead_to_the_rows(self, api, assessed, admin_client):
        for address in api.get(URL).json()["links"].values():
            assert admin_client.get(address).status_code == 200

    def test_says_that_nothing_was_assessed(self, api):
        found = api.get(URL).json()

        assert (found["status"], found["accounts"]) == ("insufficient_data", [])
        assert found["reason"]

    def test_never_mixes_realms(self, api, assessed):
        found = api.get(f"{URL}?source=simulated").json()

        assert (found["simulated"], found["accounts"], found["proposals"]) == (True, [], [])

    def test_asks_at_most_15_times_and_no_more_for_more_rows(
        self, api, assessed, django_assert_max_num_queries
    ):
        for at in range(20):
            order_rows.make_breach(account=assessed, symbol=f"S{at}")
            order_rows.make_proposal(account=assessed)

        with django_assert_max_num_queries(15):
            api.get(f"{URL}/")

    @pytest.mark.parametrize("query", ["sourc=live", "source=claimed"])
    def test_refuses_what_it_does_not_know(self, api, query):
        assert api.get(f"{URL}?{query}").status_code == 400

    def test_needs_a_login(self):
        assert APIClient().get(URL).status_code == 401

    def test_a_read_writes_nothing(self, api, assessed):
        from performance.models import RiskAssessment

        before = list(RiskAssessment.objects.values())
        api.get(URL)

        assert list(RiskAssessment.objects.values()) == before
