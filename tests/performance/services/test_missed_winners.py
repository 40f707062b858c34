import pytest

from analytics.services import job_registry
from performance.models import GateStudy
from performance.services import missed_winners
from tests import evidence_rows, factories
from tests.factories import NOW
from tests.performance.services.conftest import day

pytestmark = pytest.mark.django_db


class TestRecordGateStudies:
    def test_studies_every_active_variant_over_settled_sessions(self, market):
        market.store()

        made = missed_winners.record_gate_studies(source="imported", clock=lambda: NOW, count=60)

        assert [str(study.variant) for study in made] == ["A v1", "B v1"]
        assert made[0].last == day(115)
        assert made[0].result["sessions"] == 60
        assert {gate["gate"] for gate in made[0].result["gates"]} >= {"price band", "float"}

    def test_runs_as_a_job(self, market):
        market.store()

        class Report:
            def now(self):
                return NOW

            def progress(self, *_said):
                pass

        result = job_registry.get_kind("study_gates").work(
            {"source": "imported", "sessions": 30}, Report()
        )

        assert result["studies"] == list(GateStudy.objects.values_list("pk", flat=True))

    def test_needs_a_settled_session(self, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path / "empty")

        with pytest.raises(missed_winners.NothingToStudy):
            missed_winners.record_gate_studies(source="imported", clock=lambda: NOW)


class TestGetMissed:
    def test_leaves_out_what_was_caught_and_what_is_simulated(self):
        factories.make_episode(symbol="LOST", captured=False, captured_on=None, days_captured=0)
        factories.make_episode(
            symbol="CAUGHT", captured=True, captured_on=factories.SESSION, days_captured=1
        )
        factories.make_episode(
            symbol="SIM", captured=False, captured_on=None, days_captured=0, source="simulated"
        )

        assert [row.symbol for row in missed_winners.get_missed(source="imported")] == ["LOST"]


class TestCaughtBy:
    def test_is_what_the_newest_study_of_the_variant_says(self):
        evidence_rows.make_study(result={"caught_by": {}})
        study = evidence_rows.make_study()
        episode = factories.make_episode(
            symbol="LOST", variant=study.variant, captured=False, captured_on=None, days_captured=0
        )

        studies = missed_winners.get_studies(source="imported")

        assert missed_winners.caught_by(episode, studies) == ["price band: dropped"]

    def test_is_none_where_it_was_not_studied(self):
        study = evidence_rows.make_study()
        episode = factories.make_episode(
            symbol="OTHER", variant=study.variant, captured=False, captured_on=None, days_captured=0
        )

        assert missed_winners.caught_by(episode, {}) is None
        assert missed_winners.caught_by(episode, {study.variant_id: study}) is None
