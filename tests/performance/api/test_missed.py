import pytest
from rest_framework.test import APIClient

from tests import evidence_rows, factories

URL = "/performance/missed-winners"
pytestmark = pytest.mark.django_db


def missed(**fields):
    return factories.make_episode(
        **{
            "symbol": "LOST",
            "captured": False,
            "captured_on": None,
            "days_captured": 0,
            "gate": "price band",
            "score": 31.0,
            **fields,
        }
    )


class TestMissedWinners:
    def test_names_gate_score_and_what_would_have_caught_it(self, api):
        study = evidence_rows.make_study()
        missed(variant=study.variant)

        found = api.get(URL).json()

        row = found["results"][0]
        assert (row["symbol"], row["gate"], row["score"]) == ("LOST", "price band", 31.0)
        assert row["caught_by"] == ["price band: dropped"]
        assert found["gates"][0]["gates"][0]["episodes_gained"] == 116
        assert "caught_by" not in found["gates"][0]
        assert found["source"] == "imported"

    def test_says_that_no_study_has_been_made(self, api):
        missed()

        found = api.get(URL).json()

        assert found["results"][0]["caught_by"] is None
        assert (found["gates"], found["gates_status"]) == ([], "insufficient_data")
        assert "study_gates" in found["gates_reason"]

    @pytest.mark.parametrize(
        ("query", "symbols"),
        [
            ("gate=float", ["B"]),
            ("symbol=a", ["A"]),
            ("first=2024-06-28", ["A"]),
            ("variant=Z", []),
        ],
    )
    def test_narrows_down(self, api, query, symbols):
        missed(symbol="A")
        missed(symbol="B", gate="float", first_session="2024-05-01", last_session="2024-05-02")

        found = api.get(f"{URL}?{query}").json()["results"]

        assert [row["symbol"] for row in found] == symbols

    def test_refuses_an_unknown_parameter(self, api):
        assert api.get(f"{URL}?gates=float").status_code == 400

    def test_asks_no_more_for_more_rows(self, api, django_assert_max_num_queries):
        for at in range(20):
            missed(symbol=f"S{at}")

        with django_assert_max_num_queries(5):
            api.get(f"{URL}/")

    def test_needs_a_login(self):
        assert APIClient().get(URL).status_code == 401
