import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.models import JobRun
from performance.models import ReportDelivery, ReportPreference
from tests import mail_rows

pytestmark = pytest.mark.django_db


def act(client, model, action, row):
    url = reverse(f"admin:performance_{model}_changelist")
    return client.post(url, {"action": action, "_selected_action": [row.pk]}, follow=True)


class TestReports:
    def test_are_sent_to_oneself_once(self, admin_client, admin_user):
        report = mail_rows.make_report()

        for _ in range(2):
            act(admin_client, "mailreport", "send_to_me", report)

        assert ReportDelivery.objects.get().recipient == admin_user.email
        assert JobRun.objects.get().kind == "deliver_reports"

    def test_are_not_sent_to_somebody_without_an_address(self, admin_client, admin_user):
        admin_user.email = ""
        admin_user.save()

        page = act(admin_client, "mailreport", "send_to_me", mail_rows.make_report())

        assert b"no e-mail address" in page.content
        assert not ReportDelivery.objects.exists()


class TestDeliveries:
    def test_are_sent_again_on_request(self, admin_client):
        row = mail_rows.make_report_delivery(state="failed", error="550")

        act(admin_client, "reportdelivery", "send_again", row)

        assert ReportDelivery.objects.get().state == "queued"


class TestPreferences:
    def test_that_are_wanted_again_take_the_unsubscription_back(self, admin_client):
        nothing = dict.fromkeys(("morning", "close", "weekly", "monthly"), False)
        row = mail_rows.make_preference(unsubscribed_at=timezone.now(), **nothing)
        url = reverse("admin:performance_reportpreference_change", args=[row.pk])

        admin_client.post(url, {"address": row.address, "weekly": "on"})

        row = ReportPreference.objects.get()
        assert (row.weekly, row.unsubscribed_at) == (True, None)
