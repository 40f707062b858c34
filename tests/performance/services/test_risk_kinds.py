import pytest

from analytics.services import job_registry
from performance.clients.alpaca import Alpaca
from performance.models import BrokerOrder, RiskAssessment, RuleBreach
from performance.services import brokers, orders, risk_kinds
from tests import factories, order_rows, risk_market
from tests.instants import NOW
from tests.performance.services.order_desks import (
    desk,
    make_broker_account,
    make_trader,
    trading,
)
from tests.risk_market import EVENING, make_equity, make_held

__all__ = ["desk", "trading"]
pytestmark = pytest.mark.django_db


class Report:
    def now(self):
        return EVENING

    def progress(self, current, total=None, message=""):
        pass


@pytest.fixture
def connected(monkeypatch, desk):
    def connect():
        return Alpaca("key", "secret", base_url=desk.url, sleep=lambda _s: None)

    monkeypatch.setattr(brokers, "connect_alpaca", connect)
    monkeypatch.setattr(brokers, "has_alpaca", lambda: True)


class TestAssessRisk:
    def test_does_everything_of_a_night_and_says_so(self, tmp_path, settings):
        risk_market.store(tmp_path / "lake", settings, count=40)
        account = factories.make_account()
        make_equity(account, values=[10_000] * 20)
        make_held(account, "BBB", quantity=600, mark=2)

        found = risk_kinds.assess_risk({"source": "imported"}, Report())

        assert RiskAssessment.objects.count() == 2
        assert RuleBreach.objects.count() == found["breaches"] == 2
        assert "1 proposals" in found["message"]

    def test_without_an_account_finds_nothing(self, tmp_path, settings):
        risk_market.store(tmp_path / "lake", settings, count=40)

        assert risk_kinds.assess_risk({"source": "imported"}, Report())["changed"] == 0


@pytest.mark.usefixtures("trading", "connected")
class TestOrders:
    def confirm(self):
        wish = order_rows.make_proposal(account=make_broker_account())
        return orders.confirm(proposal_id=wish.pk, user=make_trader(), now=NOW)

    def test_sends_cancels_and_asks(self, desk):
        order = self.confirm()
        about = {"order": order.pk}

        assert risk_kinds.send_order(about, Report())["state"] == "working"
        orders.request_cancel(order_id=order.pk, user=order.confirmed_by, now=NOW)
        assert risk_kinds.request_sync(now=NOW).kind == risk_kinds.SYNC_ORDERS
        assert risk_kinds.cancel_order(about, Report())["state"] == "cancelled"
        assert risk_kinds.request_sync(now=NOW) is None
        assert len(desk.posts) == 1

    def test_the_sync_cancels_what_was_asked_for_and_lost(self, desk):
        order = self.confirm()
        risk_kinds.send_order({"order": order.pk}, Report())
        orders.request_cancel(order_id=order.pk, user=order.confirmed_by, now=NOW)

        assert risk_kinds.sync_orders({}, Report())["orders"] == 1
        assert BrokerOrder.objects.get().state == "cancelled"


def test_the_kinds_are_known():
    names = {kind.name for kind in job_registry.get_kinds()}

    assert {"assess_risk", "send_order", "cancel_order", "sync_orders"} <= names
