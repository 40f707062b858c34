from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.services import lakes, references
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


def fill(reference):
    return reverse("admin:analytics_referencepattern_fill_from_market_data", args=[reference.pk])


class TestFillFromMarketData:
    def test_asks_the_service_for_the_session(self, admin_client, monkeypatch):
        reference, asked = factories.make_reference(), []

        def measure(**given):
            asked.append(given)
            return reference

        monkeypatch.setattr(references, "fill_from_bars", measure)

        page = admin_client.post(
            fill(reference), {"session": "2024-06-28", "source": "imported"}, follow=True
        )

        wanted = {"reference_id": reference.pk, "session": date(2024, 6, 28), "source": "imported"}
        assert asked == [wanted]
        assert "measured on 2024-06-28" in page.content.decode()

    def test_says_on_the_field_what_is_missing(self, admin_client, monkeypatch):
        def refuse(**given):
            raise references.NoBars("No bar of VIGL on 2024-06-28.")

        monkeypatch.setattr(references, "fill_from_bars", refuse)

        page = admin_client.post(
            fill(factories.make_reference()), {"session": "2024-06-28", "source": "imported"}
        )

        assert page.context["form"].errors["session"] == ["No bar of VIGL on 2024-06-28."]

    def test_needs_the_permission_to_change(self, client, person):
        person.user_permissions.add(Permission.objects.get(codename="view_referencepattern"))
        client.force_login(person)

        assert client.get(fill(factories.make_reference())).status_code == 403


class TestReference:
    def test_can_be_edited(self, admin_client):
        reference = factories.make_reference()

        admin_client.post(
            reverse("admin:analytics_referencepattern_change", args=[reference.pk]),
            {
                "symbol": "VIGL",
                "gain": "3.24",
                "float_shares": "9000000",
                "characteristics": "[]",
                "source": "claimed",
            },
        )

        reference.refresh_from_db()
        assert reference.float_shares == 9_000_000
