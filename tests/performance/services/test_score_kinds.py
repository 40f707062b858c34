from datetime import UTC, datetime

import pytest

from analytics.models import JobRun
from analytics.services import job_registry, jobs, lakes
from analytics.services.job_registry import Kind
from performance.models import DashboardSummary
from performance.services import metrics, score_kinds
from tests import factories, risk_market, score_rows

NOW = datetime(2024, 6, 28, 23, 0, tzinfo=UTC)


class Report:
    def __init__(self):
        self.said = []

    def now(self):
        return NOW

    def progress(self, current, total=None, message=""):
        self.said.append((current, total, message))


@pytest.fixture
def kinds(monkeypatch):
    """A registry of our own."""
    monkeypatch.setattr(job_registry, "_KINDS", {})
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


@pytest.mark.django_db
class TestRefresh:
    def test_rewrites_the_summaries(self, tmp_path, settings):
        risk_market.store(tmp_path, settings)
        score_rows.make_record(factories.make_account(), n=5)
        report = Report()

        result = score_kinds.refresh_scores({"source": "imported"}, report)

        assert DashboardSummary.objects.count() == len(metrics.WINDOWS)
        assert result["message"].endswith(f"{len(metrics.WINDOWS)} summaries rewritten")
        assert report.said[0] == (0, 4, "metrics")

    def test_is_known_to_every_process_and_follows_what_exists(self):
        names = {kind.name for kind in job_registry.get_kinds()}

        assert {score_kinds.REFRESH, "nightly", "settle_outcomes", "settle_theses"} <= names


@pytest.mark.django_db
class TestFollowed:
    def test_asks_for_the_scores_at_the_end(self, kinds):
        job_registry.register(Kind(name="nightly", title="x", work=lambda *_: {"message": "done"}))
        score_kinds.add_kinds()

        result = job_registry.get_kind("nightly").work({"source": "simulated"}, Report())

        assert result == {"message": "done"}
        job = JobRun.objects.get()
        assert (job.kind, job.arguments) == ("refresh_scores", {"source": "simulated"})

    def test_asks_for_nothing_where_the_work_failed(self, kinds):
        def fail(*_asked):
            raise ValueError

        job_registry.register(Kind(name="nightly", title="x", work=fail))
        score_kinds.add_kinds()

        with pytest.raises(ValueError):
            job_registry.get_kind("nightly").work({}, Report())

        assert not JobRun.objects.exists()

    def test_leaves_out_jobs_that_do_not_exist(self, kinds):
        score_kinds.add_kinds()

        assert [kind.name for kind in job_registry.get_kinds()] == [score_kinds.REFRESH]

    def test_asks_again_for_each_job_that_ended(self, kinds):
        score_kinds.add_kinds()
        for after in ("nightly", "nightly", "sync_alpaca"):
            score_kinds.request_refresh(source="imported", now=NOW, after=after)

        assert jobs.newest(kind="refresh_scores").count() == 2
