import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.calc import strata


class TestDecile:
    def test_cuts_a_session_into_ten_equal_parts(self):
        values, session = np.arange(100.0)[::-1].copy(), np.zeros(100, int)

        found = strata.decile(values, session, strata.edges(values, session, 1))

        assert np.bincount(found).tolist() == [0] + [10] * 10
        assert found[0] == 10
        assert found[-1] == 1

    def test_knows_nothing_where_volatility_is_not_known(self):
        values, session = np.array([1.0, np.nan, 2.0]), np.zeros(3, int)

        assert strata.decile(values, session, strata.edges(values, session, 1))[1] == 0

    def test_knows_nothing_of_a_session_without_a_base(self):
        lower = strata.edges(np.array([1.0]), np.array([0]), 2)

        assert strata.decile(np.array([1.0]), np.array([1]), lower).tolist() == [0]

    def test_places_strangers_among_the_base(self):
        lower = strata.edges(np.arange(1.0, 11.0), np.zeros(10, int), 1)

        found = strata.decile(np.array([0.5, 5.5, 99.0]), np.zeros(3, int), lower)

        assert found.tolist() == [1, 5, 10]

    @given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=60))
    def test_does_not_mix_sessions(self, rows):
        session = np.array([at for at, _ in rows])
        values = np.array([value for _, value in rows])

        whole = strata.decile(values, session, strata.edges(values, session, 4))

        for at in np.unique(session):
            own = values[session == at]
            none = np.zeros(own.size, int)
            alone = strata.decile(own, none, strata.edges(own, none, 1))
            assert whole[session == at].tolist() == alone.tolist()


class TestCounts:
    def test_leave_out_the_unknown(self):
        found = strata.counts(np.array([0, 1, 10, 10]), np.array([0, 0, 1, 1]), 2)

        assert found.sum() == 3
        assert (found[0, 0], found[1, 9]) == (1, 2)
