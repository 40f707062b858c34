from datetime import UTC, datetime

import pytest
from django.db import OperationalError
from redis.exceptions import RedisError
from rest_framework.test import APIClient

from analytics.calc.health import Component, Health, Status
from analytics.services import health

URL = "/analytics/health"
NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)


@pytest.fixture
def measuring(monkeypatch):
    """Say what is measured; count how often."""
    asked = []

    def find(status, source="imported"):
        part = Component(name="database", status=Status(status), reason="why", figures={"n": 1})

        def get_health(*, now):
            asked.append(now)
            return Health(measured_at=now, components=(part,), source=source)

        monkeypatch.setattr(health, "get_health", get_health)
        return asked

    return find


class TestAnalyticsHealth:
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_is_open_and_keeps_details_to_itself(self, measuring, slash):
        # without the django_db mark any query fails
        measuring("HEALTHY")

        answer = APIClient().get(URL + slash)

        assert answer.status_code == 200
        assert set(answer.json()) == {"status", "measured_at"}
        assert answer["Cache-Control"] == "no-store"

    def test_shows_staff_the_details(self, api, measuring):
        measuring("WARNING", source="simulated")

        answer = api.get(URL).json()

        part = {"name": "database", "status": "WARNING", "reason": "why", "figures": {"n": 1}}
        assert answer["components"] == [part]
        assert answer["simulated"] is True

    @pytest.mark.parametrize(
        ("status", "code"), [("UNKNOWN", 200), ("WARNING", 200), ("CRITICAL", 503)]
    )
    def test_answers_503_only_when_critical(self, measuring, status, code):
        measuring(status)

        answer = APIClient().get(URL)

        assert answer.status_code == code
        assert answer.json()["status"] == status

    def test_measures_once_for_a_crowd(self, measuring):
        asked = measuring("HEALTHY")

        for _ in range(100):
            assert APIClient().get(URL).status_code == 200

        assert len(asked) == 1

    def test_answers_without_a_cache(self, measuring, monkeypatch):
        def gone(*_arguments):
            raise RedisError("gone")

        measuring("HEALTHY")
        monkeypatch.setattr("analytics.api.probes.cache.get", gone)
        monkeypatch.setattr("analytics.api.probes.cache.set", gone)

        assert APIClient().get(URL).status_code == 200

    def test_answers_with_a_wrong_key(self, measuring, db):
        measuring("HEALTHY")

        answer = APIClient().get(URL, HTTP_AUTHORIZATION=f"Bearer {'0' * 64}")

        assert set(answer.json()) == {"status", "measured_at"}

    def test_answers_without_a_database(self, measuring, monkeypatch):
        def gone(*_arguments):
            raise OperationalError("gone")

        measuring("CRITICAL")
        monkeypatch.setattr("amc_trader.api.StaffSession.authenticate", gone)

        answer = APIClient().get(URL)

        assert answer.status_code == 503
        assert answer.json()["status"] == "CRITICAL"

    def test_cannot_be_written_to(self, measuring):
        measuring("HEALTHY")

        assert APIClient().post(URL).status_code == 405
