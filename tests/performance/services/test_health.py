from datetime import UTC, datetime

import pytest

from analytics.calc import sessions
from analytics.services import lakes
from performance.services import health
from tests import factories

NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


def outcomes():
    found = health.get_health(now=NOW)
    return next(part for part in found.components if part.name == "outcomes")


def batch(sessions_ago, **more):
    return factories.make_batch(session=sessions.offset(factories.SESSION, -sessions_ago), **more)


class TestOutcomes:
    def test_are_unknown_without_a_batch(self):
        assert outcomes().status == "UNKNOWN"

    def test_are_unknown_until_a_batch_is_old_enough(self):
        batch(14)
        batch(0)

        part = outcomes()

        assert part.status == "UNKNOWN"
        assert part.figures["batches_due"] == 0

    def test_are_healthy_when_all_that_is_due_is_settled(self):
        factories.make_analysis(batch=batch(15))
        batch(0)

        assert outcomes().status == "HEALTHY"

    @pytest.mark.parametrize("analysed", [True, False])
    def test_are_a_warning_when_something_is_overdue(self, analysed):
        late = batch(15)
        if analysed:
            factories.make_analysis(batch=late, is_complete=False, is_final=False)
        batch(0)

        part = outcomes()

        assert part.status == "WARNING"
        assert part.figures["batches_overdue"] == 1

    def test_leave_superseded_batches_and_the_other_market_out(self):
        batch(15, is_current=False)
        batch(16, source="simulated")
        factories.make_analysis(batch=batch(17))
        batch(0)

        assert outcomes().status == "HEALTHY"


class TestHealth:
    def test_tells_how_settlement_ended(self):
        factories.make_job(kind="settle_outcomes", state="failed", error="why", finished_at=NOW)
        factories.make_job(kind="discover", state="succeeded", finished_at=NOW)

        jobs = next(part for part in health.get_health(now=NOW).components if part.name == "jobs")

        assert jobs.status == "WARNING"
        assert list(jobs.figures) == ["waiting", "running", "last settle_outcomes"]

    def test_knows_nothing_of_outcomes_where_the_lake_cannot_be_read(self, monkeypatch):
        def broken():
            raise OSError

        monkeypatch.setattr(lakes, "get_active_source", broken)

        assert outcomes().status == "UNKNOWN"
