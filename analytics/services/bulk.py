"""Many rows at once, past the ORM: six times as fast as ``bulk_create``.

The database's constraints still apply. Python defaults, ``auto_now`` and signals do not:
every column without a database default must be given. Values are encoded as the model's
fields encode them; NaN becomes null.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, models, transaction

Values = Sequence[Any] | npt.NDArray[Any]
Columns = Mapping[str, Values]


def insert(model: type[models.Model], columns: Columns) -> int:
    """Insert rows; all of them, or none if the database refuses one.

    Args:
        model: Its table is written.
        columns: Values by field name (``batch`` or ``batch_id`` for a foreign key), all of
            one length: lists, or NumPy arrays of numbers, flags or datetime64[D].

    Returns:
        Number of rows.

    Raises:
        ValueError: The columns differ in length.
        django.db.IntegrityError: A constraint refuses a row.
    """
    names, encoded, height = _encode(model, columns)
    if not height:
        return 0
    with transaction.atomic():
        if connection.vendor == "postgresql":
            _copy(f"{_table(model)} ({_listed(names)})", zip(*encoded, strict=True))
        else:
            _execute_many(f"INSERT INTO {_table(model)} ({_listed(names)})", names, encoded)
    return height


def upsert(
    model: type[models.Model], columns: Columns, *, key: Sequence[str], stamps: Sequence[str] = ()
) -> int:
    """Insert rows, or bring those of the same key up to date where they differ.

    Args:
        model: Its table is written.
        columns: As in :func:`insert`; ``key`` and ``stamps`` are among them.
        key: Fields of a unique constraint.
        stamps: Fields that are written with a change, but are none by themselves
            (``updated_at``).

    Returns:
        Number of rows that are new or were changed.

    Raises:
        ValueError: The columns differ in length.
        django.db.IntegrityError: A constraint refuses a row.
    """
    names, encoded, height = _encode(model, columns)
    if not height:
        return 0
    keys = [_column(model, name) for name in key]
    resting = {*keys, *(_column(model, name) for name in stamps)}
    tail = _on_conflict(_table(model), names, keys, [name for name in names if name not in resting])
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            head = f"INSERT INTO {_table(model)} ({_listed(names)})"
            return _execute_many(head, names, encoded, tail)
        staged = _stage(cursor, model, names, encoded)
        cursor.execute(
            f"INSERT INTO {_table(model)} ({_listed(names)}) "  # noqa: S608
            f"SELECT {_listed(names)} FROM {staged} {tail}"
        )
        changed: int = cursor.rowcount
        cursor.execute(f"DROP TABLE {staged}")
        return changed


def update(model: type[models.Model], columns: Columns, *, key: Sequence[str]) -> int:
    """Write some columns of rows that exist; rows that do not are left out.

    Args:
        model: Its table is written.
        columns: As in :func:`insert`; ``key`` is among them.
        key: Fields that name a row (``id``).

    Returns:
        Number of rows written, also where nothing in them is new.

    Raises:
        ValueError: The columns differ in length.
        django.db.IntegrityError: A constraint refuses a row; then none is written.
    """
    names, encoded, height = _encode(model, columns)
    if not height:
        return 0
    table, keys = _table(model), [_column(model, name) for name in key]
    written = [name for name in names if name not in keys]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            by_name = dict(zip(names, encoded, strict=True))
            cursor.executemany(
                f"UPDATE {table} SET {_assigned(written, '%s')} "  # noqa: S608
                f"WHERE {_assigned(keys, '%s', ' AND ')}",
                list(zip(*(by_name[name] for name in [*written, *keys]), strict=True)),
            )
            return int(cursor.rowcount)
        staged = _stage(cursor, model, names, encoded)
        cursor.execute(
            f"UPDATE {table} AS t SET {_assigned(written, 's.{}')} FROM {staged} AS s "  # noqa: S608
            f"WHERE {_assigned(keys, 's.{}', ' AND ', 't.')}"
        )
        changed = int(cursor.rowcount)
        cursor.execute(f"DROP TABLE {staged}")
        return changed


def _assigned(names: Sequence[str], value: str, between: str = ", ", head: str = "") -> str:
    return between.join(f"{head}{_quote(name)} = {value.format(_quote(name))}" for name in names)


def _stage(cursor: Any, model: type[models.Model], names: list[str], encoded: list[Any]) -> str:
    """Copy rows into a temporary table and return its name, quoted."""
    staged = _quote(f"staged_{model._meta.db_table}")
    cursor.execute(
        f"CREATE TEMP TABLE {staged} ON COMMIT DROP AS "  # noqa: S608
        f"SELECT {_listed(names)} FROM {_table(model)} WITH NO DATA"
    )
    _copy(f"{staged} ({_listed(names)})", zip(*encoded, strict=True))
    return staged


def _on_conflict(table: str, names: list[str], keys: list[str], compared: list[str]) -> str:
    updates = ", ".join(
        f"{_quote(name)} = excluded.{_quote(name)}" for name in names if name not in keys
    )
    differs = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    stored = ", ".join(f"{table}.{_quote(name)}" for name in compared)
    given = ", ".join(f"excluded.{_quote(name)}" for name in compared)
    return (
        f"ON CONFLICT ({_listed(keys)}) DO UPDATE SET {updates} "
        f"WHERE ({stored}) {differs} ({given})"
    )


def _execute_many(head: str, names: list[str], encoded: list[Sequence[Any]], tail: str = "") -> int:
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.executemany(f"{head} VALUES ({marks}) {tail}", list(zip(*encoded, strict=True)))
        changed: int = cursor.rowcount
        return changed


def _copy(target: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {target} FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _encode(
    model: type[models.Model], columns: Columns
) -> tuple[list[str], list[Sequence[Any]], int]:
    """Return column names, values as the database driver takes them, and their number."""
    heights = {len(values) for values in columns.values()}
    if len(heights) > 1:
        raise ValueError(f"columns differ in length: {sorted(heights)}")
    names = [_column(model, name) for name in columns]
    encoded = [_encoded(_field(model, name), values) for name, values in columns.items()]
    return names, encoded, heights.pop() if heights else 0


def _encoded(field: models.Field[Any, Any], values: Values) -> Sequence[Any]:
    plain = _plain(values)
    encode = _encoder(field)
    if encode is None:
        return plain
    return [None if value is None else encode(value) for value in plain]


def _plain(values: Values) -> Sequence[Any]:
    """Return Python values; NaN becomes None."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return [None if isinstance(value, float) and isnan(value) else value for value in plain]


def _encoder(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """Return what turns a value of ``field`` into what the driver takes; None: nothing does."""
    if isinstance(field, models.JSONField):
        return json.dumps
    if connection.vendor == "postgresql":
        return None
    if isinstance(field, models.DateTimeField):
        return _sqlite_instant
    if isinstance(field, models.DateField):
        return date.isoformat
    if isinstance(field, models.DecimalField):
        return str
    return None


def _sqlite_instant(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    for field in model._meta.concrete_fields:
        if name in {field.name, field.attname}:
            return field
    raise ValueError(f"{model.__name__} has no column {name}")


def _column(model: type[models.Model], name: str) -> str:
    return str(_field(model, name).column)


def _table(model: type[models.Model]) -> str:
    return _quote(model._meta.db_table)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_quote(name) for name in names)


def _quote(name: str) -> str:
    return str(connection.ops.quote_name(name))
