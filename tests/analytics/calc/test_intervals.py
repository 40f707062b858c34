import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analytics.calc import intervals


class TestWilson:
    @pytest.mark.parametrize(("hits", "n"), [(11, 15), (7, 15), (0, 9), (9, 9), (1, 4000)])
    def test_agrees_with_statsmodels(self, hits, n):
        low, high = proportion_confint(hits, n, method="wilson")

        assert intervals.wilson(hits, n) == pytest.approx((low, high), abs=1e-12)

    def test_gives_the_intervals_of_the_claimed_baseline(self):
        low, high = intervals.wilson(11, 15)

        assert (round(low, 2), round(high, 2)) == (0.48, 0.89)

    @pytest.mark.parametrize(("hits", "n"), [(1, 0), (-1, 5), (6, 5)])
    def test_refuses_what_is_no_rate(self, hits, n):
        with pytest.raises(ValueError, match="no rate"):
            intervals.wilson(hits, n)


class TestQuantiles:
    @given(st.floats(0.001, 0.999), st.integers(1, 60))
    def test_of_students_t_agree_with_scipy(self, p, degrees):
        expected = stats.t.ppf(p, degrees)

        assert intervals.t_quantile(p, degrees) == pytest.approx(expected, rel=1e-8, abs=1e-8)

    def test_of_the_normal_agree_with_scipy(self):
        assert intervals.normal_quantile(0.975) == pytest.approx(stats.norm.ppf(0.975), abs=1e-12)

    @pytest.mark.parametrize(("p", "degrees"), [(0, 3), (1, 3), (0.5, 0)])
    def test_refuse_what_has_none(self, p, degrees):
        with pytest.raises(ValueError, match="no quantile"):
            intervals.t_quantile(p, degrees)


class TestLongRunVariance:
    @pytest.mark.parametrize(
        ("sessions", "degrees"), [(60, 3), (111, 3), (112, 4), (500, 17), (672, 24), (5000, 24)]
    )
    def test_counts_its_degrees_as_defined(self, sessions, degrees):
        assert intervals.degrees_of_freedom(sessions) == degrees

    def test_does_not_see_a_shift_of_the_mean(self):
        series = np.random.default_rng(1).normal(size=200)

        assert intervals.long_run_variance(series + 7) == pytest.approx(
            intervals.long_run_variance(series)
        )

    def test_is_the_variance_of_white_noise(self):
        rng = np.random.default_rng(2)

        found = np.mean([intervals.long_run_variance(rng.normal(size=300)) for _ in range(400)])

        assert found == pytest.approx(1.0, abs=0.06)

    def test_refuses_a_series_shorter_than_its_cosines(self):
        with pytest.raises(ValueError, match="too few"):
            intervals.long_run_variance(np.zeros(3))


class TestRatio:
    def test_pools_sums_over_counts(self):
        pooled = intervals.ratio(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 6.0]))

        assert pooled is not None
        assert pooled.value == 0.5
        assert (pooled.n, pooled.settled_sessions, pooled.sessions) == (8, 2, 3)
        assert pooled.influence.sum() == pytest.approx(0)

    def test_is_nothing_without_counts(self):
        assert intervals.ratio(np.zeros(3), np.zeros(3)) is None

    def test_has_the_influence_that_a_small_change_shows(self):
        hits, counts = np.array([3.0, 1.0, 4.0, 2.0]), np.array([9.0, 8.0, 7.0, 9.0])
        pooled = intervals.ratio(hits, counts)
        weights = np.ones(4)
        weights[2] += 1e-6

        moved = (hits @ weights) / (counts @ weights)

        assert (moved - pooled.value) / 1e-6 * 4 == pytest.approx(pooled.influence[2], rel=1e-4)


class TestMatchedBase:
    counts = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]])
    base_n = np.array([[20.0, 10.0], [30.0, 20.0], [25.0, 15.0]])
    base_hits = np.array([[1.0, 2.0], [3.0, 2.0], [0.0, 6.0]])

    def value(self, weights):
        counts, n, hits = (weights @ part for part in (self.counts, self.base_n, self.base_hits))
        return (counts @ (hits / n)) / counts.sum()

    def test_weighs_the_base_rate_of_each_stratum_by_the_candidates(self):
        pooled = intervals.matched_base(self.counts, self.base_n, self.base_hits)

        assert pooled.value == pytest.approx((3 * 4 / 75 + 5 * 10 / 45) / 8)

    @pytest.mark.parametrize("session", [0, 1, 2])
    def test_has_the_influence_that_a_small_change_shows(self, session):
        pooled = intervals.matched_base(self.counts, self.base_n, self.base_hits)
        weights = np.ones(3)
        weights[session] += 1e-6

        moved = (self.value(weights) - pooled.value) / 1e-6

        assert moved * 3 == pytest.approx(pooled.influence[session], rel=1e-4)

    def test_is_nothing_where_a_stratum_has_no_base(self):
        assert intervals.matched_base(np.ones((2, 1)), np.zeros((2, 1)), np.zeros((2, 1))) is None


class TestLogLift:
    def test_is_nothing_for_a_rate_of_zero(self):
        zero = intervals.ratio(np.zeros(4), np.ones(4))
        base = intervals.ratio(np.ones(4), np.full(4, 2.0))

        assert intervals.log_lift(zero, base) is None

    def test_cancels_what_moves_both_alike(self):
        shock = np.array([1.0, 2, 3, 4, 5, 6])
        rate, base = (
            intervals.ratio(shock, np.full(6, 10.0)),
            intervals.ratio(shock, np.full(6, 20.0)),
        )

        lift = intervals.log_lift(rate, base)

        assert lift.value == pytest.approx(math.log(2))
        assert np.abs(lift.influence).max() < 1e-12


class TestEffectiveN:
    def test_is_n_where_candidates_are_independent(self):
        hits = np.tile([1.0, 2.0], 50)

        assert intervals.effective_n(intervals.ratio(hits, np.full(100, 10.0))) == 1000

    def test_shrinks_when_sessions_move_together(self):
        hits = np.repeat([0.0, 10.0], 50)

        assert intervals.effective_n(intervals.ratio(hits, np.full(100, 10.0))) < 10


def overlapping(rng, sessions, candidates):
    """Outcomes with a shock per session that fourteen signals share."""
    shocks = np.convolve(rng.normal(size=sessions + 13), np.ones(14), "valid") / math.sqrt(14)
    return 0.3 * shocks[:, None] + rng.normal(size=(sessions, candidates))


class TestCoverage:
    repetitions = 400

    @pytest.mark.parametrize("sessions", [84, 400])
    def test_of_means_is_near_95_percent_with_overlapping_windows(self, sessions):
        rng = np.random.default_rng(7)
        covered = 0
        for _ in range(self.repetitions):
            outcome = overlapping(rng, sessions, 20)
            mean = intervals.ratio(outcome.sum(axis=1), np.full(sessions, 20.0))
            covered += abs(mean.value) <= mean.critical * mean.standard_error

        assert 0.91 <= covered / self.repetitions <= 0.985

    @pytest.mark.parametrize("sessions", [84, 400])
    def test_of_rates_is_near_95_percent_with_overlapping_windows(self, sessions):
        rng = np.random.default_rng(8)
        truth = stats.norm.sf(1.2 / math.sqrt(1 + 0.3**2))
        covered = 0
        for _ in range(self.repetitions):
            hits = (overlapping(rng, sessions, 20) > 1.2).sum(axis=1).astype(float)
            low, high = intervals.rate_bounds(intervals.ratio(hits, np.full(sessions, 20.0)))
            covered += low <= truth <= high

        assert 0.91 <= covered / self.repetitions <= 0.985

    def test_of_rates_would_fall_short_if_candidates_were_taken_as_independent(self):
        rng = np.random.default_rng(9)
        truth = stats.norm.sf(1.2 / math.sqrt(1 + 0.3**2))
        covered = 0
        for _ in range(self.repetitions):
            hits = (overlapping(rng, 400, 20) > 1.2).sum()
            low, high = intervals.wilson(hits, 8000)
            covered += low <= truth <= high

        assert covered / self.repetitions < 0.8
