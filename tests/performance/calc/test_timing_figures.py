import numpy as np
import pytest

from performance.calc import timing_figures
from performance.calc.timing_figures import Replayed, Timed, bridge, exit_lab, figures, terciles


def timed(n=30, **columns):
    chance = np.random.default_rng(2)
    own = {
        "opened": np.arange(n) * 20,
        "closed": np.arange(n) * 20 + 5,
        "delay": np.array([0.0, 1.0, 2.0] * n)[:n],
        "entry_cost": chance.normal(0.01, 0.02, n),
        "entry_score": chance.uniform(50, 100, n),
        "exit_score": chance.uniform(0, 100, n),
        "exit_efficiency": chance.uniform(0, 1, n),
        "mfe": chance.uniform(0, 1, n),
        "mae": -chance.uniform(0, 0.5, n),
        "post_exit_mfe": chance.uniform(0, 1, n),
        "signal_value": np.full(n, 1000.0),
        "delay_cost": np.full(n, 20.0),
        "profit": np.full(n, -50.0),
        "left_during": np.full(n, 30.0),
        "left_after": np.full(n, 40.0),
        "volatility_20": np.linspace(0.02, 0.3, n),
    }
    return Timed(**{**own, **columns})


def ask(kind, own):
    return kind(own, source="imported", as_of=None)


class TestFigures:
    def test_are_means_over_trades(self):
        own = timed()

        found = ask(figures, own)

        assert found["market_timing_score"].value == pytest.approx(own.entry_score.mean())
        assert found["mean_delay"].value == 1.0
        assert found["bought_at_once"].value == pytest.approx(1 / 3)
        assert all(each.low <= each.value <= each.high for each in found.values())

    def test_leave_out_what_is_not_known(self):
        score = np.where(np.arange(30) < 10, np.nan, 80.0)

        found = ask(figures, timed(entry_score=score))["market_timing_score"]

        assert (found.value, found.n) == (80.0, 20)

    def test_keep_scores_within_a_hundred(self):
        found = ask(figures, timed(n=6, entry_score=np.array([100.0, 100, 100, 100, 100, 20])))

        assert found["market_timing_score"].high == 100

    def test_of_four_trades_are_not_given(self):
        assert {each.value for each in ask(figures, timed(n=4)).values()} == {None}


class TestBridge:
    def test_adds_up_from_signal_to_fill(self):
        steps = {step["key"]: step["usd"] for step in bridge(timed())}

        assert steps["signal"] + steps["delay"] == steps["fill"] == 30 * 1020
        assert steps["profit"] == -1500
        assert (steps["left_during"], steps["left_after"]) == (900, 1200)

    def test_counts_only_trades_whose_signal_price_is_known(self):
        cost = np.where(np.arange(30) < 10, np.nan, 20.0)

        steps = bridge(timed(delay_cost=cost))

        assert {step["n"] for step in steps} == {20}

    def test_of_open_trades_has_nothing_after(self):
        after = np.where(np.arange(30) < 10, np.nan, 40.0)

        assert bridge(timed(left_after=after))[-1]["n"] == 20


class TestTerciles:
    def test_split_the_trades_in_three(self):
        cost = np.repeat([0.0, 0.02, 0.1], 10)

        found = ask(terciles, timed(entry_cost=cost))

        assert [each["n"] for each in found] == [10, 10, 10]
        assert [each["entry_cost"].value for each in found] == pytest.approx([0, 0.02, 0.1])
        assert found[0]["to"] == found[1]["from"]

    def test_need_fifteen_trades(self):
        assert ask(terciles, timed(n=14)) == []
        assert len(ask(terciles, timed(n=15))) == 3


def replayed(difference, n=40, known=None):
    chance = np.random.default_rng(4)
    actual = chance.normal(0, 0.2, n)
    result = actual + difference + chance.normal(0, 0.02, n)
    if known is not None:
        result[known:] = np.nan
    opened = np.arange(n) * 20
    return Replayed(
        names=["rule"], results=result[None, :], actual=actual, opened=opened, closed=opened + 5
    )


class TestExitLab:
    @pytest.mark.parametrize(
        ("difference", "verdict"),
        [(0.05, "better"), (-0.05, "worse"), (0.0, "cannot be told apart")],
    )
    def test_compares_trade_by_trade(self, difference, verdict):
        found = ask(exit_lab, replayed(difference))[0]

        assert found["verdict"] == verdict
        assert found["difference"].value == pytest.approx(
            found["mean"].value - found["actual"].value
        )
        assert found["difference"].low <= difference <= found["difference"].high

    def test_is_narrower_than_two_means_apart(self):
        found = ask(exit_lab, replayed(0.01))[0]

        paired = found["difference"].high - found["difference"].low
        assert paired < (found["mean"].high - found["mean"].low) / 3

    def test_is_refused_below_twenty_trades(self):
        found = ask(exit_lab, replayed(0.05, known=19))[0]

        assert found["verdict"] == "refused"
        assert (found["difference"].value, found["better"], found["n"]) == (None, None, 19)
        assert found["difference"].reason == "19 trades, 20 are needed"

    def test_holds_a_rule_against_the_same_trades_only(self):
        found = ask(exit_lab, replayed(0.05, known=25))[0]

        assert found["actual"].n == found["mean"].n == 25

    def test_asks_for_as_many_as_the_rules_do(self):
        from analytics.calc import exits

        assert timing_figures.FEWEST_REPLAYED == exits.FEWEST
