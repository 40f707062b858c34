from datetime import UTC, datetime, timedelta

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

from analytics.services import api_keys
from tests import factories

NOW = datetime.now(UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return factories.make_user(username="ann", is_staff=True)


def make(user, **more):
    return api_keys.create(**{"user": user, "name": "laptop", "now": NOW, **more})


def ask(key, url="/analytics/candidates?source=imported", **more):
    return APIClient().get(url, HTTP_AUTHORIZATION=f"Bearer {key}", **more)


class TestCreate:
    def test_gives_a_key_that_opens_the_api(self, ann):
        new = make(ann)

        assert ask(new.key).status_code == 200
        assert new.key.startswith("laptop_")

    def test_keeps_no_more_of_it_than_its_beginning(self, ann):
        new = make(ann)

        kept = str(AuthToken.objects.values().get())
        assert new.key not in kept
        assert new.key[16:] not in kept

    def test_lets_it_expire(self, ann):
        fresh = make(ann, days=30)
        stale = make(ann, name="old", days=30, now=NOW - timedelta(days=31))

        assert ask(fresh.key).status_code == 200
        assert ask(stale.key).status_code == 401

    def test_makes_several_for_one_person(self, ann):
        keys = [make(ann, name=name).key for name in ("laptop", "server", "123456789")]

        assert [ask(key).status_code for key in keys] == [200, 200, 200]

    def test_refuses_a_second_of_the_same_name(self, ann):
        make(ann)

        with pytest.raises(api_keys.NameTaken):
            make(ann)
        assert make(factories.make_user(is_staff=True))

    def test_replaces_an_expired_one_of_the_same_name(self, ann):
        make(ann, now=NOW - timedelta(days=91))

        make(ann)

        assert AuthToken.objects.count() == 1

    @pytest.mark.parametrize("name", ["", "two words", "Laptop", "ten-chars-", "a_b", "laptop\n"])
    def test_refuses_a_name_that_cannot_stand_in_a_key(self, ann, name):
        with pytest.raises(api_keys.WrongName):
            make(ann, name=name)

    @pytest.mark.parametrize("days", [0, -1, 366])
    def test_refuses_a_term_that_is_none(self, ann, days):
        with pytest.raises(api_keys.WrongTerm):
            make(ann, days=days)

    @pytest.mark.parametrize(
        "fields", [{"is_staff": False}, {"is_staff": True, "is_active": False}]
    )
    def test_refuses_people_for_whom_it_would_open_nothing(self, fields):
        with pytest.raises(api_keys.NotStaff):
            make(factories.make_user(**fields))


class TestKey:
    def test_has_the_rights_of_its_owner(self, ann):
        key = make(ann).key
        ann.is_staff = False
        ann.save()

        assert ask(key).status_code == 403

    def test_of_someone_who_left_opens_nothing(self, ann):
        key = make(ann).key
        ann.is_active = False
        ann.save()

        assert ask(key).status_code == 401

    def test_is_taken_in_the_bearer_header_only(self, ann):
        key = make(ann).key

        assert APIClient().get("/analytics/batches", HTTP_AUTHORIZATION=key).status_code == 401
        assert APIClient().get(f"/analytics/batches?token={key}").status_code == 401

    def test_is_not_another_one_that_begins_alike(self, ann):
        key = make(ann).key
        other = key[:-1] + ("0" if key[-1] != "0" else "1")

        assert ask(other).status_code == 401

    def test_opens_no_admin(self, ann):
        key = make(ann).key

        answer = ask(key, "/admin/")

        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


class TestRevoke:
    def test_closes_at_once_and_closes_no_other(self, ann):
        gone, kept = make(ann), make(ann, name="server")

        count = api_keys.revoke(
            digests=AuthToken.objects.filter(token_key__startswith="laptop").values_list(
                "pk", flat=True
            )
        )

        assert count == 1
        assert ask(gone.key).status_code == 401
        assert ask(kept.key).status_code == 200
