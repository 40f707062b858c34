from datetime import timedelta
from decimal import Decimal

import empyrical
import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.calc import sessions
from performance.models import PerformanceMetric, Trade
from performance.services import metrics
from tests import factories, risk_market, score_rows
from tests.score_rows import EVENING, LAST

pytestmark = pytest.mark.django_db
NAMES = 7 * 2 + 14 + 5  # over trades twice, of the curve, of money


@pytest.fixture
def account(tmp_path, settings):
    risk_market.store(tmp_path, settings)
    return factories.make_account()


@pytest.fixture
def record(account):
    score_rows.make_record(account, linked=False)
    score_rows.make_equity(account)
    return account


def refresh(now=EVENING, source="imported"):
    return metrics.refresh_metrics(source=source, now=now)


def sheet(days=90, **more):
    return metrics.get_metrics(
        **{"source": "imported", "now": EVENING, "window_days": days, **more}
    )


def value(name, days=90, weighting="equal", **more):
    return sheet(days, **more).get(name, weighting).estimate.value


class TestRefresh:
    def test_stores_every_window_of_all_accounts_and_of_each(self, record):
        changed = refresh()

        assert changed == PerformanceMetric.objects.count() == 2 * len(metrics.WINDOWS) * NAMES

    def test_twice_changes_nothing(self, record):
        refresh()
        before = list(PerformanceMetric.objects.order_by("pk").values())

        assert refresh(EVENING + timedelta(minutes=5)) == 0
        assert list(PerformanceMetric.objects.order_by("pk").values()) == before

    def test_brings_a_changed_trade_up_to_date(self, record):
        refresh()
        rate = value("win_rate", 0)
        won = Trade.objects.filter(return_on_cost__gt=0).first()
        Trade.objects.filter(pk=won.pk).update(return_on_cost=-0.5)

        changed = refresh(EVENING + timedelta(minutes=5))

        assert 0 < changed < PerformanceMetric.objects.count()
        assert value("win_rate", 0) == pytest.approx(rate - 1 / 30)

    def test_keeps_the_days_before(self, record):
        refresh()
        refresh(EVENING + timedelta(days=3))  # Monday evening

        days = PerformanceMetric.objects.values_list("as_of", flat=True).distinct()
        assert set(days) == {LAST, sessions.offset(LAST, 1)}
        assert sheet().as_of == LAST
        assert sheet(now=EVENING + timedelta(days=3)).age == 0

    def test_writes_nothing_without_a_trade(self, account):
        assert refresh() == 0

    def test_drops_the_rows_of_an_account_that_is_no_longer_scored(self, record):
        refresh()
        record.is_active = False
        record.save()
        score_rows.make_record(factories.make_account(), linked=False)

        refresh()

        assert not PerformanceMetric.objects.filter(account=record).exists()


class TestFigures:
    def test_count_the_trades_open_in_the_window(self, record):
        refresh()
        inside = Trade.objects.filter(closed_session__gt=LAST - timedelta(days=90))
        returns = np.array(inside.values_list("return_on_cost", flat=True))

        assert sheet().get("win_rate").estimate.n == returns.size < 30
        assert value("win_rate") == pytest.approx(np.mean(returns > 0))
        assert value("average_return") == pytest.approx(returns.mean())
        assert value("average_return", 0) != value("average_return")

    def test_weigh_by_capital_beside(self, record):
        refresh()
        own = Trade.objects.all()
        profit, cost = sum(t.realised for t in own), sum(t.invested for t in own)

        assert value("average_return", 0, "capital") == pytest.approx(
            float(profit / cost), abs=1e-6
        )
        assert value("realised_usd", 0) == pytest.approx(float(profit))

    def test_of_the_curve_agree_with_empyrical(self, record):
        refresh()
        equity = np.array(
            [
                float(e)
                for e in record.equity_days.order_by("session").values_list("equity", flat=True)
            ]
        )
        returns = np.concatenate([[0.0], equity[1:] / equity[:-1] - 1])

        wanted = {
            "sharpe": empyrical.sharpe_ratio(returns),
            "sortino": empyrical.sortino_ratio(returns),
            "max_drawdown": empyrical.max_drawdown(returns),
            "time_weighted_return": empyrical.cum_returns_final(returns),
        }

        assert {name: value(name, 0) for name in wanted} == pytest.approx(wanted, abs=1e-9)

    def test_are_held_against_spy(self, record):
        refresh()

        assert sheet(0).get("beta").estimate.n == 250
        assert value("spy_return", 0) is not None

    def test_of_open_trades_are_at_mark_and_frozen_ones_also_at_zero(self, record):
        path = risk_market.closes()["AAA"]
        held = score_rows.make_trade(record, "AAA", path, ago=10, hold=None, is_frozen=True)

        refresh()

        shown = sheet(0).get("average_return")
        closed = list(Trade.objects.exclude(pk=held.pk).values_list("return_on_cost", flat=True))
        assert shown.estimate.value == pytest.approx(np.mean([*closed, held.return_on_cost]))
        assert shown.at_zero == pytest.approx(np.mean([*closed, -1.0]))
        assert shown.frozen == 1

    def test_of_trades_without_a_mark_say_so(self, record):
        path = risk_market.closes()["AAA"]
        nothing = {"mark_price": None, "mark_session": None, "unrealised": None}
        score_rows.make_trade(
            record, "AAA", path, ago=10, hold=None, return_on_cost=None, **nothing
        )

        refresh()

        told = sheet(0).get("win_rate").estimate
        assert told.n == 30
        assert told.reason == "1 open trades have no mark and are left out"

    def test_of_a_delisted_holding_count_its_loss(self, record):
        path = risk_market.closes()["BBB"]
        score_rows.make_trade(
            record, "BBB", path, ago=8, status="delisted", exit_price=0, proceeds=0,
            realised=Decimal(-200), return_on_cost=-1.0,
        )  # fmt: skip

        refresh()

        own = list(Trade.objects.values_list("return_on_cost", flat=True))
        assert value("average_return", 0) == pytest.approx(np.mean(own))
        assert min(own) == -1.0

    def test_never_mix_sources(self, record):
        other = factories.make_account(source="simulated")
        score_rows.make_record(other, n=6, linked=False)
        refresh()

        assert sheet(0).get("win_rate").estimate.n == 30

    def test_of_one_account_are_its_own(self, record):
        other = factories.make_account()
        score_rows.make_record(other, n=6, linked=False)
        refresh()

        assert sheet(0).get("win_rate").estimate.n == 36
        assert sheet(0, account=other).get("win_rate").estimate.n == 6

    def test_deflate_the_sharpe_ratio_by_the_trial_ledger(self, record):
        refresh()

        none = sheet(0).get("deflated_sharpe").estimate
        assert none.value is None
        assert "fewer than two independent trials" in none.reason

    def test_of_money_are_weighted_by_when_it_came(self, record):
        refresh()

        rate = sheet(0).get("money_weighted_return").estimate
        whole = value("time_weighted_return", 0)
        days = (LAST - score_rows.day(249)).days
        assert rate.value == pytest.approx((1 + whole) ** (365 / days) - 1, rel=1e-6)
        assert sheet(7).get("money_weighted_return").estimate.reason == "7 days, 30 are needed"


class TestRead:
    def test_of_nothing_says_that_nothing_is_computed(self, account):
        none = sheet()

        assert (none.as_of, none.age) == (None, None)
        assert none.get("win_rate").estimate.reason == "no metrics have been computed yet"

    def test_asks_once(self, record):
        refresh()

        with CaptureQueriesContext(connection) as queries:
            sheet()

        assert len(queries) == 1

    def test_says_how_old_it_is(self, record):
        refresh()

        assert sheet(now=EVENING + timedelta(days=4)).age == 2
