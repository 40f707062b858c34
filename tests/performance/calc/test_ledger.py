"""Hand-worked ledgers, and what must hold of any ledger."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performance.calc.ledger import Ledger
from performance.calc.ledger_entries import in_order
from tests.performance.calc import ledgers
from tests.performance.calc.ledgers import MONDAY, action, buy, cash, number, read, sell, usd

TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=day) for day in (1, 2, 3))


def results(ledger):
    return [usd(trade.realised) for trade in ledger.trades]


class TestRoundTrip:
    def test_takes_both_fees_from_the_result(self):
        ledger = read(
            cash("1000"),
            buy("100", "3.00", fee="1.25"),
            sell("100", "4.50", fee="0.75", session=TUESDAY),
        )

        (trade,) = ledger.trades
        # paid 300 + 1.25, received 450 - 0.75
        assert (usd(trade.invested), usd(trade.proceeds), usd(trade.realised)) == (
            "301.25",
            "449.25",
            "148.00",
        )
        assert (trade.status, trade.closed_session, usd(ledger.cash)) == (
            "closed",
            TUESDAY,
            "1148.00",
        )
        assert (trade.entry_price, trade.exit_price) == (3_000_000, 4_500_000)
        assert trade.fees == 2_000_000

    def test_sells_the_oldest_shares_first(self):
        ledger = read(
            buy("10", "1.00"),
            buy("10", "2.00", session=TUESDAY),
            sell("15", "3.00", session=WEDNESDAY),
        )

        (trade,) = ledger.trades
        # 10 x (3 - 1) + 5 x (3 - 2); 5 at 2.00 are left
        assert (usd(trade.realised), usd(trade.cost_open), number(trade.open_quantity)) == (
            "25.00",
            "10.00",
            "5",
        )
        assert [number(lot.remaining) for lot in ledger.lots] == ["0", "5"]

    def test_counts_partial_fills_and_scaling_as_one_trade(self):
        ledger = read(
            buy("30", "2.00"),
            buy("70", "2.10", when=ledgers.noon(MONDAY) + timedelta(seconds=1)),
            sell("50", "2.50", session=TUESDAY),
            buy("50", "2.40", session=WEDNESDAY),
            sell("100", "2.60", session=THURSDAY),
        )

        (trade,) = ledger.trades
        # in: 60 + 147 + 120 = 327; out: 125 + 260 = 385
        assert (usd(trade.invested), usd(trade.proceeds), usd(trade.realised)) == (
            "327.00",
            "385.00",
            "58.00",
        )
        assert number(trade.quantity) == "150"
        assert trade.entry_price == 2_180_000  # 327 / 150

    def test_begins_a_new_trade_when_it_was_flat(self):
        ledger = read(
            buy("1", "1"), sell("1", "2", session=TUESDAY), buy("1", "3", session=WEDNESDAY)
        )

        assert [trade.status for trade in ledger.trades] == ["closed", "open"]

    def test_of_fractions_rounds_one_fill_to_one_cent(self):
        ledger = read(
            buy("10.177047834", "2630.95"), sell("10.177047834", "2630.95", session=TUESDAY)
        )

        # 10.177047834 x 2630.95 = 26775.3039...
        assert usd(ledger.trades[0].invested) == "26775.30"
        assert results(ledger) == ["0.00"]

    def test_spreads_the_cents_of_a_cut_lot_without_losing_one(self):
        ledger = read(
            buy("3", "0.333333"),
            *(sell("1", "0.5", session=day) for day in (TUESDAY, WEDNESDAY, THURSDAY)),
        )

        assert [usd(close.cost) for close in ledger.closes] == ["0.33", "0.34", "0.33"]
        assert results(ledger) == ["0.50"]


class TestShort:
    def test_earns_when_the_price_falls(self):
        ledger = read(
            sell("100", "5.00", fee="1", marked_short=True),
            buy("100", "4.00", fee="1", session=TUESDAY),
        )

        (trade,) = ledger.trades
        # received 499, covering cost 401
        assert (trade.side, usd(trade.invested), usd(trade.proceeds)) == (-1, "499.00", "401.00")
        assert usd(trade.realised) == usd(ledger.cash) == "98.00"
        assert not ledger.oddities

    def test_through_zero_closes_one_trade_and_opens_another(self):
        ledger = read(buy("100", "5.00"), sell("150", "6.00", fee="3", session=TUESDAY))

        long, short = ledger.trades
        # 900 - 3 = 897 for 150 shares: 598 of it close the long position, 299 open the short one
        assert (usd(long.realised), long.status) == ("98.00", "closed")
        assert (short.side, number(short.open_quantity), usd(short.invested)) == (
            -1,
            "50",
            "299.00",
        )
        assert usd(ledger.cash) == "397.00"
        assert long.fees + short.fees == 3_000_000
        assert [found.kind for found in ledger.oddities] == ["oversold"]

    @pytest.mark.parametrize(("marked", "severity"), [(None, "warning"), (False, "error")])
    def test_that_nobody_called_so_is_found(self, marked, severity):
        ledger = read(sell("5", "1", marked_short=marked))

        assert [(found.kind, found.severity) for found in ledger.oddities] == [
            ("oversold", severity)
        ]


class TestSplit:
    def test_multiplies_shares_and_keeps_cost(self):
        ledger = read(
            buy("100", "10.00"),
            action("split", session=TUESDAY, ratio="2"),
            sell("200", "6", session=TUESDAY),
        )

        (trade,) = ledger.trades
        assert (number(trade.quantity), trade.entry_price, usd(trade.realised)) == (
            "200",
            5_000_000,
            "200.00",
        )
        assert not ledger.oddities

    def test_comes_before_the_fills_of_its_session(self):
        ledger = read(
            action("split", session=TUESDAY, ratio="0.1"),
            buy("5", "20", session=TUESDAY),
            buy("100", "2"),
        )

        assert number(ledger.trades[0].open_quantity) == "15"

    def test_pays_cash_in_lieu_of_the_fraction(self):
        ledger = read(
            buy("105", "2.00"),
            action("split", session=TUESDAY, ratio="0.1", quantity="10", paid="9.75"),
        )

        (trade,) = ledger.trades
        # 10.5 shares cost 210: half a share cost 10 and brought 9.75
        assert (number(trade.open_quantity), usd(trade.cost_open), usd(trade.realised)) == (
            "10",
            "200.00",
            "-0.25",
        )
        assert usd(ledger.cash) == "-200.25"

    def test_may_leave_nothing_but_cash(self):
        ledger = read(
            buy("3", "1.00"),
            action("split", session=TUESDAY, ratio="0.01", quantity="0", paid="2.50"),
        )

        assert (ledger.trades[0].status, results(ledger)) == ("closed", ["-0.50"])

    def test_keeps_a_lot_too_small_for_a_share_in_the_cost(self):
        ledger = read(
            buy("0.000000001", "1"), buy("1000", "1"), action("split", session=TUESDAY, ratio="0.1")
        )

        assert usd(sum(lot.cost_remaining for lot in ledger.lots)) == usd(
            ledger.trades[0].cost_open
        )

    def test_of_what_is_not_held_is_found(self):
        ledger = read(action("split", session=MONDAY, ratio="2"))

        assert [found.kind for found in ledger.oddities] == ["no_effect"]


class TestDelisting:
    @pytest.mark.parametrize(
        ("price", "result"), [("0.10", "-290.00"), ("0", "-300.00")], ids=["recovered", "worthless"]
    )
    def test_settles_what_is_held(self, price, result):
        ledger = read(
            cash("300"), buy("100", "3"), action("delisting", session=TUESDAY, price=price)
        )

        (trade,) = ledger.trades
        assert (trade.status, usd(trade.realised), trade.open_quantity) == ("delisted", result, 0)
        assert trade.closed_session == TUESDAY

    def test_of_a_short_costs_what_is_paid(self):
        ledger = read(
            sell("10", "5", marked_short=True), action("delisting", session=TUESDAY, price="0")
        )

        assert (results(ledger), usd(ledger.cash)) == (["50.00"], "50.00")


class TestTransfer:
    def test_in_is_a_flow_at_its_value(self):
        ledger = read(
            action("transfer_in", session=MONDAY, quantity="10", price="4"),
            sell("10", "5", session=TUESDAY),
        )

        assert (results(ledger), usd(ledger.flows[MONDAY]), usd(ledger.cash)) == (
            ["10.00"],
            "40.00",
            "50.00",
        )

    def test_out_at_cost_has_no_result(self):
        ledger = read(buy("10", "4"), action("transfer_out", session=TUESDAY, quantity="4"))

        (trade,) = ledger.trades
        assert (usd(trade.realised), usd(ledger.flows[TUESDAY]), number(trade.open_quantity)) == (
            "0.00",
            "-16.00",
            "6",
        )

    def test_out_of_more_than_is_held_is_found(self):
        ledger = read(buy("10", "4"), action("transfer_out", session=TUESDAY, quantity="40"))

        assert [found.kind for found in ledger.oddities] == ["contradiction"]


class TestSymbolChange:
    def test_goes_on_as_the_same_trade(self):
        ledger = read(
            buy("10", "4"),
            action("symbol_change", session=TUESDAY, new="VGLX"),
            sell("10", "5", symbol="VGLX", session=WEDNESDAY),
        )

        (trade,) = ledger.trades
        assert (trade.symbol, usd(trade.realised), trade.status) == ("VGLX", "10.00", "closed")

    def test_to_a_symbol_that_is_held_is_found_and_left(self):
        ledger = read(
            buy("10", "4"),
            buy("1", "1", symbol="VGLX"),
            action("symbol_change", session=TUESDAY, new="VGLX"),
        )

        assert set(ledger.holdings()) == {"VIGL", "VGLX"}
        assert [found.kind for found in ledger.oddities] == ["contradiction"]


def quantities():
    return st.decimals("0.000000001", "2000", places=9).map(str)


def prices():
    return st.decimals("0.0001", "500", places=4).map(str)


@st.composite
def entries(draw):
    """Random, in places senseless: the books must balance all the same."""
    found = []
    for _ in range(draw(st.integers(1, 25))):
        session = MONDAY + timedelta(days=draw(st.integers(0, 6)))
        symbol = draw(st.sampled_from(["A", "B", "C"]))
        kind = draw(st.sampled_from(["fill", "fill", "fill", "fill", "cash", "split", "other"]))
        if kind == "fill":
            side = draw(st.sampled_from(["buy", "sell"]))
            fee = str(draw(st.decimals("0", "3", places=4)))
            found.append(
                ledgers.fill(
                    side,
                    draw(quantities()),
                    draw(prices()),
                    fee=fee,
                    symbol=symbol,
                    session=session,
                )
            )
        elif kind == "cash":
            amount = str(draw(st.decimals("-500", "500", places=2)))
            external = draw(st.booleans())
            found.append(
                cash(amount, external=external, symbol="" if external else symbol, session=session)
            )
        elif kind == "split":
            ratio = draw(st.sampled_from(["2", "0.1", "1.5", "0.3333333333", "7"]))
            paid = draw(st.sampled_from(["0", "1.23"]))
            found.append(action("split", symbol=symbol, session=session, ratio=ratio, paid=paid))
        else:
            what = draw(
                st.sampled_from(["delisting", "transfer_in", "transfer_out", "symbol_change"])
            )
            found.append(
                action(
                    what,
                    symbol=symbol,
                    session=session,
                    quantity=draw(quantities()) if what.startswith("transfer") else None,
                    price=None if what == "symbol_change" else draw(prices()),
                    new="D" if what == "symbol_change" else "",
                )
            )
    return found


def state(ledger):
    return (
        ledger.cash,
        ledger.flows,
        ledger.steps,
        [
            (t.opening, t.symbol, t.quantity, t.realised, t.cost_open, t.status)
            for t in ledger.trades
        ],
        [(lot.opening, lot.remaining, lot.cost_remaining) for lot in ledger.lots],
        [(c.lot.opening, c.closing, c.quantity, c.realised) for c in ledger.closes],
    )


class TestEveryLedger:
    @settings(max_examples=50, deadline=None)
    @given(entries())
    def test_balances_to_the_cent(self, given_entries):
        ledger = read(*given_entries)

        # Valued at cost nothing is unrealised: cash and holdings are flows and results.
        at_cost = ledger.cash + sum(trade.cost_open * trade.side for trade in ledger.trades)
        result = sum(trade.realised for trade in ledger.trades) + ledger.other_income
        assert at_cost == sum(ledger.flows.values()) + result

    @settings(max_examples=50, deadline=None)
    @given(entries())
    def test_has_no_negative_lot_and_the_lots_of_each_trade(self, given_entries):
        ledger = read(*given_entries)

        for lot in ledger.lots:
            assert 0 <= lot.remaining <= lot.quantity
            assert lot.remaining or not lot.cost_remaining
        for trade in ledger.trades:
            lots = [lot for lot in ledger.lots if lot.trade is trade]
            assert sum(lot.remaining for lot in lots) == trade.open_quantity <= trade.quantity
            assert sum(lot.cost_remaining for lot in lots) == trade.cost_open
            assert (trade.status == "open") is (trade.open_quantity > 0)
            closed = sum(close.realised for close in ledger.closes if close.lot.trade is trade)
            assert closed + trade.income == trade.realised

    @settings(max_examples=50, deadline=None)
    @given(entries(), st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_of_import(self, given_entries, random):
        shuffled = list(given_entries)
        random.shuffle(shuffled)

        assert state(read(*shuffled)) == state(read(*given_entries))

    @settings(max_examples=50, deadline=None)
    @given(entries(), st.integers(0, 25))
    def test_is_the_same_in_two_steps(self, given_entries, cut):
        ordered = in_order(given_entries)
        stepwise = Ledger().read(ordered[:cut]).read(ordered[cut:])

        assert state(stepwise) == state(read(*given_entries))
