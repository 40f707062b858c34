"""What every test shares: which database it runs on, and which machines it may do without."""

import os

import pytest
from django.conf import settings
from django.db import connection

from tests.browsers import NO_BROWSER, find_browser

DATABASE_FIXTURES = {
    "db",
    "transactional_db",
    "django_db_reset_sequences",
    "admin_client",
    "client",
}


def redis_of_this_worker() -> None:
    """Give each of several test processes a database of its own: the first one's number and on."""
    url, worker = os.environ.get("TEST_REDIS_URL"), os.environ.get("PYTEST_XDIST_WORKER")
    if url and worker:
        server, number = url.rsplit("/", 1)
        os.environ["TEST_REDIS_URL"] = f"{server}/{int(number) + int(worker.removeprefix('gw'))}"


redis_of_this_worker()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Without the triggers of migrations: tests that need them put them up, others empty tables."""
    from analytics.models import thesis_guard
    from performance.models import ledger_guard

    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        thesis_guard.take_down(None, editor)
        ledger_guard.take_down(None, editor)


@pytest.fixture(autouse=True)
def _no_beat_behind_a_transaction(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep a job's own thread still where it could not see the job: inside a test's transaction.

    On a slow machine it would take a job that is not there for one that somebody else runs.
    """
    from analytics.services import job_running

    marker = request.node.get_closest_marker("django_db")
    committed = marker is not None and bool(marker.kwargs.get("transaction"))
    if not committed and "transactional_db" not in request.fixturenames:
        monkeypatch.setattr(job_running, "HEARTBEAT_S", 3600.0)


def on_postgresql() -> bool:
    return "postgresql" in settings.DATABASES["default"]["ENGINE"]


def touches_the_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & DATABASE_FIXTURES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL keep what touches the database; skip what the machine cannot run.

    Files with slow tests come first: at the end one core would wait for the other.
    """
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)
    if on_postgresql():
        other = [item for item in items if not touches_the_database(item)]
        items[:] = [item for item in items if touches_the_database(item)]
        config.hook.pytest_deselected(items=other)
    reasons = {
        "postgres": "" if on_postgresql() else "needs PostgreSQL: give TEST_DATABASE_URL",
        "redis": "" if os.environ.get("TEST_REDIS_URL") else "needs Redis: give TEST_REDIS_URL",
        "browser": "" if find_browser() else NO_BROWSER,
        "real_data": "" if settings.AMC_DATA_DIR else "needs real data: give AMC_DATA_DIR",
    }
    for item in items:
        for mark, reason in reasons.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))
