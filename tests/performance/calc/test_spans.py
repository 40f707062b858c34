"""The range of a page: what the address says, and which days that is."""

from datetime import date

import pytest

from performance.calc.spans import DEFAULT, WHOLE, Span

NEWEST = date(2023, 12, 29)


class TestSpan:
    def test_counts_days_back_from_the_newest_session_with_both_ends(self):
        assert Span(days=7).days_of(NEWEST) == (date(2023, 12, 23), NEWEST)

    def test_keeps_the_ends_it_was_given(self):
        span = Span(first=date(2022, 1, 3), last=date(2022, 6, 30))

        assert span.days_of(NEWEST) == (date(2022, 1, 3), date(2022, 6, 30))

    def test_leaves_the_end_open_at_the_newest_session(self):
        assert Span(first=date(2022, 1, 3)).days_of(NEWEST) == (date(2022, 1, 3), NEWEST)

    def test_holds_everything_without_a_limit(self):
        first, last = WHOLE.days_of(NEWEST)

        assert first < date(2000, 1, 1)
        assert last == NEWEST

    @pytest.mark.parametrize(
        ("span", "key", "query"),
        [
            (DEFAULT, "90", "range=90"),
            (WHOLE, "all", "range=all"),
            (Span(first=date(2022, 1, 3)), "custom", "from=2022-01-03"),
            (
                Span(first=date(2022, 1, 3), last=date(2022, 1, 4)),
                "custom",
                "from=2022-01-03&to=2022-01-04",
            ),
        ],
    )
    def test_says_itself_as_an_address(self, span, key, query):
        assert (span.key, span.query) == (key, query)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"days": 0},
            {"days": 7, "first": NEWEST},
            {"first": NEWEST, "last": date(2023, 1, 3)},
        ],
    )
    def test_refuses_what_makes_no_sense(self, wrong):
        with pytest.raises(ValueError):
            Span(**wrong)
