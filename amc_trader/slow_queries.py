"""Time every statement of this process; the slow ones are noted for the health probe."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from analytics.services import slow_queries


def watch(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Execute a statement and note it if it took long (``connection.execute_wrappers``)."""
    started = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        seconds = perf_counter() - started
        if seconds >= slow_queries.SLOW_S:
            slow_queries.note(at=datetime.now(UTC), seconds=seconds, statement=sql)


def watch_new_connections() -> None:
    """Have every connection that is opened from now on watched."""
    connection_created.connect(_watch, dispatch_uid="slow queries")


def _watch(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch)
