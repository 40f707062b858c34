"""A person who may trade, an account at the broker, a stub of it: what tests of orders share."""

import pytest
from django.contrib.auth.models import Permission

from performance.clients.alpaca import Alpaca
from tests import factories, risk_market
from tests.risk_market import EVENING
from tests.stubs.order_desk import OrderDesk

PERMISSIONS = ("confirm_orderproposal", "cancel_brokerorder", "halt_trading")


def make_trader(**fields):
    person = factories.make_user(is_staff=True, **fields)
    person.user_permissions.set(Permission.objects.filter(codename__in=PERMISSIONS))
    return person


def make_broker_account(**fields):
    wanted = {"broker": "Alpaca", "number": "PA1", "synced_at": EVENING, **fields}
    account = factories.make_account(**wanted)
    risk_market.make_equity(account)
    return account


@pytest.fixture
def desk():
    made = OrderDesk()
    yield made
    made.close()


@pytest.fixture
def broker(desk):
    with Alpaca("key", "secret", base_url=desk.url, sleep=lambda _s: None) as made:
        yield made


@pytest.fixture
def trading(settings):
    settings.TRADING_ENABLED = True
    settings.ALPACA_LIVE = False
    return settings
