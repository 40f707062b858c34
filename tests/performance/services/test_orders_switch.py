import pytest

from performance.services import orders
from performance.services.orders_switch import NotAllowed, TradingHalted, set_switch
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


def proposal(**fields):
    account = fields.pop("account", None) or make_broker_account()
    return order_rows.make_proposal(account=account, **fields)


def confirmed(**fields):
    return orders.confirm(proposal_id=proposal(**fields).pk, user=make_trader(), now=NOW)


def send(order, broker, now=NOW):
    return orders.send(order_id=order.pk, broker=broker, now=now)


class TestHalts:
    def test_nothing_is_confirmed_without_the_setting(self, trading):
        trading.TRADING_ENABLED = False

        with pytest.raises(TradingHalted, match="TRADING_ENABLED"):
            confirmed()

    def test_nothing_is_confirmed_while_the_switch_is_off(self):
        set_switch(halted=True, reason="earnings night", user=make_trader(), now=NOW)

        with pytest.raises(TradingHalted, match="earnings night"):
            confirmed()

    def test_an_order_confirmed_before_the_halt_is_not_sent(self, broker, desk):
        order = confirmed()
        set_switch(halted=True, reason="stop it", user=make_trader(), now=NOW)

        assert send(order, broker).state == "stopped"
        assert desk.posts == []

    @pytest.mark.parametrize(
        ("live", "allowed", "kind", "goes"),
        [
            (True, True, "live", True),
            (True, False, "live", False),
            (False, True, "live", False),
            (False, False, "live", False),
            (True, True, "paper", False),
            (False, False, "paper", True),
        ],
    )
    def test_live_money_needs_two_settings(self, trading, live, allowed, kind, goes):
        trading.ALPACA_LIVE, trading.TRADING_LIVE_ALLOWED = live, allowed
        account = make_broker_account(kind=kind)

        if goes:
            assert confirmed(account=account).state == "prepared"
        else:
            with pytest.raises(TradingHalted):
                confirmed(account=account)

    @pytest.mark.parametrize(
        "fields", [{"source": "simulated"}, {"source": "claimed"}, {"broker": "IBKR"}]
    )
    def test_orders_of_other_accounts_go_nowhere(self, fields):
        with pytest.raises(TradingHalted):
            confirmed(account=make_broker_account(**fields))

    @pytest.mark.parametrize(
        "account", [{"id": "x", "account_number": "PA2"}, {"trading_blocked": True}]
    )
    def test_the_keys_must_be_the_accounts_and_it_must_be_able_to_trade(
        self, broker, desk, account
    ):
        desk.account |= account

        found = send(confirmed(), broker)

        assert (found.state, desk.posts) == ("stopped", [])
        assert found.message

    def test_halting_needs_a_permission_and_a_reason(self):
        with pytest.raises(NotAllowed):
            set_switch(halted=True, reason="x", user=factories.make_user(), now=NOW)
        with pytest.raises(Exception, match="why"):
            set_switch(halted=True, reason=" ", user=make_trader(), now=NOW)
