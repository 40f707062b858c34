import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calc import outcomes, panel, sessions

FIRST = sessions.number(date(2022, 1, 3))
SIZE = sessions.calendar().size


def make_panel(bars, *, splits=(), securities=None):
    """A panel of (symbol, session offset, open, high, low, close) rows."""
    frame = pl.DataFrame(
        bars, schema=["symbol", "at", "open", "high", "low", "close"], orient="row"
    )
    floats = [pl.col(name).cast(pl.Float64) for name in ("open", "high", "low", "close")]
    frame = frame.with_columns(
        *floats,
        session=pl.Series([sessions.day(FIRST + at) for at in frame["at"]], dtype=pl.Date),
        volume=1e6,
    ).sort("symbol", "session")
    ratios = pl.DataFrame(
        [(symbol, sessions.day(FIRST + at), ratio) for symbol, at, ratio in splits],
        schema={"symbol": pl.String, "ex_date": pl.Date, "ratio": pl.Float64},
        orient="row",
    )
    return panel.build(frame, splits=ratios, securities=securities)


def closes(symbol, prices, *, start=0):
    return [(symbol, start + k, p, p, p, p) for k, p in enumerate(prices)]


def covered(*ranges):
    at = np.array([FIRST + k for first, last in ranges for k in range(first, last + 1)], np.int32)
    return outcomes.coverage(at, size=SIZE)


def settle(bars, *, row=0, until=60, splits=()):
    made = make_panel(bars, splits=splits)
    return outcomes.settle(made, np.array([row]), reach=covered((0, until)))


class TestCoverage:
    def test_reaches_to_the_end_of_an_unbroken_run(self):
        reach = covered((0, 3), (6, 8))

        assert (reach[FIRST : FIRST + 9] - FIRST).tolist()[:4] == [3, 3, 3, 3]
        assert reach[FIRST + 4 : FIRST + 6].tolist() == [-1, -1]
        assert (reach[FIRST + 6 : FIRST + 9] - FIRST).tolist() == [8, 8, 8]

    def test_is_empty_without_bars(self):
        assert (outcomes.coverage(np.empty(0, np.int32), size=5) == -1).all()


class TestSettle:
    def test_enters_at_the_open_of_the_next_session(self):
        bars = [*closes("A", [10.0]), ("A", 1, 8.0, 9, 7, 8.4), *closes("A", [9.0] * 40, start=2)]

        result = settle(bars)

        assert result.figures[0, outcomes.ENTRY] == 8.0
        assert result.figures[0, outcomes.GAP] == pytest.approx(-0.2)
        assert result.figures[0, outcomes.RETURN_1] == pytest.approx(0.05)
        assert result.figures[0, outcomes.RETURN_3] == pytest.approx(0.125)
        assert result.state[0] == outcomes.State.SETTLED
        assert result.final[0]

    def test_finds_the_extremes_of_fourteen_sessions_and_not_of_the_fifteenth(self):
        bars = closes("A", [10.0] * 40)
        bars[14] = ("A", 14, 10, 16, 9, 15.0)
        bars[15] = ("A", 15, 10, 99, 1, 98.0)

        figures = settle(bars).figures[0]

        assert figures[outcomes.MFE] == pytest.approx(0.6)
        assert figures[outcomes.MAE] == pytest.approx(-0.1)
        assert figures[outcomes.PEAK] == pytest.approx(0.5)
        assert figures[outcomes.TO_PEAK] == 14

    def test_puts_prices_after_a_split_on_the_entrys_basis(self):
        bars = closes("A", [10.0] * 5 + [1.1] * 30)

        figures = settle(bars, splits=[("A", 5, 10.0)]).figures[0]

        assert figures[outcomes.RETURN_14] == pytest.approx(0.1)
        assert figures[outcomes.RETURN_3] == pytest.approx(0.0)

    def test_a_split_before_the_entry_moves_only_the_gap(self):
        bars = closes("A", [10.0] + [5.0] * 30)

        figures = settle(bars, splits=[("A", 1, 2.0)]).figures[0]

        assert figures[outcomes.GAP] == pytest.approx(0.0)
        assert figures[outcomes.RETURN_14] == pytest.approx(0.0)

    def test_settles_a_listing_that_ends_at_its_last_trade(self):
        result = settle(closes("A", [10.0, 10.0, 4.0]))

        assert result.state[0] == outcomes.State.DELISTED
        assert result.figures[0, outcomes.RETURN_14] == pytest.approx(-0.6)
        assert result.figures[0, outcomes.RETURN_30] == pytest.approx(-0.6)
        assert result.last_trade[0] == FIRST + 2
        assert result.final[0]

    def test_keeps_a_recent_delisting_open_to_revision(self):
        result = settle(closes("A", [10.0, 10.0, 4.0]), until=20)

        assert result.state[0] == outcomes.State.DELISTED
        assert not result.final[0]

    def test_takes_the_last_close_where_the_session_has_no_bar(self):
        bars = [bar for bar in closes("A", np.arange(10.0, 50.0)) if bar[1] != 14]

        assert settle(bars).figures[0, outcomes.RETURN_14] == pytest.approx(23 / 11 - 1)

    @pytest.mark.parametrize("price", [None, 0.0, math.nan])
    def test_has_no_entry_without_an_open(self, price):
        bars = closes("A", [10.0] * 40)
        bars[1] = ("A", 1, price, 10, 10, 10)
        bars[9] = ("A", 9, 10, 10, 10, 12)

        result = settle(bars)

        assert result.state[0] == outcomes.State.NO_ENTRY
        assert np.isnan(result.figures[0, : outcomes.TO_PEAK + 1]).all()
        assert result.figures[0, outcomes.PROXY_14] == pytest.approx(0.0)
        assert result.figures[0, outcomes.PROXY_PEAK] == pytest.approx(0.2)

    def test_gives_no_proxy_of_a_listing_that_never_traded_again(self):
        result = settle(closes("A", [10.0]))

        assert result.state[0] == outcomes.State.NO_ENTRY
        assert np.isnan(result.figures[0]).all()
        assert result.final[0]

    def test_waits_for_sessions_that_are_not_covered(self):
        result = settle(closes("A", [10.0] * 14), until=13)

        assert result.state[0] == outcomes.State.PENDING
        assert result.figures[0, outcomes.RETURN_7] == 0
        assert np.isnan(result.figures[0, outcomes.RETURN_14])
        assert np.isnan(result.figures[0, outcomes.PEAK])

    def test_never_looks_across_a_hole_in_the_data(self):
        made = make_panel([*closes("A", [10.0] * 8), *closes("A", [99.0] * 40, start=300)])

        result = outcomes.settle(made, np.array([0]), reach=covered((0, 7), (300, 340)))

        assert result.state[0] == outcomes.State.PENDING
        assert result.last_trade[0] == -1
        assert result.figures[0, outcomes.RETURN_7] == 0

    def test_settles_a_delisting_that_lies_before_a_hole(self):
        made = make_panel(closes("A", [10.0, 10.0, 5.0]))

        result = outcomes.settle(made, np.array([0]), reach=covered((0, 16), (300, 340)))

        assert result.state[0] == outcomes.State.DELISTED
        assert result.figures[0, outcomes.RETURN_14] == pytest.approx(-0.5)

    def test_never_crosses_a_listing_boundary(self):
        listings = pl.DataFrame(
            {
                "symbol": ["A", "A"],
                "first_session": [sessions.day(FIRST), sessions.day(FIRST + 5)],
                "last_session": [sessions.day(FIRST + 4), sessions.day(FIRST + 60)],
                "kind": ["common", "common"],
            }
        )
        made = make_panel(closes("A", [10.0] * 5 + [90.0] * 40), securities=listings)

        result = outcomes.settle(made, np.array([0]), reach=covered((0, 60)))

        assert result.state[0] == outcomes.State.DELISTED
        assert result.figures[0, outcomes.PEAK] == 0

    def test_knows_no_more_with_later_data_once_it_is_final(self):
        bars = closes("A", list(np.linspace(5, 9, 50)))

        short = settle(bars[:31], until=30)
        long = settle(bars, until=49)

        assert short.final[0]
        np.testing.assert_array_equal(short.figures, long.figures)


def oracle(bars, split_rows, signal, reach):
    """Design §8 read aloud, for one listing: bars by session offset."""
    if reach < signal + 1:
        return "pending", {}
    factor_after = lambda start, end: math.prod(  # noqa: E731
        ratio for at, ratio in split_rows if start < at <= end
    )
    entry_bar = bars.get(signal + 1)
    last = max(bars)
    if entry_bar is None or not (entry_bar[0] or 0) > 0:
        return "no_entry", {}
    entry = entry_bar[0]
    out = {"gap": entry * factor_after(signal, signal + 1) / bars[signal][3] - 1}
    inside = [at for at in bars if at > signal]
    adjusted = lambda at, column: bars[at][column] * factor_after(signal + 1, at)  # noqa: E731
    for h in outcomes.HORIZONS:
        if reach >= signal + h:
            at = max(at for at in inside if at <= signal + h)
            out[f"return_{h}"] = adjusted(at, 3) / entry - 1
    if reach < signal + 14:
        return "pending", out
    window = [at for at in inside if at <= signal + 14]
    or_close = lambda at, column: (  # noqa: E731
        adjusted(at, column) if bars[at][column] is not None else adjusted(at, 3)
    )
    out["mfe"] = max(or_close(at, 1) for at in window) / entry - 1
    out["mae"] = min(or_close(at, 2) for at in window) / entry - 1
    best = max(window, key=lambda at: (adjusted(at, 3), -at))
    out["peak"] = adjusted(best, 3) / entry - 1
    out["best_at"] = best
    return ("delisted" if last < signal + 14 else "settled"), out


@st.composite
def listings(draw):
    """One listing with holes, null opens, highs and lows, splits, and an end."""
    length = draw(st.integers(2, 50))
    missing = draw(st.sets(st.integers(1, 49), max_size=8))
    bars = {}
    for at in range(length):
        if at in missing:
            continue
        close = draw(st.floats(0.5, 20).map(lambda x: round(x, 2)))
        low, high = close * 0.9, close * 1.2
        nulls = draw(st.sampled_from(["", "", "", "o", "hl", "ohl"]))
        bars[at] = (
            None if "o" in nulls else round(close * draw(st.floats(0.9, 1.2)), 2),
            None if "h" in nulls else high,
            None if "l" in nulls else low,
            close,
        )
    ratios = draw(
        st.lists(
            st.tuples(st.integers(1, 49), st.sampled_from([2.0, 0.1, 3.0])),
            max_size=3,
            unique_by=lambda pair: pair[0],
        )
    )
    return bars, ratios


class TestAgainstTheOracle:
    @given(st.lists(listings(), min_size=1, max_size=3), st.integers(1, 55))
    @settings(max_examples=150, deadline=None)
    def test_agrees_row_by_row(self, made, until):
        rows = [
            (f"S{k}", at, *bar)
            for k, (bars, _) in enumerate(made)
            for at, bar in bars.items()
            if at <= until
        ]
        splits = [
            (f"S{k}", at, ratio) for k, (_, ratios) in enumerate(made) for at, ratio in ratios
        ]
        built = make_panel(rows, splits=splits)
        reach = covered((0, until))

        result = outcomes.settle(built, np.arange(built.height), reach=reach)
        lean = outcomes.settle_lean(built, np.ones(built.height, bool), reach=reach)

        for row, (symbol, at, *_) in enumerate(rows):
            bars, ratios = made[int(symbol[1:])]
            bars = {k: bar for k, bar in bars.items() if k <= until}
            state, expected = oracle(bars, ratios, at, until)
            figures = result.figures[row]
            assert outcomes.State(result.state[row]).name.lower() == state
            check(figures[outcomes.GAP], expected.get("gap"))
            for column, h in enumerate(outcomes.HORIZONS, start=outcomes.RETURN_1):
                check(figures[column], expected.get(f"return_{h}"))
            check(figures[outcomes.MFE], expected.get("mfe"))
            check(figures[outcomes.MAE], expected.get("mae"))
            check(figures[outcomes.PEAK], expected.get("peak"))
            known = state in {"settled", "delisted"}
            check(lean.peak_close_return[row], expected["peak"] if known else None)
            check(lean.return_14[row], expected["return_14"] if known else None)

    @given(listings(), st.integers(0, 40))
    @settings(max_examples=60, deadline=None)
    def test_the_lean_loop_gives_the_bits_of_the_full_one(self, made, until):
        bars, ratios = made
        built = make_panel(
            [("A", at, *bar) for at, bar in bars.items()],
            splits=[("A", at, ratio) for at, ratio in ratios],
        )
        reach = covered((0, until))

        full = outcomes.settle(built, np.arange(built.height), reach=reach)
        lean = outcomes.settle_lean(built, np.ones(built.height, bool), reach=reach)

        np.testing.assert_array_equal(lean.peak_close_return, full.figures[:, outcomes.PEAK])
        known = full.known
        np.testing.assert_array_equal(
            lean.return_14[known], full.figures[known, outcomes.RETURN_14]
        )
        assert np.isnan(lean.return_14[~known]).all()


def check(found, expected):
    if expected is None:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected, abs=1e-9)


class TestOutcomeClasses:
    @pytest.mark.parametrize(
        ("peak", "name"),
        [
            (0.5, "explosive"),
            (0.4999, "strong"),
            (0.1, "strong"),
            (0.0999, "moderate"),
            (0.0001, "moderate"),
            (0.0, "poor"),
            (-0.0999, "poor"),
            (-0.1, "failed"),
            (-1, "failed"),
        ],
    )
    def test_divides_at_the_limits_of_the_definition(self, peak, name):
        assert outcomes.CLASSES[outcomes.outcome_classes(np.array([peak]))[0]] == name

    def test_has_none_for_the_unknown(self):
        assert outcomes.outcome_classes(np.array([math.nan])).tolist() == [-1]


class TestEpisodes:
    def test_joins_days_at_gaps_of_fourteen_sessions_and_no_more(self):
        session = np.array([10, 24, 39, 40, 40], np.int32)
        segment = np.array([0, 0, 0, 0, 1], np.int32)

        found = outcomes.episodes(segment, session)

        assert found.first.tolist() == [0, 2, 4]
        assert found.last.tolist() == [1, 3, 4]

    def test_are_none_without_days(self):
        assert outcomes.episodes(np.empty(0, np.int32), np.empty(0, np.int32)).first.size == 0


class TestWindowReturns:
    def test_follow_one_symbol_over_a_split(self):
        made = make_panel(closes("SPY", [10.0] * 3 + [5.5] * 3), splits=[("SPY", 3, 2.0)])

        opens, last = outcomes.by_session(made, "SPY", size=SIZE)
        found = outcomes.window_returns(opens, last, np.array([FIRST, FIRST + 4], np.int32), 3)

        assert found[0] == pytest.approx(0.1)
        assert math.isnan(found[1])

    def test_are_unknown_without_the_symbol(self):
        made = make_panel(closes("A", [10.0] * 3))

        opens, last = outcomes.by_session(made, "SPY", size=SIZE)

        assert np.isnan(opens).all()
        assert np.isnan(last).all()


def test_the_calendar_is_long_enough_for_these_tests():
    assert sessions.day(FIRST + 400) - sessions.day(FIRST) > timedelta(days=500)
