import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from analytics.models import JobRun, Thesis
from analytics.services import theses
from tests import factories, thesis_records
from tests.factories import NOW

URL = "/analytics/theses"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


@pytest.fixture
def author():
    """A client of a member of staff who may have theses written."""
    person = factories.make_user(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="write_thesis"))
    client = APIClient()
    client.force_authenticate(person)
    return client


@pytest.fixture
def candidate():
    return factories.make_candidate(atr_pct_14=0.07, volatility_20=0.06)


class TestList:
    def test_shows_what_was_frozen_with_marks_in_place(self, api):
        thesis = factories.make_thesis(
            text="It grew 45%. Fine.",
            unsupported=[{"where": "text", "from": 8, "to": 11, "figure": "45%"}],
            figures=1,
            supported_share=0.0,
        )

        found = api.get(URL).json()

        (row,) = found["results"]
        assert found["source"] == "imported"
        assert row["text"] == "It grew 45%. [unsupported: 45%] Fine."
        assert row["digest"] == thesis.digest
        assert row["max_entry_price"] == 3.15
        assert "data_pack" not in row

    def test_is_narrowed_and_refuses_what_it_does_not_know(self, api):
        factories.make_thesis()
        factories.make_thesis(symbol="CRWV", author="claude:x", author_kind="claude")

        def symbols(**asked):
            return [row["symbol"] for row in api.get(URL, asked).json()["results"]]

        assert symbols(author_kind="claude") == ["CRWV"]
        assert symbols(symbol="vigl") == ["VIGL"]
        assert symbols(source="simulated") == []
        assert api.get(URL, {"ticker": "VIGL"}).status_code == 400

    def test_takes_no_more_queries_for_more_rows(self, api):
        def queries():
            with CaptureQueriesContext(
                connection,
            ) as seen:
                api.get(URL)
            return len(seen)

        factories.make_thesis()
        few = queries()
        for number in range(6):
            factories.make_thesis(symbol=f"S{number}")

        assert queries() <= few

    def test_needs_a_login(self):
        assert APIClient().get(URL).status_code == 401


class TestDetail:
    def test_shows_the_pack_events_and_whether_it_holds(self, api, candidate):
        thesis = theses.write_by_rules(candidate=candidate, now=NOW)
        thesis_records.make_event(thesis=thesis)

        found = api.get(f"{URL}/{thesis.pk}").json()

        assert found["data_pack"]["symbol"] == "VIGL"
        assert found["events"][0]["subject"] == "close < 2.5"
        assert found["holds"] is True
        assert found["links"]["candidate"] == f"/analytics/candidates/{candidate.pk}"

    def test_is_not_found_where_there_is_none(self, api):
        assert api.get(f"{URL}/77").status_code == 404


class TestPost:
    def test_asks_for_a_job(self, author, candidate):
        answer = author.post(URL, {"candidate": candidate.pk}, format="json")

        job = JobRun.objects.get()
        assert answer.status_code == 202
        assert answer["Location"] == f"/analytics/jobs/{job.pk}"
        assert job.kind == "write_thesis"
        assert job.arguments["authors"] == ["claude", "rules"]
        assert Thesis.objects.count() == 0

    def test_asked_twice_gives_the_job_under_way(self, author, candidate):
        for _ in range(2):
            author.post(URL, {"candidate": candidate.pk, "authors": ["rules"]}, format="json")

        assert JobRun.objects.count() == 1

    @pytest.mark.parametrize(
        "wrong",
        [{}, {"candidate": 77}, {"candidate": "x"}, {"authors": ["person"]}, {"authors": []},
         {"more": 1}],
    )  # fmt: skip
    def test_refuses_what_it_cannot_do(self, author, candidate, wrong):
        given = {"candidate": candidate.pk} | wrong if "candidate" not in wrong and wrong else wrong

        assert author.post(URL, given, format="json").status_code == 400
        assert not JobRun.objects.exists()

    def test_needs_permission(self, api, candidate):
        assert api.post(URL, {"candidate": candidate.pk}, format="json").status_code == 403
