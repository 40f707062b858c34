import math

import numpy as np
import polars as pl
import pytest

from analytics.calc import exits, outcomes, panel, sessions
from analytics.calc.exits import Costs, Reason, Rule, State, Target
from tests.analytics.calc.test_outcomes import FIRST, covered

COLUMNS = ("open", "high", "low", "close", "volume")


def bar(open_, high, low, close, volume=1000.0):
    return dict(zip(COLUMNS, (open_, high, low, close, volume), strict=True))


def flat(price, volume=1000.0):
    return bar(price, price, price, price, volume)


def make_panel(listings, splits=()):
    """A panel of listings: {symbol: {session offset: bar}}."""
    rows = [
        {"symbol": symbol, "session": sessions.day(FIRST + at), **own}
        for symbol, bars in sorted(listings.items())
        for at, own in sorted(bars.items())
    ]
    schema = {"symbol": pl.String, "session": pl.Date, **dict.fromkeys(COLUMNS, pl.Float64)}
    ratios = pl.DataFrame(
        [(symbol, sessions.day(FIRST + at), ratio) for symbol, at, ratio in splits],
        schema={"symbol": pl.String, "ex_date": pl.Date, "ratio": pl.Float64},
        orient="row",
    )
    return panel.build(pl.DataFrame(rows, schema=schema), splits=ratios)


def run(bars, *rules, splits=(), until=60, row=0, costs=exits.FREE, **own):
    """Replay a candidate whose signal is the first bar."""
    made = make_panel({"A": bars}, [("A", *split) for split in splits])
    entries = exits.next_open(made, np.array([row]), **own)
    return exits.replay(made, entries, rules, costs, reach=covered((0, until)))


def quiet(days, *, price=10.0, first=0):
    return {first + at: flat(price) for at in range(days)}


class TestHoldToHorizon:
    def test_buys_the_next_open_and_sells_the_close_of_the_fourteenth_session(self):
        bars = quiet(40) | {1: bar(8.0, 9, 7, 8.4), 14: flat(12.0), 15: flat(99.0)}

        found = run(bars, exits.HOLD)

        assert found.gross[0, 0] == pytest.approx(0.5)
        assert found.exit_session[0, 0] == FIRST + 14
        assert found.held()[0, 0] == 14
        assert found.reason[0, 0] == Reason.HORIZON
        assert found.mae[0, 0] == pytest.approx(7 / 8 - 1)

    def test_horizon_is_the_window_of_outcomes(self):
        assert exits.HOLD.horizon == outcomes.WINDOW
        with pytest.raises(exits.BadRule):
            Rule(name="too long", horizon=outcomes.LONGEST + 1)


class TestStops:
    def test_fill_at_the_stop_inside_the_day(self):
        found = run(quiet(40) | {5: bar(9.0, 9, 8, 8.2)}, exits.STOP_15)

        assert found.price[0, 0] == pytest.approx(8.5)
        assert found.reason[0, 0] == Reason.STOP
        assert found.exit_session[0, 0] == FIRST + 5

    def test_fill_at_the_open_after_a_gap(self):
        found = run(quiet(40) | {5: bar(6.0, 9, 5, 8.2)}, exits.STOP_15)

        assert found.gross[0, 0] == pytest.approx(-0.4)
        assert found.mae[0, 0] == pytest.approx(-0.4), "the low came after the sale"

    def test_act_on_the_day_of_the_entry(self):
        found = run(quiet(40) | {1: bar(10.0, 10, 8, 10)}, exits.STOP_15)

        assert found.gross[0, 0] == pytest.approx(-0.15)
        assert math.isnan(found.highest_close[0, 0])

    def test_come_first_where_both_barriers_lie_in_one_day(self):
        rule = Rule(name="both", stop=0.15, targets=(Target(gain=0.3, fraction=1.0),))

        found = run(quiet(40) | {5: bar(10.0, 14, 8, 12)}, rule)

        assert found.gross[0, 0] == pytest.approx(-0.15)

    def test_come_second_where_the_open_is_beyond_the_target(self):
        rule = Rule(name="both", stop=0.15, targets=(Target(gain=0.3, fraction=1.0),))

        found = run(quiet(40) | {5: bar(13.5, 14, 8, 12)}, rule)

        assert found.gross[0, 0] == pytest.approx(0.35)
        assert found.reason[0, 0] == Reason.TARGET


class TestTrailingStops:
    def test_run_from_the_highest_close_before_the_session(self):
        bars = quiet(40) | {
            2: bar(10, 20, 10, 12),
            3: bar(12, 30, 10.5, 14),
            4: bar(13, 14, 11, 13),
        }

        found = run(bars, exits.TRAIL_15)

        assert found.exit_session[0, 0] == FIRST + 4, "0.85 x 12 = 10.2 was not reached on day 3"
        assert found.price[0, 0] == pytest.approx(0.85 * 14)
        assert found.reason[0, 0] == Reason.TRAIL
        assert found.highest_close[0, 0] == pytest.approx(0.4)

    def test_begin_at_the_entry_fill(self):
        found = run(quiet(40) | {1: bar(10, 10, 8.4, 9)}, exits.TRAIL_15)

        assert found.price[0, 0] == pytest.approx(8.5)


class TestScalingOut:
    def test_sells_each_part_at_its_target(self):
        bars = quiet(40) | {3: bar(10, 13.2, 10, 13), 6: bar(13, 15.5, 12, 15)}

        found = run(bars, exits.SCALE_OUT)

        assert found.gross[0, 0] == pytest.approx(0.5 * 0.3 + 0.5 * 0.5)
        assert found.exit_session[0, 0] == FIRST + 6

    def test_sells_the_rest_at_the_horizon(self):
        found = run(quiet(40, price=10.0) | {3: bar(10, 13.2, 10, 13)}, exits.SCALE_OUT)

        assert found.gross[0, 0] == pytest.approx(0.15)
        assert found.reason[0, 0] == Reason.HORIZON

    def test_sells_everything_at_an_open_beyond_both(self):
        found = run(quiet(40) | {3: bar(18, 19, 17, 18)}, exits.SCALE_OUT)

        assert found.gross[0, 0] == pytest.approx(0.8)


class TestTimeStops:
    def test_end_what_has_gained_nothing_by_then(self):
        rule = Rule(name="time", time_stop=5)

        lame = run(quiet(40), rule)
        risen = run(quiet(40) | {at: flat(11.0) for at in range(2, 40)}, rule)

        assert lame.exit_session[0, 0] == FIRST + 5
        assert lame.reason[0, 0] == Reason.TIME
        assert risen.reason[0, 0] == Reason.HORIZON


class TestOwnBarriers:
    def test_are_those_of_the_entry(self):
        bars = quiet(40) | {4: bar(10, 12.5, 10, 12)}

        found = run(bars, exits.THESIS, stops=np.array([9.0]), targets=np.array([12.0]))

        assert found.gross[0, 0] == pytest.approx(0.2)

    @pytest.mark.parametrize(("stop", "target"), [(10.0, 12.0), (9.0, 10.0), (math.nan, math.nan)])
    def test_void_an_entry_beyond_them_or_without_any(self, stop, target):
        found = run(quiet(40), exits.THESIS, stops=np.array([stop]), targets=np.array([target]))

        assert found.state[0, 0] == State.VOID
        assert not found.known[0, 0]

    def test_follow_a_split_before_the_entry(self):
        bars = {0: flat(10.0)} | {at: flat(5.0) for at in range(1, 40)} | {4: bar(5, 6.5, 5, 6)}

        found = run(
            bars, exits.THESIS, splits=[(1, 2.0)], stops=np.array([9.0]), targets=np.array([12.0])
        )

        assert found.price[0, 0] == pytest.approx(6.0)


class TestSplits:
    def test_inside_the_window_neither_stop_nor_pay(self):
        bars = quiet(6) | quiet(34, price=1.0, first=6)

        found = run(bars, *exits.NAMED, splits=[(6, 10.0)])

        assert found.gross[:, 0] == pytest.approx([0, 0, 0, 0])

    def test_make_the_costs_look_at_the_price_as_traded(self):
        bars = quiet(6) | quiet(34, price=1.0, first=6)

        found = run(bars, exits.HOLD, splits=[(6, 10.0)], costs=Costs())

        assert found.net[0, 0] == pytest.approx((1 - 0.01) / (1 + 0.005) - 1)

    def test_put_the_volume_on_the_basis_of_the_entry(self):
        bars = quiet(6) | {6 + at: flat(1.0, 2000.0) for at in range(34)}

        found = run(bars, exits.HOLD, splits=[(6, 10.0)], costs=Costs())

        assert found.capacity[0, 0] == pytest.approx(0.05 * 200 * 10)


class TestCosts:
    @pytest.mark.parametrize(
        ("price", "rate"), [(10.0, 0.005), (2.0, 0.005), (1.0, 0.01), (0.5, 0.02), (0.001, 0.5)]
    )
    def test_widen_under_two_dollars(self, price, rate):
        assert Costs().of(np.array([price]))[0] == pytest.approx(rate)
        found = run(quiet(40, price=price), exits.HOLD, costs=Costs())
        assert found.net[0, 0] == pytest.approx((1 - rate) / (1 + rate) - 1)

    def test_are_refused_out_of_range(self):
        with pytest.raises(ValueError):
            Costs(rate=0.6)
        with pytest.raises(ValueError):
            Costs(max_share=0.0)


class TestCapacity:
    def test_is_what_entry_and_each_sale_bear(self):
        bars = quiet(40) | {1: flat(10.0, 500.0), 3: bar(10, 13.2, 10, 13, 200.0)}

        found = run(bars, exits.HOLD, exits.SCALE_OUT, costs=Costs())

        assert found.capacity[0, 0] == pytest.approx(0.05 * 500 * 10)
        assert found.capacity[1, 0] == pytest.approx(0.05 * (200 / 0.5) * 10)


class TestStates:
    def test_delisted_is_sold_at_the_last_trade(self):
        found = run(quiet(5) | {5: flat(4.0)}, exits.HOLD)

        assert found.state[0, 0] == State.DELISTED
        assert found.reason[0, 0] == Reason.LAST_TRADE
        assert found.gross[0, 0] == pytest.approx(-0.6)

    def test_no_entry_without_a_bar_or_an_open(self):
        without_bar = {at: own for at, own in quiet(40).items() if at != 1}
        without_open = quiet(40) | {1: bar(None, 10, 10, 10)}

        for bars in (without_bar, without_open):
            found = run(bars, exits.HOLD)
            assert found.state[0, 0] == State.NO_ENTRY
            assert math.isnan(found.gross[0, 0])

    def test_pending_while_the_horizon_is_not_covered_even_if_stopped_out(self):
        found = run(quiet(14) | {3: bar(10, 10, 5, 6)}, exits.STOP_15, until=13)

        assert found.state[0, 0] == State.PENDING
        assert math.isnan(found.net[0, 0])

    def test_pending_where_the_window_runs_into_a_hole(self):
        made = make_panel({"A": quiet(10) | quiet(30, first=20)})

        found = exits.replay(
            made,
            exits.next_open(made, np.array([0, 9])),
            [exits.HOLD],
            exits.FREE,
            reach=covered((0, 9), (20, 49)),
        )

        assert (found.state == State.PENDING).all()

    def test_a_halt_at_the_horizon_is_sold_at_the_close_before(self):
        bars = {at: own for at, own in quiet(40).items() if not 12 <= at <= 16} | {11: flat(9.0)}

        found = run(bars, exits.HOLD)

        assert found.state[0, 0] == State.SETTLED
        assert found.gross[0, 0] == pytest.approx(-0.1)


class TestFills:
    def test_begin_at_the_trades_own_session_and_price(self):
        made = make_panel({"A": quiet(40), "B": quiet(40) | {8: flat(15.0)}})
        entries = exits.fills(
            made, ["B", "X", "A"], np.array([FIRST + 4, FIRST, FIRST + 70]), np.array([12.0, 1, 1])
        )

        found = exits.replay(
            made, entries, [Rule(name="5", horizon=5)], exits.FREE, reach=covered((0, 60))
        )

        assert found.gross[0, 0] == pytest.approx(0.25)
        assert found.state[0].tolist() == [State.SETTLED, State.NO_ENTRY, State.PENDING]

    def test_hold_barriers_against_the_close_on_the_day_of_the_fill(self):
        made = make_panel({"A": quiet(40) | {3: bar(10, 20, 2, 9.5)}})

        for at_open, reason in ((False, Reason.HORIZON), (True, Reason.STOP)):
            entries = exits.fills(
                made,
                ["A"],
                np.array([FIRST + 3]),
                np.array([10.0]),
                at_open=np.array([at_open]),
            )
            found = exits.replay(made, entries, [exits.STOP_15], exits.FREE, reach=covered((0, 60)))
            assert found.reason[0, 0] == reason

    def test_may_be_none(self):
        made = make_panel({"A": quiet(3)})

        found = exits.replay(
            made,
            exits.fills(made, [], np.empty(0, np.int32), np.empty(0)),
            exits.NAMED,
            exits.FREE,
            reach=covered((0, 3)),
        )

        assert found.known.shape == (4, 0)
