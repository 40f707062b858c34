import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from performance.services import advice, risk_assessments
from tests import factories, order_rows, risk_market
from tests.risk_market import EVENING, make_equity, make_held

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(tmp_path, settings):
    risk_market.store(tmp_path / "lake", settings, count=80)
    made = factories.make_account(name="paper", broker="Alpaca", synced_at=EVENING)
    make_equity(made)
    make_held(made, "AAA", quantity=300)
    make_held(made, "BBB", quantity=100, mark=2)
    risk_assessments.record_assessments(source="imported", now=EVENING)
    advice.record_advice(source="imported", now=EVENING)
    order_rows.make_breach(account=made)
    order_rows.make_proposal(account=made)
    return made


def queries(client, url):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


class TestRisk:
    def test_shows_heat_positions_advice_ledger_and_proposals(self, staff, account):
        html = staff.get("/risk").content.decode()

        for said in ("Heat", "VaR 95", "liquidate", "oversize", "20.0% of equity", "risk-chart"):
            assert said in html, said
        assert "Trading is halted" in html
        assert "proxy" in html

    def test_says_that_nothing_was_assessed(self, staff):
        assert "Insufficient data" in staff.get("/risk").content.decode()

    def test_asks_no_more_for_more_rows(self, staff, account):
        staff.get("/risk")
        few = queries(staff, "/risk")
        for at in range(10):
            order_rows.make_breach(account=account, symbol=f"S{at}")
            order_rows.make_proposal(account=account)
            factories.make_risk(account=account, symbol=f"S{at}", session="2024-06-28")

        assert queries(staff, "/risk") == few


class TestPortfolio:
    def test_shows_equity_positions_and_trades(self, staff, account):
        factories.make_baseline()

        html = staff.get("/portfolio?range=all").content.decode()

        for said in ("equity-chart", "AAA", "BBB", "claimed", "+63.8 %"):
            assert said in html, said

    def test_says_that_there_is_nothing(self, staff):
        assert "No equity yet" in staff.get("/portfolio").content.decode()

    def test_asks_no_more_for_more_rows(self, staff, account):
        staff.get("/portfolio?range=all")
        few = queries(staff, "/portfolio?range=all")
        for at in range(10):
            make_held(account, f"S{at}")

        assert queries(staff, "/portfolio?range=all") == few
