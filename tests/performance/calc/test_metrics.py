import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performance.calc import metrics
from performance.calc.metrics import Trades, clusters, figures


def trades(returns, *, invested=None, opened=None, hold=5, at_zero=None):
    values = np.array(returns, dtype=np.float64)
    begin = np.array(opened if opened is not None else np.arange(values.size) * 20, dtype=np.int64)
    return Trades(
        returns=values,
        at_zero=np.array(at_zero, dtype=np.float64) if at_zero else values,
        invested=np.array(invested or [100.0] * values.size, dtype=np.float64),
        opened=begin,
        closed=begin + hold,
    )


def shown(own, *, by_capital=False, source="imported"):
    return figures(own, by_capital=by_capital, source=source, as_of=None)


def value(own, name, **more):
    return shown(own, **more)[name].value


MIXED = [0.6, 0.2, -0.1, -0.3, 0.1, 0.9]


class TestFigures:
    def test_count_each_trade_alike(self):
        found = {name: each.value for name, each in shown(trades(MIXED)).items()}

        assert found == pytest.approx(
            {
                "win_rate": 4 / 6,
                "average_return": 1.4 / 6,
                "median_return": 0.15,
                "explosive_growth_rate": 2 / 6,
                "profit_factor": 1.8 / 0.4,
                "expectancy": 1.4 / 6,
                "payoff_ratio": 0.45 / 0.2,
            }
        )

    def test_weigh_by_capital(self):
        own = trades(MIXED, invested=[100, 100, 100, 1000, 100, 100])

        found = {name: each.value for name, each in shown(own, by_capital=True).items()}

        assert found["win_rate"] == pytest.approx(400 / 1500)
        assert found["average_return"] == pytest.approx((180 - 10 - 300) / 1500)
        assert found["median_return"] == pytest.approx(-0.3)
        assert found["profit_factor"] == pytest.approx(180 / 310)
        assert found["payoff_ratio"] == pytest.approx((180 / 400) / (310 / 1100))

    def test_call_only_more_than_half_explosive(self):
        assert value(trades([0.5, 0.5, 0.5, 0.5, 0.51]), "explosive_growth_rate") == 0.2

    def test_of_four_trades_are_not_given(self):
        found = shown(trades(MIXED[:4]))

        assert {each.value for each in found.values()} == {None}
        assert found["win_rate"].reason == "4 trades, 5 are needed"
        assert found["win_rate"].n == 4

    def test_without_a_loss_have_no_profit_factor(self):
        found = shown(trades([0.1] * 5))

        assert found["profit_factor"].value is None
        assert "there is no loss" in found["profit_factor"].reason
        assert found["win_rate"].value == 1

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.floats(-1, 5), min_size=5, max_size=40), st.booleans(), st.integers(0, 99))
    def test_lie_in_their_intervals(self, returns, by_capital, seed):
        invested = np.random.default_rng(seed).uniform(10, 1000, len(returns)).tolist()

        found = shown(trades(returns, invested=invested), by_capital=by_capital)

        for each in found.values():
            if each.low is not None:
                assert each.low - 1e-12 <= each.value <= each.high + 1e-12
        assert found["expectancy"].value == pytest.approx(found["average_return"].value, abs=1e-9)

    def test_say_that_independence_is_assumed(self):
        assert shown(trades(MIXED))["win_rate"].method == "Wilson, independence assumed"

    def test_of_the_sample_market_are_labelled(self):
        assert shown(trades(MIXED), source="simulated")["win_rate"].status == "simulated"


class TestIntervals:
    def test_need_five_clusters(self):
        together = shown(trades(MIXED, opened=[0, 1, 2, 3, 4, 5]))["average_return"]
        apart = shown(trades(MIXED))["average_return"]

        assert (together.low, together.high) == (None, None)
        assert together.reason == "no interval: 1 clusters of overlapping windows, 5 are needed"
        assert apart.low < apart.value < apart.high

    def test_are_as_wide_as_few_clusters_deserve(self):
        """Trades of one day that move together say no more than one of them."""
        alone = trades([0.3, -0.1, 0.2, -0.2, 0.1], opened=[0, 20, 40, 60, 80])
        copied = trades(
            [r for r in (0.3, -0.1, 0.2, -0.2, 0.1) for _ in range(4)],
            opened=[at for at in (0, 20, 40, 60, 80) for _ in range(4)],
        )

        one, four = shown(alone)["average_return"], shown(copied)["average_return"]

        assert four.high - four.low == pytest.approx(one.high - one.low)

    def test_of_means_cover(self):
        """Overlapping trades of an account that is always invested, sharing a market."""
        chance, hits, asked = np.random.default_rng(5), 0, 150
        for _ in range(asked):
            opened = np.sort(chance.integers(0, 250, 125))
            hold = chance.integers(2, 15, 125)
            walk = np.concatenate([[0], np.cumsum(chance.normal(0, 0.01, 270))])
            own = walk[opened + hold] - walk[opened] + chance.normal(0, 0.15, 125)
            found = shown(trades(own, opened=opened, hold=hold))["average_return"]
            hits += found.low <= 0 <= found.high

        assert 0.88 <= hits / asked <= 0.99


class TestClusters:
    def test_join_windows_that_overlap_through_others(self):
        found = clusters(np.array([0, 4, 8, 30]), np.array([5, 9, 12, 33]))

        assert found.tolist() == [0, 0, 0, 1]

    def test_keep_the_order_of_the_trades(self):
        found = clusters(np.array([30, 0, 31]), np.array([33, 5, 40]))

        assert found.tolist() == [1, 0, 1]

    def test_cut_a_chain_after_fourteen_sessions_of_entries(self):
        opened = np.arange(0, 42)

        found = clusters(opened, opened + 5)

        assert np.bincount(found).tolist() == [metrics.BLOCK] * 3

    def test_of_nothing_are_none(self):
        assert clusters(np.empty(0, np.int64), np.empty(0, np.int64)).size == 0


class TestTrades:
    @pytest.mark.parametrize(
        "wrong", [{"invested": [0.0] * 6}, {"hold": -1}, {"at_zero": [0.1]}], ids=str
    )
    def test_refuse_what_cannot_be(self, wrong):
        with pytest.raises(ValueError, match="trade"):
            trades(MIXED, **wrong)

    def test_of_a_frozen_quote_can_be_held_at_zero(self):
        own = trades(MIXED, at_zero=[-1.0, *MIXED[1:]])

        assert value(own.frozen_at_zero(), "average_return") == pytest.approx(-0.2 / 6)
