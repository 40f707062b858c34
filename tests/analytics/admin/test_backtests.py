import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.models import JobRun
from analytics.services import lakes
from tests import evidence_rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


class TestBacktestPage:
    def test_shows_figures_years_winners_and_certificate(self, admin_client):
        run = evidence_rows.make_run()
        evidence_rows.make_certificate()

        page = admin_client.get(reverse("admin:analytics_backtestrun_change", args=[run.pk]))

        shown = page.content.decode()
        assert "B v1 by year" in shown
        assert "4.0 % to 6.0 %" in shown
        assert "There are no bars of VIGL." in shown
        assert "8 of 8 planted leaks" in shown

    def test_says_how_to_get_a_certificate(self, admin_client):
        run = evidence_rows.make_run()
        evidence_rows.make_certificate(source="simulated")

        page = admin_client.get(reverse("admin:analytics_backtestrun_change", args=[run.pk]))

        assert "certify_lookahead" in page.content.decode()

    def test_of_too_little_data_shows_the_reason(self, admin_client):
        none = {"value": None, "low": None, "high": None, "reason": "3 settled sessions"}
        run = evidence_rows.make_run(
            result={"B v1": {"explosive": {"first_signals": {"rate": none}}}}
        )

        page = admin_client.get(reverse("admin:analytics_backtestrun_change", args=[run.pk]))

        assert "3 settled sessions" in page.content.decode()


@pytest.mark.parametrize(
    ("button", "kind"),
    [
        ("admin:analytics_backtestrun_run_backtest", "backtest"),
        ("admin:analytics_lookaheadcertificate_certify", "certify_lookahead"),
    ],
)
class TestButtons:
    def test_queue_a_job(self, admin_client, admin_user, button, kind):
        admin_client.post(reverse(button))

        job = JobRun.objects.get()
        assert (job.kind, job.requested_by, job.source) == (kind, admin_user, "imported")

    def test_ask_before_they_do(self, admin_client, button, kind):
        page = admin_client.get(reverse(button))

        assert page.status_code == 200
        assert "<form" in page.content.decode()
        assert JobRun.objects.count() == 0

    def test_need_permission(self, client, person, button, kind):
        person.user_permissions.add(
            *Permission.objects.filter(
                codename__in=["view_backtestrun", "view_lookaheadcertificate"]
            )
        )
        client.force_login(person)

        assert client.post(reverse(button)).status_code == 403
        assert JobRun.objects.count() == 0
