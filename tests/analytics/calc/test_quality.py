from datetime import date

import polars as pl
import pytest

from analytics.calc import quality, sessions
from tests.analytics.lake.frames import bars, days_from

MONDAY = date(2024, 6, 3)
NO_SPLITS = pl.DataFrame(schema={"symbol": pl.String, "ex_date": pl.Date})


def lines(frame):
    return frame.with_row_index("line", 2)


def market(first=MONDAY, count=60, symbols=20):
    return pl.DataFrame({"session": days_from(first, count), "symbols": [symbols] * count})


def findings(frame, splits=NO_SPLITS, days=None):
    ordered = frame.sort("symbol", "session")
    found = quality.series_findings(ordered, splits, market() if days is None else days)
    return found.select("gate", "symbol", "session").rows()


class TestRowFaults:
    @pytest.mark.parametrize(
        ("column", "value", "gate"),
        [
            ("close", 0.0, "bad_price"),
            ("close", -3.0, "bad_price"),
            ("close", None, "bad_price"),
            ("open", 0.0, "bad_price"),
            ("low", -1.0, "bad_price"),
            ("volume", -1.0, "bad_volume"),
            ("volume", None, "bad_volume"),
            ("high", 2.0, "high_below_low"),
            ("close", 3.4, "close_outside"),
            ("close", 2.6, "close_outside"),
            ("session", date(2024, 6, 19), "not_a_session"),  # Juneteenth
            ("session", date(2024, 6, 8), "not_a_session"),  # a Saturday
            ("symbol", "A" * 17, "bad_symbol"),
        ],
    )
    def test_names_the_gate_and_the_line(self, column, value, gate):
        frame = bars(count=3).with_row_index("line", 2)
        broken = frame.with_columns(
            pl.when(pl.col("line") == 3).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
        )

        faults = quality.row_faults(broken)

        assert faults.select("gate", "line").rows() == [(gate, 3)]

    def test_passes_good_rows(self):
        assert quality.row_faults(lines(bars(count=5))).is_empty()

    def test_passes_a_close_without_a_range(self):
        closes = bars(count=2, open=None, high=None, low=None)

        assert quality.row_faults(lines(closes)).is_empty()

    def test_passes_a_close_that_rounding_put_outside(self):
        rounded = bars(count=1, close=3.0, high=2.9999999)

        assert quality.row_faults(lines(rounded)).is_empty()

    def test_keeps_the_first_good_row_of_a_key(self):
        broken = bars(count=1, close=-1.0)
        frame = lines(pl.concat([broken, bars(count=1), bars(count=1), bars("B", count=1)]))

        faults = quality.row_faults(frame)

        assert faults.select("gate", "line").rows() == [("bad_price", 2), ("duplicate_key", 4)]

    def test_of_no_rows_are_none(self):
        assert quality.row_faults(lines(bars(count=0))).is_empty()


class TestSeriesFindings:
    def test_of_an_even_history_are_none(self):
        assert findings(bars(count=30)) == []

    def test_of_no_bars_are_none(self):
        assert findings(bars(count=0)) == []

    def test_report_one_hole_once_with_its_length(self):
        holed = bars(count=10).filter(~pl.col("session").is_in(days_from(date(2024, 6, 5), 3)))

        found = quality.series_findings(holed, NO_SPLITS, market())

        assert found.select("gate", "session", "detail").rows() == [
            ("missing_session", date(2024, 6, 10), "3 missing since 2024-06-04")
        ]

    def test_do_not_blame_a_symbol_for_a_day_without_any_bar(self):
        day = date(2024, 6, 5)
        holed = bars(count=10).filter(pl.col("session") != day)

        assert findings(holed, days=market().filter(pl.col("session") != day)) == []

    @pytest.mark.parametrize("ratio", [2.0, 0.5, 10.0, 0.1, 1.96, 3.05])
    def test_report_a_jump_that_looks_like_a_split(self, ratio):
        jumped = bars(count=4, close=[10.0, 10.0, 10 * ratio, 10 * ratio])

        assert findings(jumped) == [("unadjusted_split", "VIGL", date(2024, 6, 5))]

    @pytest.mark.parametrize("ratio", [1.0, 1.5, 0.7, 2.4, 1.0 / 2.5])
    def test_pass_other_jumps(self, ratio):
        assert findings(bars(count=3, close=[10.0, 10 * ratio, 10 * ratio])) == []

    def test_pass_a_jump_on_the_day_of_a_split(self):
        jumped = bars(count=3, close=[10.0, 5.0, 5.0])
        split = pl.DataFrame({"symbol": ["VIGL"], "ex_date": [date(2024, 6, 4)]})

        assert findings(jumped, split) == []

    @pytest.mark.parametrize(("length", "count"), [(4, 0), (5, 1), (9, 1)])
    def test_report_a_frozen_quote_once_from_five_sessions_on(self, length, count):
        volume = [1000.0, *[0.0] * length, 1000.0]
        close = [3.0, *[3.1] * length, 3.2]
        frozen = bars(count=length + 2, close=close, volume=volume)

        found = findings(frozen)

        assert found == [("frozen_quote", "VIGL", date(2024, 6, 4))] * count

    def test_do_not_join_frozen_runs_of_two_symbols(self):
        still = pl.concat([bars(s, count=3, volume=0.0) for s in "AB"])

        assert findings(still) == []

    def test_report_a_close_of_another_listing_after_a_long_gap(self):
        reused = pl.concat([bars(count=2), bars(first=date(2024, 8, 1), count=2, close=300.0)])

        assert findings(reused) == [("other_listing", "VIGL", date(2024, 8, 1))]

    def test_report_a_shift_of_level_as_another_listing_and_not_as_a_split(self):
        shifted = bars(count=3, close=[10.0, 100.0, 100.0], quality=[0, 6, 0])

        assert findings(shifted) == [("other_listing", "VIGL", date(2024, 6, 4))]

    def test_say_nothing_of_a_gap_in_which_hardly_anything_is_known(self):
        reused = pl.concat([bars(count=2), bars(first=date(2024, 8, 1), count=2)])
        sparse = market().with_columns(
            symbols=pl.when(pl.col("session").dt.month() == 7).then(3).otherwise("symbols")
        )

        assert findings(reused, days=sparse) == []


class TestRepeatedSessions:
    def stuck(self, symbols, volume):
        close = [3.0, 4.0, 4.0, 5.0]
        rows = [bars(f"S{n:02}", count=4, close=close, volume=volume) for n in range(symbols)]
        return quality.repeated_sessions(pl.concat(rows))

    def test_are_those_on_which_most_bars_are_those_of_the_day_before(self):
        found = self.stuck(12, [100.0, 200.0, 200.0, 300.0])

        assert found.select("gate", "symbol", "session").rows() == [
            ("repeated_session", "", date(2024, 6, 5))
        ]

    @pytest.mark.parametrize(
        ("symbols", "volume"),
        [(9, [100.0, 200.0, 200.0, 300.0]), (12, [100.0, 200.0, 250.0, 300.0]), (12, [0.0] * 4)],
    )
    def test_are_none_of_these(self, symbols, volume):
        assert self.stuck(symbols, volume).is_empty()


class TestFeedFindings:
    def test_report_a_session_without_any_bar(self):
        days = days_from(MONDAY, 10)
        gone = days.pop(4)

        found = quality.feed_findings(days, symbols=50, last_finished=days[-1])

        assert found.select("gate", "symbol", "session").rows() == [("missing_session", "", gone)]

    @pytest.mark.parametrize(("age", "count"), [(0, 0), (5, 0), (6, 1)])
    def test_report_that_the_newest_bar_is_old(self, age, count):
        days = days_from(MONDAY, 10)

        found = quality.feed_findings(
            days, symbols=50, last_finished=sessions.offset(days[-1], age)
        )

        assert found["gate"].to_list() == ["stale_feed"] * count

    def test_of_an_empty_lake_are_none(self):
        assert quality.feed_findings([], symbols=0, last_finished=MONDAY).is_empty()
