import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.models import Variant
from tests import factories

pytestmark = pytest.mark.django_db


def page(variant, name="change"):
    return reverse(f"admin:analytics_variant_{name}", args=[variant.pk])


def form_of(variant, **changes):
    names = [f.name for f in Variant._meta.concrete_fields if f.name not in ("id", "version")]
    values = {name: getattr(variant, name) for name in names} | changes
    values["active"] = "on" if values["active"] else ""
    return {key: value for key, value in values.items() if value != ""}


class TestVariant:
    def test_that_has_no_batch_can_be_changed(self, admin_client):
        draft = factories.make_variant()

        admin_client.post(page(draft), form_of(draft, w_volume=0.5))

        draft.refresh_from_db()
        assert draft.w_volume == 0.5

    def test_that_has_produced_a_batch_is_frozen(self, admin_client):
        frozen = factories.make_batch().variant

        answer = admin_client.post(page(frozen), form_of(frozen, w_volume=0.5))

        frozen.refresh_from_db()
        assert answer.status_code == 403
        assert frozen.w_volume == 0.4
        assert "Frozen" in admin_client.get(page(frozen)).content.decode()

    def test_that_is_frozen_cannot_be_deleted(self, admin_client):
        frozen = factories.make_batch().variant

        answer = admin_client.post(page(frozen, "delete"), {"post": "yes"})

        assert answer.status_code == 403

    def test_refuses_weights_that_the_database_refuses(self, admin_client):
        draft = factories.make_variant()

        answer = admin_client.post(page(draft), form_of(draft, w_volume=-1))

        assert answer.status_code == 200
        assert answer.context["errors"]


class TestNewVersion:
    def test_is_an_inactive_copy_that_can_be_edited(self, admin_client):
        frozen = factories.make_batch(variant=factories.make_variant(max_close=6)).variant

        answer = admin_client.post(page(frozen, "new_version"), follow=True)

        draft = Variant.objects.get(version=2)
        assert (draft.name, draft.max_close, draft.active) == ("B", 6, False)
        assert answer.redirect_chain == [(page(draft), 302)]
        assert answer.context["has_change_permission"]

    def test_is_made_only_when_asked_for(self, admin_client):
        variant = factories.make_variant()

        answer = admin_client.get(page(variant, "new_version"))

        assert answer.status_code == 200
        assert Variant.objects.count() == 1

    def test_counts_on_from_the_newest(self, admin_client):
        first = factories.make_variant()
        factories.make_variant(version=4)

        admin_client.post(page(first, "new_version"))

        assert Variant.objects.filter(version=5).exists()

    def test_needs_the_permission_to_add(self, client, person):
        variant = factories.make_variant()
        person.user_permissions.add(Permission.objects.get(codename="view_variant"))
        client.force_login(person)

        assert client.post(page(variant, "new_version")).status_code == 403
        assert Variant.objects.count() == 1


class TestActive:
    def test_can_be_switched_on_a_frozen_variant(self, admin_client):
        frozen = factories.make_batch().variant

        admin_client.post(
            reverse("admin:analytics_variant_changelist"),
            {"action": "make_inactive", "_selected_action": [frozen.pk]},
        )

        frozen.refresh_from_db()
        assert not frozen.active
