"""The ledger is appended to and never changed; the database refuses what cannot be."""

import pytest
from django.db import IntegrityError, transaction

from analytics.models.frozen import Frozen
from performance.models import CashMovement, CorporateAction, Fill
from tests import factories, portfolio_rows

pytestmark = pytest.mark.django_db
MAKERS = {
    Fill: factories.make_fill,
    CashMovement: factories.make_cash,
    CorporateAction: factories.make_action,
}


def names(model):
    return model.__name__


@pytest.mark.parametrize("model", MAKERS, ids=names)
class TestAppendOnly:
    def test_refuses_to_be_saved_again(self, model):
        row = MAKERS[model]()
        row.symbol = "OTHER"

        with pytest.raises(Frozen):
            row.save()

    def test_refuses_to_be_deleted(self, model):
        with pytest.raises(Frozen):
            MAKERS[model]().delete()

    def test_refuses_to_be_changed_or_deleted_by_the_queryset(self, model):
        MAKERS[model]()

        for change in (
            lambda: model.objects.update(symbol="OTHER"),
            lambda: model.objects.all().delete(),
            lambda: model.objects.bulk_update(list(model.objects.all()), ["symbol"]),
        ):
            with pytest.raises(Frozen):
                change()

    def test_takes_one_row_per_id_of_the_broker(self, model):
        first = MAKERS[model]()

        with pytest.raises(IntegrityError), transaction.atomic():
            MAKERS[model](account=first.account, broker_id=first.broker_id)


@pytest.mark.parametrize(
    ("make", "fields", "rule"),
    [
        (factories.make_fill, {"quantity": 0}, "fill_amounts_positive"),
        (factories.make_fill, {"price": 0}, "fill_amounts_positive"),
        (factories.make_fill, {"fee": -1}, "fill_amounts_positive"),
        (factories.make_fill, {"side": "hold"}, "fill_side_known"),
        (factories.make_fill, {"short_sale": True}, "fill_only_sales_are_short"),
        (factories.make_fill, {"kind": "correction"}, "fill_correction_names_its_row"),
        (factories.make_fill, {"broker_id": ""}, "fill_has_an_id"),
        (factories.make_fill, {"origin": "rumour"}, "fill_origin_known"),
        (factories.make_fill, {"source": "dreamt"}, "fill_source_known"),
        (factories.make_cash, {"kind": "fee", "amount": 0}, "cash_moves"),
        (factories.make_cash, {"kind": "deposit", "amount": -1}, "cash_direction_fits_its_kind"),
        (factories.make_cash, {"kind": "withdrawal"}, "cash_direction_fits_its_kind"),
        (factories.make_cash, {"kind": "gift"}, "cash_kind_known"),
        (factories.make_action, {"ratio": None}, "action_has_what_its_kind_needs"),
        (factories.make_action, {"ratio": -1}, "action_has_what_its_kind_needs"),
        (factories.make_action, {"kind": "symbol_change"}, "action_has_what_its_kind_needs"),
        (factories.make_action, {"kind": "transfer_in"}, "action_has_what_its_kind_needs"),
        (factories.make_action, {"kind": "cancellation"}, "action_has_what_its_kind_needs"),
        (factories.make_action, {"quantity": -1}, "action_amounts_not_negative"),
        (factories.make_account, {"currency": "EUR"}, "account_in_usd"),
        (factories.make_trade, {"open_quantity": 0}, "trade_closed_with_its_exit"),
        (factories.make_trade, {"open_quantity": 101}, "trade_amounts_positive"),
        (factories.make_trade, {"opening_fill": None}, "trade_names_what_opened_it"),
        (factories.make_trade, {"unrealised": 1}, "trade_mark_names_its_session"),
        (factories.make_trade, {"link": "nearest"}, "trade_link_names_its_row"),
        (factories.make_trade, {"side": "up"}, "trade_side_known"),
        (factories.make_position, {"market_value": 1}, "position_mark_names_its_session"),
        (
            factories.make_position,
            {"stop_confirmed_at": factories.NOW},
            "position_confirmed_stop_names_its_order",
        ),
        (portfolio_rows.make_lot, {"remaining": 101}, "lot_never_negative"),
        (portfolio_rows.make_lot, {"remaining": -1, "cost_remaining": 0}, "lot_never_negative"),
        (portfolio_rows.make_lot, {"remaining": 0}, "lot_emptied_with_its_cost"),
        (portfolio_rows.make_close, {"quantity": 0}, "close_of_some_shares"),
        (portfolio_rows.make_close, {"realised": "50.01"}, "close_adds_up"),
        (portfolio_rows.make_equity, {"equity": "1500.01"}, "equity_adds_up"),
        (portfolio_rows.make_equity, {"equity_at_zero": 0}, "equity_at_zero_only_if_frozen"),
        (portfolio_rows.make_difference, {"difference": 0}, "difference_is_one"),
        (portfolio_rows.make_difference, {"symbol": "A"}, "difference_of_a_symbol_or_of_money"),
        (portfolio_rows.make_finding, {"severity": "shrug"}, "ledger_finding_severity_known"),
    ],
)
def test_the_database_refuses(make, fields, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        make(**fields)


def test_a_row_is_corrected_at_most_once():
    wrong = factories.make_fill()
    factories.make_fill(account=wrong.account, kind="correction", corrects=wrong)

    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_fill(account=wrong.account, kind="cancellation", corrects=wrong)
