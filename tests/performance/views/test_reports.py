import pytest

from tests.performance.services.test_reporting import fill

pytestmark = pytest.mark.django_db


class TestReport:
    def test_shows_every_section(self, staff):
        fill()

        html = staff.get("/report?period_days=30").content.decode()

        for title in ("Headline", "Claims audit", "Restoration roadmap", "What to do"):
            assert title in html
        assert "<script" not in html
        assert " style=" not in html

    def test_falls_back_to_30_days(self, staff):
        assert "30 days" in staff.get("/report?period_days=soon").content.decode()

    def test_of_the_sample_market_has_the_banner(self, staff, source):
        source("simulated")

        assert "SIMULATED" in staff.get("/report").content.decode()

    def test_is_offered_as_pdf(self, staff):
        answer = staff.get("/report.pdf?period_days=7")

        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")

    @pytest.mark.parametrize("url", ["/report", "/report.pdf", "/risk", "/portfolio"])
    def test_sends_others_to_the_login(self, client, url):
        assert client.get(url).status_code == 302
