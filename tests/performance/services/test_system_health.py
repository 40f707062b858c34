from datetime import timedelta

import pytest

from analytics.calc.health import Component, Status
from analytics.services import health as analytics_health
from analytics.services import lakes
from performance.models import HealthMetric, Incident
from performance.services import outages, system_health
from tests.factories import NOW
from tests.health_rows import make_incident, make_metric

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


class TestTake:
    def test_stores_a_round(self):
        taken = system_health.take(now=NOW)

        assert taken.score == HealthMetric.objects.get(component="overall").value

    def test_remembers_an_outage_and_makes_it_an_incident_afterwards(self, monkeypatch):
        down = Component(name="database", status=Status.CRITICAL, reason="refused")
        with monkeypatch.context() as patched:
            patched.setattr(analytics_health, "get_database", lambda: down)
            assert system_health.take(now=NOW).said == "the database does not answer"
        assert outages.is_noted()
        assert not HealthMetric.objects.exists()

        system_health.take(now=NOW + timedelta(minutes=5))

        assert Incident.objects.get(component="database").reason == "refused"


class TestGetSystemHealth:
    def test_knows_nothing_before_the_first_round(self):
        found = system_health.get_system_health(now=NOW)

        assert (found.score, found.status, found.is_stale) == (None, "UNKNOWN", True)

    def test_does_not_take_an_old_round_for_the_present(self):
        make_metric(measured_at=NOW - timedelta(minutes=13))

        found = system_health.get_system_health(now=NOW)

        assert (found.status, found.is_stale) == ("UNKNOWN", True)
        assert found.score is not None

    def test_shows_the_newest_round_its_trend_and_what_to_do(self):
        for hours, score in ((30, 80.0), (1, 90.0), (0, 94.0)):
            make_metric(value=score, measured_at=NOW - timedelta(hours=hours))
        make_metric(component="storage", name="probe", value=0.1, measured_at=NOW)
        make_incident(component="e-mail", recommendation="Check EMAIL_URL.")

        found = system_health.get_system_health(now=NOW)

        assert found.score == 94.0
        assert [line.name for line in found.components] == ["storage"]
        assert [hour["score"] for hour in found.trend] == [80.0, 90.0, 94.0]
        assert found.recommendations == ("Check EMAIL_URL.",)


class TestGetLive:
    def test_is_critical_where_no_round_has_come_for_long(self):
        make_metric(measured_at=NOW - timedelta(minutes=13))

        rounds = system_health.get_live(now=NOW).components[-1]

        assert rounds.status == "CRITICAL"
