"""Faults injected for real are noticed: a redis-server stopped, a disk without room, a worker shot.

Each goes its whole way: measurement, incident, alert, mail, recovery.
"""

import shutil
import socket
import subprocess
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from redis import Redis
from redis.exceptions import RedisError

from analytics.models import Alert, AlertDelivery
from performance.models import HealthMetric, Incident
from performance.services import system_health, watch
from tests.factories import NOW
from tests.faults import processes
from tests.feed_rows import make_route

LONG_AGO = NOW - timedelta(hours=1)
SOON = NOW + timedelta(minutes=5)
PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.LAKE_URL = str(tmp_path / "lake")
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(tmp_path / "spool")}


def measured(component, *, at):
    return HealthMetric.objects.get(component=component, measured_at=at)


@pytest.mark.django_db
class TestLakeWithoutRoom:
    def test_is_an_incident_with_a_mail_until_there_is_room_again(self, settings, tmp_path):
        (tmp_path / "blocked").touch()  # a file where the folder should be: even root cannot write
        settings.LAKE_URL = str(tmp_path / "blocked" / "lake")
        make_route(least_severity="critical")

        system_health.take(now=NOW)
        watch.look(now=NOW + watch.OVERDUE, since=NOW)

        assert measured("storage", at=NOW).status == "CRITICAL"
        assert Incident.objects.get(component="storage").closed_at is None
        assert any("storage: The folder of lake" in letter.subject for letter in mail.outbox)

        settings.LAKE_URL = str(tmp_path / "lake")
        system_health.take(now=SOON)

        assert Incident.objects.get(component="storage").closed_at == SOON
        assert Alert.objects.get(subject="storage").resolved_at == SOON


class OwnRedis:
    """A redis-server of the test's own."""

    def __init__(self, folder):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--save", "", "--dir", self._folder]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)

    def stop(self):
        self._process.kill()
        self._process.wait()

    def _answers(self):
        try:
            with Redis.from_url(self.url) as server:
                return server.ping()
        except RedisError:
            return False


@pytest.fixture
def redis(tmp_path, settings):
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server")
    server = OwnRedis(tmp_path)
    settings.REDIS_URL = server.url
    options = {"socket_connect_timeout": 2, "socket_timeout": 2}
    settings.CACHES = {
        "default": {
            "BACKEND": "amc_trader.caches.Redis",
            "LOCATION": server.url,
            "OPTIONS": options,
        }
    }
    server.start()
    yield server
    server.stop()


@pytest.mark.django_db
class TestRedis:
    def test_is_missed_by_the_watch_and_its_alert_goes_out_without_it(self, redis):
        make_route(least_severity="critical")
        system_health.take(now=NOW)
        assert measured("cache and broker", at=NOW).status == "HEALTHY"

        redis.stop()  # and no worker is told to measure any more
        later = NOW + watch.LATE + timedelta(seconds=1)
        watch.look(now=later, since=LONG_AGO)

        assert measured("cache and broker", at=later).status == "CRITICAL"
        incident = Incident.objects.get(component="cache and broker")
        assert (incident.good_until, incident.closed_at) == (NOW, None)
        delivery = AlertDelivery.objects.get(alert__subject="cache and broker")
        assert delivery.state == "sent"
        assert any("cache and broker" in letter.subject for letter in mail.outbox)

        redis.start()
        system_health.take(now=later + timedelta(minutes=5))

        assert Incident.objects.get(component="cache and broker").closed_at is not None

    def test_does_not_take_the_api_with_it(self, redis, client, admin_user):
        client.force_login(admin_user)
        redis.stop()

        assert client.get("/performance/system-health").status_code == 200
        assert cache.get("anything") is None
        redis.start()


@pytest.mark.slow
class TestWorkerThatIsShot:
    def test_is_missed_by_the_web_process(self, tmp_path):
        found = processes.drive(tmp_path, "shoot", "--count", "1")

        assert found["alive"]["workers"] == 1
        assert found["alive"]["said"] != "No worker is alive."
        assert found["shot"] == {
            "http": 503,
            "status": "CRITICAL",
            "workers": 0,
            "said": "No worker is alive.",
        }
        assert found["incident"] == "CRITICAL"
        assert found["mails"] == 1
