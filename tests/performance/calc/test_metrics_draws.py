import numpy as np
import pytest

from performance.calc import metrics_draws, metrics_equity


def returns(size, seed=6):
    return np.random.default_rng(seed).standard_t(4, size) * 0.02


class TestFigures:
    def test_of_many_rows_are_those_of_each_row(self):
        rows = np.stack([returns(120, seed) for seed in range(5)])

        for name, figure in metrics_draws.FIGURES.items():
            one_by_one = [metrics_equity.DRAWN[name][0](row) for row in rows]
            assert figure(rows) == pytest.approx(one_by_one, abs=1e-12), name

    def test_are_those_that_are_given(self):
        assert set(metrics_draws.FIGURES) == set(metrics_equity.DRAWN)


class TestBounds:
    def test_are_the_same_twice(self):
        assert metrics_draws.bounds(returns(100)) == metrics_draws.bounds(returns(100))

    def test_do_not_depend_on_how_much_is_drawn_at_a_time(self, monkeypatch):
        whole = metrics_draws.bounds(returns(100))
        monkeypatch.setattr(metrics_draws, "LARGEST", 5000)

        assert metrics_draws.bounds(returns(100)) == whole

    def test_need_two_blocks(self):
        assert metrics_draws.bounds(returns(2 * metrics_draws.BLOCK - 1)) == {}
        assert len(metrics_draws.bounds(returns(2 * metrics_draws.BLOCK))) == 6

    def test_leave_out_what_is_not_defined(self):
        found = metrics_draws.bounds(np.full(100, 0.001))

        assert "sortino" not in found  # no loss in any draw
        assert found["max_drawdown"] == (0.0, 0.0)
