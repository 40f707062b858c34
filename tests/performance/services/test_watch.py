from datetime import timedelta

import pytest
from django.core import mail

from analytics.calc.health import Component, Status
from analytics.models import AlertDelivery
from analytics.services import health as analytics_health
from analytics.services import lakes
from performance.models import HealthMetric, Incident
from performance.services import outages, watch
from tests.factories import NOW
from tests.feed_rows import make_delivery, make_route
from tests.health_rows import make_heartbeat, make_metric

pytestmark = pytest.mark.django_db
LONG_AGO = NOW - timedelta(hours=1)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    settings.LAKE_URL = str(tmp_path / "lake")
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(tmp_path / "spool")}
    settings.REPORT_RECIPIENTS = ["trader@example.com"]
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


def workers():
    return HealthMetric.objects.get(component="workers and scheduler")


class TestLook:
    def test_leaves_a_round_that_came_in_time_alone(self):
        make_metric(measured_at=NOW - watch.LATE)

        assert watch.look(now=NOW, since=LONG_AGO) == ""
        assert HealthMetric.objects.count() == 1

    def test_misses_nothing_from_before_it_began(self):
        make_metric(measured_at=LONG_AGO)

        assert watch.look(now=NOW, since=NOW - watch.LATE) == ""

    def test_takes_a_round_that_no_worker_took_and_sends_its_alerts(self):
        make_route(least_severity="critical")
        make_heartbeat(beat_at=NOW - timedelta(minutes=7), started_at=LONG_AGO)

        watch.look(now=NOW, since=LONG_AGO)

        assert workers().status == "CRITICAL"
        assert Incident.objects.get(component="workers and scheduler").reason.startswith(
            "No worker"
        )
        told = [letter.subject for letter in mail.outbox]
        assert any("workers and scheduler: No worker is alive." in subject for subject in told)

    def test_does_not_take_a_worker_that_was_stopped_for_none_at_all(self):
        watch.look(now=NOW, since=LONG_AGO)

        assert workers().status == "CRITICAL"
        assert "No worker is alive" in workers().reason

    def test_says_that_workers_live_and_take_no_rounds(self, monkeypatch):
        well = Component(name="workers and scheduler", status=Status.HEALTHY)
        monkeypatch.setattr(watch.dead_men, "get_workers", lambda _now: well)

        watch.look(now=NOW, since=LONG_AGO)

        assert workers().status == "WARNING"

    def test_sends_what_waits_for_too_long(self):
        make_metric()
        late = make_delivery(due_at=NOW - watch.OVERDUE)

        assert watch.look(now=NOW, since=LONG_AGO) == "1 messages sent"
        assert AlertDelivery.objects.get(pk=late.pk).state == "sent"

    def test_leaves_what_a_worker_may_be_sending(self):
        make_metric()
        make_delivery(due_at=NOW - timedelta(minutes=1))

        assert watch.look(now=NOW, since=LONG_AGO) == ""

    def test_notes_that_the_database_went_and_came(self, monkeypatch):
        down = Component(name="database", status=Status.CRITICAL, reason="refused")
        with monkeypatch.context() as patched:
            patched.setattr(analytics_health, "get_database", lambda: down)
            assert watch.look(now=NOW, since=NOW) == "refused"
        assert outages.is_noted()

        watch.look(now=NOW + timedelta(minutes=1), since=NOW)

        incident = Incident.objects.get(component="database")
        assert (incident.opened_at, incident.closed_at) == (NOW, NOW + timedelta(minutes=1))
