import empyrical
import numpy as np
import pytest

from performance.models import EquityDay, Position, RiskAssessment
from performance.services import risk, risk_assessments
from tests import factories, risk_market
from tests.risk_market import EVENING, LAST, make_equity, make_held

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(tmp_path, settings):
    risk_market.store(tmp_path / "lake", settings)
    made = factories.make_account(name="paper")
    make_equity(made)
    return made


def record(**options):
    return risk_assessments.record_assessments(**{"source": "imported", "now": EVENING, **options})


class TestRecordAssessments:
    def test_writes_a_row_for_the_account_and_one_for_each_position(self, account):
        make_held(account, "AAA", quantity=300, cost=3, mark=4)
        make_held(account, "BBB", quantity=100, cost=3, mark=2)

        found = record()

        assert (found.session, found.accounts, found.positions) == (LAST, 1, 2)
        rows = {row.symbol: row for row in RiskAssessment.objects.all()}
        assert rows["AAA"].weight == pytest.approx(0.12)
        assert rows["AAA"].is_oversize is True
        assert (rows["AAA"].advice, rows["AAA"].sector) == ("TRIM", "Technology")
        assert rows["BBB"].unrealised == pytest.approx(-1 / 3)
        assert (rows["BBB"].advice, rows["BBB"].is_oversize) == ("LIQUIDATE", False)
        assert "-33.3%" in rows["BBB"].reason
        assert rows[""].name_hhi == pytest.approx((1200**2 + 200**2) / 1400**2)

    def test_values_the_past_with_the_weights_of_today(self, account):
        make_held(account, "AAA", quantity=300)
        make_held(account, "BBB", quantity=100, mark=2)
        path = risk_market.closes()
        own = sum(
            weight * (path[symbol][-250:] / path[symbol][-251:-1] - 1)
            for symbol, weight in (("AAA", 0.12), ("BBB", 0.02))
        )

        record()

        whole = RiskAssessment.objects.get(symbol="")
        assert whole.var_95 == pytest.approx(empyrical.value_at_risk(own), abs=1e-9)
        assert whole.cvar_95 == pytest.approx(empyrical.conditional_value_at_risk(own), abs=1e-9)
        market = path["SPY"][-250:] / path["SPY"][-251:-1] - 1
        assert whole.beta == pytest.approx(empyrical.beta(own, market), abs=1e-9)
        assert whole.max_drawdown == pytest.approx(-0.01)

    def test_takes_the_stop_of_the_broker_before_the_thesis(self, account):
        thesis = factories.make_thesis(
            symbol="AAA", stop_price="3.2", entry_price="3.5", max_entry_price="4"
        )
        make_held(account, "AAA", thesis=thesis)
        make_held(
            account, "BBB", mark=2, stop_price="1.5", stop_order_id="o1", stop_confirmed_at=EVENING
        )

        record()

        rows = {row.symbol: row for row in RiskAssessment.objects.all()}
        assert rows["AAA"].stop_distance == pytest.approx(0.2)
        assert rows["AAA"].figures["stop_basis"] == "thesis"
        assert rows["BBB"].stop_distance == pytest.approx(0.25)
        assert float(rows["BBB"].money_at_risk) == 50.0
        assert rows[""].heat == pytest.approx((80 + 50) / 10_000)
        confirmed = rows[""].figures["heat_confirmed_stops"]["value"]
        assert confirmed == pytest.approx((400 + 50) / 10_000)

    def test_is_the_same_when_run_again(self, account):
        make_held(account, "AAA")
        record()
        before = list(RiskAssessment.objects.values().order_by("pk"))

        assert record().changed == 0
        assert list(RiskAssessment.objects.values().order_by("pk")) == before

    def test_takes_out_what_was_sold_since(self, account):
        make_held(account, "AAA")
        record()
        Position.objects.all().delete()

        record()

        assert RiskAssessment.objects.get().symbol == ""

    def test_keeps_the_days_before(self, account):
        make_held(account, "AAA")
        factories.make_risk(account=account, symbol="OLD", session="2024-06-27")

        record()

        assert RiskAssessment.objects.filter(symbol="OLD").exists()

    def test_gives_nothing_where_equity_is_not_known(self, account):
        EquityDay.objects.all().delete()
        make_held(account, "AAA")

        record()

        position = RiskAssessment.objects.get(symbol="AAA")
        assert (position.weight, position.is_oversize) == (None, None)
        assert position.figures["weight"]["status"] == "insufficient_data"
        assert RiskAssessment.objects.get(symbol="").heat is None

    def test_says_so_where_a_holding_has_no_bars(self, account):
        make_held(account, "GONE")

        record()

        whole = RiskAssessment.objects.get(symbol="")
        assert whole.var_95 is None
        assert "GONE" in whole.reason
        gone = RiskAssessment.objects.get(symbol="GONE")
        assert (gone.days_to_exit, gone.volatility) == (None, None)

    def test_never_reads_bars_after_the_clock(self, account):
        make_held(account, "AAA")
        early = EVENING.replace(day=27)

        record(now=early)
        seen = RiskAssessment.objects.get(symbol="")
        path = risk_market.closes()["AAA"][:-1]

        assert str(seen.session) == "2024-06-27"
        own = 0.04 * (path[-250:] / path[-251:-1] - 1)
        weight = 400 / 9_900 / 0.04
        assert seen.var_95 == pytest.approx(np.quantile(own * weight, 0.05), abs=1e-9)

    def test_leaves_other_realms_alone(self, account):
        other = factories.make_account(source="simulated")
        make_equity(other)

        assert record().accounts == 1

    def test_asks_the_same_for_more_positions(self, account, django_assert_max_num_queries):
        for symbol in ("AAA", "BBB", "CCC", "DDD"):
            make_held(account, symbol)

        with django_assert_max_num_queries(16):
            record()

    def test_weighs_trades_by_the_equity_before_the_entry(self, account):
        start = risk_market.days(20)
        for at in range(12):
            factories.make_trade(
                account=account,
                symbol=f"T{at}",
                invested=100 * (at + 1),
                return_on_cost=0.01 * at,
                exit_price="3.1",
                opened_at=EVENING.replace(day=3 + at),
                closed_at=EVENING.replace(day=4 + at),
            )
        for session in start[:5]:
            EquityDay.objects.get_or_create(
                account=account,
                session=session,
                defaults={
                    "cash": 5000, "holdings": 0, "equity": 5000, "equity_at_zero": 5000,
                    "source": "imported",
                },
            )  # fmt: skip

        record()

        found = RiskAssessment.objects.get(symbol="").figures["size_rank_correlation"]
        assert (found["value"], found["n"]) == (pytest.approx(1.0), 12)


class TestGetRisk:
    def test_says_that_nothing_was_assessed(self):
        found = risk.get_risk(source="imported", now=EVENING)

        assert found.session is None
        assert "assess_risk" in found.reason

    def test_gives_the_newest_session_with_its_age(self, account):
        make_held(account, "AAA", quantity=100)
        make_held(account, "BBB", quantity=300)
        factories.make_risk(account=account, session="2024-06-03", symbol="")
        record()

        found = risk.get_risk(source="imported", now=EVENING.replace(month=7, day=2))

        assert (found.session, found.age) == (LAST, 2)
        (own,) = found.accounts
        assert [row.symbol for row in own.positions] == ["BBB", "AAA"]
        assert own.figures["var_95"].n == 250
        assert risk.figures_of(own.positions[0])["weight"].value == pytest.approx(0.12)
