import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.models import JobRun
from analytics.services import lakes
from tests import factories

pytestmark = pytest.mark.django_db
RUN = "admin:analytics_discoverybatch_run_discovery"


class TestFunnel:
    def test_stands_on_the_page_of_the_batch(self, admin_client):
        batch = factories.make_batch()

        page = admin_client.get(reverse("admin:analytics_discoverybatch_change", args=[batch.pk]))

        assert "relative volume" in page.content.decode()
        assert f"batch__id__exact={batch.pk}" in page.content.decode()

    def test_of_an_empty_market_has_no_share(self, admin_client):
        batch = factories.make_batch(universe_size=0, funnel=[0] * 9)

        page = admin_client.get(reverse("admin:analytics_discoverybatch_change", args=[batch.pk]))

        assert page.context["story"]["funnel"][0]["share"] is None


class TestRunDiscovery:
    def test_needs_its_permission(self, client, person):
        person.user_permissions.add(Permission.objects.get(codename="view_discoverybatch"))
        client.force_login(person)

        assert client.get(reverse(RUN)).status_code == 403

    def test_opens_with_the_permission_and_keeps_what_the_link_says(self, client, person):
        person.user_permissions.add(
            *Permission.objects.filter(codename__in=["view_discoverybatch", "run_discovery"])
        )
        client.force_login(person)

        page = client.get(reverse(RUN), {"first": "2024-06-28"})

        assert page.status_code == 200
        assert 'value="2024-06-28"' in page.content.decode()

    @pytest.mark.parametrize("last", ["", "2024-07-02"])
    def test_asks_for_a_job_and_shows_it(self, admin_client, monkeypatch, last):
        monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")

        page = admin_client.post(reverse(RUN), {"first": "2024-06-28", "last": last}, follow=True)

        job = JobRun.objects.get()
        assert (job.kind, job.requested_by.username) == ("discover", "admin")
        assert job.arguments == {
            "first": "2024-06-28", "last": last or "2024-06-28", "source": "imported",
        }  # fmt: skip
        assert page.redirect_chain[-1][0] == reverse("admin:analytics_jobrun_change", args=[job.pk])

    def test_twice_asks_once(self, admin_client, monkeypatch):
        monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")

        for _ in range(2):
            admin_client.post(reverse(RUN), {"first": "2024-06-28"})

        assert JobRun.objects.count() == 1

    @pytest.mark.parametrize(
        ("first", "last", "field"),
        [
            ("2024-06-29", "", "first"),
            ("2024-06-28", "2024-06-24", "last"),
            ("1950-01-03", "", "first"),
            ("soon", "", "first"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, admin_client, first, last, field):
        page = admin_client.post(reverse(RUN), {"first": first, "last": last})

        assert list(page.context["form"].errors) == [field]
