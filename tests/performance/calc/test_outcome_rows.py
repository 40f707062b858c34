import numpy as np
import pytest

from analytics.calc import sessions
from performance.calc import outcome_rows
from tests.analytics.calc.test_market import FIRST, LENGTH, bars, make_panel, view


def columns(made, rows, signal):
    return outcome_rows.columns(
        view(made, first=0, last=LENGTH), np.array(rows), np.array(signal) + FIRST
    )


class TestColumns:
    def test_say_why_there_is_no_outcome(self):
        made = make_panel(bars("A", 4.0, skip={21}), kinds={"A": "common"})

        found, _ = columns(made, [20, 54, -1, 30], [20, 55, 9, 31])

        assert found["status"].tolist() == ["no_entry", "pending", "no_entry", "settled"]
        reasons = found["reason"]
        assert reasons[0] == f"no bar on {sessions.day(FIRST + 21)}"
        assert str(sessions.day(FIRST + LENGTH - 1)) in reasons[1]
        assert reasons[2:] == [outcome_rows.GONE, ""]

    def test_name_a_missing_open(self):
        rows = bars("A", 4.0)
        rows[21] = (*rows[21][:2], None, *rows[21][3:])
        made = make_panel(rows, kinds={"A": "common"})

        found, _ = columns(made, [20], [20])

        assert found["reason"] == [f"no open on {sessions.day(FIRST + 21)}"]
        assert found["proxy_return_14"][0] == 0.0

    def test_leave_flags_open_until_they_are_known(self):
        made = make_panel(bars("A", 4.0), kinds={"A": "common"})

        found, state = columns(made, [10, 50], [10, 50])

        assert found["explosive"].tolist() == [False, None]
        assert found["outcome"].tolist() == ["poor", ""]
        assert found["sessions_to_peak"] == [1, None]
        assert found["entry_session"] == [sessions.day(FIRST + 11), sessions.day(FIRST + 51)]
        assert state.tolist() == [1, 0]

    def test_compare_with_spy_only_where_both_are_due(self):
        made = make_panel(bars("A", 4.0), bars("SPY", 400.0), kinds={"A": "common", "SPY": "etf"})

        found, _ = columns(made, [10, 50], [10, 50])

        assert found["spy_return_14"][0] == pytest.approx(0.0)
        assert np.isnan(found["spy_return_14"][1])
        assert found["spy_return_7"].tolist() == [0.0, 0.0]

    def test_have_no_spy_without_it(self):
        made = make_panel(bars("A", 4.0), kinds={"A": "common"})

        found, _ = columns(made, [10], [10])

        assert np.isnan(found["spy_return_1"]).all()
        assert np.isnan(found["excess_14"]).all()
