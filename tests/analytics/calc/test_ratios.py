"""Return and risk figures, held to libraries that nobody here wrote and to simulation."""

import numpy as np
import pytest
from scipy import stats

from analytics.calc import ratios

RETURNS = np.random.default_rng(7).standard_t(4, 750) * 0.012 - 0.0002


def test_agrees_with_empyrical_on_return_and_risk():
    empyrical = pytest.importorskip("empyrical")
    seen = ratios.moments(RETURNS)

    assert seen.annual_sharpe == pytest.approx(empyrical.sharpe_ratio(RETURNS))
    assert ratios.max_drawdown(RETURNS) == pytest.approx(empyrical.max_drawdown(RETURNS))
    assert ratios.annual_return(RETURNS) == pytest.approx(empyrical.annual_return(RETURNS))
    assert ratios.sortino(RETURNS) == pytest.approx(empyrical.sortino_ratio(RETURNS))
    assert ratios.calmar(RETURNS) == pytest.approx(empyrical.calmar_ratio(RETURNS))


class TestMoments:
    def test_agree_with_scipy_and_keep_the_raw_kurtosis(self):
        seen = ratios.moments(RETURNS)

        assert seen.skew == pytest.approx(stats.skew(RETURNS))
        assert seen.kurtosis == pytest.approx(stats.kurtosis(RETURNS, fisher=False))

    @pytest.mark.parametrize("series", [[], [0.1, 0.2], [0.01] * 50])
    def test_of_too_little_or_of_no_variation_are_none(self, series):
        assert ratios.moments(np.array(series)) is None


class TestStandardError:
    def test_is_that_of_simulated_skewed_returns(self):
        # gamma returns: skewness -1 x 2 / sqrt(shape), raw kurtosis 3 + 6 / shape
        random = np.random.default_rng(11)
        shape, n, runs = 1.5, 500, 4000
        draws = -(random.gamma(shape, 1.0, (runs, n)) - shape) / shape**0.5
        draws = 0.01 * draws + 0.003
        sharpes = draws.mean(axis=1) / draws.std(axis=1, ddof=1)
        truth = ratios.Moments(n=n, sharpe=0.3, skew=-2 / shape**0.5, kurtosis=3 + 6 / shape)
        excess = ratios.Moments(n=n, sharpe=0.3, skew=-2 / shape**0.5, kurtosis=6 / shape)
        normal = ratios.Moments(n=n, sharpe=0.3, skew=0.0, kurtosis=3.0)

        assert sharpes.std() == pytest.approx(truth.standard_error, rel=0.04)
        assert sharpes.std() != pytest.approx(normal.standard_error, rel=0.1)
        assert sharpes.std() != pytest.approx(excess.standard_error, rel=0.02)

    def test_makes_the_probability_uniform_where_nothing_is_earned(self):
        random = np.random.default_rng(3)
        found = [
            ratios.moments(random.normal(0, 0.01, 250)).probability_above(0.0) for _ in range(2000)
        ]

        assert stats.kstest(found, "uniform").pvalue > 0.01


class TestDrawdown:
    def test_counts_from_the_starting_capital(self):
        assert ratios.max_drawdown(np.array([-0.5, 0.2])) == pytest.approx(-0.5)


class TestExpectedBest:
    @pytest.mark.parametrize("count", [5, 20, 100])
    def test_is_near_the_mean_highest_of_simulated_trials(self, count):
        highest = np.random.default_rng(5).normal(0, 0.1, (20_000, count)).max(axis=1).mean()

        assert ratios.expected_best(count, 0.1) == pytest.approx(highest, rel=0.03)

    def test_needs_a_choice(self):
        with pytest.raises(ValueError, match="no selection"):
            ratios.expected_best(1, 0.1)


def trial(seed, like=None, noise=0.0):
    random = np.random.default_rng(seed)
    values = random.normal(0, 0.01, 200) if like is None else np.array(list(like.values()))
    values = values + random.normal(0, 0.01, 200) * noise
    return {f"{at:04d}": float(value) for at, value in enumerate(values)}


class TestDeflate:
    def test_counts_alike_trials_once(self):
        first = trial(1)

        assert ratios.clusters([first, trial(2, first, 0.2), trial(3), first]) == [0, 0, 1, 0]

    def test_does_not_compare_trials_of_different_years(self):
        later = {f"9{day}": value for day, value in trial(1).items()}

        assert ratios.clusters([trial(1), later]) == [0, 1]

    def test_is_none_before_there_is_a_choice(self):
        first = trial(1)
        own = ratios.moments(np.array(list(first.values())))

        assert ratios.deflate(own, [own.sharpe, own.sharpe], [first, trial(2, first, 0.1)]) is None

    def test_discounts_the_best_of_many(self):
        series = [trial(seed) for seed in range(30)]
        seen = [ratios.moments(np.array(list(own.values()))) for own in series]
        best = max(seen, key=lambda own: own.sharpe)

        found = ratios.deflate(best, [own.sharpe for own in seen], series)

        assert best.probability_above(0.0) > 0.85
        assert found.probability < 0.6
        assert (found.trials, found.effective) == (30, 30)

    def test_discounts_more_for_looks_that_left_no_returns(self):
        series = [trial(seed) for seed in range(5)]
        seen = [ratios.moments(np.array(list(own.values()))) for own in series]
        sharpes = [own.sharpe for own in seen]

        found = ratios.deflate(seen[0], sharpes, series, unmeasured=1000)

        assert found.cautious < found.probability
        assert found.probability == ratios.deflate(seen[0], sharpes, series).cautious
