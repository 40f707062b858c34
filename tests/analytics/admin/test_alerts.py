import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.models import Alert, AlertDelivery, AlertRoute, JobRun
from tests import feed_rows


def add():
    return reverse("admin:analytics_alertroute_add")


def fill(**fields):
    wanted = {"name": "desk", "channel": "email", "address": "a@example.com"}
    return {**wanted, "least_severity": "warning", "active": "on", "token": "", **fields}


class TestAlerts:
    def test_show_their_history_and_where_they_went(self, admin_client):
        alert = feed_rows.make_alert()
        feed_rows.make_delivery(alert=alert, state="failed", error="webhook: 410 gone")
        alert.events.create(what="raised", at=alert.crossed_at, note="warning")

        page = admin_client.get(reverse("admin:analytics_alert_change", args=[alert.pk]))

        assert b"webhook: 410 gone" in page.content
        assert b"raised" in page.content

    def test_are_acknowledged_once(self, admin_client, admin_user):
        alert = feed_rows.make_alert()
        chosen = {"action": "acknowledge", "_selected_action": [alert.pk]}

        for _ in range(2):
            admin_client.post(reverse("admin:analytics_alert_changelist"), chosen)

        assert Alert.objects.get().acknowledged_by == admin_user

    def test_are_resolved_by_those_who_may(self, admin_client, client, django_user_model):
        alert = feed_rows.make_alert()
        chosen = {"action": "resolve", "_selected_action": [alert.pk]}
        viewer = django_user_model.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_alert"))
        client.force_login(viewer)
        url = reverse("admin:analytics_alert_changelist")

        client.post(url, chosen)
        assert Alert.objects.get().resolved_at is None
        admin_client.post(url, chosen)
        assert Alert.objects.get().resolved_at is not None


class TestRoutes:
    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"address": "nobody"}, "address"),
            ({"channel": "webhook", "address": "ftp://example.com"}, "address"),
            ({"channel": "telegram", "address": "4711"}, "token"),
            ({"kinds": ["mood"]}, "kinds"),
        ],
    )
    def test_refuse_an_address_that_does_not_fit(self, admin_client, fields, field):
        page = admin_client.post(add(), fill(**fields))

        assert field in page.context["adminform"].form.errors
        assert not AlertRoute.objects.exists()

    def test_keep_the_token_when_none_is_given_and_never_show_it(self, admin_client):
        admin_client.post(add(), fill(channel="telegram", address="4711", token="SECRET"))
        route = AlertRoute.objects.get()
        url = reverse("admin:analytics_alertroute_change", args=[route.pk])

        shown = admin_client.get(url).content
        admin_client.post(url, fill(name="new", channel="telegram", address="4711"))

        route.refresh_from_db()
        assert (route.name, route.token) == ("new", "SECRET")
        assert b"SECRET" not in shown
        export = admin_client.get(reverse("admin:analytics_alertroute_export"))
        assert b"SECRET" not in b"".join(export.streaming_content)


class TestDeliveries:
    def test_are_sent_again_on_request(self, admin_client):
        delivery = feed_rows.make_delivery(state="unknown", error="it ended")
        chosen = {"action": "send_again", "_selected_action": [delivery.pk]}

        admin_client.post(reverse("admin:analytics_alertdelivery_changelist"), chosen)

        assert AlertDelivery.objects.get().state == "queued"
        assert JobRun.objects.get().kind == "deliver_alerts"
