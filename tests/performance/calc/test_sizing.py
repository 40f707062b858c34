from datetime import date

import numpy as np
import pytest
from scipy import stats

from performance.calc import sizing

DAY = date(2024, 6, 28)
ABOUT = {"source": "imported", "as_of": DAY}


def suggested(**fields):
    wanted = {
        "p_low": 0.5, "loss": 0.2, "gain": 0.4, "equity": 10_000.0, "price": 3.0,
        "dollar_volume": 5e6, "size_limit": 0.1, **fields,
    }  # fmt: skip
    return sizing.suggest(**wanted)


class TestHalfKelly:
    def test_is_half_of_what_grows_a_repeated_bet_fastest(self):
        p, loss, gain = 0.6, 0.2, 0.4
        sizes = np.linspace(0, 4.9, 100_001)
        growth = p * np.log1p(sizes * gain) + (1 - p) * np.log1p(-sizes * loss)

        best = sizes[np.argmax(growth)]

        assert sizing.half_kelly(p_low=p, loss=loss, gain=gain) == pytest.approx(best / 2, abs=1e-3)

    @pytest.mark.parametrize(
        ("p_low", "gain"), [(1 / 3, 0.4), (0.1, 0.4), (0.9, 0.0), (0.9, -0.1), (0.0, 1.0)]
    )
    def test_is_zero_without_an_edge(self, p_low, gain):
        assert sizing.half_kelly(p_low=p_low, loss=0.2, gain=gain) == pytest.approx(0.0, abs=1e-12)

    @pytest.mark.parametrize("fields", [{"p_low": 1.1, "loss": 0.2}, {"p_low": 0.5, "loss": 0.0}])
    def test_refuses_what_is_no_bet(self, fields):
        with pytest.raises(ValueError, match="no size"):
            sizing.half_kelly(gain=0.4, **fields)


class TestLossAtStop:
    def test_takes_what_candidates_really_fell(self):
        mae = -np.arange(1, 101) / 100

        assert sizing.loss_at_stop(0.15, mae) == pytest.approx(np.quantile(-mae, 0.95))

    def test_takes_the_stop_where_it_is_further(self):
        assert sizing.loss_at_stop(0.5, np.full(60, -0.1)) == 0.5

    def test_is_unknown_under_60_candidates(self):
        mae = np.append(np.full(59, -0.1), np.nan)

        assert sizing.loss_at_stop(0.5, mae) is None


class TestSuggest:
    def test_takes_the_smallest_limit_and_names_it(self):
        assert suggested().binding == "size limit"
        assert suggested().fraction == 0.1
        assert suggested(dollar_volume=5000.0).binding == "liquidity limit"
        assert suggested(dollar_volume=5000.0).fraction == pytest.approx(0.05)
        assert suggested(size_limit=1.0, p_low=0.34).binding == "half Kelly"

    def test_rounds_down_to_whole_shares(self):
        assert suggested(price=3.01).shares == 332

    def test_zero_says_that_no_edge_was_measured(self):
        found = suggested(p_low=0.2)

        assert (found.fraction, found.shares, found.binding) == (0.0, 0, sizing.NO_EDGE)

    @pytest.mark.parametrize("missing", ["p_low", "loss", "equity", "dollar_volume"])
    def test_gives_no_size_where_something_is_missing(self, missing):
        found = suggested(**{missing: None})

        assert found.fraction is None
        assert found.reason

    def test_gives_no_size_without_equity(self):
        assert suggested(equity=0.0).fraction is None


class TestRankCorrelation:
    def test_agrees_with_scipy(self):
        rng = np.random.default_rng(2)
        weight, result = rng.integers(1, 5, 40).astype(float), rng.normal(size=40)

        found = sizing.rank_correlation(weight, result, **ABOUT)

        assert found.value == pytest.approx(stats.spearmanr(weight, result).statistic, abs=1e-12)
        assert found.low < found.value < found.high
        assert "independence assumed" in found.method

    def test_of_a_perfect_order_stays_inside_its_interval(self):
        found = sizing.rank_correlation(np.arange(20.0), np.arange(20.0), **ABOUT)

        assert found.low <= found.value <= found.high <= 1

    @pytest.mark.parametrize(
        ("weight", "result"),
        [(np.arange(9.0), np.arange(9.0)), (np.ones(20), np.arange(20.0))],
        ids=["nine trades", "one weight"],
    )
    def test_is_not_given_where_it_would_say_nothing(self, weight, result):
        assert sizing.rank_correlation(weight, result, **ABOUT).value is None


class TestCapitalLessEqual:
    def test_is_the_difference_of_two_means(self):
        rng = np.random.default_rng(3)
        capital, result = rng.uniform(100, 900, 30), rng.normal(0, 0.3, 30)
        group = np.arange(30) // 3

        found = sizing.capital_less_equal(capital, result, group, **ABOUT)

        assert found.value == pytest.approx(np.average(result, weights=capital) - result.mean())
        assert "10 clusters" in found.method

    def test_of_equal_stakes_is_zero_for_sure(self):
        result = np.random.default_rng(3).normal(0, 0.3, 30)

        found = sizing.capital_less_equal(np.full(30, 5.0), result, np.arange(30), **ABOUT)

        assert found.value == pytest.approx(0.0, abs=1e-12)
        assert found.high - found.low == pytest.approx(0.0, abs=1e-12)

    def test_covers_the_truth(self):
        rng = np.random.default_rng(5)
        inside = 0
        for _ in range(300):
            group = np.repeat(np.arange(20), 3)
            shared = rng.normal(0, 0.2, 20)[group]
            capital = rng.uniform(100, 900, 60)
            found = sizing.capital_less_equal(
                capital, shared + rng.normal(0, 0.3, 60), group, **ABOUT
            )
            inside += found.low <= 0 <= found.high
        assert 0.90 <= inside / 300 <= 0.99

    def test_is_not_given_under_5_clusters(self):
        found = sizing.capital_less_equal(np.ones(20), np.ones(20), np.arange(20) // 5, **ABOUT)

        assert found.value is None
        assert "4 clusters" in found.reason
