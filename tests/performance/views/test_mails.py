import pytest
from django.urls import reverse

from performance.models import ReportPreference
from performance.services import mail_rendering, mail_reports
from tests import mail_rows

pytestmark = pytest.mark.django_db


def link(address="a@example.com"):
    return reverse("pages:unsubscribe", args=[mail_reports.token_of(address)])


class TestUnsubscribe:
    def test_asks_first_and_needs_no_login(self, client):
        page = client.get(link())

        assert b"a@example.com will get no more reports." in page.content
        assert not ReportPreference.objects.exists()

    def test_is_done_by_one_click_of_a_mail_program(self, client):
        client.handler.enforce_csrf_checks = True
        page = client.post(link(), {"List-Unsubscribe": "One-Click"})

        assert page.status_code == 200
        assert ReportPreference.objects.get().unsubscribed_at is not None

    def test_refuses_a_damaged_link(self, client):
        page = client.get(reverse("pages:unsubscribe", args=["nonsense"]))

        assert page.status_code == 400
        assert b"damaged" in page.content


class TestPreview:
    def test_shows_the_mail_with_its_images_and_lets_no_script_run(self, admin_client):
        image = mail_rendering.Image(name="equity", alt="Equity", png=b"png")
        report = mail_rows.make_report(
            html='<img src="cid:equity">', images=mail_rendering.stored([image])
        )

        page = admin_client.get(reverse("pages:mail-preview", args=[report.pk]))

        assert b'src="data:image/png;base64,' in page.content
        assert "script-src 'none'" in page["Content-Security-Policy"]

    def test_is_for_staff(self, client):
        url = reverse("pages:mail-preview", args=[mail_rows.make_report().pk])

        assert client.get(url).status_code == 302
