"""Probes of what everything stands on: database, cache, broker, disk, mail (design §15)."""

import os
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from analytics.calc.health import Component, Status
from analytics.models import AlertDelivery, JobRun, JobState
from analytics.services import health as analytics_health
from analytics.services import slow_queries

SLOW_ANSWER_S: Final = 0.5  # of the database to the simplest question
LONG_QUERY_S: Final = 30  # under way at the moment of the probe
MANY_SLOW: Final = 10  # queries over the limit of slow_queries within a day
DEEP_QUEUE: Final = 200  # jobs
LOW_BYTES: Final = 2 * 1024**3
FULL_BYTES: Final = 200 * 1024**2
TIMEOUT_S: Final = 5
DAY: Final = timedelta(days=1)


def get_database(now: datetime) -> Component:
    """Measure latency, connections or pool in use, and slow queries of the last day."""
    found = analytics_health.get_database()
    if found.status == Status.CRITICAL:
        return found
    slow = slow_queries.get_recent(since=now - DAY)
    figures: dict[str, Any] = {
        **found.figures,
        **_pool(),
        **_activity(),
        "slow_queries_24h": len(slow),
        "slowest_s": max((query.seconds for query in slow), default=None),
    }
    seconds = float(found.figures["seconds"] or 0)
    long = figures.get("long_queries") or 0
    troubles = [
        (seconds > SLOW_ANSWER_S, f"The database took {seconds:.2f} s to answer."),
        (bool(long), f"{long} queries have been running for {LONG_QUERY_S} s or more."),
        (bool(figures.get("pool_waiting")), "Requests wait for a connection of the pool."),
        (len(slow) >= MANY_SLOW, f"{len(slow)} queries took over {slow_queries.SLOW_S:g} s today."),
    ]
    return _judged("database", troubles, figures)


def get_cache_and_broker(now: datetime) -> Component:
    """Store and read a value in the cache, reach the broker, count what waits."""
    waiting = JobRun.objects.filter(state=JobState.QUEUED).count()
    figures: dict[str, Any] = {"jobs_waiting": waiting, "broker": _scheme()}
    started = perf_counter()
    try:
        cache.set("health.probe", now.isoformat(), 60)
        kept = cache.get("health.probe") == now.isoformat()
        figures["cache_s"] = round(perf_counter() - started, 4)
        started = perf_counter()
        _reach_broker()
        figures["broker_s"] = round(perf_counter() - started, 4)
    except (OSError, RedisError) as error:
        said = f"Cache or broker cannot be reached: {type(error).__name__}."
        return Component(
            name="cache and broker", status=Status.CRITICAL, reason=said, figures=figures
        )
    troubles = [
        (not kept, "The cache lost a value at once."),
        (waiting >= DEEP_QUEUE, f"{waiting} jobs wait."),
    ]
    return _judged("cache and broker", troubles, figures)


def get_storage(_now: datetime) -> Component:
    """Write to the lake's folder and to VAR_DIR, and see how much room is left."""
    folders = {"var": Path(settings.VAR_DIR)}
    lake = str(settings.LAKE_URL)
    if "://" not in lake:
        folders["lake"] = Path(lake)
    figures: dict[str, Any] = {"lake": urlsplit(lake).scheme or "folder"}
    for name, folder in folders.items():
        try:
            figures[f"{name}_free_bytes"] = _written(folder)
        except OSError as error:
            said = f"The folder of {name} cannot be written to: {error.strerror}."
            return Component(name="storage", status=Status.CRITICAL, reason=said, figures=figures)
    free = min(figures[f"{name}_free_bytes"] for name in folders)
    if free < FULL_BYTES:
        said = f"Only {free // 1024**2} MB are left."
        return Component(name="storage", status=Status.CRITICAL, reason=said, figures=figures)
    troubles = [(free < LOW_BYTES, f"Only {free / 1024**3:.1f} GB are left.")]
    return _judged("storage", troubles, figures)


def get_mail(now: datetime) -> Component:
    """Open a connection to the mail server; count what did not arrive."""
    recent = AlertDelivery.objects.filter(due_at__gte=now - DAY)
    failed = recent.filter(state=AlertDelivery.State.FAILED).count()
    waiting = AlertDelivery.objects.filter(state=AlertDelivery.State.QUEUED, attempts__gt=0).count()
    figures: dict[str, Any] = {
        "backend": settings.EMAIL_BACKEND.rpartition(".")[0].rpartition(".")[2],
        "failed_24h": failed,
        "waiting": waiting,
    }
    sender = get_connection(timeout=TIMEOUT_S) if _is_smtp() else get_connection()
    started = perf_counter()
    try:
        sender.open()
        sender.close()
    except OSError as error:
        said = f"The mail server does not answer: {type(error).__name__}."
        return Component(name="e-mail", status=Status.CRITICAL, reason=said, figures=figures)
    figures["seconds"] = round(perf_counter() - started, 4)
    troubles = [
        (bool(failed), f"{failed} messages could not be delivered within a day."),
        (bool(waiting), f"{waiting} messages wait to be tried again."),
    ]
    return _judged("e-mail", troubles, figures)


def _judged(name: str, troubles: list[tuple[bool, str]], figures: dict[str, Any]) -> Component:
    said = " ".join(reason for is_true, reason in troubles if is_true)
    status = Status.WARNING if said else Status.HEALTHY
    return Component(name=name, status=status, reason=said, figures=figures)


def _pool() -> dict[str, Any]:
    """Return how much of this process's pool is in use; nothing where there is none."""
    pool = getattr(connection, "pool", None) if connection.vendor == "postgresql" else None
    if pool is None:
        return {}
    stats = pool.get_stats()
    size, free = stats.get("pool_size", 0), stats.get("pool_available", 0)
    return {
        "pool_size": size,
        "pool_in_use": size - free,
        "pool_waiting": stats.get("requests_waiting", 0),
    }


def _activity() -> dict[str, Any]:
    """Return what the server does for everyone; nothing where it cannot be asked."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE state = 'active' AND pid <> pg_backend_pid()"
            " AND now() - query_start >= make_interval(secs => %s)),"
            " current_setting('max_connections')::int"
            " FROM pg_stat_activity WHERE datname = current_database()",
            [LONG_QUERY_S],
        )
        open_, long, most = cursor.fetchone()
    return {"connections": open_, "connections_most": most, "long_queries": long}


def _scheme() -> str:
    return "redis" if settings.REDIS_URL else "folder"


def _reach_broker() -> None:
    if settings.REDIS_URL:
        with Redis.from_url(
            settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        ) as server:
            server.ping()
        return
    _written(Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["folder"]))


def _written(folder: Path) -> int:
    """Write and remove a small file in ``folder``; return the bytes that are left there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe") as file:
        file.write(b"probe" * 100)
        file.flush()
        os.fsync(file.fileno())
    return shutil.disk_usage(folder).free


def _is_smtp() -> bool:
    return "smtp" in settings.EMAIL_BACKEND
