from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.calc import sessions
from analytics.clients import files, rows
from analytics.errors import BadAnswer

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([[], [1], {}, {"a": 1}, 10**400, "2024-06-03", "2024-13-45T99:00:00Z"]),
)
COLUMNS = {
    "number": ("n", pl.Float64()),
    "whole": ("i", pl.Int64()),
    "text": ("s", pl.String()),
    "day": ("d", pl.Date()),
    "at": ("t", rows.INSTANT),
}


class TestTable:
    def test_reads_each_value_as_its_type_or_as_nothing(self):
        found = rows.table(
            [
                {"n": 1, "i": 7, "s": "NA", "d": "2024-06-03", "t": "2024-06-03T09:30:00-04:00"},
                {"n": 1.5, "i": "x", "s": 5, "d": "soon", "t": "2024-06-03"},
                {},
            ],
            COLUMNS,
        )

        assert found.rows() == [
            (1.0, 7, "NA", date(2024, 6, 3), datetime(2024, 6, 3, 13, 30, tzinfo=UTC), 1),
            (1.5, None, None, None, None, 2),
            (None, None, None, None, None, 3),
        ]

    def test_takes_an_infinity_for_nothing(self):
        found = rows.table([{"n": float("inf")}, {"n": float("nan")}], COLUMNS)

        assert found["number"].to_list() == [None, None]

    @settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(
        st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys("nisdt", ANYTHING)), max_size=4)
    )
    def test_reads_whatever_a_provider_sends(self, found):
        frame = rows.table(found, COLUMNS)

        assert frame.height == len(found)
        assert frame.schema == {
            **{name: dtype for name, (_, dtype) in COLUMNS.items()},
            "line": files.LINE,
        }


class TestObjects:
    @pytest.mark.parametrize("body", [{}, {"results": None}, {"results": []}])
    def test_are_none_if_they_are_absent(self, body):
        assert rows.objects(body, "results", "here") == []

    @pytest.mark.parametrize("found", [5, "x", {}, [1], [None]])
    def test_are_refused_if_they_are_something_else(self, found):
        with pytest.raises(BadAnswer, match="here: 'results'"):
            rows.objects({"results": found}, "results", "here")


class TestSound:
    def frame(self, *found):
        names = {"symbol": pl.String(), "day": pl.Date(), "x": pl.Float64()}
        return pl.DataFrame(found, schema=names, orient="row").with_row_index("line", 1)

    def sound(self, *found):
        wrong = [("low", pl.col("x") < 0), ("odd", pl.col("x") < 5)]
        return rows.sound(self.frame(*found), wrong, key=["symbol", "day"], data_set="things")

    def test_names_the_first_gate_that_keeps_a_row_out(self):
        day = date(2024, 6, 3)

        kept, faults = self.sound(("A", day, 9.0), ("B", day, -1.0), ("C", day, 1.0))

        assert kept["symbol"].to_list() == ["A"]
        assert faults["gate"].to_list() == ["low", "odd"]
        assert dict(faults.schema) == files.FAULT

    def test_keeps_the_first_usable_row_of_a_key(self):
        day = date(2024, 6, 3)

        kept, faults = self.sound(("A", day, -1.0), ("A", day, 9.0), ("A", day, 8.0))

        assert kept["x"].to_list() == [9.0]
        assert faults.select("line", "gate").rows() == [(1, "low"), (3, "duplicate_key")]

    def test_keeps_out_rows_without_a_key(self):
        kept, faults = self.sound((None, date(2024, 6, 3), 9.0), ("A", None, 9.0))

        assert kept.is_empty()
        assert faults["gate"].to_list() == ["unreadable", "unreadable"]


class TestKnown:
    def test_short_interest_is_the_eighth_session_after_settlement(self):
        known = rows.short_interest_known(date(2026, 1, 15))

        assert known == sessions.opening(date(2026, 1, 28))  # published on the 27th

    def test_an_evening_is_before_the_cut_off_of_its_session(self):
        for day in (date(2024, 1, 3), date(2024, 7, 3)):
            assert sessions.opening(day) < rows.evening(day) < sessions.cut_off(day)
