import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calc import exits, outcomes
from analytics.calc.exits import Costs, Reason, Rule, State, Target
from tests.analytics.calc import exits_oracle
from tests.analytics.calc.test_exits import bar, flat, make_panel
from tests.analytics.calc.test_outcomes import FIRST, covered

FIGURES = ("price", "gross", "net", "highest_close", "mfe", "mae", "capacity")


@st.composite
def listings(draw):
    """Bars of one listing with gaps, splits, unknown prices and sessions without volume."""
    seed = draw(st.integers(0, 2**31))
    random = np.random.default_rng(seed)
    wild = draw(st.sampled_from([0.02, 0.08, 0.25]))
    first, length = int(random.integers(0, 6)), int(random.integers(2, 40))
    price, bars, splits = float(np.exp(random.uniform(-1.5, 2.5))), {}, []
    for at in range(first, first + length):
        if bars and random.random() < 0.05:
            ratio = float(random.choice([2.0, 10.0, 0.1]))
            splits.append((at, ratio))
            price /= ratio
        open_ = price * float(np.exp(random.normal(0, wild)))
        price = open_ * float(np.exp(random.normal(0, wild)))
        if random.random() < 0.1:
            continue
        high = max(open_, price) * (1 + abs(random.normal(0, wild)))
        low = min(open_, price) * np.exp(-abs(random.normal(0, wild)))
        values = [open_, high, float(low)]
        if random.random() < 0.1:
            values[int(random.integers(3))] = None
        shares = 0.0 if random.random() < 0.05 else float(random.integers(1, 10**6))
        bars[at] = bar(*values, price, shares)
    if not bars:
        bars[first] = flat(price)
    return bars, [split for split in splits if split[0] > min(bars)]


@st.composite
def exit_rules(draw):
    maybe = lambda values: draw(st.none() | values)  # noqa: E731
    horizon = draw(st.integers(2, 30))
    gains = sorted(draw(st.lists(st.sampled_from([0.02, 0.1, 0.3, 0.5]), unique=True, max_size=3)))
    own = draw(st.booleans()) and draw(st.booleans())
    return Rule(
        name="drawn",
        horizon=horizon,
        stop=None if own else maybe(st.sampled_from([0.03, 0.15, 0.4])),
        trail=maybe(st.sampled_from([0.05, 0.15, 0.4])),
        targets=() if own else tuple(Target(gain=gain, fraction=1 / 3) for gain in gains),
        time_stop=maybe(st.integers(1, horizon - 1)),
        own=own,
    )


class TestAgainstTheOracle:
    @given(
        st.lists(listings(), min_size=1, max_size=3),
        st.lists(exit_rules(), min_size=1, max_size=3),
        st.integers(1, 60),
        st.booleans(),
    )
    @settings(max_examples=150, deadline=None)
    def test_agrees_for_every_row_and_rule(self, made, rules, until, at_open):
        shown = [{at: own for at, own in bars.items() if at <= until} for bars, _ in made]
        shown = {f"S{k}": bars for k, bars in enumerate(shown) if bars}
        if not shown:
            return
        splits = [(f"S{k}", *split) for k, (_, own) in enumerate(made) for split in own]
        built = make_panel(shown, splits)
        costs, rows = Costs(), np.arange(built.height)
        signals = [(symbol, at) for symbol, bars in shown.items() for at in sorted(bars)]
        entries, prices, own = _entries(built, rows, shown, signals, at_open)

        result = exits.replay(built, entries, rules, costs, reach=covered((0, until)))

        for r, rule in enumerate(rules):
            for row, (symbol, at) in enumerate(signals):
                state, expected = exits_oracle.follow(
                    shown[symbol],
                    made[int(symbol[1:])][1],
                    at + 1 if at_open else at,
                    prices[row],
                    rule,
                    costs,
                    covered=until,
                    at_open=at_open,
                    own=own[row],
                )
                assert State(result.state[r, row]).name == state
                if expected:
                    assert Reason(result.reason[r, row]).name == expected["reason"]
                    assert result.exit_session[r, row] == FIRST + expected["exit_session"]
                for name in FIGURES:
                    check(getattr(result, name)[r, row], expected.get(name))


def _entries(built, rows, shown, signals, at_open):
    """Candidates at the next open, or trades at a fill of their own, with barriers."""
    stops, targets = built.close * 0.9, np.where(rows % 3 == 0, np.nan, built.close * 1.2)
    if not at_open:
        price = built.close * np.where(rows % 2, 1.02, 0.97)
        symbols = [symbol for symbol, _ in signals]
        entries = exits.fills(built, symbols, built.session, price, stops=stops, targets=targets)
        return entries, price.tolist(), _pairs(entries)
    entries = exits.next_open(built, rows, stops=stops, targets=targets)
    prices = [shown[symbol].get(at + 1, {}).get("open") for symbol, at in signals]
    return entries, prices, _pairs(entries)


def _pairs(entries):
    none = lambda value: None if math.isnan(value) else float(value)  # noqa: E731
    return [(none(s), none(t)) for s, t in zip(entries.stops, entries.targets, strict=True)]


def check(found, expected):
    if expected is None:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


class TestHolding:
    @given(st.data())
    @settings(max_examples=40, deadline=None)
    def test_gives_the_return_of_an_outcome(self, data):
        bars, splits = data.draw(listings())
        made = make_panel({"A": bars}, [("A", *split) for split in splits])
        reach, rows = covered((0, 40)), np.arange(made.height)

        found = exits.replay(
            made, exits.next_open(made, rows), [exits.HOLD], exits.FREE, reach=reach
        )
        settled = outcomes.settle(made, rows, reach=reach)

        known = settled.known & (settled.figures[:, outcomes.ENTRY] > 0)
        np.testing.assert_array_equal(found.known[0], known)
        np.testing.assert_allclose(
            found.gross[0, known], settled.figures[known, outcomes.RETURN_14]
        )
