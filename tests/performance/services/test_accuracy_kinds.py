import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.calc import sessions
from analytics.models import PatternCalibration
from analytics.services import job_registry
from performance.models import ThesisAccuracy
from performance.services import accuracy, accuracy_kept, accuracy_kinds
from tests.performance.services.test_job_kinds import Report
from tests.thesis_market import CALM, FIRST, bars, fill, open_lake, thesis

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    return open_lake()


class TestSettleTheses:
    def test_settles_and_learns(self, lake):
        fill(lake)
        thesis("RISE")
        report = Report()

        result = accuracy_kinds.settle_theses({"source": "imported"}, report)

        assert ThesisAccuracy.objects.get().settlement == "target"
        assert PatternCalibration.objects.get().valid_from == sessions.offset(FIRST, 15)
        assert result["changed"] == 1
        assert "1 theses looked at: 1 settled" in result["message"]
        assert report.said[-1] == (1, 1)

    def test_looks_once_more_at_what_a_correction_touched(self, lake):
        fill(lake)
        thesis("RISE")
        accuracy_kinds.settle_theses({}, Report())
        lake.upsert("bars", bars("RISE", [CALM], start=5))

        asked = {"source": "imported", "corrected": [str(sessions.offset(FIRST, 5))]}
        result = accuracy_kinds.settle_theses(asked, Report())

        assert result["changed"] == 1
        assert ThesisAccuracy.objects.get().settlement == "neither"

    def test_leaves_the_scores_ready_to_be_asked_for(self, lake, monkeypatch, settings):
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        monkeypatch.setattr(accuracy_kept, "FEWEST", 0)
        fill(lake)
        thesis("RISE")

        accuracy_kinds.settle_theses({"source": "imported"}, Report())

        with CaptureQueriesContext(connection) as asked:
            found = accuracy.get_accuracy(source="imported", now=Report().now(), period_days=30)
        assert (len(asked), found.history.theses) == (1, 1)

    def test_is_known_by_name(self):
        assert job_registry.get_kind("settle_theses").title == "Settlement of theses"
