import empyrical
import numpy as np
import pytest

from performance.calc import risk_figures


def series(seed, size=250):
    return np.random.default_rng(seed).standard_t(4, size) * 0.02


class TestBeta:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_agrees_with_empyrical(self, seed):
        market = series(seed)
        own = 0.7 * market + series(seed + 10)

        assert risk_figures.beta(own, market) == pytest.approx(
            empyrical.beta(own, market), abs=1e-9
        )

    def test_to_a_market_that_never_moved_is_unknown(self):
        assert risk_figures.beta(series(1), np.full(250, 0.001)) is None


class TestVolatility:
    def test_agrees_with_empyrical(self):
        own = series(4)

        assert risk_figures.annual_volatility(own) == pytest.approx(
            empyrical.annual_volatility(own), abs=1e-9
        )

    def test_of_one_return_is_unknown(self):
        assert risk_figures.annual_volatility(np.array([0.01])) is None


class TestConcentration:
    @pytest.mark.parametrize(
        ("parts", "index"), [([5.0], 1.0), ([1.0, 1.0], 0.5), ([3.0, -1.0], 0.625)]
    )
    def test_is_the_sum_of_squared_shares_of_the_gross_value(self, parts, index):
        assert risk_figures.concentration(np.array(parts)) == pytest.approx(index)

    def test_of_nothing_is_unknown(self):
        assert risk_figures.concentration(np.empty(0)) is None

    def test_groups_add_up_whatever_the_side(self):
        found = risk_figures.by_group(np.array([2.0, -1.0, 4.0]), ["tech", "bank", "tech"])

        assert found == {"tech": 6.0, "bank": 1.0}


class TestMeanCorrelation:
    def test_is_the_mean_over_pairs(self):
        returns = np.column_stack([series(1), series(2), series(3)])
        table = np.corrcoef(returns, rowvar=False)

        value, pairs = risk_figures.mean_correlation(returns)

        assert pairs == 3
        assert value == pytest.approx((table[0, 1] + table[0, 2] + table[1, 2]) / 3)

    def test_leaves_out_what_never_moved(self):
        returns = np.column_stack([series(1), series(2), np.zeros(250)])

        assert risk_figures.mean_correlation(returns)[1] == 1

    def test_of_one_holding_is_unknown(self):
        assert risk_figures.mean_correlation(series(1)[:, None]) is None
