import numpy as np
import pytest

from analytics.calc import ab_metrics, market, outcomes, sessions
from tests import markets


@pytest.fixture(scope="module")
def seen():
    made = markets.make_market(seed=3, symbols=20, length=90)
    panel = made.panel()
    numbers = np.array([sessions.number(day) for day in made.sessions], np.int32)
    reach = outcomes.coverage(numbers, size=sessions.calendar().size)
    every = np.arange(panel.height)
    return market.view(panel, reach=reach, numbers=numbers, extra=every)


def lists(seen):
    random = np.random.default_rng(5)
    return [np.sort(random.choice(seen.panel.height, 300, replace=False)) for _ in range(2)]


class TestPair:
    def test_averages_the_settled_picks_of_each_session(self, seen):
        sides = lists(seen)

        paired = ab_metrics.pair(seen, sides)

        for side, rows in enumerate(sides):
            for place, number in enumerate(seen.numbers):
                here = rows[seen.panel.session[rows] == number]
                known = here[~np.isnan(seen.lean.return_14[here])]
                assert paired.picks[side, place] == known.size
                held = paired.values["return_14"][side, place]
                if known.size:
                    assert held == pytest.approx(seen.lean.return_14[known].mean())
                else:
                    assert np.isnan(held)

    def test_is_no_difference_between_a_list_and_itself(self, seen):
        rows = lists(seen)[0]

        paired = ab_metrics.pair(seen, [rows, rows])

        for metric in ab_metrics.METRICS:
            difference = paired.difference(metric)
            assert (difference[~np.isnan(difference)] == 0).all()

    def test_joins_stretches(self, seen):
        paired = ab_metrics.pair(seen, lists(seen))

        joined = ab_metrics.join([paired, paired])

        assert joined.session.size == 2 * paired.session.size
        assert joined.pooled("win_rate", 0) == pytest.approx(paired.pooled("win_rate", 0))
