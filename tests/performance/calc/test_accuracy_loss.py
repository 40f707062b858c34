import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from performance.calc.accuracy_loss import losses


class TestLosses:
    @settings(deadline=None)
    @given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
    def test_are_scikit_learns(self, cases):
        p, hit = (np.array(column) for column in zip(*cases, strict=True))

        found = losses(p, hit)

        assert found.brier.mean() == pytest.approx(brier_score_loss(hit, p, pos_label=True))
        assert found.log_loss.mean() == pytest.approx(
            log_loss(hit, p, labels=[False, True]), abs=1e-9
        )

    def test_of_a_certainty_that_was_wrong_is_large_not_endless(self):
        found = losses([1.0, 0.0], [False, True])

        assert found.brier.tolist() == [1.0, 1.0]
        assert (found.log_loss > 36).all()
        assert np.isfinite(found.log_loss).all()
