"""Sorting by integers gives what sorting by text gives."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.lake import ordering

KEYS = st.lists(
    st.tuples(
        st.text("ABpz.", min_size=1, max_size=3), st.dates(date(1900, 1, 1), date(2100, 1, 1))
    ),
    max_size=30,
)


def frame(keys):
    made = pl.DataFrame(keys, schema={"symbol": pl.String, "session": pl.Date}, orient="row")
    return made.with_row_index("at")


class TestBySymbol:
    @given(KEYS)
    def test_sorts_as_text_and_dates_sort(self, keys):
        rows = frame(keys)

        expected = rows.sort("symbol", "session", maintain_order=True)
        assert ordering.by_symbol(rows, "session").equals(expected)

    @given(KEYS)
    def test_sorts_by_month_first_where_asked(self, keys):
        rows = frame(keys)

        month = pl.col("session").dt.truncate("1mo")
        expected = rows.sort(month, "symbol", "session", maintain_order=True)
        assert ordering.by_symbol(rows, "session", monthly=True).equals(expected)


class TestIsStrictly:
    @given(KEYS)
    def test_says_whether_keys_are_sorted_and_different(self, keys):
        assert ordering.is_strictly(frame(keys), ["symbol", "session"]) == (
            keys == sorted(set(keys))
        )

    @pytest.mark.parametrize("key", [(None, date(2024, 1, 2)), ("A", None)])
    def test_refuses_a_key_that_is_not_there(self, key):
        assert not ordering.is_strictly(frame([key]), ["symbol", "session"])
