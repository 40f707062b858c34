"""Triggers that refuse to change or delete theses and their events, whoever asks the database.

To be placed in a migration after the tables:
``migrations.RunPython(thesis_guard.put_up, thesis_guard.take_down)``. On SQLite a later change of
one of the tables drops its triggers with the old copy, so such a migration ends with ``put_up``
again; ``verify_theses`` says if they are missing.
"""

from typing import Any, Final

TABLES: Final = ("analytics_thesis", "analytics_thesisevent")
REFUSAL: Final = "rows of {} are never changed or deleted"

_POSTGRESQL_UP: Final = (
    """
    CREATE OR REPLACE FUNCTION refuse_change_of_theses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "DROP TRIGGER IF EXISTS {table}_is_frozen ON {table}",
    """
    CREATE TRIGGER {table}_is_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_theses()
    """,
)
_POSTGRESQL_DOWN: Final = ("DROP TRIGGER IF EXISTS {table}_is_frozen ON {table}",)
_SQLITE_UP: Final = tuple(
    f"""
    CREATE TRIGGER IF NOT EXISTS {{table}}_is_frozen_{verb.lower()} BEFORE {verb} ON {{table}}
    BEGIN SELECT RAISE(ABORT, '{REFUSAL.format("{table}")}'); END
    """
    for verb in ("UPDATE", "DELETE")
)
_SQLITE_DOWN: Final = tuple(
    f"DROP TRIGGER IF EXISTS {{table}}_is_frozen_{verb}" for verb in ("update", "delete")
)
UP: Final = {"postgresql": _POSTGRESQL_UP, "sqlite": _SQLITE_UP}
DOWN: Final = {"postgresql": _POSTGRESQL_DOWN, "sqlite": _SQLITE_DOWN}
_STANDING: Final = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D' AND NOT tgisinternal",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}


def put_up(_apps: Any, schema_editor: Any) -> None:
    """Create the triggers; those that stand are replaced or kept."""
    _run(UP, schema_editor)


def take_down(_apps: Any, schema_editor: Any) -> None:
    """Drop the triggers."""
    _run(DOWN, schema_editor)


def missing(connection: Any) -> list[str]:
    """Return the tables that no trigger guards."""
    wanted = {"postgresql": ("_is_frozen",), "sqlite": ("_is_frozen_update", "_is_frozen_delete")}
    with connection.cursor() as cursor:
        cursor.execute(_STANDING[connection.vendor])
        standing = {name for (name,) in cursor.fetchall()}
    ends = wanted[connection.vendor]
    return [table for table in TABLES if not {table + end for end in ends} <= standing]


def _run(statements: dict[str, tuple[str, ...]], schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            for statement in statements[schema_editor.connection.vendor]:
                cursor.execute(statement.format(table=table))
