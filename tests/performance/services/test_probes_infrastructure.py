from datetime import timedelta

import pytest

from analytics.models import AlertDelivery
from analytics.services import slow_queries
from performance.services import probes_infrastructure as infrastructure
from tests.factories import NOW, make_job
from tests.feed_rows import make_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.LAKE_URL = str(tmp_path / "lake")
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(tmp_path / "spool")}


class TestDatabase:
    def test_counts_slow_queries_of_the_last_day(self):
        for minutes in (1, 2, 60 * 25):
            at = NOW - timedelta(minutes=minutes)
            slow_queries.note(at=at, seconds=2.5, statement="SELECT 1")

        found = infrastructure.get_database(NOW)

        assert found.status == "HEALTHY"
        assert (found.figures["slow_queries_24h"], found.figures["slowest_s"]) == (2, 2.5)

    def test_warns_when_there_are_many(self):
        for _ in range(infrastructure.MANY_SLOW):
            slow_queries.note(at=NOW, seconds=2.5, statement="SELECT 1")

        assert infrastructure.get_database(NOW).status == "WARNING"

    @pytest.mark.postgres
    def test_sees_the_connections_of_the_server(self):
        assert infrastructure.get_database(NOW).figures["connections"] >= 1


class TestCacheAndBroker:
    def test_is_reached_and_counts_what_waits(self):
        make_job(state="queued")

        found = infrastructure.get_cache_and_broker(NOW)

        assert found.status == "HEALTHY"
        assert (found.figures["jobs_waiting"], found.figures["broker"]) == (1, "folder")

    def test_is_critical_where_redis_does_not_answer(self, settings):
        settings.REDIS_URL = "redis://127.0.0.1:9/0"

        found = infrastructure.get_cache_and_broker(NOW)

        assert found.status == "CRITICAL"
        assert "ConnectionError" in found.reason


class TestStorage:
    def test_has_room(self):
        found = infrastructure.get_storage(NOW)

        assert found.figures["lake_free_bytes"] > 0

    def test_is_critical_where_nothing_can_be_written(self, settings, tmp_path):
        (tmp_path / "file").touch()
        settings.LAKE_URL = str(tmp_path / "file")

        found = infrastructure.get_storage(NOW)

        assert found.status == "CRITICAL"
        assert "lake" in found.reason

    @pytest.mark.parametrize(
        ("free", "status"), [(1024**2, "CRITICAL"), (1024**3, "WARNING"), (3 * 1024**3, "HEALTHY")]
    )
    def test_judges_the_room_that_is_left(self, monkeypatch, free, status):
        monkeypatch.setattr(
            infrastructure.shutil, "disk_usage", lambda _folder: type("Room", (), {"free": free})
        )

        assert infrastructure.get_storage(NOW).status == status


class TestMail:
    def test_is_critical_where_the_server_does_not_answer(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

        assert infrastructure.get_mail(NOW).status == "CRITICAL"

    def test_warns_of_what_did_not_arrive(self):
        make_delivery(state=AlertDelivery.State.FAILED, error="410", due_at=NOW)
        make_delivery(attempts=2)

        found = infrastructure.get_mail(NOW)

        assert found.status == "WARNING"
        assert (found.figures["failed_24h"], found.figures["waiting"]) == (1, 1)
