"""Synchronisation against a broker on this machine: twice, cut short, late, contradictory."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from analytics.errors import Unavailable
from performance.clients.alpaca import Alpaca
from performance.models import Account, CashMovement, Difference, Fill, LedgerFinding, Position
from performance.services import alpaca_sync
from tests import factories
from tests.stubs import alpaca_broker as wire

NOW = datetime(2024, 6, 26, 22, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


@pytest.fixture
def broker():
    with wire.open_for_business() as running:
        running.activities = [
            wire.other("d1", "CSD", "1000.00", date="2024-06-21"),
            wire.fill("f1", qty="100", price="3.00"),
            wire.fill(
                "f2", side="sell", qty="40", price="3.50", transaction_time="2024-06-25T15:00:00Z"
            ),
        ]
        running.account["cash"] = "840.00"
        running.positions = [wire.position("VIGL", "60")]
        yield running


@pytest.fixture
def alpaca(broker):
    quick = {"sleep": lambda _s: None, "timeout": httpx.Timeout(5.0)}
    with Alpaca("key", "secret", base_url=broker.url, **quick) as client:
        yield client


def sync(alpaca, **fields):
    return alpaca_sync.sync(alpaca=alpaca, now=fields.pop("now", NOW), **fields)


def standing():
    return [(row.kind, row.text) for row in LedgerFinding.objects.standing()]


class TestSync:
    def test_makes_the_account_and_its_position(self, alpaca):
        done = sync(alpaca)

        account = Account.objects.get()
        assert (account.kind, account.source, account.synced_at) == ("paper", "live", NOW)
        position = Position.objects.get()
        assert (position.quantity, position.cost) == (Decimal(60), Decimal("180.00"))
        assert (done.new, done.differences, standing()) == (3, 0, [])

    def test_twice_adds_nothing(self, alpaca):
        sync(alpaca)
        before = list(Fill.objects.values())

        done = sync(alpaca, full=True)

        assert (done.new, done.known) == (0, 3)
        assert list(Fill.objects.values()) == before

    def test_goes_on_after_being_cut_between_two_pages(self, alpaca, broker):
        broker.activities = [wire.fill(f"2024::{n:04}", qty="1") for n in range(150)]
        page = wire.Answer(broker.activities[:100])
        broker.fault("GET", "/v2/account/activities", page, *[wire.BROKEN] * 5)

        with pytest.raises(Unavailable):
            sync(alpaca)
        kept = Fill.objects.count()
        done = sync(alpaca)

        assert (kept, done.new, Fill.objects.count()) == (100, 50, 150)

    def test_takes_what_arrives_late(self, alpaca, broker):
        sync(alpaca)
        broker.activities.insert(
            1, wire.fill("f0", qty="5", price="2.90", transaction_time="2024-06-20T15:00:00Z")
        )

        done = sync(alpaca)

        assert done.new == 1
        assert Position.objects.get().quantity == 65

    def test_takes_a_row_sent_twice_once(self, alpaca, broker):
        broker.activities.append(dict(broker.activities[-1]))

        assert sync(alpaca).new == 3

    def test_finds_two_records_of_one_trade_that_differ(self, alpaca, broker):
        sync(alpaca)
        broker.activities[1]["price"] = "3.10"

        sync(alpaca)

        assert Fill.objects.get(broker_id="f1").price == Decimal("3.00")
        assert standing() == [
            ("contradiction", "f1: the broker says price 3 and 3.1; the first counts")
        ]

    def test_finds_what_it_cannot_read(self, alpaca, broker):
        broker.activities += [
            wire.other("x1", "OPASN", "5.00"),
            wire.fill("f9", price="0"),
            wire.fill("f8", qty="many"),
        ]

        done = sync(alpaca)

        assert (done.new, done.found) == (3, 3)
        assert {kind for kind, _ in standing()} == {"unreadable"}

    def test_takes_back_cash_that_was_cancelled(self, alpaca, broker):
        broker.activities.append(wire.other("v1", "DIV", "12.34", symbol="VIGL"))
        sync(alpaca)
        broker.activities.append(wire.other("v1", "DIV", "12.34", symbol="VIGL", status="canceled"))

        sync(alpaca)

        amounts = CashMovement.objects.filter(kind="dividend").values_list("amount", flat=True)
        assert sum(amounts) == 0
        assert CashMovement.objects.get(broker_id="v1 canceled").corrects.broker_id == "v1"

    def test_appends_what_a_correction_changes(self, alpaca, broker):
        broker.activities.append(wire.other("v1", "DIV", "12.34", symbol="VIGL"))
        sync(alpaca)
        broker.activities[-1] = wire.other("v1", "DIV", "10.00", symbol="VIGL", status="correct")

        sync(alpaca)
        done = sync(alpaca)

        amounts = CashMovement.objects.filter(kind="dividend").values_list("amount", flat=True)
        assert (sum(amounts), done.new) == (Decimal("10.00"), 0)

    def test_notes_the_stop_that_works_at_the_broker(self, alpaca, broker):
        broker.orders["s1"] = wire.order("s1", "c", side="sell", type="stop", stop_price="2.50")

        sync(alpaca)

        position = Position.objects.get()
        assert (position.stop_order_id, position.stop_price) == ("s1", Decimal("2.50"))
        assert position.stop_confirmed_at == NOW
        broker.orders.clear()
        sync(alpaca)
        assert Position.objects.get().stop_confirmed_at is None

    def test_refuses_the_keys_of_another_account(self, alpaca):
        mine = factories.make_account(broker_account_id="another", broker="Alpaca")

        with pytest.raises(alpaca_sync.AnotherAccount):
            sync(alpaca, account=mine)

    def test_refuses_another_currency(self, alpaca, broker):
        broker.account["currency"] = "EUR"

        with pytest.raises(alpaca_sync.WrongCurrency):
            sync(alpaca)


class TestReconciliation:
    def test_shows_every_difference_to_the_cent(self, alpaca, broker):
        broker.account["cash"] = "839.99"
        broker.positions = [wire.position("VIGL", "60.5"), wire.position("AEVA", "-3")]

        done = sync(alpaca)

        found = {
            (row.kind, row.symbol): (row.ours, row.theirs, row.difference)
            for row in Difference.objects.standing()
        }
        assert done.differences == 3
        assert found == {
            ("cash", ""): (Decimal("840.00"), Decimal("839.99"), Decimal("0.01")),
            ("position", "AEVA"): (Decimal(0), Decimal(-3), Decimal(3)),
            ("position", "VIGL"): (Decimal(60), Decimal("60.5"), Decimal("-0.5")),
        }

    def test_is_resolved_when_the_two_agree(self, alpaca, broker):
        broker.account["cash"] = "1.00"
        sync(alpaca)
        broker.account["cash"] = "840.00"
        later = NOW + timedelta(hours=1)

        sync(alpaca, now=later)

        (row,) = Difference.objects.all()
        assert (row.seen_at, row.resolved_at) == (NOW, later)

    def test_that_stays_the_same_stays_one_row(self, alpaca, broker):
        broker.account["cash"] = "1.00"
        sync(alpaca)
        sync(alpaca, now=NOW + timedelta(hours=1))

        assert [row.seen_at for row in Difference.objects.all()] == [NOW]
