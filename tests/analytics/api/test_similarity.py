import pytest

from analytics.services import history_index
from tests import factories, studies
from tests.performance.services.conftest import day

URL = "/analytics/shape-search"
pytestmark = pytest.mark.django_db


@pytest.fixture
def index(db, settings, tmp_path):
    bars = studies.store_market(settings, tmp_path)
    history_index.record_index(source="imported", now=factories.NOW, report=studies.Report())
    return bars


class TestShapeSearch:
    def test_answers_with_neighbours_and_chance(self, api, index):
        near = index.filter(index["at"].is_between(91, 110))
        whole = next(s for s, own in near.group_by("symbol") if own.height == 20 and s != ("SPY",))

        answer = api.get(URL, {"symbol": whole[0].lower(), "session": day(110), "k": 25}).json()

        assert answer["symbol"] == whole[0]
        assert answer["k"] == 25
        assert set(answer["null"]) == {"mean", "low", "high", "at_least"}
        assert answer["explosive"]["n"] == 25
        assert len(answer["neighbours"]) == 20
        assert set(answer["return_14"]) == {"0.05", "0.25", "0.50", "0.75", "0.95"}

    def test_says_why_there_is_none(self, api, index):
        answer = api.get(URL, {"symbol": "NOPE", "session": day(110)})

        assert answer.status_code == 409
        assert "NOPE has no bar" in answer.json()["detail"]

    def test_says_that_the_index_is_not_built(self, api, settings, tmp_path):
        settings.VAR_DIR = str(tmp_path)

        answer = api.get(URL, {"symbol": "VIGL", "session": "2024-06-28"})

        assert answer.status_code == 409
        assert "not built yet" in answer.json()["detail"]

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"symbol": "VIGL"},
            {"symbol": "VIGL", "session": "2024-06-28", "reference": "VIGL"},
            {"reference": "VIGL", "k": 0},
            {"reference": "VIGL", "kk": 5},
        ],
        ids=str,
    )
    def test_refuses_half_a_question(self, api, query):
        assert api.get(URL, query).status_code == 400


class TestCandidate:
    def test_has_the_denominator_of_its_similarity(self, api, index):
        from analytics.models import Candidate

        candidate = Candidate.objects.filter(batch__session=day(112)).first()

        found = api.get(f"/analytics/candidates/{candidate.pk}").json()["similarity_evidence"]

        assert found["before"] == day(112).isoformat()
        one = found["of"][0]
        assert one["reference"] == "VIGL"
        assert one["partial"] is True
        assert one["fields"] == ["rel_volume", "close"]
        assert {"value", "n", "low", "high", "status"} <= set(one["reached"])
        assert one["matched_base"]["source"] == "imported"

    def test_says_why_it_has_none(self, api, settings, tmp_path):
        settings.VAR_DIR = str(tmp_path)
        candidate = factories.make_candidate()

        found = api.get(f"/analytics/candidates/{candidate.pk}").json()["similarity_evidence"]

        assert found["of"] == []
        assert "not built yet" in found["reason"]
