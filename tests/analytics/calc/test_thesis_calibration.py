import pytest

from analytics.calc.thesis_calibration import BETA_BINOMIAL, PLATT, calibrated


class TestCalibrated:
    def test_is_the_mean_of_the_beta_distribution(self):
        said = {calibrated(p, method=BETA_BINOMIAL, parameters={"alpha": 3.0, "beta": 7.0})
                for p in (0.1, 0.9)}  # fmt: skip

        assert said == {0.3}

    @pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9, 1.0])
    def test_leaves_a_probability_alone_at_slope_1(self, p):
        same = calibrated(p, method=PLATT, parameters={"slope": 1.0, "intercept": 0.0})

        assert same == pytest.approx(p, abs=1e-5)

    def test_draws_toward_the_middle_at_a_small_slope(self):
        drawn = calibrated(0.9, method=PLATT, parameters={"slope": 0.5, "intercept": 0.0})

        assert drawn == pytest.approx(0.75)

    def test_stays_a_probability_far_out(self):
        far = calibrated(0.5, method=PLATT, parameters={"slope": 1.0, "intercept": -1000.0})

        assert far == 0.0

    def test_refuses_what_it_does_not_know(self):
        with pytest.raises(ValueError, match="isotonic"):
            calibrated(0.5, method="isotonic", parameters={})
        with pytest.raises(ValueError, match="0 to 1"):
            calibrated(1.5, method=PLATT, parameters={})
