from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from analytics.calc import panel, sessions
from analytics.calc.panel import DuplicateSession, NotASession
from tests.markets import SCHEMAS, from_rows

START = sessions.number(date(2022, 3, 1))


def day(at: int) -> date:
    return sessions.day(START + at)


def bars(symbol: str, *at: int) -> list[tuple]:
    return [(symbol, day(k), 2.0, 2.0, 2.0, 2.0, 1e6) for k in at]


def frame(rows: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMAS["bars"], orient="row")


class TestBuild:
    def test_refuses_a_session_that_occurs_twice(self):
        with pytest.raises(DuplicateSession, match=f"B {day(3)} occurs twice"):
            panel.build(frame([*bars("A", 1, 2), *bars("B", 3, 3)]))

    def test_refuses_bars_out_of_order(self):
        with pytest.raises(DuplicateSession):
            panel.build(frame(bars("A", 2, 1)))
        with pytest.raises(DuplicateSession, match="not sorted by symbol"):
            panel.build(frame([*bars("B", 1), *bars("A", 1)]))

    def test_refuses_a_day_without_trading(self):
        with pytest.raises(NotASession, match="2022-03-05"):
            panel.build(frame([("A", date(2022, 3, 5), 1, 1, 1, 1.0, 1.0)]))
        with pytest.raises(NotASession, match="calendar"):
            panel.build(frame([("A", date(1971, 3, 5), 1, 1, 1, 1.0, 1.0)]))

    def test_of_nothing_is_empty(self):
        made = from_rows(splits=[("A", day(1), 2.0, sessions.opening(day(1)))]).panel()

        assert (made.height, made.segments) == (0, 0)

    def test_takes_null_prices_as_nan(self):
        made = panel.build(frame([("A", day(0), None, None, None, 2.0, 1e6)]))

        assert np.isnan([made.open[0], made.high[0], made.low[0]]).all()
        assert made.close[0] == 2


class TestSplits:
    def splits_of(self, *splits: tuple[date, float], at: tuple[int, ...] = (0, 1, 4)) -> list:
        rows = [("A", when, ratio, sessions.opening(when)) for when, ratio in splits]
        return from_rows(bars=bars("A", *at), splits=rows).panel().split.tolist()

    def test_take_effect_on_their_day(self):
        assert self.splits_of((day(1), 2.0)) == [1, 2, 1]

    def test_without_a_bar_take_effect_on_the_next_one(self):
        assert self.splits_of((day(2), 2.0)) == [1, 1, 2]

    def test_between_two_bars_multiply(self):
        assert self.splits_of((day(2), 2.0), (day(4), 5.0)) == [1, 1, 10]

    def test_on_a_weekend_take_effect_on_monday(self):
        assert day(4) == date(2022, 3, 7)
        assert self.splits_of((date(2022, 3, 5), 2.0)) == [1, 1, 2]

    def test_before_the_first_bar_and_after_the_last_change_nothing(self):
        assert self.splits_of((day(0), 2.0), (day(9), 3.0)) == [1, 1, 1]

    def test_of_another_listing_change_nothing(self):
        rows = from_rows(
            bars=bars("A", 0, 1, 4),
            splits=[("A", day(3), 2.0, sessions.opening(day(3)))],
            securities=[("A", day(0), day(1), "common"), ("A", day(4), day(4), "common")],
        )

        assert rows.panel().split.tolist() == [1, 1, 1]

    def test_entered_twice_count_once(self):
        assert self.splits_of((day(1), 2.0), (day(1), 2.0)) == [1, 2, 1]


class TestListings:
    def test_cut_a_ticker_where_a_new_one_begins(self):
        made = from_rows(
            bars=[*bars("A", 0, 1, 30, 31), *bars("B", 0, 30)],
            securities=[
                ("A", day(0), day(1), "common"),
                ("A", day(30), day(31), "adr"),
                ("B", day(0), day(40), "etf"),
            ],
        ).panel()

        assert made.segment_start.tolist() == [0, 2, 4, 6]
        assert made.segment_symbol.tolist() == [0, 0, 1]
        assert (made.segment_first - START).tolist() == [0, 30, 0]
        assert (made.segment_after - START).tolist()[1] == 1
        assert made.segment_scannable.tolist() == [True, True, False]
        assert made.segment_common.tolist() == [True, False, False]

    def test_of_a_symbol_that_nobody_lists_are_not_scanned(self):
        made = from_rows(bars=bars("A", 0, 1)).panel()

        assert made.segments == 1
        assert not made.segment_scannable.any()

    def test_that_began_before_the_first_bar_keep_their_beginning(self):
        made = from_rows(bars=bars("A", 5, 6), securities=[("A", day(-99), day(6), "adr")]).panel()

        assert (made.segment_first - START).tolist() == [-99]

    def test_of_which_the_reading_holds_no_bar_are_left_out(self):
        made = from_rows(
            bars=bars("A", 30, 31),
            securities=[("A", day(0), day(9), "etf"), ("A", day(29), day(40), "common")],
        ).panel()

        assert made.segments == 1
        assert (made.segment_after - START).tolist() == [9]
        assert made.segment_common.all()


class TestRecords:
    def known(self, *instants: datetime, about: int = -9) -> list[int]:
        rows = [("A", day(about + k), at, 1e6, 1.0) for k, at in enumerate(instants)]
        made = from_rows(bars=bars("A", 0), short_interest=rows).panel()
        return (made.short_interest.known - START).tolist()

    def test_are_known_from_the_session_whose_cut_off_they_reach(self):
        evening = sessions.cut_off(day(2))
        late = datetime(2022, 3, 4, 4, 59, tzinfo=UTC)  # 23:59 in New York on the 3rd

        assert day(2) == date(2022, 3, 3)
        assert self.known(sessions.opening(day(2))) == [2]
        assert self.known(evening) == [2]
        assert self.known(late) == [2]
        assert self.known(evening.replace(microsecond=1)) == [3]

    def test_of_a_weekend_are_known_on_monday(self):
        assert self.known(datetime(2022, 3, 5, 15, 0, tzinfo=UTC)) == [4]

    def test_are_not_known_before_the_day_that_they_are_about(self):
        assert self.known(sessions.opening(day(1)), about=3) == [3]

    def test_that_come_after_a_newer_one_are_left_out(self):
        rows = [
            ("A", day(5), sessions.opening(day(9)), 1e6, 1.0),
            ("A", day(1), sessions.opening(day(12)), 2e6, 1.0),
            ("A", day(8), sessions.opening(day(14)), 3e6, 1.0),
        ]

        made = from_rows(bars=bars("A", 0), short_interest=rows).panel()

        assert made.short_interest.values["shares_short"].tolist() == [1e6, 3e6]

    def test_of_unknown_symbols_are_left_out(self):
        rows = [("Z", day(5), sessions.opening(day(9)), 1e6, 1.0)]

        assert (
            from_rows(bars=bars("A", 0), short_interest=rows).panel().short_interest.known.size == 0
        )


class TestInThreads:
    @pytest.mark.parametrize("cores", [1, 2, 3, 8])
    def test_covers_every_item_once(self, cores, monkeypatch):
        monkeypatch.setattr(panel, "FEWEST_FOR_THREADS", 0)
        monkeypatch.setattr(panel, "cpu_count", lambda: cores)
        seen = np.zeros(50, int)

        def work(first: int, last: int) -> None:
            seen[first:last] += 1

        panel.in_threads(work, np.concatenate([[0], np.cumsum(np.arange(50) % 7)]))

        assert (seen == 1).all()
