from datetime import UTC, date, datetime

import polars as pl
import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.models import Correction
from analytics.services import lakes
from tests import factories

pytestmark = pytest.mark.django_db
ADD = "admin:analytics_correction_add"
DAY = date(2024, 6, 28)


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    lake = lakes.lake_of("imported")
    lake.create_all()
    bar = {"symbol": "VIGL", "session": DAY, "open": 2.9, "high": 3.2, "low": 2.8, "close": 3.0}
    frame = pl.DataFrame([{**bar, "volume": 1000.0, "quality": 0, "source": "imported"}])
    lake.upsert("bars", frame)
    return lake


def form(**fields):
    plain = {"data_set": "bars", "source": "imported", "symbol": "VIGL", "session": "2024-06-28"}
    return {**plain, "reason": "The vendor sent a late print.", **fields}


class TestBar:
    def test_is_put_right_and_remembered(self, admin_client, admin_user, lake):
        answer = admin_client.post(reverse(ADD), form(close="2.94"), follow=True)

        correction = Correction.objects.get()
        assert lake.read("bars")["close"].to_list() == [2.94]
        assert lake.read("bars")["open"].to_list() == [2.9]
        assert (correction.before["close"], correction.after["close"]) == (3.0, 2.94)
        assert correction.entered_by == admin_user
        assert answer.redirect_chain[-1][0] == reverse(
            "admin:analytics_correction_change", args=[correction.pk]
        )

    def test_can_be_taken_away(self, admin_client, lake):
        admin_client.post(reverse(ADD), form(remove="on"))

        assert lake.read("bars").is_empty()
        assert Correction.objects.get().after is None

    def test_shows_before_and_after(self, admin_client, lake):
        page = admin_client.post(reverse(ADD), form(close="2.94"), follow=True)

        close = next(c for c in page.context["story"]["values"] if c["name"] == "close")
        assert close == {"name": "close", "before": "3", "after": "2.94", "changed": True}

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"close": "9"}, "close"),
            ({"high": "1"}, "high"),
            ({"close": "-1"}, "close"),
            ({"close": "cheap"}, "close"),
            ({"symbol": "NONE", "close": "3"}, "symbol"),
            ({"session": "2024-06-29", "close": "3"}, "session"),
            ({"session": "2034-06-30", "close": "3"}, "session"),
            ({"reason": "", "close": "3"}, "reason"),
            ({"close": "3.1", "ratio": "2"}, "ratio"),
            ({"close": "3.1", "remove": "on"}, "close"),
            ({}, "close"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, admin_client, lake, fields, wrong):
        page = admin_client.post(reverse(ADD), form(**fields))

        assert page.status_code == 200
        assert wrong in page.context["form"].errors
        assert not Correction.objects.exists()
        assert lake.read("bars")["close"].to_list() == [3.0]


class TestSplit:
    def test_is_entered(self, admin_client, lake):
        admin_client.post(reverse(ADD), form(data_set="splits", ratio="0.1"))

        assert lake.read("splits")["ratio"].to_list() == [0.1]
        assert Correction.objects.get().before is None

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({}, "ratio"),
            ({"ratio": "0"}, "ratio"),
            ({"ratio": "1"}, "ratio"),
            ({"ratio": "2", "close": "3"}, "close"),
            ({"ratio": "2", "session": "2024-06-29"}, "session"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, admin_client, lake, fields, wrong):
        page = admin_client.post(reverse(ADD), form(data_set="splits", **fields))

        assert wrong in page.context["form"].errors
        assert not Correction.objects.exists()


class TestTouched:
    def test_lists_batches_of_the_symbol_whose_features_read_the_row(self, admin_client):
        variant = factories.make_variant()
        inside = factories.make_batch(session=date(2024, 7, 10), variant=variant)
        factories.make_candidate(symbol="VIGL", batch=inside)
        other = factories.make_batch(session=date(2024, 7, 11), variant=variant)
        factories.make_candidate(symbol="ELSE", batch=other)
        for day in (date(2024, 6, 27), date(2024, 8, 5)):
            late = factories.make_batch(session=day, variant=variant)
            factories.make_candidate(symbol="VIGL", batch=late)
        correction = factories.make_correction(symbol="VIGL", session=DAY)

        page = admin_client.get(reverse("admin:analytics_correction_change", args=[correction.pk]))

        touched = page.context["story"]["touched"]
        assert list(touched.batches) == [inside]
        assert touched.others == 1
        assert touched.last == date(2024, 8, 2)

    def test_leaves_out_the_other_market(self, admin_client):
        factories.make_candidate(symbol="VIGL", source="simulated", session=DAY)
        correction = factories.make_correction(symbol="VIGL", session=DAY)

        page = admin_client.get(reverse("admin:analytics_correction_change", args=[correction.pk]))

        assert not page.context["story"]["touched"].batches

    def test_offers_to_scan_these_sessions_again(self, admin_client):
        correction = factories.make_correction(session=DAY)

        page = admin_client.get(reverse("admin:analytics_correction_change", args=[correction.pk]))

        again = reverse("admin:analytics_discoverybatch_run_discovery")
        assert f"{again}?first=2024-06-28&amp;last=2024-08-02" in page.content.decode()

    def test_says_whether_a_batch_was_scanned_since(self, admin_client):
        batch = factories.make_batch(created_at=datetime(2024, 7, 1, tzinfo=UTC))
        factories.make_candidate(symbol="VIGL", batch=batch)
        correction = factories.make_correction(symbol="VIGL", session=DAY)

        page = admin_client.get(reverse("admin:analytics_correction_change", args=[correction.pk]))

        assert [row["again"] for row in page.context["story"]["batches"]] == [True]


class TestPermission:
    def test_to_look_does_not_let_enter(self, client, person):
        person.user_permissions.add(Permission.objects.get(codename="view_correction"))
        client.force_login(person)

        assert client.get(reverse(ADD)).status_code == 403
        assert client.post(reverse(ADD), form(close="3")).status_code == 403

    def test_to_enter_shows_the_form_filled_in_from_the_link(self, client, person, lake):
        person.user_permissions.add(
            *Permission.objects.filter(codename__in=["view_correction", "add_correction"])
        )
        client.force_login(person)

        page = client.get(reverse(ADD), {"symbol": "VIGL"})

        assert 'value="VIGL"' in page.content.decode()

    def test_does_not_reach_what_was_entered(self, admin_client):
        row = factories.make_correction()
        page = reverse("admin:analytics_correction_change", args=[row.pk])

        assert admin_client.post(page, {"reason": "another"}).status_code == 403
