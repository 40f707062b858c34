import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calc import thesis_settlement
from analytics.calc.thesis_calls import DOWN, FLAT, UP
from analytics.calc.thesis_settlement import Questions, State, calls_right
from tests.analytics.calc.test_outcomes import FIRST, closes, covered, make_panel

NAN = math.nan


def settle(bars, *, target=13.0, stop=9.0, horizon=3, until=60, splits=(), symbol="A", signal=0):
    """Settle one thesis on ``symbol``, signalled on session ``signal``."""
    panel = make_panel(bars, splits=splits)
    at = panel.symbols.index(symbol) if symbol in panel.symbols else -1
    asked = Questions(
        symbol=np.array([at]),
        session=np.array([FIRST + signal], np.int32),
        horizon=np.array([horizon], np.int32),
        target=np.array([target]),
        stop=np.array([stop]),
    )
    reach = covered(*(until if isinstance(until, tuple) else ((0, until),)))
    return thesis_settlement.settle(panel, asked, reach=reach)


def story(found):
    """State, exit as sessions after the first, and the five figures."""
    exit_at = int(found.exit[0]) - FIRST if found.exit[0] >= 0 else None
    return State(found.state[0]).name, exit_at, [round(x, 6) for x in found.figures[0]]


def bars(*rows, symbol="A", start=0):
    """A signal bar at 10, then (open, high, low, close) session by session."""
    every = [(10, 10, 10, 10), *rows]
    return [(symbol, start + k, *row) for k, row in enumerate(every) if row]


CALM = (11, 12, 10, 11)


class TestBarriers:
    @pytest.mark.parametrize(
        ("rows", "state", "exit_at", "exit_price"),
        [
            pytest.param([CALM, (11, 13, 10, 12), CALM], "TARGET", 2, 13, id="target-first"),
            pytest.param([CALM, (11, 12, 9, 10), CALM], "STOP", 2, 9, id="stop-first"),
            pytest.param([CALM, (11, 13, 9, 12), CALM], "STOP", 2, 9, id="both-in-one-day"),
            pytest.param([CALM, (14, 15, 8, 12), CALM], "TARGET", 2, 14, id="opens-past-target"),
            pytest.param([CALM, (8, 14, 7, 12), CALM], "STOP", 2, 8, id="opens-past-stop"),
            pytest.param([CALM, (13, 13, 8, 9), CALM], "TARGET", 2, 13, id="opens-on-target"),
            pytest.param([(11, 13, 10, 12), CALM, CALM], "TARGET", 1, 13, id="on-the-entry-day"),
            pytest.param([(11, 13, 9, 12), CALM, CALM], "STOP", 1, 9, id="both-on-the-entry-day"),
            pytest.param([CALM, CALM, (11, 13, 11, 12)], "TARGET", 3, 13, id="on-the-last-day"),
            pytest.param([CALM, CALM, CALM, (14, 14, 14, 14)], "NEITHER", 3, 11, id="a-day-late"),
            pytest.param([CALM, None, CALM], "NEITHER", 3, 11, id="a-session-without-a-bar"),
            pytest.param([CALM, CALM, None], "NEITHER", 2, 11, id="no-bar-at-the-end"),
            pytest.param([CALM, (11, NAN, NAN, 13), CALM], "TARGET", 2, 13, id="no-high-known"),
            pytest.param([CALM, (11, NAN, NAN, 9), CALM], "STOP", 2, 9, id="no-low-known"),
            pytest.param([CALM, (NAN, 13, 12, 12), CALM], "TARGET", 2, 13, id="no-open-known"),
        ],
    )
    def test_settle(self, rows, state, exit_at, exit_price):
        found = settle(bars(*rows, CALM, CALM))

        told, at, figures = story(found)
        assert (told, at, figures[1]) == (state, exit_at, exit_price)
        assert found.final[0] or rows[-1] is None

    @pytest.mark.parametrize("open_", [13, 14, 9, 8])
    def test_make_an_entry_beyond_them_void(self, open_):
        found = settle(bars((open_, 15, 7, 11), CALM, CALM))

        assert story(found)[0] == "VOID"
        assert found.figures[0, 0] == open_
        assert np.isnan(found.figures[0, 1:]).all()

    def test_of_a_bearish_thesis_lie_the_other_way_round(self):
        down = settle(bars(CALM, (11, 12, 9, 10), CALM), target=9.0, stop=13.0)
        up = settle(bars(CALM, (14, 14, 10, 10), CALM), target=9.0, stop=13.0)
        both = settle(bars(CALM, (11, 13, 9, 10), CALM), target=9.0, stop=13.0)

        assert (story(down)[0], down.figures[0, 1]) == ("TARGET", 9)
        assert (story(up)[0], up.figures[0, 1]) == ("STOP", 14)
        assert (story(both)[0], both.figures[0, 1]) == ("STOP", 13)

    def test_leave_the_return_of_the_whole_horizon_beside(self):
        found = settle(bars((10, 10, 10, 10), (11, 13, 11, 12), (9.5, 10, 9.5, 9.9)))

        assert story(found)[0] == "TARGET"
        assert found.figures[0, 2] == pytest.approx(-0.01)
        assert found.figures[0, 3:] == pytest.approx([0.3, 0.0])

    def test_are_not_reached_without_one(self):
        found = settle(bars(CALM, (1, 1, 0.5, 1), CALM), stop=0.0)

        assert story(found)[0] == "NEITHER"


class TestSplits:
    @pytest.mark.parametrize("on", [2, 3])
    def test_inside_the_window_move_no_barrier(self, on):
        """A 1-for-10 reverse split: prices as traded are ten times as high from then on."""
        rows = [CALM, CALM, (11, 13, 10, 12)]
        split = [tuple(x * 10 for x in row) if k + 1 >= on else row for k, row in enumerate(rows)]

        plain, moved = settle(bars(*rows)), settle(bars(*split), splits=[("A", on, 0.1)])

        assert story(moved) == story(plain)

    def test_on_the_entry_session_put_barriers_and_prices_on_its_basis(self):
        rows = [tuple(x / 2 for x in row) for row in (CALM, (11, 13, 10, 12), CALM)]

        found = settle(bars(*rows), splits=[("A", 1, 2.0)])

        assert story(found)[:2] == ("TARGET", 2)
        assert found.figures[0, :2].tolist() == [5.5, 6.5]

    def test_of_before_the_signal_are_of_no_account(self):
        rows = closes("A", [20, 20], start=0) + bars(CALM, CALM, CALM, start=2)

        assert story(settle(rows, signal=2, splits=[("A", 2, 2.0)]))[0] == "NEITHER"


class TestPending:
    def test_is_said_until_the_horizon_is_over(self):
        found = settle(bars(CALM, CALM, CALM), until=2)

        assert story(found)[0] == "PENDING"
        assert np.isnan(found.figures[0, 1:3]).all()
        assert not found.final[0]

    def test_names_a_barrier_that_was_touched_early_without_settling(self):
        found = settle(bars(CALM, (11, 13, 10, 12)), until=2)

        assert (found.state[0], found.touched[0]) == (State.PENDING, State.TARGET)
        assert (found.exit[0] - FIRST, found.figures[0, 1]) == (2, 13)

    def test_lasts_where_a_window_runs_into_a_hole_of_the_data(self):
        rows = [*bars(CALM, CALM), ("A", 30, 20, 20, 20, 20)]

        found = settle(rows, until=((0, 2), (30, 60)))

        assert story(found)[0] == "PENDING"
        assert found.touched[0] == 0

    def test_looks_at_nothing_behind_the_hole(self):
        rows = [*bars(CALM, CALM), ("A", 5, 20, 20, 20, 20)]

        assert settle(rows, horizon=6, until=((0, 2), (5, 60))).touched[0] == 0

    def test_is_said_of_a_signal_in_a_hole_and_of_the_newest_one(self):
        assert story(settle(bars(CALM), until=((5, 60),)))[0] == "PENDING"
        assert story(settle(bars(), until=0))[0] == "PENDING"


class TestListing:
    def test_that_ends_inside_settles_at_its_last_trade(self):
        rows = bars((10, 10, 10, 10), (9.5, 9.5, 9.5, 9.5)) + closes("B", [1.0] * 60)

        found = settle(rows, horizon=10)

        assert story(found)[:2] == ("NEITHER", 2)
        assert found.figures[0, 2] == pytest.approx(-0.05)
        assert found.last_trade[0] - FIRST == 2
        assert found.final[0]

    def test_that_may_only_be_halted_is_not_final(self):
        found = settle(bars(CALM, CALM), horizon=5, until=10)

        assert (story(found)[0], found.final[0]) == ("NEITHER", False)

    @pytest.mark.parametrize(
        ("rows", "symbol"),
        [
            pytest.param(bars(None, CALM, CALM), "A", id="no-bar-on-the-next-session"),
            pytest.param(bars((NAN, 11, 10, 11), CALM), "A", id="no-open"),
            pytest.param(bars((0, 11, 10, 11), CALM), "A", id="open-of-zero"),
            pytest.param(bars(), "A", id="no-bar-any-more"),
            pytest.param(closes("A", [10] * 9, start=1), "A", id="not-listed-yet"),
            pytest.param(closes("B", [10] * 9), "A", id="never-listed"),
        ],
    )
    def test_without_entry_is_said(self, rows, symbol):
        found = settle(rows + closes("Z", [1.0] * 60), symbol=symbol)

        assert story(found)[0] == "NO_ENTRY"
        assert np.isnan(found.figures).all()

    def test_of_nothing_is_settled_without_a_bar(self):
        found = settle([], until=0)

        assert story(found)[0] == "PENDING"


class TestCallsRight:
    STATES = (State.TARGET, State.STOP, State.NEITHER, State.NEITHER, State.NEITHER, State.VOID)
    RETURNS = (-0.2, 0.3, 0.05, -0.05, 0.0, NAN)

    @pytest.mark.parametrize(
        ("call", "right"),
        [
            (UP, [True, False, True, False, False, False]),
            (DOWN, [True, False, False, True, False, False]),
            (FLAT, [False, False, True, True, True, False]),
        ],
        ids=["up", "down", "flat"],
    )
    def test_follow_the_design(self, call, right):
        found = calls_right(np.array(self.STATES, np.int8), np.array(self.RETURNS))

        assert found[call].tolist() == right

    def test_of_hold_end_at_ten_percent(self):
        found = calls_right(
            np.full(4, State.NEITHER, np.int8), np.array([0.1, -0.1, 0.099, -0.099])
        )

        assert found[FLAT].tolist() == [False, False, True, True]


def plain(market, symbol, signal, horizon, target, stop, until):  # noqa: C901
    """The same, read aloud from design §9, on dictionaries."""
    rows, split = market
    by_day = rows.get(symbol, {})
    if until < signal + 1:
        return ("PENDING", None, None)
    entry = by_day.get(signal + 1)
    if entry is None or not entry["open"] > 0 or not any(day <= signal for day in by_day):
        return ("NO_ENTRY", None, None)
    basis = 1.0  # what one share of the signal session has become
    touch = None
    limit = min(signal + horizon, until)
    held = [day for day in sorted(by_day) if signal < day <= limit]
    for day in held:
        basis *= split.get((symbol, day), 1.0)
        bar = {name: value * basis for name, value in by_day[day].items()}
        if day == signal + 1:
            paid = bar["open"]
            if paid >= target or paid <= stop:
                return ("VOID", None, None)
        elif touch is None and bar["open"] >= target:
            touch = ("TARGET", day)
        elif touch is None and bar["open"] <= stop:
            touch = ("STOP", day)
        if touch is None and bar["low"] <= stop:
            touch = ("STOP", day)
        if touch is None and bar["high"] >= target:
            touch = ("TARGET", day)
        last = bar["close"]
    if until < signal + horizon:
        return ("PENDING", touch and touch[1], None)
    state, day = touch or ("NEITHER", held[-1])
    return (state, day, last / paid - 1)


@st.composite
def markets(draw):
    """A few symbols over 25 sessions with holes, splits, early ends; prices on a coarse grid."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    rows, split = {}, {}
    for number in range(4):
        symbol = f"S{number}"
        begin, end = int(random.integers(0, 3)), int(random.choice([25, 25, 12]))
        price, factor, own = 10.0, 1.0, {}
        for day in range(begin, end):
            if own and random.random() < 0.06:
                split[symbol, day] = float(random.choice([0.5, 2.0, 4.0]))
                factor *= split[symbol, day]
            opened = price + float(random.choice([-2, -1, 0, 0, 0, 1, 2]))
            price = max(1.0, opened + float(random.choice([-1, 0, 0, 1])))
            opened = max(1.0, opened)
            high = max(opened, price) + float(random.choice([0, 0, 1, 4]))
            low = max(0.5, min(opened, price) - float(random.choice([0, 0, 0.5, 4])))
            if random.random() < 0.07 and (symbol, day) not in split:
                continue
            values = {"open": opened, "high": high, "low": low, "close": price}
            own[day] = {name: value / factor for name, value in values.items()}
        rows[symbol] = own
    return rows, split


class TestAgainstThePlainReading:
    @settings(max_examples=120, deadline=None)
    @given(
        markets(),
        st.lists(
            st.tuples(
                st.integers(0, 4), st.integers(0, 26), st.integers(1, 12),
                st.sampled_from([11, 12, 14, 20]), st.sampled_from([9, 8, 5, 0]),
            ),
            min_size=1,
            max_size=20,
        ),
        st.integers(5, 40),
    )  # fmt: skip
    def test_is_the_same(self, market, theses, until):
        rows, split = market
        flat = [
            (symbol, day, *(bar[name] for name in ("open", "high", "low", "close")))
            for symbol, own in rows.items()
            for day, bar in own.items()
            if day <= until
        ]
        panel = make_panel(flat, splits=[(*key, ratio) for key, ratio in split.items()])
        symbol, signal, horizon, target, stop = (np.array(x) for x in zip(*theses, strict=True))
        ids = [panel.symbols.index(f"S{k}") if f"S{k}" in panel.symbols else -1 for k in symbol]
        asked = Questions(
            symbol=np.array(ids),
            session=(FIRST + signal).astype(np.int32),
            horizon=horizon.astype(np.int32),
            target=target.astype(float),
            stop=stop.astype(float),
        )

        found = thesis_settlement.settle(panel, asked, reach=covered((0, until)))

        known = {name: {d: b for d, b in own.items() if d <= until} for name, own in rows.items()}
        for k, (number, *question) in enumerate(theses):
            state, day, change = plain((known, split), f"S{number}", *question, until)
            assert State(found.state[k]).name == state
            if state in {"TARGET", "STOP", "NEITHER"}:
                assert found.exit[k] - FIRST == day
                assert found.figures[k, 2] == pytest.approx(change)
