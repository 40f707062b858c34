from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from django.db import OperationalError

from analytics.services import health, lakes
from tests import factories

NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)  # Friday evening; the session has closed
LAST = date(2024, 6, 28)
pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    return lakes.lake_of("imported")


def fill(lake, *days):
    lake.create_all()
    bar = {"symbol": "CALM", "open": 3.0, "high": 3.1, "low": 2.9, "close": 3.0, "volume": 1e6}
    rows = [{**bar, "quality": 0, "source": "imported", "session": day} for day in days]
    lake.upsert("bars", pl.DataFrame(rows))


def measured(name, now=NOW):
    return next(part for part in health.get_health(now=now).components if part.name == name)


def end(kind, state, **more):
    error = "why" if state in {"failed", "lost"} else ""
    return factories.make_job(kind=kind, state=state, error=error, finished_at=NOW, **more)


class TestMarketData:
    def test_is_healthy_on_the_day_and_the_day_after(self, lake):
        fill(lake, date(2024, 6, 27), LAST)

        assert measured("market data").figures["age_sessions"] == 0
        assert measured("market data", NOW + timedelta(days=3)).status == "HEALTHY"  # Monday

    def test_is_a_warning_with_its_age_when_it_is_stale(self, lake):
        fill(lake, date(2024, 6, 26))

        part = measured("market data")

        assert part.status == "WARNING"
        assert part.reason == "The newest bar is 2 sessions old."

    def test_does_not_age_over_a_weekend(self, lake):
        fill(lake, LAST)

        assert measured("market data", NOW + timedelta(days=2)).figures["age_sessions"] == 0

    def test_is_critical_without_a_bar(self, lake):
        assert measured("market data").status == "CRITICAL"

    def test_is_critical_where_the_lake_cannot_be_read(self, lake, monkeypatch):
        def broken():
            raise OSError("disk gone: /secret/path")

        monkeypatch.setattr(lakes, "get_active_source", broken)

        part = measured("market data")

        assert part.status == "CRITICAL"
        assert "/secret" not in part.reason


class TestDiscovery:
    def test_is_unknown_without_a_batch(self, lake):
        fill(lake, LAST)

        assert measured("discovery").status == "UNKNOWN"

    def test_is_healthy_when_the_newest_bars_are_scanned(self, lake):
        fill(lake, LAST)
        factories.make_batch(session=LAST)

        part = measured("discovery")

        assert part.status == "HEALTHY"
        assert part.figures["newest_batch"] == "2024-06-28"

    def test_is_a_warning_when_it_lags_behind_the_bars(self, lake):
        fill(lake, date(2024, 6, 26), date(2024, 6, 27), LAST)
        factories.make_batch(session=date(2024, 6, 26))

        assert measured("discovery").reason == "2 sessions with bars are not scanned."

    def test_does_not_count_batches_of_the_other_market(self, lake):
        fill(lake, LAST)
        factories.make_batch(session=LAST, source="simulated")

        assert measured("discovery").status == "UNKNOWN"


class TestJobs:
    def test_are_unknown_until_one_has_ended(self):
        factories.make_job()

        assert health.get_jobs(now=factories.NOW).status == "UNKNOWN"

    def test_are_as_the_last_of_each_kind_ended(self):
        end("discover", "failed")
        end("discover", "succeeded")
        assert health.get_jobs(now=NOW).status == "HEALTHY"

        end("nightly", "lost")
        part = health.get_jobs(now=NOW)

        assert part.status == "WARNING"
        assert "Nightly discovery and settlement" in part.reason
        assert part.figures["last discover"] == "succeeded"

    def test_are_critical_when_they_wait_and_none_runs(self):
        end("discover", "succeeded")
        factories.make_job()
        late = factories.NOW + timedelta(minutes=16)

        assert health.get_jobs(now=factories.NOW + timedelta(minutes=14)).status == "HEALTHY"
        assert health.get_jobs(now=late).status == "CRITICAL"

        running = {"state": "running", "attempt": 1}
        factories.make_job(**running, started_at=late, heartbeat_at=late)
        assert health.get_jobs(now=late).status == "HEALTHY"

    def test_are_counted_by_kind_if_asked(self):
        end("discover", "failed")

        assert health.get_jobs(now=NOW, kinds=("nightly",)).status == "UNKNOWN"


class TestDatabase:
    def test_that_does_not_answer_is_critical_and_ends_the_measuring(self, monkeypatch):
        def gone():
            raise OperationalError("host db.internal is gone")

        monkeypatch.setattr(health.connection, "cursor", gone)

        found = health.get_health(now=NOW)

        assert found.status == "CRITICAL"
        assert [part.name for part in found.components] == ["database"]
        assert "db.internal" not in found.components[0].reason
