import pytest

from analytics.models import ExperimentReading, HistoryIndex
from analytics.services import study_kinds
from analytics.services.job_registry import get_kind
from tests import studies

pytestmark = pytest.mark.django_db


@pytest.fixture
def bars(db, settings, tmp_path):
    return studies.store_market(settings, tmp_path)


def run(name):
    report = studies.Report()
    return get_kind(name).work({"source": "imported"}, report), report


class TestNightly:
    def test_are_kinds_that_may_be_run_twice(self, bars):
        for name in study_kinds.NIGHTLY:
            assert get_kind(name).idempotent
            run(name)
            run(name)

        assert HistoryIndex.objects.count() == ExperimentReading.objects.count() == 1


class TestReadExperiments:
    def test_says_what_it_read(self, bars):
        result, report = run(study_kinds.READ_EXPERIMENTS)

        assert result["message"] == "1 experiments, 1 with a reading"
        assert report.said


class TestIndexHistory:
    def test_says_what_it_holds(self, bars):
        result, report = run(study_kinds.INDEX_HISTORY)

        index = HistoryIndex.objects.get(pk=result["index"])
        assert f"{index.stock_days:,} stock-days" in result["message"]
        assert report.said[-1][:2] == (4, 4)
