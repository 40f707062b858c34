import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performance.calc import timing
from performance.calc.timing import Bought
from tests.analytics.calc.test_exits import bar, flat, make_panel
from tests.analytics.calc.test_outcomes import FIRST

NEWEST = FIRST + 100


def bought(**fields):
    """One long trade of A, bought on session 25 and sold on 30, signal executable on 24."""
    own = {
        "symbol": "A", "sign": 1, "entry": 10.0, "exit": 12.0, "quantity": 100.0, "opened": 25,
        "ended": 30, "is_open": False, "executable": 24, **fields,
    }  # fmt: skip
    return Bought(
        symbols=[own["symbol"]],
        sign=np.array([own["sign"]], dtype=np.float64),
        entry=np.array([own["entry"]]),
        exit=np.array([own["exit"]]),
        quantity=np.array([own["quantity"]]),
        opened=np.array([FIRST + own["opened"]]),
        ended=np.array([FIRST + own["ended"]]),
        is_open=np.array([own["is_open"]]),
        executable=np.array([FIRST + own["executable"]]),
    )


def quiet(days=80, price=10.0, volume=1e6):
    return {at: flat(price, volume) for at in range(days)}


def measure(bars, splits=(), newest=NEWEST, **fields):
    found = timing.measure(
        bought(**fields), make_panel({"A": bars}, [("A", *each) for each in splits]), newest=newest
    )
    return {name: values[0] for name, values in vars(found).items()}


class TestEntry:
    def test_is_held_against_the_first_executable_open(self):
        found = measure(quiet() | {24: bar(8.0, 9, 7.5, 8.5, 1e6)})

        assert found["delay"] == 1
        assert found["executable_open"] == 8.0
        assert found["entry_cost"] == pytest.approx(0.25)
        assert found["delay_cost"] == pytest.approx(200.0)

    @pytest.mark.parametrize(
        ("delay", "cost", "score"),
        [(0, 0.0, 100), (1, 0.0, 90), (0, 0.02, 90), (0, -0.05, 100), (3, 0.1, 20), (9, 0.1, 0)],
    )
    def test_scores_as_defined(self, delay, cost, score):
        assert timing.entry_score(np.array([delay]), np.array([cost]))[0] == pytest.approx(score)

    def test_below_the_open_is_shown_as_such(self):
        found = measure(quiet() | {24: flat(12.5, 1e6)})

        assert found["entry_cost"] == pytest.approx(-0.2)
        assert found["delay_cost"] == pytest.approx(-250.0)
        assert found["entry_score"] == 90

    def test_before_it_was_executable_has_no_delay(self):
        assert measure(quiet(), executable=27)["delay"] == 0

    def test_without_a_bar_that_session_has_no_cost(self):
        bars = quiet()
        del bars[24]

        found = measure(bars)

        assert found["delay"] == 1
        assert math.isnan(found["entry_cost"])
        assert math.isnan(found["entry_score"])


class TestExit:
    def test_is_held_against_the_best_close_until_fourteen_sessions_after(self):
        bars = quiet() | {27: bar(10, 16, 9, 13, 1e6), 44: flat(15.0, 1e6), 45: flat(50.0, 1e6)}

        found = measure(bars)

        assert found["mfe"] == pytest.approx(0.6)
        assert found["mae"] == pytest.approx(-0.1)
        assert found["post_exit_mfe"] == pytest.approx(15 / 12 - 1)
        assert found["exit_efficiency"] == pytest.approx(2 / 5)
        assert found["exit_score"] == pytest.approx(40.0)
        assert found["left_during"] == pytest.approx(100.0)
        assert found["left_after"] == pytest.approx(300.0)
        assert found["is_final"]

    def test_counts_only_what_could_have_been_sold(self):
        found = measure(quiet() | {27: flat(20.0, 1000), 35: flat(20.0, 100)})

        assert found["left_during"] == pytest.approx(8 * 50)
        assert found["left_after"] == pytest.approx(8 * 5)

    def test_prefers_the_lower_peak_that_was_liquid(self):
        found = measure(quiet() | {27: flat(20.0, 100), 28: flat(14.0, 1e6)})

        assert found["left_during"] == pytest.approx(2 * 100)

    def test_is_not_judged_before_fourteen_sessions_are_over(self):
        found = measure(quiet(), newest=FIRST + 43)

        assert not found["is_final"]
        assert math.isnan(found["exit_efficiency"])
        assert measure(quiet(), newest=FIRST + 44)["is_final"]

    def test_has_no_efficiency_where_nothing_could_be_gained(self):
        found = measure({at: flat(9.0, 1e6) for at in range(80)}, exit=9.0)

        assert math.isnan(found["exit_efficiency"])
        assert math.isnan(found["exit_score"])

    def test_at_a_loss_of_what_could_rise_scores_nothing(self):
        found = measure(quiet() | {40: flat(12.0, 1e6)}, exit=9.0)

        assert found["exit_efficiency"] == pytest.approx(-0.5)
        assert found["exit_score"] == 0

    def test_of_an_open_trade_is_at_mark(self):
        found = measure(quiet() | {27: flat(13.0, 1e6)}, is_open=True)

        assert found["left_during"] == pytest.approx(100.0)
        assert math.isnan(found["left_after"])
        assert math.isnan(found["post_exit_mfe"])
        assert not found["is_final"]


class TestSplits:
    def test_while_held_and_after_change_nothing(self):
        """A 1-for-10 reverse split on session 28 and a 2-for-1 split on session 35."""
        plain = quiet() | {27: bar(10, 16, 9, 13, 1e6), 40: flat(15.0, 1e6)}
        scale = {at: 0.1 if at < 28 else 1.0 if at < 35 else 0.5 for at in plain}
        split = {
            at: bar(*(own[k] * scale[at] for k in ("open", "high", "low", "close")),
                    own["volume"] / scale[at])
            for at, own in plain.items()
        }  # fmt: skip

        found = measure(split, [(28, 0.1), (35, 2.0)])

        assert found == pytest.approx(measure(plain), nan_ok=True)


class TestShorts:
    def test_count_with_the_sign_turned(self):
        bars = quiet() | {24: flat(11.0, 1e6), 27: bar(10, 12, 6, 7, 1e6), 40: flat(5.0, 1e6)}

        found = measure(bars, sign=-1, exit=8.0)

        assert found["entry_cost"] == pytest.approx(1 - 10 / 11)
        assert found["delay_cost"] == pytest.approx(100.0)
        assert found["mfe"] == pytest.approx(0.4)
        assert found["mae"] == pytest.approx(-0.2)
        assert found["exit_efficiency"] == pytest.approx(2 / 5)
        assert found["left_during"] == pytest.approx(100.0)


class TestWithoutBars:
    def test_only_the_delay_is_known(self):
        found = measure(quiet(), symbol="NONE")

        assert found.pop("delay") == 1
        assert found.pop("is_final")
        assert all(math.isnan(value) for value in found.values())

    def test_of_nothing_is_nothing(self):
        empty = make_panel({})

        found = timing.measure(bought(symbol="NONE"), empty, newest=NEWEST)

        assert math.isnan(found.mfe[0])


@st.composite
def markets(draw):
    seed = draw(st.integers(0, 10_000))
    chance = np.random.default_rng(seed)
    bars = {}
    for name in "ABC":
        close = 10 * np.exp(np.cumsum(chance.normal(0, 0.1, 80)))
        days = [at for at in range(80) if chance.random() > 0.1]
        bars[name] = {
            at: bar(close[at] * 0.99, close[at] * 1.05, close[at] * 0.95, close[at],
                    float(chance.integers(100, 10_000)))
            for at in days
        }  # fmt: skip
    return bars, chance


class TestAgainstAnOracle:
    @settings(max_examples=40, deadline=None)
    @given(markets())
    def test_agrees_for_many_trades(self, made):
        bars, chance = made
        size = 12
        opened = chance.integers(5, 60, size)
        own = Bought(
            symbols=[str(name) for name in chance.choice(list("ABCX"), size)],
            sign=chance.choice([1.0, -1.0], size),
            entry=chance.uniform(5, 20, size),
            exit=chance.uniform(5, 20, size),
            quantity=chance.uniform(1, 500, size),
            opened=FIRST + opened,
            ended=FIRST + opened + chance.integers(0, 15, size),
            is_open=chance.random(size) < 0.3,
            executable=FIRST + opened - chance.integers(0, 4, size),
        )

        found = timing.measure(own, make_panel(bars), newest=FIRST + 70)

        for at in range(size):
            expected = oracle(own, at, bars.get(own.symbols[at], {}))
            for name, value in expected.items():
                assert getattr(found, name)[at] == pytest.approx(value, nan_ok=True), name


def oracle(own, at, bars):
    """One trade in plain loops."""
    nan, sign = math.nan, own.sign[at]
    entry, out, shares = own.entry[at], own.exit[at], own.quantity[at]
    begin, end = own.opened[at] - FIRST, own.ended[at] - FIRST
    held = [bars[day] for day in range(begin, end + 1) if day in bars]
    after = [bars[day] for day in range(end + 1, end + 15) if day in bars]
    if not [day for day in bars if day <= end]:
        held = after = []
    ups = [each["high"] if sign > 0 else -each["low"] for each in held]
    downs = [each["low"] if sign > 0 else -each["high"] for each in held]

    def left(days):
        gains = [
            max(0.0, sign * (each["close"] - out)) * min(shares, 0.05 * each["volume"])
            for each in days
        ]
        return max(gains, default=nan)

    best = max([sign * each["close"] for each in held + after], default=nan)
    possible = best - sign * entry
    final = not own.is_open[at] and end + 14 <= 70
    return {
        "mfe": (max(ups) - sign * entry) / entry if ups else nan,
        "mae": (min(downs) - sign * entry) / entry if downs else nan,
        "left_during": left(held),
        "left_after": nan if own.is_open[at] else left(after),
        "exit_efficiency": sign * (out - entry) / possible if final and possible > 0 else nan,
        "delay": max(0, own.opened[at] - own.executable[at]),
    }
