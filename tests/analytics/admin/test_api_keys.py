import re
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from knox.models import AuthToken
from rest_framework.test import APIClient

from analytics.services import api_keys
from tests import factories

LIST = reverse("admin:knox_authtoken_changelist")
ADD = reverse("admin:knox_authtoken_add")
pytestmark = pytest.mark.django_db


def make_key(user, name="laptop"):
    return api_keys.create(user=user, name=name, now=datetime.now(UTC))


def allow(person, *codenames):
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames))


class TestList:
    def test_shows_whose_and_what_a_key_begins_with(self, admin_client, admin_user):
        new = make_key(admin_user)

        page = admin_client.get(LIST).content.decode()

        assert "laptop" in page
        assert new.key[:15] in page
        assert new.key[:17] not in page
        assert AuthToken.objects.get().digest not in page.replace(
            f'value="{AuthToken.objects.get().digest}"', ""
        )

    def test_takes_no_more_queries_for_more_rows(self, admin_client):
        make_key(factories.make_user(is_staff=True))
        few = _queries(admin_client)
        for n in range(5):
            make_key(factories.make_user(is_staff=True), name=f"k{n}")

        assert _queries(admin_client) == few

    def test_shows_others_only_their_own(self, client, person, admin_user):
        make_key(admin_user, "theirs")
        make_key(person, "mine")
        allow(person, "view_authtoken")
        client.force_login(person)

        shown = client.get(LIST).context["cl"].result_list

        assert [api_keys.name_of(token) for token in shown] == ["mine"]

    def test_is_closed_without_permission(self, client, person):
        client.force_login(person)

        assert client.get(LIST).status_code == 403
        assert client.get(ADD).status_code == 403

    def test_has_no_page_of_one_key(self, admin_client, admin_user):
        make_key(admin_user)
        digest = AuthToken.objects.get().pk

        for page in ("change", "delete"):
            answer = admin_client.get(reverse(f"admin:knox_authtoken_{page}", args=[digest]))
            assert answer.status_code in {302, 403}


class TestMaking:
    def test_shows_the_key_once(self, admin_client, admin_user):
        answer = admin_client.post(ADD, {"user": admin_user.pk, "name": "laptop", "days": 90})

        key = re.search(r'id="api-key">([^<]+)<', answer.content.decode()).group(1)
        works = APIClient().get(
            "/analytics/batches?source=imported", HTTP_AUTHORIZATION=f"Bearer {key}"
        )
        assert works.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        assert key not in admin_client.get(LIST).content.decode()
        assert key not in admin_client.get(reverse("admin:index")).content.decode()
        assert key not in str(list(LogEntry.objects.values()))

    def test_asked_again_by_a_reload_makes_no_second(self, admin_client, admin_user):
        form = {"user": admin_user.pk, "name": "laptop", "days": 90}
        admin_client.post(ADD, form)

        again = admin_client.post(ADD, form)

        assert "revoke it first" in again.content.decode()
        assert AuthToken.objects.count() == 1

    def test_is_for_oneself_without_being_a_superuser(self, client, person, admin_user):
        allow(person, "view_authtoken", "add_authtoken")
        client.force_login(person)

        client.post(ADD, {"user": admin_user.pk, "name": "laptop", "days": 90})
        assert not AuthToken.objects.exists()
        client.post(ADD, {"user": person.pk, "name": "laptop", "days": 90})
        assert AuthToken.objects.get().user == person

    def test_is_noted_with_the_person(self, admin_client, admin_user):
        admin_client.post(ADD, {"user": admin_user.pk, "name": "laptop", "days": 90})

        assert LogEntry.objects.get().object_repr == "laptop of admin"


class TestRevoking:
    def revoke(self, client, *tokens):
        form = {"action": "revoke", "_selected_action": [token.pk for token in tokens]}
        return client.post(LIST, form)

    def test_takes_the_key_away(self, admin_client, admin_user):
        make_key(admin_user)

        self.revoke(admin_client, AuthToken.objects.get())

        assert not AuthToken.objects.exists()
        assert LogEntry.objects.get().object_repr == "laptop of admin"

    def test_reaches_only_ones_own(self, client, person, admin_user):
        make_key(admin_user)
        allow(person, "view_authtoken", "delete_authtoken")
        client.force_login(person)

        self.revoke(client, AuthToken.objects.get())

        assert AuthToken.objects.exists()

    def test_needs_permission(self, client, person):
        make_key(person)
        allow(person, "view_authtoken")
        client.force_login(person)

        self.revoke(client, AuthToken.objects.get())

        assert AuthToken.objects.exists()


def _queries(client):
    client.get(LIST)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(LIST).status_code == 200
    return len(captured)
