import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from analytics.models import ClaimAudit
from analytics.services import lakes
from tests import evidence_rows, factories

UPLOAD = "admin:analytics_claimaudit_audit_file"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_lake(monkeypatch, settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


def upload(client, content):
    file = SimpleUploadedFile("picks.csv", content)
    return client.post(reverse(UPLOAD), {"title": "A letter", "file": file}, follow=True)


class TestUpload:
    def test_shows_the_verdicts(self, admin_client):
        page = upload(admin_client, b"symbol,entry_date,entry_price\nVIGL,2024-06-03,2.94\n")

        assert ClaimAudit.objects.get().title == "A letter"
        assert "The data have no bars of VIGL." in page.content.decode()
        assert "unverifiable" in page.content.decode()

    @pytest.mark.parametrize("content", [b"symbol,price\n", b"\xff\xfe\xfa"])
    def test_says_what_is_wrong_with_the_file(self, admin_client, content):
        page = upload(admin_client, content)

        assert list(page.context["form"].errors) == ["file"]
        assert ClaimAudit.objects.count() == 0

    def test_needs_permission(self, client, person):
        client.force_login(person)

        assert client.get(reverse(UPLOAD)).status_code == 403

    def test_shows_the_form(self, admin_client):
        assert "Audit" in admin_client.get(reverse(UPLOAD)).content.decode()


class TestBaselineButton:
    def test_audits_the_baseline(self, admin_client):
        factories.make_baseline()

        page = admin_client.post(reverse("admin:analytics_claimaudit_audit_baseline"), follow=True)

        assert "+63.8%" in page.content.decode()

    def test_asks_first(self, admin_client):
        factories.make_baseline()

        admin_client.get(reverse("admin:analytics_claimaudit_audit_baseline"))

        assert ClaimAudit.objects.count() == 0

    def test_says_that_there_is_none(self, admin_client):
        page = admin_client.post(reverse("admin:analytics_claimaudit_audit_baseline"), follow=True)

        assert "There is no baseline" in page.content.decode()


class TestAuditPage:
    def test_escapes_what_was_claimed(self, admin_client):
        item = evidence_rows.make_claim(subject="<b>X</b>")

        page = admin_client.get(reverse("admin:analytics_claimaudit_change", args=[item.audit.pk]))

        assert "<b>X</b>" not in page.content.decode()
