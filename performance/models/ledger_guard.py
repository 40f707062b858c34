"""Triggers that refuse to change or delete rows of the ledger, whoever asks the database.

To be placed in a migration after the tables, as :mod:`analytics.models.thesis_guard` is:
``migrations.RunPython(ledger_guard.put_up, ledger_guard.take_down)``.
"""

from typing import Any, Final

from analytics.models.thesis_guard import DOWN, UP

TABLES: Final = (
    "performance_fill",
    "performance_cashmovement",
    "performance_corporateaction",
)


def put_up(_apps: Any, schema_editor: Any) -> None:
    """Create the triggers; those that stand are replaced or kept."""
    _run(UP, schema_editor)


def take_down(_apps: Any, schema_editor: Any) -> None:
    """Drop the triggers."""
    _run(DOWN, schema_editor)


def _run(statements: dict[str, tuple[str, ...]], schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            for statement in statements[schema_editor.connection.vendor]:
                cursor.execute(statement.format(table=table))
