import numpy as np
import pytest

from analytics.calc.market import base_counts
from analytics.calc.outcomes import State
from performance.calc import batch_rows
from tests.analytics.calc.test_market import bars, make_panel, view

NAN = float("nan")


def picks(*rows):
    """Candidates as (place, first signal, state, return_14, best close, decile)."""
    place, first, state, held, peak, decile = zip(*rows, strict=True) if rows else ((),) * 6
    return batch_rows.Picks(
        place=np.array(place, np.int64),
        row=np.arange(len(place)),
        first=np.array(first, bool),
        state=np.array(state, np.int8),
        final=np.array(state) != State.PENDING if rows else np.empty(0, bool),
        return_14=np.array(held, float),
        peak=np.array(peak, float),
        decile=np.array(decile, np.int64),
    )


CHOSEN = picks(
    (0, True, State.SETTLED, 0.6, 0.8, 10),
    (0, False, State.SETTLED, -0.1, 0.5, 10),
    (0, True, State.DELISTED, -0.9, -0.2, 3),
    (0, True, State.NO_ENTRY, NAN, NAN, 3),
    (1, True, State.PENDING, NAN, NAN, 0),
)


class TestCandidateColumns:
    def test_count_by_session(self):
        found = batch_rows.candidate_columns(CHOSEN, 3)

        assert found["candidates"].tolist() == [4, 1, 0]
        assert found["settled"].tolist() == [3, 0, 0]
        assert (found["delisted"][0], found["no_entry"][0], found["pending"][1]) == (1, 1, 1)
        assert (found["explosive"][0], found["explosive_held"][0]) == (2, 1)
        assert found["positive_14"].tolist() == [1, 0, 0]
        assert found["sum_return_14"] == pytest.approx([-0.4, 0, 0])
        assert (found["first_settled"][0], found["first_explosive"][0]) == (2, 1)
        assert found["first_sum_return_14"][0] == pytest.approx(-0.3)

    def test_are_zero_without_candidates(self):
        assert batch_rows.candidate_columns(picks(), 2)["settled"].tolist() == [0, 0]


class TestDecileColumns:
    def test_put_candidates_beside_the_base(self):
        made = make_panel(bars("A", 4.0), kinds={"A": "common"})
        base = base_counts(view(made, first=30, last=32))

        found = np.array(batch_rows.decile_columns(CHOSEN, base))

        assert found.shape == (2, 10, 6)
        assert found[0, 9].tolist()[:4] == [2, 2, 1, 1]
        assert found[0, 2].tolist()[:4] == [1, 0, 1, 0]
        assert found[:, :, 4].sum() == base.n.sum() == 2


class TestGateColumns:
    def test_name_the_best_by_hindsight(self):
        made = make_panel(
            *(bars(name, 4.0) for name in "ABCD"), kinds=dict.fromkeys("ABCD", "common")
        )
        seen = view(made, first=30, last=32)
        rows = np.flatnonzero(seen.position[made.session] == 0)
        gate = batch_rows.Gate(rows=rows, coverage=np.array([0.6, 0.8, 1.0, 0.6]))

        found, best = batch_rows.gate_columns(seen, gate)

        assert found["gate_n"].tolist() == [4, 0]
        assert found["best"] == [[["A", 0.0], ["B", 0.0], ["C", 0.0]], []]
        assert found["best_n"].tolist() == [3, 0]
        assert best.tolist() == rows[:3].tolist()
        assert found["gate_coverage"][0] == pytest.approx(0.75)
        assert found["best_coverage"][0] == pytest.approx(0.8)
        assert np.isnan(found["gate_coverage"][1])


class TestFinality:
    def test_needs_thirty_sessions_and_no_open_candidate(self):
        made = make_panel(bars("A", 4.0), kinds={"A": "common"})
        seen = view(made, first=27, last=32)

        found = batch_rows.finality(seen, picks((1, True, State.PENDING, NAN, NAN, 0)))

        assert found.tolist() == [True, False, True, False, False]
