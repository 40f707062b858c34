import math
from datetime import date

import numpy as np
import pytest

from analytics.calc import evidence, intervals
from analytics.calc.evidence import Estimate, Status

AS_OF = date(2023, 6, 30)
KEPT = {"source": "imported", "as_of": AS_OF}


def pooled(hits, counts):
    return intervals.ratio(np.asarray(hits, float), np.asarray(counts, float))


class TestEstimate:
    def test_refuses_a_value_that_is_called_insufficient(self):
        with pytest.raises(ValueError, match="does not fit"):
            Estimate(value=1.0, n=3, source="imported", status=Status.INSUFFICIENT, reason="x")

    def test_refuses_to_be_missing_without_a_reason(self):
        with pytest.raises(ValueError, match="needs a reason"):
            Estimate(value=None, n=3, source="imported", status=Status.INSUFFICIENT)

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_refuses_what_is_no_number(self, value):
        with pytest.raises(ValueError, match="finite"):
            Estimate(value=value, n=3, source="imported", status=Status.OK)

    def test_refuses_half_an_interval(self):
        with pytest.raises(ValueError, match="two bounds"):
            Estimate(value=1.0, n=3, low=0.5, source="imported", status=Status.OK)

    def test_of_the_sample_market_says_so(self):
        found = evidence.measured(value=1.0, n=3, source="simulated", as_of=AS_OF, method="mean")

        assert found.status is Status.SIMULATED

    def test_of_a_claim_says_so(self):
        assert evidence.claimed(value=0.73, n=15).status is Status.CLAIMED


class TestRateEstimate:
    def test_stands_in_its_interval(self):
        found = evidence.rate_estimate(pooled([1, 2] * 40, [10] * 80), **KEPT)

        assert found.status is Status.OK
        assert found.low < found.value == 0.15 < found.high
        assert (found.n, found.as_of, found.source) == (800, AS_OF, "imported")

    def test_is_insufficient_below_sixty_settled_sessions(self):
        found = evidence.rate_estimate(pooled([1] * 59 + [0] * 30, [10] * 59 + [0] * 30), **KEPT)

        assert found.status is Status.INSUFFICIENT
        assert found.value is None
        assert found.n == 590
        assert "59 settled sessions" in found.reason

    def test_is_insufficient_with_nothing(self):
        assert evidence.rate_estimate(None, **KEPT).reason == "nothing has settled"

    def test_of_zero_has_an_upper_bound(self):
        found = evidence.rate_estimate(pooled([0] * 80, [1] * 80), **KEPT)

        assert (found.value, found.low) == (0, 0)
        assert found.high > 0.02


class TestLiftEstimate:
    def test_is_the_rate_over_the_base(self):
        rng = np.random.default_rng(3)
        rate = pooled(rng.binomial(20, 0.1, 200), [20] * 200)
        base = pooled(rng.binomial(500, 0.04, 200), [500] * 200)

        found = evidence.lift_estimate(rate, base, **KEPT)

        assert found.value == pytest.approx(rate.value / base.value)
        assert found.low < found.value < found.high

    def test_of_no_hit_is_not_called_zero(self):
        found = evidence.lift_estimate(
            pooled([0] * 80, [9] * 80), pooled([1] * 80, [9] * 80), **KEPT
        )

        assert found.status is Status.INSUFFICIENT


class TestMedianEstimate:
    def test_stands_in_its_interval(self):
        rng = np.random.default_rng(4)
        values, positions = rng.normal(-0.06, 0.3, 2000), np.repeat(np.arange(100), 20)

        found = evidence.median_estimate(values, positions, 100, **KEPT)

        assert found.value == pytest.approx(np.median(values))
        assert found.low < found.value < found.high
        assert found.n == 2000

    def test_is_insufficient_below_sixty_sessions(self):
        found = evidence.median_estimate(np.ones(30), np.arange(30), 30, **KEPT)

        assert found.status is Status.INSUFFICIENT
