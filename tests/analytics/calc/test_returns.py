"""The portfolio against a plain loop over sleeves, days and shares."""

import numpy as np
import pytest

from analytics.calc import returns
from analytics.calc.returns import Costs
from tests.analytics.calc.test_outcomes import closes, make_panel

FREE = Costs(rate=0.0, max_share=1.0)


def simulate(growth, picks, *, signals=None, value=None, hold=2, top=1, costs=FREE, capital=100.0):
    growth = np.array(growth, dtype=float)
    return returns.simulate(
        np.array(signals if signals is not None else range(len(picks)), np.int32),
        [np.array(own, np.int64) for own in picks],
        returns.Paths(
            growth=growth,
            value=np.full(len(growth), 1e9) if value is None else np.array(value, dtype=float),
        ),
        hold=hold,
        top=top,
        capital=capital,
        costs=costs,
    )


class TestPaths:
    def test_follow_the_close_from_the_next_open(self):
        bars = [*closes("A", [10.0]), ("A", 1, 8.0, 9, 7, 8.4), *closes("A", [9.0, 10.0], start=2)]

        found = returns.paths(make_panel(bars), np.array([0]), hold=3)

        assert found.growth[0].tolist() == pytest.approx([1.05, 1.125, 1.25])
        assert found.value[0] == 8.0e6

    def test_stand_on_the_split_basis_of_the_entry(self):
        made = make_panel(closes("A", [10, 10, 5, 5]), splits=[("A", 2, 2.0)])

        assert returns.paths(made, np.array([0]), hold=3).growth[0].tolist() == [1, 1, 1]

    def test_keep_the_last_trade_of_a_listing_that_ends(self):
        found = returns.paths(make_panel(closes("A", [10, 10, 4])), np.array([0]), hold=4)

        assert found.growth[0].tolist() == [1, 0.4, 0.4, 0.4]

    def test_are_unknown_without_a_bar_on_the_next_session(self):
        made = make_panel([*closes("A", [10.0]), *closes("A", [9.0], start=2)])

        assert np.isnan(returns.paths(made, np.array([0]), hold=2).growth).all()


class TestSimulate:
    def test_trades_each_sleeve_in_turn_and_reinvests_it(self):
        # sleeve 0: signals 0 and 2 (doubles, then halves); sleeve 1: signal 1 (stays)
        found = simulate([[1.5, 2.0], [1.0, 1.0], [1.0, 0.5]], [[0], [1], [2]])

        assert (found.number - 1).tolist() == [0, 1, 2, 3]
        assert found.equity.tolist() == [125.0, 150.0, 150.0, 100.0]
        assert found.returns[0] == pytest.approx(0.25)

    def test_pays_on_the_way_in_and_on_the_way_out(self):
        found = simulate([[1.0, 1.0]], [[0]], costs=Costs(rate=0.01, max_share=1.0))

        assert found.equity[0] == pytest.approx(50 + 50 / 1.01)
        assert found.equity[1] == pytest.approx(50 + 50 / 1.01 * 0.99)

    def test_leaves_the_part_of_an_order_without_entry_in_cash(self):
        found = simulate([[np.nan, np.nan], [2.0, 2.0]], [[0, 1]], top=2, value=[np.nan, 1e9])

        assert found.equity[-1] == pytest.approx(100 + 25)
        assert (found.orders, found.filled) == (2, 1)

    def test_buys_no_more_than_its_share_of_the_volume(self):
        found = simulate([[2.0, 2.0]], [[0]], value=[100.0], costs=Costs(rate=0.0, max_share=0.05))

        assert found.equity[-1] == pytest.approx(105)
        assert found.capped == 1
        assert found.shares.tolist() == [0.05]

    def test_keeps_parts_of_a_sleeve_equal_when_picks_are_few(self):
        found = simulate([[2.0, 2.0]], [[0]], top=4)

        assert found.equity[-1] == pytest.approx(100 + 50 / 4)

    def test_skips_the_sessions_of_a_hole(self):
        found = simulate([[1.1, 1.1], [1.1, 1.1]], [[0], [1]], signals=[0, 50])

        assert (found.number - 1).tolist() == [0, 1, 50, 51]
        assert found.equity.tolist() == pytest.approx([105, 105, 110, 110])

    def test_counts_turnover_once_for_a_purchase_and_its_sale(self):
        found = simulate([[1.0, 1.0], [1.0, 1.0]], [[0], [1]])

        # half the capital bought and sold twice over three sessions
        assert found.turnover == pytest.approx(100 / 100 * 252 / 3)

    def test_of_nothing_is_empty(self):
        assert simulate(np.empty((0, 2)), []).turnover is None

    def test_agrees_with_a_plain_loop(self):
        random = np.random.default_rng(2)
        hold, top, rate, share = 5, 3, 0.004, 0.05
        growth = np.exp(np.cumsum(random.normal(0, 0.05, (120, hold)), axis=1))
        value = np.where(random.random(120) < 0.1, np.nan, random.uniform(50, 5e4, 120))
        picks = [list(range(3 * at, 3 * at + int(random.integers(0, 4)))) for at in range(40)]

        found = simulate(
            growth, picks, value=value, hold=hold, top=top, capital=1000.0,
            costs=Costs(rate=rate, max_share=share),
        )  # fmt: skip

        assert found.equity.tolist() == pytest.approx(
            plain(growth, value, picks, hold, top, 1000.0, rate, share)
        )


def plain(growth, value, picks, hold, top, capital, rate, share):
    """Day by day: each sleeve holds cash and (shares, pick, day bought) until it sells."""
    cash = [capital / hold] * hold
    held = [[] for _ in range(hold)]
    equity = []
    for day in range(1, len(picks) + hold):
        if day <= len(picks):
            sleeve = (day - 1) % hold
            part = cash[sleeve] / top
            for pick in picks[day - 1][:top]:
                if value[pick] == value[pick]:
                    stake = min(part, value[pick] * share)
                    held[sleeve].append((stake / (1 + rate), pick, day))
                    cash[sleeve] -= stake
        total = 0.0
        for sleeve in range(hold):
            for units, pick, bought in list(held[sleeve]):
                if day == bought + hold - 1:
                    cash[sleeve] += units * growth[pick, -1] * (1 - rate)
                    held[sleeve].remove((units, pick, bought))
            total += cash[sleeve] + sum(
                units * growth[pick, day - bought] for units, pick, bought in held[sleeve]
            )
        equity.append(total)
    return equity


class TestCosts:
    @pytest.mark.parametrize(("rate", "share"), [(-0.1, 0.5), (1.0, 0.5), (0.1, 0.0), (0.1, 2.0)])
    def test_refuse_what_makes_no_sense(self, rate, share):
        with pytest.raises(ValueError, match="costs of"):
            Costs(rate=rate, max_share=share)
