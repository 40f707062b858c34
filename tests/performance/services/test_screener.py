"""The screener: what it leaves out, in which order, and as CSV."""

from datetime import date, timedelta

import pytest

from performance.calc.spans import WHOLE, Span
from performance.services import screener
from performance.services.screener import Screen
from tests.factories import make_batch, make_candidate, make_tracking, make_variant

LAST = date(2024, 6, 28)


def symbols(**asked):
    screen = Screen(**{"span": WHOLE, **asked})
    return [row.symbol for row in screener.get_page(source="imported", screen=screen).rows]


@pytest.fixture
def three(db):
    """Three candidates of one batch that differ in everything one can ask for."""
    batch = make_batch(session=LAST, variant=make_variant(name="B"))
    high = make_candidate(batch=batch, symbol="HIGH", rank=1, score=90, ret_1=None)
    middle = make_candidate(
        batch=batch, symbol="MID", rank=2, score=60, ret_1=0.5, pattern="VIGL_SQUEEZE",
        volume_alert=True,
    )  # fmt: skip
    low = make_candidate(batch=batch, symbol="LOW", rank=3, score=30, ret_1=-0.1, short_fuel=True)
    make_tracking(candidate=high, outcome="explosive", explosive=True, peak_close_return=0.7)
    make_tracking(candidate=middle, status="pending")
    return high, middle, low


@pytest.mark.usefixtures("three")
class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "left"),
        [
            ({}, ["HIGH", "MID", "LOW"]),
            ({"symbol": "mid"}, ["MID"]),
            ({"variant": "B"}, ["HIGH", "MID", "LOW"]),
            ({"variant": "B v1"}, ["HIGH", "MID", "LOW"]),
            ({"variant": "B v2"}, []),
            ({"pattern": "VIGL_SQUEEZE"}, ["MID"]),
            ({"flags": ("volume_alert",)}, ["MID"]),
            ({"flags": ("volume_alert", "short_fuel")}, []),
            ({"flags": ("no_such_flag",)}, ["HIGH", "MID", "LOW"]),
            ({"min_score": 60.0}, ["HIGH", "MID"]),
            ({"outcome": "explosive"}, ["HIGH"]),
            ({"outcome": "settled"}, ["HIGH"]),
            ({"outcome": "open"}, ["MID", "LOW"]),
            ({"outcome": "no_entry"}, []),
            ({"span": Span(first=LAST + timedelta(days=1))}, []),
        ],
    )
    def test_leaves(self, asked, left):
        assert symbols(**asked) == left

    def test_leaves_superseded_and_simulated_rows_out(self):
        make_candidate(batch=make_batch(session=date(2024, 6, 27), is_current=False), symbol="OLD")
        make_candidate(session=date(2024, 6, 27), source="simulated", symbol="FAKE")

        assert symbols() == ["HIGH", "MID", "LOW"]


@pytest.mark.usefixtures("three")
class TestOrder:
    @pytest.mark.parametrize(
        ("sort", "order"),
        [
            ("score", ["LOW", "MID", "HIGH"]),
            ("-score", ["HIGH", "MID", "LOW"]),
            ("symbol", ["HIGH", "LOW", "MID"]),
            ("no such column", ["HIGH", "MID", "LOW"]),
        ],
    )
    def test_sorts(self, sort, order):
        assert symbols(sort=sort) == order

    @pytest.mark.parametrize("sort", ["ret_1", "-ret_1"])
    def test_puts_the_unknown_last_either_way(self, sort):
        assert symbols(sort=sort)[-1] == "HIGH"

    @pytest.mark.parametrize("name", sorted(screener.SORTS))
    def test_can_sort_by_every_column(self, name):
        assert len(symbols(sort=f"-{name}")) == 3


@pytest.mark.django_db
class TestPages:
    def test_shows_fifty_at_a_time_and_counts_all(self):
        batch = make_batch(session=LAST)
        for rank in range(1, 53):
            make_candidate(batch=batch, symbol=f"S{rank:02d}", rank=rank)

        found = screener.get_page(source="imported", screen=Screen(span=WHOLE, page=2))

        assert (found.total, found.pages, found.numbers) == (52, 2, (51, 52))

    def test_shows_the_last_page_where_a_later_one_is_asked_for(self):
        make_candidate(session=LAST)

        found = screener.get_page(source="imported", screen=Screen(span=WHOLE, page=9))

        assert (found.page, len(found.rows)) == (1, 1)

    def test_asks_as_often_with_many_rows_as_with_one(self, django_assert_num_queries):
        batch = make_batch(session=LAST)
        for rank in range(1, 30):
            make_tracking(candidate=make_candidate(batch=batch, symbol=f"S{rank}", rank=rank))

        with django_assert_num_queries(4):
            screener.get_page(source="imported", screen=Screen(span=WHOLE))

    def test_says_nothing_where_nothing_was_scanned(self):
        found = screener.get_page(source="imported", screen=Screen())

        assert (found.first, found.total, found.rows, found.freshness) == (None, 0, [], None)


@pytest.mark.usefixtures("three")
class TestCsv:
    def rows(self, source="imported", **asked):
        screen = Screen(**{"span": WHOLE, **asked})
        return list(screener.get_csv_rows(source=source, screen=screen))

    def test_has_exactly_the_rows_that_are_filtered_in_their_order(self):
        header, *rows = self.rows(min_score=60.0, sort="score")

        assert [row[header.index("symbol")] for row in rows] == ["MID", "HIGH"]

    def test_leaves_the_unknown_empty(self):
        header, first, *_ = self.rows()

        assert first[header.index("ret_1_fraction")] == ""

    def test_says_simulated_in_its_first_line(self):
        make_candidate(session=LAST, source="simulated")

        first, *_ = self.rows(source="simulated")

        assert first[0].startswith("SIMULATED")


class TestCsvCell:
    @pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\tx", "\rx"])
    def test_quotes_what_a_spreadsheet_would_run(self, text):
        assert screener.csv_cell(text) == f"'{text}"

    @pytest.mark.parametrize(
        ("value", "cell"), [(None, ""), (-0.5, "-0.5"), ("VIGL", "VIGL"), (True, "True")]
    )
    def test_leaves_numbers_and_plain_words_as_they_are(self, value, cell):
        assert screener.csv_cell(value) == cell
