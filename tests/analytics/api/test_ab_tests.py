import pytest

from tests import factories, studies
from tests.factories import NOW

URL = "/analytics/ab-testing/squeeze-weights"
pytestmark = pytest.mark.django_db


class TestSqueezeWeights:
    def test_gives_the_current_experiment_with_its_reading(self, api):
        reading = studies.make_reading(low=-0.01, high=0.03)

        answer = api.get(URL).json()

        assert answer["source"] == "imported"
        assert answer["current"] == answer["live"]
        assert answer["retrospective"] is None
        found = answer["current"]
        assert (found["variant_a"], found["variant_b"]) == ("A v1", "B v1")
        assert found["state"] == "running"
        read = found["reading"]
        assert read["n"] == reading.picks
        assert read["status"] == "NO_DIFFERENCE_YET"
        assert (read["effect"], read["low"], read["high"]) == (0.01, -0.01, 0.03)
        assert read["effective_n"] == 12.5
        assert len(read["sequence"]) == 2

    def test_gives_the_default_pair_looking_back(self, api):
        past = studies.make_experiment(mode="retrospective", state="completed", ended_at=NOW)
        studies.make_reading(experiment=past)

        answer = api.get(f"{URL}/").json()

        assert answer["live"] is None
        assert answer["current"]["mode"] == "retrospective"
        assert "default pair" in answer["note"]

    def test_says_that_nothing_was_read(self, api):
        answer = api.get(URL).json()

        assert answer["current"] is None
        assert "not read yet" in answer["note"] or "default pair" in answer["note"]

    def test_labels_what_is_simulated(self, api):
        studies.make_experiment(source="simulated")

        answer = api.get(URL, {"source": "simulated"}).json()

        assert answer["simulated"] is True
        assert answer["current"]["source"] == "simulated"
        assert api.get(URL).json()["current"] is None

    def test_writes_nothing(self, api, django_assert_max_num_queries):
        studies.make_reading()
        with django_assert_max_num_queries(8) as seen:
            api.get(URL)

        assert all(q["sql"].startswith("SELECT") for q in seen.captured_queries)

    def test_is_for_staff(self, client):
        assert client.get(URL).status_code == 401
        client.force_login(factories.make_user())
        assert client.get(URL).status_code == 403
