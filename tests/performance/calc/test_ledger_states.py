"""Whose result cash without a trade is."""

from datetime import timedelta

from tests.performance.calc.ledgers import MONDAY, buy, cash, read, sell, usd

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)


class TestCash:
    def test_of_a_symbol_belongs_to_its_trade(self):
        ledger = read(
            buy("10", "4"),
            sell("10", "5", session=TUESDAY),
            cash("1.50", external=False, symbol="VIGL", session=WEDNESDAY),
        )

        assert usd(ledger.trades[0].realised) == "11.50"
        assert usd(ledger.trades[0].income) == "1.50"

    def test_of_nobody_belongs_to_the_account(self):
        ledger = read(cash("-2.25", external=False))

        assert (usd(ledger.other_income), usd(ledger.cash), ledger.flows) == ("-2.25", "-2.25", {})
