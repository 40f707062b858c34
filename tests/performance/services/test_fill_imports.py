"""Exports of five brokers, in their own columns: twice, overlapping, faulty, contradictory."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from performance.clients import broker_csv
from performance.models import CashMovement, Fill, LedgerFinding, Position, Trade
from performance.services import fill_imports
from tests import factories

FILES = Path(__file__).parents[2] / "data" / "brokers"
NOW = datetime(2024, 7, 1, 22, tzinfo=UTC)
LAYOUTS = {
    "alpaca.csv": "alpaca",
    "generic.csv": "generic",
    "ibkr_flex.csv": "ibkr flex",
    "ibkr_statement.csv": "ibkr statement",
    "robinhood.csv": "robinhood",
    "schwab.csv": "schwab",
    "td_ameritrade.csv": "td ameritrade",
}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


@pytest.fixture
def account():
    return factories.make_account()


def take(account, name, **fields):
    content = name if isinstance(name, bytes) else (FILES / name).read_bytes()
    return fill_imports.import_file(account=account, content=content, now=NOW, **fields)


def generic(*rows):
    return "\n".join(["date,kind,symbol,quantity,price,fee,amount,id", *rows]).encode()


class TestLayouts:
    @pytest.mark.parametrize(("name", "layout"), sorted(LAYOUTS.items()))
    def test_are_known_by_their_columns(self, name, layout):
        assert broker_csv.read((FILES / name).read_bytes()).layout == layout

    @pytest.mark.parametrize("name", sorted(LAYOUTS))
    def test_twice_adds_nothing(self, account, name):
        first = take(account, name)
        before = list(Fill.objects.values()), list(CashMovement.objects.values())

        again = take(account, name)

        assert (again.new, again.known) == (0, first.new)
        assert (list(Fill.objects.values()), list(CashMovement.objects.values())) == before

    @pytest.mark.parametrize("name", ["td_ameritrade.csv", "ibkr_statement.csv", "schwab.csv"])
    def test_say_the_same_of_the_same_trade(self, account, name):
        take(account, name)

        trade = Trade.objects.get(symbol="AAAA")
        assert (trade.quantity, trade.open_quantity, trade.income) == (
            Decimal(100),
            Decimal(60),
            Decimal("1.25"),
        )
        assert trade.entry_price == Decimal(3)
        assert CashMovement.objects.get(kind="transfer").amount == 1000

    def test_of_robinhood_keep_two_equal_sales_and_find_the_fee(self, account):
        take(account, "robinhood.csv")

        sales = Fill.objects.filter(side="sell")
        assert [(sale.quantity, sale.fee) for sale in sales] == [(Decimal(40), Decimal("0.01"))] * 2
        assert Position.objects.get().quantity == 20

    def test_of_schwab_mark_short_sales_and_take_the_later_date(self, account):
        take(account, "schwab.csv")

        assert Fill.objects.get(symbol="BBBB").short_sale is True
        assert CashMovement.objects.get(kind="dividend").session == date(2024, 6, 25)
        assert not LedgerFinding.objects.filter(kind="oversold")

    def test_of_ibkr_take_times_of_new_york_and_fees_of_either_sign(self, account):
        take(account, "ibkr_flex.csv")

        first = Fill.objects.get(broker_id="5000001")
        assert first.executed_at == datetime(2024, 6, 24, 13, 53, 18, tzinfo=UTC)
        assert (first.fee, first.order_id) == (Decimal("0.35"), "900001")
        assert Fill.objects.get(symbol="BRK.B").short_sale is True

    def test_of_our_own_hold_corporate_actions(self, account):
        take(account, "generic.csv")

        trade = Trade.objects.get()
        # 100 for 300.35, 50 after the split, 20 sold at 7, 30 worthless
        assert (trade.symbol, trade.status, trade.realised) == (
            "AAAB",
            "delisted",
            Decimal("-160.35"),
        )

    def test_of_alpaca_meet_its_synchronisation(self, account):
        factories.make_fill(
            account=account, broker_id="20240624::f1", symbol="AAAA", origin="alpaca"
        )

        done = take(account, "alpaca.csv")

        assert (done.new, done.known) == (2, 1)
        assert Position.objects.get().quantity == Decimal("59.822952166")


class TestFaults:
    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ("2024-06-24,buy,AAAA,ten,3,,,", "line 3, quantity: 'ten' is no number"),
            ("2024-06-24,buy,AAAA,0,3,,,", "line 3, quantity: is 0"),
            ("2024-06-24,buy,AAAA,10,-3,,,", "line 3, price: '-3' is not above 0"),
            ("2024-06-24,buy,AAAA,10,,,,", "line 3, price: is empty"),
            ("24.6.2024,buy,AAAA,10,3,,,", "line 3, date: '24.6.2024' is no date"),
            ("2024-06-24,exercise,AAAA,10,3,,,", "line 3, kind: 'exercise' is not understood"),
            ("2024-06-24,buy,,10,3,,,", "line 3, symbol: is empty"),
            ("2024-06-24,deposit,,,,,-5,", "line 3, amount: -5 does not fit a deposit"),
            (
                "2024-06-24,buy,AAAA,10,3.12345678,,,",
                "line 3, price: '3.12345678' has more than 6 decimals",
            ),
        ],
    )
    def test_name_line_and_column_and_nothing_is_taken(self, account, row, told):
        content = generic("2024-06-21,deposit,,,,,1000,", row)

        with pytest.raises(fill_imports.FaultyRows) as raised:
            take(account, content)

        assert str(raised.value) == told
        assert not CashMovement.objects.exists()

    def test_can_be_kept_as_findings_beside_the_good_rows(self, account):
        content = generic("2024-06-24,exercise,AAAA,10,3,,,", "2024-06-21,deposit,,,,,1000,")

        done = take(account, content, keep_faulty=True)

        assert (done.new, len(done.faults)) == (1, 1)
        (finding,) = LedgerFinding.objects.filter(kind="unreadable")
        assert "exercise, AAAA, 10, 3" in finding.text

    def test_of_an_amount_that_contradicts_its_row(self, account):
        content = (FILES / "robinhood.csv").read_bytes().replace(b"($300.00)", b"($200.00)")

        with pytest.raises(fill_imports.FaultyRows, match="does not fit quantity x price"):
            take(account, content)

    def test_of_an_unknown_layout_list_the_known_ones(self, account):
        with pytest.raises(broker_csv.UnknownLayout, match="robinhood"):
            take(account, b"a,b,c\n1,2,3\n")

    def test_of_a_known_id_with_another_price_are_contradictions(self, account):
        take(account, generic("2024-06-24,buy,AAAA,10,3,,,x1"))

        done = take(account, generic("2024-06-24,buy,AAAA,10,3.50,,,x1"))

        assert (done.new, done.contradictions) == (0, 1)
        assert Fill.objects.get().price == 3
        (finding,) = LedgerFinding.objects.filter(kind="contradiction")
        assert finding.text == "x1: recorded with price 3 and 3.5; the first counts (line 2)"


class TestOrder:
    def test_of_import_does_not_matter(self):
        rows = [
            "2024-06-24,buy,AAAA,10,3,,,a",
            "2024-06-25,buy,AAAA,10,4,,,b",
            "2024-06-26,sell,AAAA,15,5,,,c",
        ]
        found = []
        for order in ([0, 1, 2], [2, 0, 1]):
            account = factories.make_account()
            for at in order:
                take(account, generic(rows[at]))
            trade = Trade.objects.get(account=account)
            found.append((trade.realised, trade.open_quantity, trade.opened_session))

        assert found[0] == found[1] == (Decimal("25.00"), Decimal(5), date(2024, 6, 24))

    def test_of_overlapping_files_takes_each_row_once(self, account):
        rows = ["2024-06-24,buy,AAAA,10,3,,,", "2024-06-24,buy,AAAA,10,3,,,"]

        take(account, generic(rows[0]))
        take(account, generic(*rows))

        assert Fill.objects.count() == 2
