import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from analytics.models import Alert
from tests.feed_rows import make_alert
from tests.health_rows import make_incident, make_metric

pytestmark = pytest.mark.django_db


def text(answer):
    return " ".join(answer.content.decode().split())


class TestSystem:
    def test_says_how_to_begin(self, admin_client):
        shown = text(admin_client.get(reverse("pages:system")))

        assert "Nothing has been measured yet." in shown
        assert "No incident so far." in shown

    def test_shows_components_with_what_to_do(self, admin_client):
        now = timezone.now()
        make_metric(measured_at=now, value=60.0, status="CRITICAL", reason="In trouble: storage.")
        make_metric(
            component="storage",
            name="probe",
            value=0.1,
            status="CRITICAL",
            reason="Only 12 MB are left.",
            measured_at=now,
        )
        make_incident(component="storage", reason="Only 12 MB are left.")

        shown = text(admin_client.get(reverse("pages:system-card")))

        assert "Only 12 MB are left." in shown
        assert "Free space in the lake" in shown
        assert "CRITICAL" in shown

    def test_is_for_staff(self, client):
        assert client.get(reverse("pages:system")).status_code == 302


class TestAcknowledge:
    def test_needs_the_permission(self, client, django_user_model):
        alert = make_alert()
        person = django_user_model.objects.create_user("trader", is_staff=True)
        client.force_login(person)
        url = reverse("pages:acknowledge-alert", args=[alert.pk])

        assert client.post(url).status_code == 403
        person.user_permissions.add(Permission.objects.get(codename="acknowledge_alert"))
        assert client.post(url).status_code == 200

        assert Alert.objects.get().acknowledged_by == person

    def test_is_no_matter_of_looking(self, admin_client):
        url = reverse("pages:acknowledge-alert", args=[make_alert().pk])

        assert admin_client.get(url).status_code == 405
