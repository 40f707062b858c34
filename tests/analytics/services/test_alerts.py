from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from analytics.models import Alert, AlertEvent, JobRun
from analytics.services import alerts
from analytics.services.alerts import Crossing
from tests.factories import NOW
from tests.feed_rows import make_alert, make_route

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def observe(*crossings, now=NOW, kinds=("win_rate",), source="live"):
    return alerts.observe(kinds=kinds, crossings=crossings, source=source, now=now)


def low(severity="critical", **fields):
    said = {"kind": "win_rate", "message": "win rate 38 %", "value": 0.38, "limit": 0.4}
    return Crossing(severity=severity, **{**said, **fields})


class TestObserve:
    def test_raises_once_per_crossing(self):
        first, second = observe(low()), observe(low(), now=LATER)

        assert (first.raised, second.raised) == (1, 0)
        assert Alert.objects.get().crossed_at == NOW

    def test_resolves_what_is_no_longer_true_and_raises_a_new_one_when_it_is_again(self):
        observe(low())

        assert observe(now=LATER).resolved == 1
        assert observe(low(), now=LATER).raised == 1
        assert Alert.objects.standing().count() == 1
        assert Alert.objects.count() == 2

    def test_leaves_other_kinds_sources_and_subjects_alone(self):
        observe(low(subject="paper"), low(subject="live"))
        observe(low(kind="health", subject="database"), kinds=("health",))

        observe(low(subject="paper"), source="simulated")

        assert observe(low(subject="paper")).resolved == 1
        assert Alert.objects.standing().count() == 3

    def test_notes_when_it_becomes_worse_but_not_when_it_becomes_better(self):
        observe(low(severity="warning"))

        worse = observe(low(message="win rate 20 %", value=0.2), now=LATER)
        better = observe(low(severity="info"), now=LATER)

        assert (worse.escalated, better.escalated) == (1, 0)
        alert = Alert.objects.get()
        assert (alert.severity, alert.value) == ("critical", 0.2)
        assert [event.what for event in alert.events.all()] == ["raised", "escalated"]

    def test_keeps_a_long_message_to_what_the_column_takes(self):
        observe(low(message="x" * 500))

        assert len(Alert.objects.get().message) == 300


class TestRaiseNew:
    def test_of_a_session_comes_once_even_after_it_was_resolved(self, admin_user):
        seen = low(kind="volume", symbol="VIGL", session=date(2024, 6, 28))

        alerts.raise_new(crossings=[seen], source="live", now=NOW)
        alerts.resolve(alert_ids=[Alert.objects.get().pk], user=admin_user, now=LATER)
        again = alerts.raise_new(crossings=[seen, seen], source="live", now=LATER)

        assert again == 0
        assert Alert.objects.count() == 1


class TestPeople:
    def test_the_first_to_acknowledge_stands_in_the_history(self, admin_user, django_user_model):
        other = django_user_model.objects.create_user("other")
        pk = make_alert().pk

        assert alerts.acknowledge(alert_ids=[pk], user=admin_user, now=NOW) == 1
        assert alerts.acknowledge(alert_ids=[pk], user=other, now=LATER) == 0

        event = AlertEvent.objects.get()
        assert (event.what, event.user, event.at) == ("acknowledged", admin_user, NOW)

    def test_resolve_what_stands_and_say_why(self, admin_user):
        pk = make_alert().pk

        assert alerts.resolve(alert_ids=[pk], user=admin_user, now=LATER, note="sold") == 1
        assert alerts.resolve(alert_ids=[pk], user=admin_user, now=LATER) == 0

        assert Alert.objects.get().resolved_by == admin_user
        assert AlertEvent.objects.get().note == "sold"


class TestWays:
    def test_are_queued_with_the_alert_and_asked_for_when_it_is_stored(
        self, django_capture_on_commit_callbacks
    ):
        make_route()

        with django_capture_on_commit_callbacks(execute=True):
            observe(low())

        assert Alert.objects.get().deliveries.count() == 1
        assert JobRun.objects.get().kind == "deliver_alerts"

    def test_lead_a_health_alert_out_whatever_market_is_shown(self):
        make_route()

        observe(low(kind="health", subject="storage"), kinds=["health"], source="simulated")

        assert Alert.objects.get().deliveries.count() == 1

    def test_open_for_those_for_whom_it_was_not_grave_enough_before(self):
        make_route(name="desk", least_severity="warning")
        make_route(name="boss", least_severity="critical")

        observe(low(severity="warning"))
        observe(low(severity="critical"), now=LATER)
        observe(low(severity="critical"), now=LATER)

        ways = Alert.objects.get().deliveries.order_by("pk").values_list("route__name", "due_at")
        assert list(ways) == [("desk", NOW), ("boss", LATER)]

    def test_are_none_for_a_simulated_market(self):
        make_route()

        observe(low(), source="simulated")

        assert Alert.objects.get().deliveries.count() == 0


class TestConstraints:
    def test_one_condition_stands_once(self):
        make_alert(kind="win_rate", symbol="", session=None)

        with pytest.raises(IntegrityError), transaction.atomic():
            make_alert(kind="win_rate", symbol="", session=None)

    def test_kinds_are_those_that_exist(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_alert(kind="mood")
