"""Bars raw and on the share basis of the last one."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from performance.calc import prices
from performance.calc.prices import Bar, Split

DAYS = [date(2024, 6, day) for day in (24, 25, 26, 27, 28)]


def bars(*closes, **fields):
    return [
        Bar(session=day, **{"open": c, "high": c, "low": c, "close": c, "volume": 100.0, **fields})
        for day, c in zip(DAYS, closes, strict=False)
    ]


class TestAdjusted:
    def test_divides_prices_before_a_split_and_multiplies_volumes(self):
        found = prices.adjusted(bars(10.0, 10.0, 5.0), [Split(ex_date=DAYS[2], ratio=2.0)])

        assert [bar.close for bar in found] == [5.0, 5.0, 5.0]
        assert [bar.volume for bar in found] == [200.0, 200.0, 100.0]

    def test_takes_several_splits_together(self):
        splits = [Split(ex_date=DAYS[1], ratio=2.0), Split(ex_date=DAYS[2], ratio=0.1)]

        found = prices.adjusted(bars(4.0, 2.0, 20.0), splits)

        assert [bar.close for bar in found] == pytest.approx([20.0, 20.0, 20.0])

    def test_counts_a_split_between_two_bars(self):
        found = prices.adjusted(bars(10.0, 5.0), [Split(ex_date=DAYS[1], ratio=2.0)])

        assert found[0].close == 5.0

    def test_leaves_a_split_after_the_last_bar_alone(self):
        raw = bars(10.0, 10.0)

        assert prices.adjusted(raw, [Split(ex_date=DAYS[4], ratio=2.0)]) == raw

    def test_keeps_the_unknown_unknown(self):
        found = prices.adjusted(bars(10.0, 5.0, open=None), [Split(ex_date=DAYS[1], ratio=2.0)])

        assert found[0].open is None

    @given(st.floats(0.01, 100), st.integers(0, 4))
    def test_keeps_the_dollars_traded(self, ratio, at):
        raw = bars(3.0, 4.0, 5.0, 6.0, 7.0)

        found = prices.adjusted(raw, [Split(ex_date=DAYS[at], ratio=ratio)])

        assert [b.close * b.volume for b in found] == pytest.approx(
            [b.close * b.volume for b in raw]
        )


class TestSplit:
    @pytest.mark.parametrize(
        ("ratio", "words"),
        [
            (2.0, "2-for-1 split"),
            (0.1, "1-for-10 reverse split"),
            (0.111111, "1-for-9 reverse split"),
        ],
    )
    def test_is_told_in_words(self, ratio, words):
        assert Split(ex_date=DAYS[0], ratio=ratio).words == words
