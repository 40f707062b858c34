from datetime import timedelta
from decimal import Decimal

import pytest

from performance.models import OrderEvent, OrderProposal, Position
from performance.services import advice, proposals, risk_assessments
from tests import factories, order_rows, risk_market
from tests.performance.services.order_desks import make_broker_account
from tests.performance.services.test_sizing import calibration
from tests.risk_market import EVENING, LAST, make_held

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(tmp_path, settings):
    risk_market.store(tmp_path / "lake", settings, count=40)
    return make_broker_account()


def propose(now=EVENING):
    about = {"source": "imported", "now": now}
    risk_assessments.record_assessments(**about)
    advice.record_advice(**about)
    return proposals.record_proposals(**about)


def thesis(**fields):
    return factories.make_thesis(
        **{"symbol": "AAA", "session": "2024-06-18", "target_price": "6", **fields}
    )


def candidate_thesis(**fields):
    candidate = factories.make_candidate(symbol="NEW", session=LAST, dollar_volume_20=5e6)
    known = fields.pop("calibration") if "calibration" in fields else calibration()
    return factories.make_thesis(
        **{
            "symbol": "NEW", "session": LAST, "candidate": candidate, "entry_price": "3",
            "max_entry_price": "3.1", "target_price": "4.5", "stop_price": "2.55",
            "calibration": known, "p_calibrated": 0.6, **fields,
        }
    )  # fmt: skip


@pytest.fixture
def settled():
    """Sixty settled candidates: enough to judge the loss by."""
    batch = factories.make_batch(session="2024-05-01", candidate_count=60)
    for at in range(60):
        factories.make_tracking(
            candidate=factories.make_candidate(symbol=f"S{at}", batch=batch, rank=at + 1), mae=-0.1
        )


class TestCloses:
    def test_a_loss_beyond_25_percent_is_proposed_to_be_sold(self, account):
        make_held(account, "BBB", quantity=100, cost=3, mark=2)

        assert propose().proposed == 1

        wish = OrderProposal.objects.get()
        assert (wish.kind, wish.side, wish.quantity, wish.state) == ("close", "sell", 100, "open")
        assert wish.order_type == "market"
        assert "-33.3%" in wish.reason
        assert wish.risk
        assert wish.expires_at > EVENING

    def test_a_smaller_loss_is_not(self, account):
        make_held(account, "BBB", quantity=100, cost=2.5, mark=2)

        assert propose().proposed == 0

    def test_a_short_is_bought_back(self, account):
        held = make_held(account, "BBB", quantity=100, cost=2, mark=3)
        Position.objects.filter(pk=held.pk).update(side="short", market_value=-300, unrealised=-100)

        propose()

        assert OrderProposal.objects.get().side == "buy"

    def test_the_same_intent_is_proposed_once(self, account):
        make_held(account, "BBB", quantity=100, cost=3, mark=2)
        propose()

        assert propose().proposed == 0
        assert OrderProposal.objects.count() == 1

    def test_not_while_an_order_for_it_is_under_way(self, account):
        make_held(account, "BBB", quantity=100, cost=3, mark=2)
        person = factories.make_user()
        before = order_rows.make_proposal(
            account=account, symbol="BBB", state="confirmed", decided_by=person, decided_at=EVENING
        )
        order_rows.make_order(
            proposal=before, confirmed_by=person, state="working", sent_at=EVENING
        )

        assert propose().proposed == 0

    def test_again_where_nothing_reached_the_broker(self, account):
        make_held(account, "BBB", quantity=100, cost=3, mark=2)
        propose()
        person = factories.make_user()
        OrderProposal.objects.update(state="confirmed", decided_by=person, decided_at=EVENING)
        order_rows.make_order(
            proposal=OrderProposal.objects.get(), confirmed_by=person, state="never_arrived",
            sent_at=EVENING, finished_at=EVENING,
        )  # fmt: skip

        assert propose().proposed == 1


class TestStops:
    def test_the_stop_of_the_thesis_is_proposed_where_none_works(self, account):
        make_held(account, "AAA", quantity=100, thesis=thesis(stop_price="2.551"))

        propose()

        wish = OrderProposal.objects.get()
        assert (wish.kind, wish.side, wish.time_in_force) == ("stop", "sell", "gtc")
        assert wish.stop_price == Decimal("2.56")  # toward the safe side

    @pytest.mark.parametrize(
        "fields",
        [
            {"stop_price": "2.55", "stop_order_id": "o", "stop_confirmed_at": EVENING},
            {"mark": 2.5, "cost": 2.6},
            {"quantity": Decimal("0.5")},
        ],
        ids=["works", "passed", "no whole share"],
    )
    def test_not_where_it_works_is_passed_or_cannot_be_set(self, account, fields):
        make_held(account, "AAA", thesis=thesis(), **fields)

        assert propose().proposed == 0


@pytest.mark.usefixtures("settled")
class TestEntries:
    def test_a_candidate_is_proposed_at_the_suggested_size(self, account):
        candidate_thesis()

        propose()

        wish = OrderProposal.objects.get()
        assert (wish.kind, wish.side, wish.state) == ("enter", "buy", "open")
        assert (wish.limit_price, wish.stop_loss) == (Decimal("3.10"), Decimal("2.55"))
        assert wish.quantity == 322  # 10 % of 10,000 at 3.10
        assert wish.evidence["binding"] == "size limit"

    def test_without_an_edge_it_is_kept_with_the_reason(self, account):
        candidate_thesis(calibration=calibration(parameters={"alpha": 5.0, "beta": 95.0}))

        assert (propose().proposed, OrderProposal.objects.get().refusal) == (0, "no measured edge")

    def test_without_a_calibration_there_is_no_size(self, account):
        candidate_thesis(p_calibrated=None, calibration=None)

        assert propose().refused == 1
        assert "calibrated" in OrderProposal.objects.get().refusal

    def test_beyond_the_size_limit_it_is_refused_and_kept(self, account, settings, monkeypatch):
        candidate_thesis()
        monkeypatch.setattr(
            proposals.orders_switch, "refusal_of", lambda wish: "12.0% of equity, 10.0% are allowed"
        )

        assert propose().refused == 1
        assert "12.0%" in OrderProposal.objects.get().refusal

    def test_what_is_held_is_not_entered_again(self, account):
        candidate_thesis()
        make_held(account, "NEW")

        assert not any(w.kind == "enter" for w in self.all())

    def all(self):
        propose()
        return list(OrderProposal.objects.all())

    def test_not_after_the_session_to_enter_in_is_over(self, account):
        candidate_thesis()

        assert propose(now=EVENING + timedelta(days=6)).proposed == 0


class TestExpire:
    def test_closes_what_nobody_decided(self):
        wish = order_rows.make_proposal()

        assert proposals.expire(now=wish.expires_at) == 1
        wish.refresh_from_db()
        assert wish.state == "expired"
        assert OrderEvent.objects.get().what == "expired"
        assert proposals.expire(now=wish.expires_at) == 0


@pytest.mark.parametrize(
    ("price", "up", "tick"),
    [
        ("2.551", True, "2.56"),
        ("2.551", False, "2.55"),
        ("0.99999", False, "0.9999"),
        ("0.12345", True, "0.1235"),
        ("1", True, "1.00"),
    ],
)
def test_prices_are_rounded_to_ticks(price, up, tick):
    assert proposals.to_tick(Decimal(price), up=up) == Decimal(tick)
