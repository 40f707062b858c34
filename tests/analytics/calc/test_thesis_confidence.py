import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import beta

from analytics.calc import thesis_calibration
from analytics.calc.thesis_confidence import beta_below, beta_quantile, confidence

SHRUNK = {"alpha": 6.0, "beta": 14.0}
SCALED = {
    "intercept": -0.4,
    "slope": 0.6,
    "var_intercept": 0.04,
    "var_slope": 0.09,
    "covariance": 0.01,
}


class TestBeta:
    @settings(deadline=None)
    @given(st.floats(0.001, 0.999), st.floats(0.05, 300), st.floats(0.05, 300))
    def test_is_scipys(self, x, a, b):
        assert beta_below(x, a, b) == pytest.approx(beta.cdf(x, a, b), abs=1e-9)

    @settings(deadline=None)
    @given(st.floats(0.01, 0.99), st.floats(0.5, 300), st.floats(0.5, 300))
    def test_quantile_is_scipys(self, share, a, b):
        assert beta_quantile(share, a, b) == pytest.approx(beta.ppf(share, a, b), abs=1e-8)

    @pytest.mark.parametrize(("share", "a"), [(0.0, 1.0), (1.0, 1.0), (0.5, 0.0)])
    def test_has_no_quantile_outside(self, share, a):
        with pytest.raises(ValueError, match="no quantile"):
            beta_quantile(share, a, 1.0)


class TestConfidence:
    def test_of_a_young_group_is_its_shrunk_rate_whatever_the_author_says(self):
        shy, bold = (
            confidence(p, method="beta_binomial", parameters=SHRUNK, n=0) for p in (0.1, 0.9)
        )

        assert shy.value == bold.value == 0.3
        assert (bold.low, bold.high) == pytest.approx(beta.ppf([0.025, 0.975], 6, 14))
        assert bold.raw == 0.9

    def test_of_a_grown_group_comes_from_its_fit(self):
        found = confidence(0.8, method="platt", parameters=SCALED, n=60)

        middle = -0.4 + 0.6 * logit(0.8)
        half = 1.959964 * np.sqrt(0.04 + 2 * logit(0.8) * 0.01 + logit(0.8) ** 2 * 0.09)
        assert found.value == pytest.approx(expit(middle))
        assert found.low == pytest.approx(expit(middle - half), abs=1e-6)
        assert found.high == pytest.approx(expit(middle + half), abs=1e-6)
        assert (found.n, found.method) == (60, "platt")

    @settings(deadline=None)
    @given(st.floats(0, 1))
    def test_holds_its_value(self, p):
        found = confidence(p, method="platt", parameters=SCALED, n=60)

        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.value == thesis_calibration.calibrated(p, method="platt", parameters=SCALED)

    def test_refuses_what_is_no_probability(self):
        with pytest.raises(ValueError, match="0 to 1"):
            confidence(1.2, method="platt", parameters=SCALED, n=60)

    def test_names_a_missing_parameter(self):
        with pytest.raises(KeyError, match="var_intercept"):
            confidence(0.5, method="platt", parameters={"intercept": 0, "slope": 1}, n=60)
