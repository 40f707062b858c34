"""Past the models the database itself refuses: triggers on the tables of the ledger."""

import pytest
from django.db import DatabaseError, connection, transaction

from performance.models import CashMovement, CorporateAction, Fill, ledger_guard
from tests import factories

MAKERS = {
    Fill: factories.make_fill,
    CashMovement: factories.make_cash,
    CorporateAction: factories.make_action,
}


@pytest.fixture
def guard(transactional_db):
    with connection.schema_editor() as editor:
        ledger_guard.put_up(None, editor)
    yield
    with connection.schema_editor() as editor:
        ledger_guard.take_down(None, editor)


def execute(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_guards_every_table_of_the_ledger():
    assert set(ledger_guard.TABLES) == {model._meta.db_table for model in MAKERS}


def test_lets_rows_be_added_and_refuses_to_change_or_delete_them(guard):
    for model, make in MAKERS.items():
        table = model._meta.db_table
        make()
        for statement in (f"UPDATE {table} SET symbol = 'OTHER'", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="never changed or deleted"):
                execute(statement)

        assert list(model.objects.exclude(symbol="OTHER")) == list(model.objects.all()) != []
