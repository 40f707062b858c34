from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from analytics.models.frozen import Frozen
from performance.models import OrderEvent, TradingSwitch
from tests import factories, order_rows
from tests.instants import NOW
from tests.performance.models.test_constraints import refused

pytestmark = pytest.mark.django_db


class TestOrderProposal:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("proposal_kind_known", {"kind": "hope"}),
            ("proposal_side_known", {"side": "hold"}),
            ("proposal_prices_fit_its_type", {"order_type": "market", "limit_price": 3}),
            ("proposal_prices_fit_its_type", {"order_type": "limit"}),
            ("proposal_prices_fit_its_type", {"order_type": "stop", "limit_price": 3}),
            ("proposal_prices_fit_its_type", {"order_type": "stop", "stop_price": 0}),
            ("proposal_tif_known", {"time_in_force": "ioc"}),
            ("proposal_of_some_shares", {"quantity": 0}),
            ("proposal_of_some_shares", {"quantity": -1}),
            ("proposal_says_why_and_at_what_risk", {"reason": ""}),
            ("proposal_says_why_and_at_what_risk", {"risk": ""}),
            ("proposal_state_fits", {"state": "refused"}),
            ("proposal_state_fits", {"state": "confirmed"}),
            ("proposal_state_fits", {"refusal": "too big"}),
            ("proposal_expires_later", {"expires_at": NOW}),
            ("proposal_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(order_rows.make_proposal, constraint, **fields)

    def test_refuses_the_same_intent_twice(self):
        first = order_rows.make_proposal()

        with pytest.raises(IntegrityError), transaction.atomic():
            order_rows.make_proposal(account=first.account, key=first.key)


class TestBrokerOrder:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("order_has_a_client_order_id", {"client_order_id": ""}),
            ("order_state_known", {"state": "lost", "sent_at": NOW}),
            ("order_side_known", {"side": "hold"}),
            ("order_prices_fit_its_type", {"stop_price": 3}),
            ("order_fills_no_more_than_it_is", {"filled_quantity": 101}),
            ("order_sent_when_it_left", {"sent_at": NOW}),
            ("order_sent_when_it_left", {"state": "working"}),
            ("order_finished_in_a_final_state", {"finished_at": NOW}),
            ("order_finished_in_a_final_state", {"state": "filled", "sent_at": NOW}),
            ("order_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(order_rows.make_order, constraint, **fields)

    def test_refuses_a_second_order_of_one_proposal(self):
        order = order_rows.make_order()

        with pytest.raises(IntegrityError), transaction.atomic():
            order_rows.make_order(proposal=order.proposal)

    def test_refuses_a_client_order_id_twice(self):
        order = order_rows.make_order()

        with pytest.raises(IntegrityError), transaction.atomic():
            order_rows.make_order(client_order_id=order.client_order_id)


class TestOrderEvent:
    def test_is_never_changed_or_deleted(self):
        event = order_rows.make_event()

        with pytest.raises(Frozen):
            event.save()
        with pytest.raises(Frozen):
            event.delete()
        with pytest.raises(Frozen):
            OrderEvent.objects.all().delete()

    def test_refuses_one_that_says_nothing(self):
        assert refused(order_rows.make_event, "order_event_says_what", what="")


class TestTradingSwitch:
    def test_is_one_row(self):
        def second():
            TradingSwitch.objects.create(pk=2, changed_at=NOW)

        assert refused(second, "switch_is_one_row")

    def test_halted_says_why(self):
        assert refused(order_rows.make_switch, "switch_halted_says_why", is_halted=True)


class TestRuleBreach:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("breach_rule_known", {"rule": "bad_mood"}),
            ("breach_measured_against_a_limit", {"allowed": None}),
            ("breach_has_evidence", {"text": ""}),
            ("breach_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(order_rows.make_breach, constraint, **fields)

    def test_is_stored_once(self):
        breach = order_rows.make_breach()

        with pytest.raises(IntegrityError), transaction.atomic():
            order_rows.make_breach(account=breach.account)

    def test_of_another_trade_is_another(self):
        breach = order_rows.make_breach()

        order_rows.make_breach(account=breach.account, opened_at=NOW + timedelta(days=1))


class TestPositionAdvice:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("position_advice_known", {"advice": "PRAY"}),
            ("position_advice_stop_known", {"stop_state": "maybe"}),
            ("position_advice_says_why", {"reason": ""}),
            ("position_advice_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(order_rows.make_advice, constraint, **fields)

    def test_is_stored_once_a_session(self):
        account = factories.make_account()
        order_rows.make_advice(account=account)

        with pytest.raises(IntegrityError), transaction.atomic():
            order_rows.make_advice(account=account)
