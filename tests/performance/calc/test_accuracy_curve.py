import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from analytics.calc import intervals
from performance.calc import accuracy_curve
from tests.performance.calc.forecasters import cases, overconfident, truths

PROBABILITIES = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 1), st.sampled_from([k / 10 for k in range(11)])), st.booleans()
    ),
    min_size=1,
    max_size=60,
)


def arrays(drawn):
    p, hit = zip(*drawn, strict=True)
    return np.array(p, dtype=float), np.array(hit, dtype=bool)


def drawn(seed, size, say=lambda true: true):
    random = np.random.default_rng(seed)
    true = truths(random, size)
    return say(true), random.random(size) < true


class TestCurve:
    @settings(deadline=None)
    @given(PROBABILITIES)
    def test_is_scikit_learns(self, rows):
        p, hit = arrays(rows)

        found = accuracy_curve.binned(p, hit)

        true, said = calibration_curve(hit, p, n_bins=10, strategy="uniform", pos_label=True)
        assert found.true == pytest.approx(true)
        assert found.said == pytest.approx(said)

    def test_has_wilsons_intervals_which_clustering_widens(self):
        p, hit = drawn(1, 500)
        found = accuracy_curve.binned(p, hit)
        basis = cases(p, hit).basis

        plain, clustered = (accuracy_curve.curve(found, effect, basis) for effect in (1.0, 4.0))

        third = plain[3]
        assert (third.low, third.high) == pytest.approx((0.3, 0.4))
        hits = third.came_true.value * third.n
        assert (third.came_true.low, third.came_true.high) == pytest.approx(
            intervals.wilson(hits, third.n)
        )
        assert clustered[3].came_true.low < third.came_true.low
        assert "4.0" in clustered[3].came_true.method

    def test_intervals_cover(self):
        held = total = 0
        for seed in range(150):
            random = np.random.default_rng(seed)
            true = truths(random, 400)
            p = overconfident(true)
            hit = random.random(400) < true
            found = accuracy_curve.binned(p, hit)
            expected = np.bincount(found.place, weights=true) / found.n
            for own, rate in zip(
                accuracy_curve.curve(found, 1.0, cases(p, hit).basis), expected, strict=True
            ):
                held += own.came_true.low <= rate <= own.came_true.high
                total += 1
        assert 0.935 <= held / total <= 0.975


class TestDecompose:
    @settings(deadline=None)
    @given(PROBABILITIES)
    def test_makes_the_brier_score(self, rows):
        p, hit = arrays(rows)
        found = accuracy_curve.binned(p, hit)

        parts = accuracy_curve.decompose(p, hit, found)

        whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bins
        assert whole == pytest.approx(np.mean((p - hit) ** 2))
        coarse = np.mean((found.said[found.place] - hit) ** 2)
        assert parts.reliability - parts.resolution + parts.uncertainty == pytest.approx(coarse)

    def test_tells_a_constant_forecast_from_a_sharp_one(self):
        hit = np.arange(100) < 30
        flat, sharp = np.full(100, 0.3), np.where(hit, 0.95, 0.05)

        unskilled, skilled = (
            accuracy_curve.decompose(p, hit, accuracy_curve.binned(p, hit)) for p in (flat, sharp)
        )

        assert (unskilled.reliability, unskilled.resolution) == pytest.approx((0, 0), abs=1e-12)
        assert skilled.resolution == pytest.approx(0.21)

    def test_refuses_sums_that_are_wrong(self):
        p, hit = drawn(1, 50)
        found = accuracy_curve.binned(p, hit)

        with pytest.raises(ArithmeticError, match="parts"):
            accuracy_curve.decompose(p, ~hit, found)


def true_error(p, true):
    """The error that the forecaster really has over these bins."""
    found = accuracy_curve.binned(p, true > 0.5)
    expected = np.bincount(found.place, weights=true) / found.n
    return float(found.n / p.size @ np.abs(found.said - expected))


class TestCalibrationError:
    @pytest.mark.parametrize(
        ("name", "say"),
        [
            ("perfect", lambda true: true),
            ("over-confident", overconfident),
            ("constant", lambda true: np.full(true.size, 0.4)),
            ("too high", lambda true: np.minimum(true + 0.1, 1.0)),
        ],
    )
    def test_interval_covers(self, name, say):
        held, repeats = 0, 120
        for seed in range(repeats):
            random = np.random.default_rng([seed, len(name)])
            true = truths(random, 300)
            p = say(true)
            hit = random.random(300) < true
            found = accuracy_curve.binned(p, hit)
            estimate = accuracy_curve.calibration_error(found, 1.0, cases(p, hit).basis)
            held += estimate.low - 1e-3 <= true_error(p, true) <= estimate.high + 1e-3
        assert held / repeats >= 0.94

    def test_of_a_perfect_forecaster_stays_within_chance(self):
        inside = 0
        for seed in range(250):
            p, hit = drawn(seed, 300)
            found = accuracy_curve.binned(p, hit)
            seen = accuracy_curve.calibration_error(found, 1.0, cases(p, hit).basis).value
            inside += seen <= accuracy_curve.error_by_chance(found, 1.0)
        assert 0.925 <= inside / 250 <= 0.975

    def test_of_the_overconfident_does_not(self):
        p, hit = drawn(5, 300, overconfident)
        found = accuracy_curve.binned(p, hit)

        estimate = accuracy_curve.calibration_error(found, 1.0, cases(p, hit).basis)

        assert estimate.low > 0
        assert estimate.value > accuracy_curve.error_by_chance(found, 1.0)

    def test_is_refused_with_too_few(self):
        p, hit = drawn(1, 29)
        found = accuracy_curve.binned(p, hit)

        estimate = accuracy_curve.calibration_error(found, 1.0, cases(p, hit).basis)

        assert estimate.value is None
        assert "30" in estimate.reason
