import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from performance.models import RoadmapChange, RoadmapCheck
from tests import factories, score_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def row():
    return score_rows.make_check()


def address(row):
    return reverse("admin:performance_roadmapcheck_override", args=[row.pk])


class TestOverride:
    def test_says_what_the_figures_say(self, admin_client, row):
        said = admin_client.get(address(row)).content.decode()

        assert "Improve timing to &lt;1 day entry delay" in said
        assert row.evidence in said

    def test_stores_owner_and_note(self, admin_client, row, admin_user):
        answer = admin_client.post(address(row), {"state": "met", "note": "measured by hand"})

        assert answer.status_code == 302
        stored = RoadmapCheck.objects.get()
        assert (stored.standing, stored.override_by) == ("met", admin_user)
        assert RoadmapChange.objects.get().evidence == "override: measured by hand"

    def test_asks_for_a_note(self, admin_client, row):
        answer = admin_client.post(address(row), {"state": "met", "note": ""})

        assert "note: say why." in answer.content.decode()
        assert RoadmapCheck.objects.get().override == ""

    def test_needs_the_permission(self, client, row):
        person = factories.make_user(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_roadmapcheck"))
        client.force_login(person)

        assert client.post(address(row), {"state": "met", "note": "x"}).status_code == 403
        assert RoadmapCheck.objects.get().override == ""

        person.user_permissions.add(Permission.objects.get(codename="override_roadmap"))
        assert client.post(address(row), {"state": "met", "note": "x"}).status_code == 302
