import empyrical
import numpy as np
import pytest

from performance.calc import metrics_tails


def returns(size, seed=1):
    return np.random.default_rng(seed).standard_t(4, size) * 0.02


class TestTails:
    @pytest.mark.parametrize("size", [1, 20, 21, 250, 1001])
    @pytest.mark.parametrize("tail", [0.01, 0.05, 0.25])
    def test_agree_with_empyrical(self, size, tail):
        own = returns(size)

        assert metrics_tails.value_at_risk(own, tail=tail) == pytest.approx(
            empyrical.value_at_risk(own, tail), abs=1e-9
        )
        assert metrics_tails.expected_shortfall(own, tail=tail) == pytest.approx(
            empyrical.conditional_value_at_risk(own, tail), abs=1e-9
        )

    def test_of_nothing_are_unknown(self):
        assert metrics_tails.value_at_risk(np.empty(0)) is None
        assert metrics_tails.expected_shortfall(np.empty(0)) is None

    @pytest.mark.parametrize("tail", [0, 1, -0.1])
    def test_refuse_a_tail_that_is_no_share(self, tail):
        for figure in (metrics_tails.value_at_risk, metrics_tails.expected_shortfall):
            with pytest.raises(ValueError, match="share between 0 and 1"):
                figure(returns(5), tail=tail)
