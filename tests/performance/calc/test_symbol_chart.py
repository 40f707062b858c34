"""What the browser is given to draw."""

import json
from datetime import date

from performance.calc import symbol_chart
from performance.calc.prices import Bar, Split
from performance.calc.symbol_chart import Mark

DAYS = [date(2024, 6, day) for day in (24, 25, 26, 27, 28)]


def bar(at, **fields):
    wanted = {"open": 3.0, "high": 4.0, "low": 2.0, "close": 3.5, "volume": 100.0}
    return Bar(session=DAYS[at], **{**wanted, **fields})


def mark(**fields):
    wanted = {
        "session": DAYS[0],
        "says": "B #1",
        "first_signal": True,
        "entry": DAYS[1],
        "best": DAYS[2],
        "best_return": 0.5,
        "last": DAYS[3],
        "last_return": -0.1,
    }
    return Mark(**{**wanted, **fields})


def drawn(*marks, bars=None, splits=()):
    shown = bars or [bar(at) for at in range(5)]
    return symbol_chart.payload(shown, splits, marks, adjusted=True)


class TestPayload:
    def test_is_json_with_candles_as_open_close_low_high(self):
        found = drawn()

        assert found["candles"][0] == [3.0, 3.5, 2.0, 4.0]
        json.dumps(found, allow_nan=False)

    def test_draws_a_close_where_the_candle_is_not_known(self):
        found = drawn(bars=[bar(0), bar(1, open=None)])

        assert found["candles"][1] is None
        assert found["closes"] == [None, 3.5]

    def test_marks_signal_entry_best_and_end(self):
        found = drawn(mark())

        assert [row[0] for row in found["signals"]] == ["2024-06-24"]
        assert found["entries"] == [["2024-06-25", 3.0, "2024-06-24"]]
        assert found["bests"] == [["2024-06-26", 3.5, 0.5]]
        assert found["ends"] == [["2024-06-27", 3.5, -0.1]]

    def test_draws_outcomes_of_first_signals_only(self):
        found = drawn(mark(first_signal=False))

        assert found["signals"]
        assert not found["entries"] + found["bests"] + found["ends"]

    def test_leaves_out_what_lies_outside_the_range(self):
        found = drawn(mark(session=date(2024, 1, 2), entry=None, best=None, last=None))

        assert not found["signals"]

    def test_puts_a_split_on_the_first_bar_that_shows_it(self):
        found = drawn(bars=[bar(0), bar(3)], splits=[Split(ex_date=DAYS[1], ratio=2.0)])

        assert found["splits"] == [["2024-06-27", "2-for-1 split"]]


class TestDescribe:
    def test_tells_the_basis_and_the_range_to_those_who_do_not_see_it(self):
        said = symbol_chart.describe("VIGL", [bar(0), bar(1)], [mark()], adjusted=False)

        assert "raw as traded, 2024-06-24 to 2024-06-25: 2 sessions" in said
        assert "1 sessions with a signal" in said

    def test_says_that_there_is_nothing(self):
        assert symbol_chart.describe("VIGL", [], [], adjusted=True).startswith("No bars")
