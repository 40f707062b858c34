import pytest
from rest_framework.test import APIClient

from analytics.models import JobRun
from performance.models import MailReport
from tests import factories, mail_rows

URL = "/analytics/daily-report/email"
pytestmark = pytest.mark.django_db


@pytest.fixture
def sender():
    client = APIClient()
    client.force_authenticate(factories.make_user(is_staff=True, is_superuser=True))
    return client


class TestReportMail:
    @pytest.mark.parametrize("url", [URL, URL + "/"])
    def test_is_queued(self, sender, url):
        answer = sender.post(url)

        assert answer.status_code == 202
        job = JobRun.objects.get()
        assert (job.kind, job.arguments) == ("send_report", {"edition": "morning"})
        assert answer["Location"] == f"/analytics/jobs/{job.pk}"

    def test_asked_twice_is_the_same_job(self, sender):
        first, again = sender.post(URL).json(), sender.post(URL).json()

        assert first["id"] == again["id"]

    def test_preview_answers_with_the_report_and_stores_nothing(self, sender, settings):
        settings.REPORT_RECIPIENTS = ["a@example.com"]
        mail_rows.make_preference(address="b@example.com")

        found = sender.post(f"{URL}?preview=true", {"edition": "weekly"}, format="json").json()

        assert found["recipients"] == ["a@example.com", "b@example.com"]
        assert found["subject"] in found["html"]
        assert not MailReport.objects.exists()
        assert not JobRun.objects.exists()

    def test_names_what_it_does_not_understand(self, sender):
        body = {"edition": "hourly", "recipients": ["nobody"]}

        answer = sender.post(URL, body, format="json")

        assert answer.status_code == 400
        assert {"edition", "recipients"} <= set(answer.json()["errors"])

    def test_needs_the_permission(self, api):
        assert api.post(URL).status_code == 403

    def test_is_no_matter_of_looking(self, sender):
        assert sender.get(URL).status_code == 405
