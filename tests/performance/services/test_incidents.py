from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from analytics.calc import sessions
from analytics.calc.health import Component, Status
from analytics.models import Alert, JobRun
from analytics.services import lakes
from performance.models import Incident
from performance.services import incidents
from tests import factories
from tests.factories import NOW
from tests.health_rows import make_incident, make_metric

pytestmark = pytest.mark.django_db
ADVICE = {"market data": "Sync.", "database": "Start it."}


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


def follow(now=NOW, **statuses):
    parts = [
        Component(
            name=name.replace("_", " "),
            status=Status(status),
            reason="" if status == "HEALTHY" else f"{name} is {status}",
        )
        for name, status in statuses.items()
    ]
    return incidents.follow(components=parts, recommendations=ADVICE, now=now)


class TestFollow:
    def test_opens_once_and_closes_when_it_is_well(self):
        later = NOW + timedelta(minutes=5)

        assert follow(database="CRITICAL").opened == 1
        assert follow(later, database="CRITICAL").opened == 0
        assert follow(later, database="HEALTHY").closed == 1

        incident = Incident.objects.get()
        assert (incident.opened_at, incident.closed_at) == (NOW, later)
        assert incident.recommendation == "Start it."

    def test_is_not_closed_by_what_could_not_be_measured(self):
        follow(database="WARNING")

        assert follow(database="UNKNOWN").closed == 0

    def test_keeps_the_worst(self):
        follow(database="WARNING")

        assert follow(database="CRITICAL").worsened == 1
        assert follow(database="WARNING").worsened == 0
        assert Incident.objects.get().status == "CRITICAL"

    def test_raises_and_resolves_an_alert(self):
        follow(database="CRITICAL")
        alert = Alert.objects.get()
        assert (alert.kind, alert.subject, alert.severity) == ("health", "database", "critical")

        follow(database="HEALTHY")
        alert.refresh_from_db()
        assert alert.resolved_at is not None

    def test_opens_a_new_one_when_it_happens_again(self):
        for status in ("CRITICAL", "HEALTHY", "CRITICAL"):
            follow(database=status)

        assert Incident.objects.count() == 2
        assert Alert.objects.standing().count() == 1

    def test_resolves_its_alert_although_another_source_is_shown_by_now(self, monkeypatch):
        follow(storage="CRITICAL")
        monkeypatch.setattr(lakes, "get_active_source", lambda: "simulated")  # the lake was lost
        follow(storage="CRITICAL", now=NOW + timedelta(minutes=5))
        assert Alert.objects.count() == 1

        follow(storage="HEALTHY", now=NOW + timedelta(minutes=10))

        assert Alert.objects.get().resolved_at == NOW + timedelta(minutes=10)

    def test_goes_on_where_the_lake_cannot_be_read(self, monkeypatch):
        def broken():
            raise OSError

        make_metric(source="live")
        monkeypatch.setattr(lakes, "get_active_source", broken)

        follow(market_data="CRITICAL")

        assert Incident.objects.get().source == "live"


class TestDecisions:
    def test_are_those_since_it_was_last_well(self):
        make_metric(component="market data", name="probe", value=0.1, measured_at=NOW)
        early = factories.make_batch(created_at=NOW - timedelta(hours=2))
        late = factories.make_batch(
            session=sessions.offset(early.session, 1), created_at=NOW + timedelta(minutes=1)
        )

        follow(NOW + timedelta(minutes=5), market_data="CRITICAL")
        follow(NOW + timedelta(minutes=10), market_data="CRITICAL")

        found = Incident.objects.get().decisions.filter(kind="batch")
        assert [decision.number for decision in found] == [late.pk]

    def test_are_scored_again_after_the_repair(self):
        follow(market_data="CRITICAL")
        batch = factories.make_batch(created_at=NOW + timedelta(minutes=1))

        follow(NOW + timedelta(minutes=5), market_data="HEALTHY")

        day = batch.session.isoformat()
        job = JobRun.objects.get(kind="discover")
        assert job.arguments == {"first": day, "last": day, "source": batch.source}
        assert Incident.objects.get().repair == job

    def test_are_not_blamed_on_what_says_nothing(self):
        follow(database="CRITICAL")
        factories.make_batch(created_at=NOW + timedelta(minutes=1))

        follow(NOW + timedelta(minutes=5), database="HEALTHY")

        assert not JobRun.objects.exists()


class TestConstraints:
    def test_one_is_open_per_component(self):
        make_incident()

        with pytest.raises(IntegrityError), transaction.atomic():
            make_incident()
