from datetime import date
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calc import listings, sessions
from analytics.lake.schemas import SHAPES
from tests.analytics.lake.frames import bars

MONDAY = date(2024, 6, 3)


def entries(*rows):
    """Entries of symbol lists; a field that is not given is null."""
    named = [{"symbol": "VIGL", "origin": "list", "assumed": False, **row} for row in rows]
    schema = {n: t for n, t in SHAPES["symbols"].columns.items() if n not in ("source", "year")}
    return pl.DataFrame(named, schema=schema, orient="row")


class TestPeriods:
    @pytest.mark.parametrize(("gap", "count"), [(0, 1), (20, 1), (21, 2)])
    def test_end_where_more_than_twenty_sessions_are_missing(self, gap, count):
        later = bars(first=sessions.offset(MONDAY, 2 + gap), count=2)

        assert listings.periods(pl.concat([bars(count=2), later])).height == count

    def test_begin_anew_at_a_shift_of_level(self):
        found = listings.periods(bars(count=4, quality=[0, 0, 6, 0]))

        assert found.rows() == [
            ("VIGL", date(2024, 6, 3), date(2024, 6, 4)),
            ("VIGL", date(2024, 6, 5), date(2024, 6, 6)),
        ]

    def test_of_two_symbols_are_apart(self):
        found = listings.periods(pl.concat([bars("A", count=2), bars("B", count=2)]))

        assert found["symbol"].to_list() == ["A", "B"]

    @given(st.lists(st.integers(0, 120), min_size=1, max_size=30, unique=True))
    def test_cover_every_bar_and_lie_more_than_twenty_sessions_apart(self, offsets):
        days = sorted(sessions.offset(MONDAY, n) for n in offsets)
        frame = pl.DataFrame({"symbol": "A", "session": days, "quality": 0})

        found = listings.periods(frame).rows()

        assert found[0][1] == days[0]
        assert found[-1][2] == days[-1]
        assert all(any(first <= day <= last for _, first, last in found) for day in days)
        ends = [(a[2], b[1]) for a, b in pairwise(found)]
        assert all(sessions.number(b) - sessions.number(a) > 21 for a, b in ends)


class TestDescribe:
    PERIOD = listings.periods(bars(count=10))

    def test_takes_an_entry_that_overlaps(self):
        entry = {"first_date": MONDAY, "last_date": MONDAY, "kind": "spac", "name": "Vigil"}

        row = listings.describe(self.PERIOD, entries(entry)).row(0, named=True)

        assert (row["kind"], row["name"], row["sector"]) == ("spac", "Vigil", "")

    def test_leaves_an_entry_of_another_time(self):
        entry = {"first_date": date(2020, 1, 2), "last_date": date(2021, 1, 4), "kind": "spac"}

        assert listings.describe(self.PERIOD, entries(entry))["kind"].to_list() == ["unknown"]

    def test_takes_what_was_assumed_only_where_no_list_says_anything(self):
        span = {"first_date": MONDAY, "last_date": date(2024, 7, 1)}
        assumed = {**span, "kind": "common", "assumed": True, "origin": "assumed"}
        listed = {"first_date": MONDAY, "last_date": MONDAY, "kind": "etf"}

        assert listings.describe(self.PERIOD, entries(assumed))["kind"].item() == "common"
        assert listings.describe(self.PERIOD, entries(assumed, listed))["kind"].item() == "etf"

    @given(st.permutations(range(5)))
    def test_does_not_depend_on_the_order_of_the_lists(self, order):
        rows = [
            {"first_date": MONDAY, "last_date": MONDAY, "name": "Short", "origin": "a"},
            {"first_date": MONDAY, "last_date": date(2024, 6, 6), "kind": "adr", "origin": "b"},
            {"first_date": MONDAY, "last_date": date(2024, 6, 6), "kind": "etf", "origin": "c"},
            {"first_date": MONDAY, "last_date": date(2024, 6, 7), "sector": "Tech", "origin": "d"},
            {"first_date": MONDAY, "last_date": date(2024, 7, 7), "kind": "fund", "assumed": True},
        ]

        found = listings.describe(self.PERIOD, entries(*(rows[n] for n in order)))

        assert found.select("kind", "name", "sector").rows() == [("adr", "Short", "Tech")]
