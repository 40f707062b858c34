"""The one order in which a ledger is read, and chains of corrections."""

from datetime import timedelta

import pytest

from performance.calc import ledger_entries
from tests.performance.calc.ledgers import MONDAY, buy, read, sell, usd

TUESDAY = MONDAY + timedelta(days=1)


class TestOrder:
    def test_refuses_an_entry_that_comes_too_late(self):
        ledger = read(buy("1", "1", session=TUESDAY))

        with pytest.raises(ValueError, match="rebuild"):
            ledger.read([buy("1", "1")])

    def test_buys_before_it_sells_at_one_instant(self):
        ledger = read(sell("1", "2"), buy("1", "1"))

        assert (usd(ledger.trades[0].realised), ledger.oddities) == ("1.00", [])


class TestResolve:
    def test_follows_a_chain_to_its_end(self):
        assert ledger_entries.resolve([(1, None), (2, 1), (3, 2), (4, None)]) == {3: 1, 4: 4}

    @pytest.mark.parametrize(
        "links", [[(1, None), (2, 1), (3, 1)], [(1, 2), (2, 1)]], ids=["twice", "circle"]
    )
    def test_refuses_what_has_no_end(self, links):
        with pytest.raises(ledger_entries.AmbiguousCorrection):
            ledger_entries.resolve(links)
