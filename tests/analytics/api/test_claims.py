import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from analytics.models import ClaimAudit
from tests import evidence_rows, factories

URL = "/analytics/claim-audits"
CSV = "symbol,entry_date,entry_price\nVIGL,2024-06-03,2.94\n"
pytestmark = pytest.mark.django_db


@pytest.fixture
def trader(db, settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    person = factories.make_user(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="audit_claims"))
    client = APIClient()
    client.force_authenticate(person)
    return client


class TestPost:
    def test_audits_picks_sent_as_text(self, trader):
        answer = trader.post(URL, {"title": "A letter", "csv": CSV}, format="json")

        found = answer.json()
        assert answer.status_code == 201
        assert answer["Location"] == found["links"]["self"]
        assert found["items"][0]["verdict"] == "unverifiable"
        assert found["verdicts"]["unverifiable"] == 1

    def test_audits_a_file(self, trader):
        file = SimpleUploadedFile("picks.csv", CSV.encode())

        answer = trader.post(URL, {"file": file}, format="multipart")

        assert answer.status_code == 201

    def test_audits_the_baseline(self, trader):
        factories.make_baseline()

        found = trader.post(URL, {"baseline": True}, format="json").json()

        assert "+63.8%" in found["items"][0]["evidence"]

    @pytest.mark.parametrize("wrong", [{}, {"baseline": True, "csv": CSV}, {"picks": CSV}])
    def test_wants_one_claim(self, trader, wrong):
        assert trader.post(URL, wrong, format="json").status_code == 400

    def test_says_which_line_cannot_be_read(self, trader):
        answer = trader.post(URL, {"csv": f"{CSV}VIGL,soon,1\n"}, format="json")

        assert answer.status_code == 409
        assert "Line 3" in answer.json()["detail"]

    def test_needs_permission(self, api):
        assert api.post(URL, {"csv": CSV}, format="json").status_code == 403
        assert ClaimAudit.objects.count() == 0


class TestGet:
    def test_lists_audits_newest_first(self, api):
        evidence_rows.make_claim()

        row = api.get(URL).json()["results"][0]

        assert row["verdicts"]["unverifiable"] == 1
        assert api.get(row["links"]["self"]).json()["items"][0]["subject"] == "VIGL"

    def test_needs_a_login(self):
        assert APIClient().get(URL).status_code == 401
