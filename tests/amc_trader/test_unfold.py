"""The admin's frame: navigation by permission, SIMULATED where data is."""

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.cache import cache
from django.urls import reverse

from amc_trader import unfold
from analytics.services import lakes
from tests.factories import make_user

PAGES = [title for title, _icon, _name in unfold.PAGES]


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


@pytest.fixture
def source(monkeypatch):
    """Set the active source; count how often it is looked up."""
    asked = []

    def set_to(value):
        def look():
            asked.append(value)
            return value

        monkeypatch.setattr(lakes, "get_active_source", look)
        return asked

    return set_to


def shown(rf, user):
    request = rf.get("/admin/")
    request.user = user
    return {
        group["title"]: [i["title"] for i in group["items"]] for group in unfold.navigation(request)
    }


@pytest.mark.django_db
class TestNavigation:
    def test_shows_an_administrator_every_registered_model_once(self, rf):
        from django.contrib import admin

        groups = shown(rf, make_user(is_superuser=True, is_staff=True))
        assert groups.pop("Pages") == PAGES
        links = [title for titles in groups.values() for title in titles]

        assert len(links) == len(set(links)) == len(admin.site._registry)

    def test_shows_only_what_one_may_see(self, rf):
        person = make_user(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_candidate"))

        assert shown(rf, person) == {
            "Pages": PAGES,
            "Before the market moves": ["Candidates"],
        }

    def test_shows_a_stranger_nothing(self, rf):
        assert shown(rf, AnonymousUser()) == {}

    def test_leads_to_pages_that_exist(self, admin_client, source):
        source("imported")

        assert admin_client.get(reverse("admin:index")).status_code == 200


class TestEnvironment:
    def test_says_simulated(self, rf, source):
        source("simulated")

        assert unfold.environment(rf.get("/")) == ["SIMULATED", "warning"]

    def test_is_silent_over_real_data(self, rf, source):
        source("imported")

        assert unfold.environment(rf.get("/")) is None

    def test_is_looked_up_once_a_while(self, rf, source):
        asked = source("simulated")

        for _ in range(3):
            unfold.environment(rf.get("/"))

        assert len(asked) == 1
