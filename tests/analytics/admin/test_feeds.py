"""The pages about providers: the backfill's button, held sessions, alerts."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.models import JobRun
from analytics.services import lakes
from tests import factories, feed_rows

pytestmark = pytest.mark.django_db
SYNC = "admin:analytics_datasetstate_sync_market_data"


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = tmp_path / "lake"
    settings.POLYGON_API_KEY = "secret"
    return lakes.lake_of("live")


class TestFetchMarketData:
    def test_says_beforehand_what_it_takes(self, admin_client):
        page = admin_client.get(reverse(SYNC)).content.decode()

        assert "500 sessions from" in page
        assert "A free plan has no snapshots" in page

    def test_asks_for_a_job_and_shows_its_bar(self, admin_client):
        asked = {"first": "2024-06-03", "last": "2024-06-14", "start": ""}

        page = admin_client.post(reverse(SYNC), asked, follow=True)

        job = JobRun.objects.get()
        assert (job.kind, job.arguments) == (
            "sync_market_data",
            {"first": "2024-06-03", "last": "2024-06-14"},
        )
        assert page.redirect_chain[-1][0] == reverse("admin:analytics_jobrun_change", args=[job.pk])

    def test_starts_nothing_when_it_is_only_asked_what_it_takes(self, admin_client):
        asked = {"first": "2024-06-03", "last": "2024-06-14", "plan": ""}

        page = admin_client.post(reverse(SYNC), asked).content.decode()

        assert "10 sessions from 2024-06-03 to 2024-06-14" in page
        assert not JobRun.objects.exists()

    def test_names_a_range_without_sessions(self, admin_client):
        asked = {"first": "2024-06-15", "last": "2024-06-16", "start": ""}

        page = admin_client.post(reverse(SYNC), asked).content.decode()

        assert "There is no finished session" in page
        assert not JobRun.objects.exists()

    def test_needs_its_permission(self, client, person):
        person.user_permissions.add(Permission.objects.get(codename="view_datasetstate"))
        client.force_login(person)

        assert client.get(reverse(SYNC)).status_code == 403

    def test_says_when_there_is_no_key(self, admin_client, settings):
        settings.POLYGON_API_KEY = ""

        page = admin_client.get(reverse(SYNC)).content.decode()

        assert "POLYGON_API_KEY is not set" in page
        assert 'name="start"' not in page


class TestHeldSessions:
    def test_are_let_through_by_a_person_and_asked_for_again(self, admin_client, admin_user):
        held = feed_rows.make_hold()
        chosen = {"action": "let_through", "_selected_action": [held.pk]}

        admin_client.post(reverse("admin:analytics_heldsession_changelist"), chosen)

        held.refresh_from_db()
        job = JobRun.objects.get()
        assert (held.accepted_by, held.resolution) == (admin_user, "let through by a person")
        assert (job.kind, job.arguments) == ("sync_session", {"session": "2024-06-28"})


class TestFindings:
    def test_lead_to_the_decisions_they_touch(self, admin_client):
        factories.make_finding(symbol="VIGL", severity="error")
        factories.make_finding(symbol="", severity="error", gate="repeated_session")

        page = admin_client.get(reverse("admin:analytics_datafinding_changelist") + "?origin=all")

        text = page.content.decode()
        assert "batch__session__gte=2024-06-28&amp;batch__session__lte=2024-08-02" in text
        assert "session__gte=2024-06-28&amp;session__lte=2024-08-02" in text


class TestBatches:
    def test_say_which_session_has_none_and_why(self, admin_client):
        feed_rows.make_hold()

        page = admin_client.get(reverse("admin:analytics_discoverybatch_changelist"))

        said = "2024-06-28 has no batch: held back, too_few_symbols: 5 symbols where 24 are usual"
        assert said in page.content.decode()
