import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calc import outcomes
from performance.calc import winners

NONE = np.empty(0, np.int64)


def capture(rows, *, candidates=(), gate=(), chance=(), best=()):
    """Capture of explosive days of one listing, whose rows are its sessions."""
    days = np.array(rows, np.int64)
    joined = outcomes.episodes(np.zeros(days.size, np.int32), days.astype(np.int32))
    return winners.capture(
        joined,
        days,
        candidates=np.array(candidates, np.int64),
        gate=np.array(gate, np.int64),
        chance=np.array(chance, float),
        best=np.array(best, np.int64),
    )


class TestCapture:
    def test_needs_a_candidate_between_first_and_last_day(self):
        found = capture([10, 12, 40], candidates=[9, 11, 41])

        assert found.captured.tolist() == [True, False]
        assert found.first_row.tolist() == [11, -1]
        assert found.days.tolist() == [2, 1]
        assert found.days_captured.tolist() == [0, 0]

    def test_counts_the_days_on_which_it_was_a_candidate(self):
        assert capture([10, 12, 13], candidates=[10, 13]).days_captured.tolist() == [2]

    def test_gives_a_random_draw_its_chance(self):
        found = capture([10, 12, 40], gate=[10, 11, 30, 40], chance=[0.5, 0.5, 1.0, 0.2])

        assert found.random == pytest.approx([0.75, 0.2])

    def test_is_certain_where_everything_is_drawn(self):
        assert capture([10], gate=[10], chance=[1.0]).random == pytest.approx([1.0])

    def test_knows_the_best_three(self):
        assert capture([10, 40], best=[40]).best.tolist() == [False, True]

    def test_of_nothing_is_nothing(self):
        assert capture([], candidates=[1]).captured.size == 0

    def test_finds_the_best_return_of_each_episode(self):
        found = capture([10, 12, 40])

        assert found.best_return(np.array([0.5, 0.9, 0.7])).tolist() == [0.9, 0.7]

    @given(
        st.sets(st.integers(0, 120), min_size=1, max_size=25),
        st.sets(st.integers(0, 120), max_size=25),
    )
    def test_agrees_with_a_plain_reading(self, days, named):
        found = capture(sorted(days), candidates=sorted(named))

        runs, run = [], []
        for day in sorted(days):
            if run and day - run[-1] > 14:
                runs.append(run)
                run = []
            run.append(day)
        runs.append(run)
        expected = [any(run[0] <= day <= run[-1] for day in named) for run in runs]
        assert found.captured.tolist() == expected
        assert found.days_captured.tolist() == [len(named & set(run)) for run in runs]

    @given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
    def test_of_an_episode_does_not_depend_on_what_stands_before_it(self, gaps):
        gate = np.cumsum(np.array(gaps) + 1) + 50
        chance = np.linspace(0.01, 0.3, gate.size)
        days = [int(gate[0]), int(gate[-1])]

        alone = capture(days, gate=gate, chance=chance)
        among = capture([1, *days], gate=[1, *gate], chance=[0.123, *chance])

        assert among.random[-1] == alone.random[-1]


class TestBestOfEach:
    def test_takes_three_of_each_session_best_first(self):
        session = np.array([0, 0, 0, 0, 1])
        peak = np.array([0.1, 0.9, 0.5, 0.7, 0.0])

        found = winners.best_of_each(session, np.arange(5), peak)

        assert found.tolist() == [1, 3, 2, 4]

    def test_breaks_ties_by_row(self):
        found = winners.best_of_each(np.zeros(4, int), np.array([7, 3, 5, 1]), np.ones(4))

        assert found.tolist() == [3, 1, 2]

    def test_of_nothing_is_nothing(self):
        assert winners.best_of_each(NONE, NONE, np.empty(0)).size == 0
