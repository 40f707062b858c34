import threading
from datetime import timedelta

import pytest
from django.db import connections

from analytics.errors import DomainError, Unavailable
from analytics.models import JobRun
from performance.models import BrokerOrder, OrderEvent, OrderProposal
from performance.services import orders
from performance.services.orders import NotOpen
from performance.services.orders_switch import NotAllowed, OverLimit
from tests import factories, order_rows
from tests.instants import NOW
from tests.performance.services.order_desks import (
    broker,
    desk,
    make_broker_account,
    make_trader,
    trading,
)

__all__ = ["broker", "desk", "trading"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trading")]
LATER = NOW + timedelta(minutes=11)


def proposal(**fields):
    account = fields.pop("account", None) or make_broker_account()
    return order_rows.make_proposal(account=account, **fields)


def confirmed(**fields):
    return orders.confirm(proposal_id=proposal(**fields).pk, user=make_trader(), now=NOW)


def send(order, broker, now=NOW):
    return orders.send(order_id=order.pk, broker=broker, now=now)


def trail():
    return list(OrderEvent.objects.order_by("pk").values_list("what", flat=True))


class TestConfirm:
    def test_stores_the_order_with_its_id_and_asks_for_it_to_be_sent(self):
        person = make_trader()
        wish = proposal()

        order = orders.confirm(proposal_id=wish.pk, user=person, now=NOW)

        wish.refresh_from_db()
        assert (wish.state, wish.decided_by, wish.decided_at) == ("confirmed", person, NOW)
        assert (order.state, order.confirmed_by, order.sent_at) == ("prepared", person, None)
        assert order.client_order_id == orders.client_order_id(wish)
        assert JobRun.objects.get(kind="send_order").arguments == {"order": order.pk}
        event = OrderEvent.objects.get()
        assert (event.what, event.by, event.at) == ("confirmed", person, NOW)

    def test_is_for_permitted_people_only(self):
        with pytest.raises(NotAllowed):
            orders.confirm(proposal_id=proposal().pk, user=factories.make_user(), now=NOW)

        assert not BrokerOrder.objects.exists()

    @pytest.mark.parametrize("state", ["refused", "expired"])
    def test_takes_open_proposals_only(self, state):
        wish = proposal(state=state, refusal="too big" if state == "refused" else "")

        with pytest.raises(NotOpen):
            orders.confirm(proposal_id=wish.pk, user=make_trader(), now=NOW)

    def test_refuses_a_proposal_whose_time_is_over(self):
        with pytest.raises(NotOpen, match="expired"):
            orders.confirm(
                proposal_id=proposal().pk, user=make_trader(), now=NOW + timedelta(days=2)
            )

    def test_makes_one_order_however_often_it_is_confirmed(self):
        wish, person = proposal(), make_trader()
        orders.confirm(proposal_id=wish.pk, user=person, now=NOW)

        with pytest.raises(NotOpen):
            orders.confirm(proposal_id=wish.pk, user=person, now=NOW)

        assert BrokerOrder.objects.count() == 1

    def test_refuses_what_is_over_the_size_limit_by_now(self):
        wish = proposal(
            kind="enter", side="buy", quantity=400, order_type="limit", limit_price=3
        )  # fmt: skip

        with pytest.raises(OverLimit, match=r"12\.0%"):
            orders.confirm(proposal_id=wish.pk, user=make_trader(), now=NOW)

        wish.refresh_from_db()
        assert wish.state == "open"

    def test_an_unknown_proposal_is_an_error(self):
        with pytest.raises(orders.NoSuchOrder):
            orders.confirm(proposal_id=99, user=make_trader(), now=NOW)


class TestSend:
    def test_sends_what_was_confirmed(self, broker, desk):
        order = confirmed(
            kind="enter", side="buy", quantity=100, order_type="limit", limit_price="3.10",
            stop_loss="2.55",
        )  # fmt: skip

        found = send(order, broker)

        assert (found.state, found.broker_id, found.broker_status) == ("working", "o-1", "accepted")
        assert desk.posts == [
            {
                "client_order_id": order.client_order_id,
                "symbol": "VIGL",
                "side": "buy",
                "qty": "100",
                "type": "limit",
                "time_in_force": "day",
                "limit_price": "3.1",
                "stop_loss": {"stop_price": "2.55"},
                "order_class": "oto",
            }
        ]
        assert trail() == ["confirmed", "sending", "accepted"]

    def test_twice_sends_once(self, broker, desk):
        order = confirmed()

        send(order, broker)
        send(order, broker)

        assert len(desk.posts) == 1

    @pytest.mark.parametrize("fault", ["cut after", "500 after"])
    def test_an_order_that_arrived_without_an_answer_is_found_by_asking(self, broker, desk, fault):
        desk.faults = [fault]
        order = confirmed()

        assert send(order, broker).state == "unknown"
        found = send(order, broker)  # the job is run again

        assert (found.state, found.broker_id) == ("working", "o-1")
        assert len(desk.posts) == 1

    def test_an_order_that_never_arrived_is_given_up_after_asking_never_sent_again(
        self, broker, desk
    ):
        desk.faults = ["cut before"]
        order = confirmed()

        assert send(order, broker).state == "unknown"
        assert send(order, broker).state == "unknown"  # it may still be on its way
        assert send(order, broker, now=LATER).state == "never_arrived"
        assert send(order, broker, now=LATER).state == "never_arrived"
        assert len(desk.posts) == 1

    def test_an_order_that_shows_up_late_is_not_given_up(self, broker, desk):
        desk.faults, desk.hidden = ["cut after"], True
        order = confirmed()

        assert send(order, broker).state == "unknown"
        assert send(order, broker).state == "unknown"
        desk.hidden = False

        assert send(order, broker, now=LATER).state == "working"

    def test_a_worker_killed_while_sending_leaves_an_order_that_is_asked_for(self, broker, desk):
        order = confirmed()
        BrokerOrder.objects.filter(pk=order.pk).update(state="sending", sent_at=NOW)

        assert send(order, broker).state == "sending"
        assert send(order, broker, now=LATER).state == "never_arrived"
        assert desk.posts == []

    def test_an_id_that_is_taken_is_ours(self, broker, desk):
        order = confirmed()
        desk._take({"client_order_id": order.client_order_id, "symbol": "VIGL", "side": "sell"})

        found = send(order, broker)

        assert (found.state, found.broker_id) == ("working", "o-1")
        assert "id is taken" in trail()

    def test_an_id_that_is_taken_by_something_else_is_said(self, broker, desk):
        order = confirmed()
        desk._take({"client_order_id": order.client_order_id, "symbol": "OTHER", "side": "buy"})

        found = send(order, broker)

        assert found.state == "sending"
        assert "another order" in found.message

    @pytest.mark.parametrize(
        ("status", "code", "message"),
        [
            (403, 40310000, "insufficient buying power"),
            (422, 42210000, "invalid stop_price 2.555"),
        ],
    )
    def test_keeps_why_it_was_refused(self, broker, desk, status, code, message):
        desk.faults = [(status, {"code": code, "message": message})]

        found = send(confirmed(), broker)

        assert found.state == "rejected"
        assert message in found.message
        assert found.finished_at == NOW

    def test_what_certainly_did_not_arrive_is_not_tried_again(self, desk, broker):
        desk.faults = [(429, {"code": 42910000, "message": "too many requests"})]
        order = confirmed()

        assert send(order, broker).state == "never_arrived"
        send(order, broker)
        assert len(desk.posts) == 1


class TestResolve:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("partially_filled", "working"),
            ("filled", "filled"),
            ("canceled", "cancelled"),
            ("expired", "cancelled"),
            ("rejected", "rejected"),
            ("held", "working"),
            ("something new", "working"),
        ],
    )
    def test_stores_what_the_broker_says(self, broker, desk, status, state):
        order = send(confirmed(), broker)
        desk.fill(40, status=status, price="2.97")

        found = orders.resolve(order_id=order.pk, broker=broker, now=LATER)

        assert (found.state, float(found.filled_quantity)) == (state, 40)
        assert float(found.filled_price) == 2.97

    def test_a_final_order_is_never_changed_again(self, broker, desk):
        order = send(confirmed(), broker)
        desk.fill(100)
        orders.resolve(order_id=order.pk, broker=broker, now=LATER)
        desk.fill(0, status="canceled")

        assert orders.resolve(order_id=order.pk, broker=broker, now=LATER).state == "filled"

    def test_leaves_the_order_as_it_is_while_the_broker_cannot_be_asked(self, broker, desk):
        desk.faults = ["cut after"]
        order = send(confirmed(), broker)
        desk.is_down = True

        with pytest.raises(Unavailable):
            orders.resolve(order_id=order.pk, broker=broker, now=LATER)

        order.refresh_from_db()
        assert order.state == "unknown"

    def test_refresh_asks_for_all_that_is_not_finished(self, broker, desk):
        send(confirmed(), broker)
        desk.fill(100)

        (found,) = orders.refresh(broker=broker, now=LATER)

        assert found.state == "filled"
        assert orders.refresh(broker=broker, now=LATER) == []


class TestCancel:
    def ask(self, order):
        orders.request_cancel(order_id=order.pk, user=make_trader(), now=NOW)

    def test_cancels_at_the_broker(self, broker, desk):
        order = send(confirmed(), broker)
        self.ask(order)

        found = orders.cancel(order_id=order.pk, broker=broker, now=NOW)

        assert found.state == "cancelled"
        assert "cancel asked for" in trail()

    def test_a_fill_that_was_faster_counts(self, broker, desk):
        order = send(confirmed(), broker)
        desk.on_cancel = lambda found: found.update(
            status="filled", filled_qty="100", filled_avg_price="2.9"
        )
        self.ask(order)

        found = orders.cancel(order_id=order.pk, broker=broker, now=NOW)

        assert (found.state, float(found.filled_quantity)) == ("filled", 100)
        assert "cancel refused" in trail()

    def test_a_partial_fill_stays_with_the_cancelled_order(self, broker, desk):
        order = send(confirmed(), broker)
        desk.fill(30, status="partially_filled")
        self.ask(order)

        found = orders.cancel(order_id=order.pk, broker=broker, now=NOW)

        assert (found.state, float(found.filled_quantity)) == ("cancelled", 30)

    def test_one_that_was_not_sent_is_stopped_and_never_sent(self, broker, desk):
        order = confirmed()
        self.ask(order)

        assert send(order, broker).state == "stopped"
        assert desk.posts == []

    def test_a_finished_order_cannot_be_cancelled(self, broker, desk):
        order = send(confirmed(), broker)
        desk.fill(100)
        orders.resolve(order_id=order.pk, broker=broker, now=NOW)

        with pytest.raises(NotOpen):
            self.ask(order)

    def test_is_for_permitted_people_only(self, broker):
        with pytest.raises(NotAllowed):
            orders.request_cancel(order_id=confirmed().pk, user=factories.make_user(), now=NOW)


class TestDecline:
    def test_keeps_who_and_why(self):
        wish, person = proposal(), make_trader()

        orders.decline(proposal_id=wish.pk, user=person, reason="not today", now=NOW)

        event = OrderEvent.objects.get()
        assert (event.what, event.by, event.text) == ("declined", person, "not today")
        with pytest.raises(NotOpen):
            orders.confirm(proposal_id=wish.pk, user=person, now=NOW)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def together(self, work, count=4):
        """Run ``work`` in threads that begin at once; return what each gave or raised."""
        gate, found = threading.Barrier(count), []

        def run():
            gate.wait(timeout=30)
            try:
                found.append(work())
            except DomainError as error:
                found.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return found

    def test_two_confirmations_make_one_order(self):
        wish, person = proposal(), make_trader()

        found = self.together(lambda: orders.confirm(proposal_id=wish.pk, user=person, now=NOW))

        assert sum(isinstance(each, BrokerOrder) for each in found) == 1
        assert sum(isinstance(each, NotOpen) for each in found) == 3
        assert BrokerOrder.objects.count() == 1
        assert JobRun.objects.filter(kind="send_order").count() == 1

    def test_two_workers_send_once(self, broker, desk):
        order = confirmed()

        self.together(lambda: orders.send(order_id=order.pk, broker=broker, now=NOW))

        assert len(desk.posts) == 1
        order.refresh_from_db()
        assert order.state == "working"
        assert OrderProposal.objects.get().order == order
