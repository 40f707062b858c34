from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from performance.models import BrokerOrder, OrderProposal, TradingSwitch
from tests import factories, order_rows
from tests.performance.services.order_desks import make_broker_account, make_trader, trading

__all__ = ["trading"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trading")]


@pytest.fixture
def wish():
    now = timezone.now()
    return order_rows.make_proposal(
        account=make_broker_account(), proposed_at=now, expires_at=now + timedelta(days=1)
    )


@pytest.fixture
def trader(client):
    person = make_trader()
    person.user_permissions.add(
        *_view("orderproposal"), *_view("brokerorder"), *_view("tradingswitch")
    )
    client.force_login(person)
    return person


def _view(model):
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename=f"view_{model}")


def address(name, *args):
    return reverse(f"admin:performance_{name}", args=args)


class TestConfirm:
    def test_shows_the_order_with_its_reason_and_risk(self, client, trader, wish):
        html = client.get(address("orderproposal_confirm", wish.pk)).content.decode()

        for said in (wish.reason, wish.risk, "sell 100 VIGL", "Type VIGL to confirm"):
            assert said in html
        assert not BrokerOrder.objects.exists()

    def test_takes_the_typed_symbol(self, client, trader, wish):
        client.post(address("orderproposal_confirm", wish.pk), {"symbol": "vigl"})

        order = BrokerOrder.objects.get()
        assert (order.proposal, order.confirmed_by, order.state) == (wish, trader, "prepared")

    @pytest.mark.parametrize("typed", ["", "VIG", "yes"])
    def test_does_nothing_without_it(self, client, trader, wish, typed):
        client.post(address("orderproposal_confirm", wish.pk), {"symbol": typed})

        assert not BrokerOrder.objects.exists()

    def test_twice_makes_one_order_and_says_so(self, client, trader, wish):
        url = address("orderproposal_confirm", wish.pk)
        client.post(url, {"symbol": "VIGL"})

        answer = client.post(url, {"symbol": "VIGL"}, follow=True)

        assert BrokerOrder.objects.count() == 1
        assert "not open any more" in answer.content.decode()

    def test_says_that_trading_is_halted(self, client, trader, wish, trading):
        trading.TRADING_ENABLED = False

        assert "halted" in client.get(address("orderproposal_confirm", wish.pk)).content.decode()
        client.post(address("orderproposal_confirm", wish.pk), {"symbol": "VIGL"})
        assert not BrokerOrder.objects.exists()

    @pytest.mark.parametrize("page", ["confirm", "decline"])
    def test_is_closed_to_staff_without_the_permission(self, client, wish, page):
        person = factories.make_user(is_staff=True)
        person.user_permissions.add(*_view("orderproposal"))
        client.force_login(person)

        answer = client.post(address(f"orderproposal_{page}", wish.pk), {"symbol": "VIGL"})

        assert answer.status_code == 403
        assert not BrokerOrder.objects.exists()


class TestDecline:
    def test_keeps_who_and_why_on_the_trail(self, client, trader, wish):
        client.post(address("orderproposal_decline", wish.pk), {"reason": "not today"})

        assert OrderProposal.objects.get().state == "declined"
        html = client.get(address("orderproposal_change", wish.pk)).content.decode()
        assert "not today" in html
        assert trader.username in html


class TestCancel:
    def test_asks_first_and_then_asks_the_broker(self, client, trader, wish):
        client.post(address("orderproposal_confirm", wish.pk), {"symbol": "VIGL"})
        order = BrokerOrder.objects.get()
        BrokerOrder.objects.update(state="working", sent_at=timezone.now())
        url = address("brokerorder_cancel", order.pk)

        assert client.get(url).status_code == 200
        assert BrokerOrder.objects.get().cancel_asked_at is None
        client.post(url)

        assert BrokerOrder.objects.get().cancel_asked_at is not None

    def test_is_closed_to_staff_without_the_permission(self, client):
        person = factories.make_user(is_staff=True)
        person.user_permissions.add(*_view("brokerorder"))
        client.force_login(person)

        answer = client.post(address("brokerorder_cancel", order_rows.make_order().pk))

        assert answer.status_code == 403


class TestSwitch:
    def test_halts_and_resumes_with_a_reason(self, client, trader):
        client.post(address("tradingswitch_halt"), {"reason": "earnings night"})

        row = TradingSwitch.objects.get()
        assert (row.is_halted, row.reason, row.changed_by) == (True, "earnings night", trader)
        client.post(address("tradingswitch_halt"), {"reason": ""})
        client.post(address("tradingswitch_resume"), {"reason": "over"})
        assert TradingSwitch.objects.get().is_halted is False

    def test_is_closed_to_staff_without_the_permission(self, client):
        client.force_login(factories.make_user(is_staff=True))

        assert client.post(address("tradingswitch_halt"), {"reason": "x"}).status_code == 403
