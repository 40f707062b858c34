import pytest

from analytics.services import predictions
from tests import factories

pytestmark = pytest.mark.django_db


class TestFunnel:
    def test_names_each_gate_and_counts_what_it_removed(self):
        batch = factories.make_batch(universe_size=100, funnel=[90, 80, 80, 80, 40, 30, 5, 5, 4])

        steps = predictions.get_funnel(batch=batch)

        assert (steps[0].gate, steps[0].left, steps[0].removed) == ("listed that session", 100, 0)
        assert (steps[5].gate, steps[5].left, steps[5].removed) == ("price band", 40, 40)
        assert (steps[-1].gate, steps[-1].left) == ("coverage", 4)
        assert steps[0].left - sum(step.removed for step in steps) == steps[-1].left
