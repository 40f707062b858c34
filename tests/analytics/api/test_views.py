from base64 import b64encode
from datetime import date

import polars as pl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from analytics.calc import sessions
from analytics.services import discovery, lakes
from tests import factories

pytestmark = pytest.mark.django_db
URLS = ["/analytics/batches", "/analytics/candidates", "/analytics/explain?symbol=A&session=x"]


def symbols(answer):
    return [row["symbol"] for row in answer.json()["results"]]


class TestWhoMayAsk:
    @pytest.mark.parametrize("url", URLS)
    def test_needs_a_login(self, url):
        answer = APIClient().get(url)

        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == 401

    @pytest.mark.parametrize("url", URLS)
    def test_is_for_staff(self, url):
        client = APIClient()
        client.force_authenticate(factories.make_user())

        answer = client.get(url)

        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"

    def test_takes_no_name_and_password(self):
        factories.make_user(username="ann", is_staff=True)
        word = b64encode(b"ann:secret").decode()

        answer = APIClient().get("/analytics/batches", HTTP_AUTHORIZATION=f"Basic {word}")

        assert answer.status_code == 401

    @pytest.mark.parametrize("url", URLS)
    def test_cannot_write(self, api, url):
        assert api.post(url, {}, format="json").status_code == 405


class TestBatches:
    def test_shows_what_was_scanned(self, api):
        batch = factories.make_batch()

        row = api.get("/analytics/batches").json()["results"][0]

        assert (row["session"], row["variant"], row["version"]) == ("2024-06-28", "B", 1)
        assert row["funnel"][0]["left"] == 5000
        assert row["funnel"][5] == {"gate": "price band", "left": 1500, "removed": 2390}
        assert row["links"]["self"] == f"/analytics/batches/{batch.pk}"
        assert api.get(row["links"]["candidates"]).status_code == 200

    def test_leaves_out_superseded_ones_unless_asked(self, api):
        old = factories.make_batch(is_current=False)
        factories.make_batch(revision=2, supersedes=old)

        assert api.get("/analytics/batches").json()["count"] == 1
        assert api.get("/analytics/batches?superseded=true").json()["count"] == 2

    def test_filters_by_session_and_variant(self, api):
        factories.make_batch()
        other = factories.make_batch(
            session=date(2024, 6, 27), variant=factories.make_variant(name="A")
        )

        for query in ("session=2024-06-27", "variant=A", "last=2024-06-27"):
            rows = api.get(f"/analytics/batches?{query}").json()["results"]
            assert [row["id"] for row in rows] == [other.pk]

    def test_one_stands_alone(self, api):
        batch = factories.make_batch()

        assert api.get(f"/analytics/batches/{batch.pk}/").json()["id"] == batch.pk
        assert api.get("/analytics/batches/0").status_code == 404


class TestCandidates:
    def test_carry_features_flags_and_components(self, api):
        factories.make_candidate(ret_1=0.12, short_fuel=None)

        row = api.get("/analytics/candidates").json()["results"][0]

        assert row["features"]["ret_1"] == 0.12
        assert row["features"]["close"] == 2.94
        assert row["flags"]["short_fuel"] is None
        assert row["components"]["float"] is None

    @pytest.mark.parametrize(
        "query",
        ["symbol=aaaa", "pattern=VIGL_SQUEEZE", "session=2024-06-27", "variant=A"],
    )
    def test_are_filtered(self, api, query):
        factories.make_candidate(symbol="BBBB")
        factories.make_candidate(
            symbol="AAAA",
            pattern="VIGL_SQUEEZE",
            session=date(2024, 6, 27),
            variant=factories.make_variant(name="A"),
        )

        assert symbols(api.get(f"/analytics/candidates?{query}")) == ["AAAA"]

    def test_stand_best_first(self, api):
        batch = factories.make_batch()
        factories.make_candidate(symbol="WORSE", rank=2, batch=batch)
        factories.make_candidate(symbol="BEST", rank=1, batch=batch)

        assert symbols(api.get("/analytics/candidates")) == ["BEST", "WORSE"]

    def test_of_a_superseded_batch_are_shown_by_its_number(self, api):
        batch = factories.make_batch(is_current=False)
        factories.make_candidate(batch=batch)

        assert symbols(api.get("/analytics/candidates")) == []
        assert symbols(api.get(f"/analytics/candidates?batch={batch.pk}")) == ["VIGL"]

    def test_take_no_more_queries_for_more_rows(self, api):
        batch = factories.make_batch()
        factories.make_candidate(symbol="S0", batch=batch)
        with CaptureQueriesContext(connection) as few:
            api.get("/analytics/candidates")
        for n in range(1, 9):
            factories.make_candidate(symbol=f"S{n}", batch=batch)

        with CaptureQueriesContext(connection) as many:
            api.get("/analytics/candidates")

        assert len(many) == len(few)

    def test_come_in_pages(self, api):
        batch = factories.make_batch()
        for n in range(3):
            factories.make_candidate(symbol=f"S{n}", batch=batch)

        first = api.get("/analytics/candidates?page_size=2")
        second = api.get(first.json()["next"])

        assert symbols(first) + symbols(second) == ["S0", "S1", "S2"]
        assert api.get("/analytics/candidates?page=9").status_code == 404


class TestSource:
    def test_is_the_one_in_use_and_said(self, api):
        factories.make_candidate(symbol="REAL")
        factories.make_candidate(symbol="SIMU", source="simulated")

        answer = api.get("/analytics/candidates")

        assert symbols(answer) == ["REAL"]
        assert answer.json()["source"] == "imported"
        assert "simulated" not in answer.json()

    def test_of_the_sample_market_says_simulated(self, api):
        candidate = factories.make_candidate(symbol="SIMU", source="simulated")

        for url in (
            "/analytics/candidates?source=simulated",
            f"/analytics/candidates/{candidate.pk}",
            f"/analytics/batches/{candidate.batch_id}",
        ):
            assert api.get(url).json()["simulated"] is True


class TestBadQuestions:
    @pytest.mark.parametrize(
        ("url", "field"),
        [
            ("/analytics/candidates?session=yesterday", "session"),
            ("/analytics/candidates?pattern=MOON", "pattern"),
            ("/analytics/candidates?source=claimed", "source"),
            ("/analytics/candidates?batch=0", "batch"),
            ("/analytics/candidates?symbl=VIGL", "symbl"),
            ("/analytics/batches?version=one", "version"),
            ("/analytics/explain?symbol=VIGL", "session"),
            ("/analytics/explain?session=2024-06-28", "symbol"),
        ],
    )
    def test_are_refused_with_the_name_of_the_field(self, api, url, field):
        answer = api.get(url)

        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert list(answer.json()["errors"]) == [field]


class TestExplain:
    def test_gives_what_the_service_found(self, api, monkeypatch):
        asked = []

        def explain(**question):
            asked.append(question)
            raise discovery.NoBars("VIGL has no bar on 2024-06-29")

        monkeypatch.setattr(discovery, "get_explanation", explain)

        answer = api.get("/analytics/explain?symbol=vigl&session=2024-06-29")

        wanted = {"symbol": "VIGL", "session": date(2024, 6, 29), "source": "imported"}
        assert asked == [wanted]
        assert answer.status_code == 409
        assert answer.json()["detail"] == "VIGL has no bar on 2024-06-29"

    def test_names_the_gate_that_stopped_a_symbol(self, api, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path / "lake")
        lake = lakes.lake_of("imported")
        lake.create_all()
        bar = {"symbol": "CALM", "open": 3.0, "high": 3.1, "low": 2.9, "close": 3.0}
        known = {"volume": 1e6, "quality": 0, "source": "imported"}
        days = sessions.between(date(2024, 5, 1), date(2024, 6, 28))
        lake.upsert("bars", pl.DataFrame([{**bar, **known, "session": day} for day in days]))
        factories.make_security(symbol="CALM", first_session=days[0])
        factories.make_variant()

        found = api.get("/analytics/explain?symbol=CALM&session=2024-06-28").json()

        assert found["source"] == "imported"
        assert found["verdicts"][0]["stopped_by"] == "relative volume"
        assert found["features"]["rel_volume"] == 1.0
        assert found["candidates"] == []
