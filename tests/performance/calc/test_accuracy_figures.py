from datetime import date

import numpy as np
import pytest
from scipy.stats import t

from analytics.calc import intervals
from performance.calc import accuracy_figures
from performance.calc.accuracy_figures import FEWEST_THESES, Basis


def basis(numbers):
    return Basis(
        session=np.asarray(numbers, dtype=np.int32), source="imported", as_of=date(2024, 6, 28)
    )


class TestRate:
    def test_of_few_sessions_is_wilsons_and_says_what_it_assumes(self):
        found = accuracy_figures.rate(np.arange(40) < 30, basis(np.arange(40)))

        assert (found.value, found.n) == (0.75, 40)
        assert (found.low, found.high) == intervals.wilson(30, 40)
        assert "independence assumed" in found.method

    def test_of_many_sessions_knows_that_theses_of_a_session_move_together(self):
        random = np.random.default_rng(3)
        numbers = np.repeat(np.arange(200), 10)
        together = np.repeat(random.random(200) < 0.4, 10)
        alone = random.random(2000) < 0.4

        clustered, free = (
            accuracy_figures.rate(successes, basis(numbers)) for successes in (together, alone)
        )

        assert clustered.high - clustered.low > 2 * (free.high - free.low)
        assert "n_eff" in clustered.method

    @pytest.mark.parametrize("n", [0, FEWEST_THESES - 1])
    def test_is_refused_with_too_few(self, n):
        found = accuracy_figures.rate(np.ones(n, bool), basis(np.arange(n)))

        assert (found.value, found.n, found.status) == (None, n, "insufficient_data")
        assert str(FEWEST_THESES) in found.reason

    @pytest.mark.parametrize("per_session", [1, 8])
    def test_covers(self, per_session):
        """Sessions have rates of their own; the interval still holds the overall one."""
        random = np.random.default_rng(8)
        held = 0
        for _ in range(300):
            rates = random.beta(4, 6, 120)
            numbers = np.repeat(np.arange(120), per_session)
            found = accuracy_figures.rate(
                random.random(numbers.size) < rates[numbers], basis(numbers)
            )
            held += found.low <= 0.4 <= found.high
        assert 0.92 <= held / 300 <= 0.985


class TestMean:
    def test_of_few_sessions_is_students(self):
        values = np.random.default_rng(1).random(25)

        found = accuracy_figures.mean(values, basis(np.arange(25)))

        low, high = t.interval(0.95, 24, values.mean(), values.std(ddof=1) / 5)
        assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))

    def test_of_many_sessions_is_clustered(self):
        values = np.random.default_rng(1).random(600)

        found = accuracy_figures.mean(values, basis(np.arange(600) // 5))

        assert "EWC" in found.method


class TestDesignEffect:
    def test_tells_ten_of_a_kind_from_ten(self):
        random = np.random.default_rng(4)
        numbers = np.repeat(np.arange(300), 10)

        same = accuracy_figures.design_effect(
            np.repeat(random.normal(size=300), 10), basis(numbers)
        )
        free = accuracy_figures.design_effect(random.normal(size=3000), basis(numbers))

        assert same == pytest.approx(10, rel=0.5)
        assert free < 2

    def test_is_one_where_it_cannot_be_told(self):
        assert accuracy_figures.design_effect(np.arange(30.0), basis(np.arange(30))) == 1
        assert accuracy_figures.design_effect(np.empty(0), basis([])) == 1
        assert accuracy_figures.design_effect(np.zeros(100), basis(np.arange(100))) == 1
