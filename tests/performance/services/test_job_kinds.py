"""The work of a night: missed sessions in order, then settlement."""

from datetime import date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from analytics.calc import sessions
from analytics.models import JobRun
from analytics.services import discovery, job_registry, lakes, market_data, nights
from performance.models import BatchAnalysis, CandidateTracking
from performance.services import job_kinds, tracking
from tests.performance.services.conftest import scan

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2024, 7, 5, 18, 30, tzinfo=NEW_YORK)
DAYS = [date(2024, 7, 2), date(2024, 7, 3), date(2024, 7, 5)]


class Report:
    def __init__(self):
        self.said = []

    def now(self):
        return NOW

    def progress(self, current, total=None, message=""):
        self.said.append((current, total))


@pytest.fixture
def calls(monkeypatch):
    """What is scanned and settled, in order, instead of doing it."""
    found = []
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")
    monkeypatch.setattr(
        nights,
        "get_missed",
        lambda now: nights.Missed(source="imported", first=DAYS[0], last=DAYS[-1]),
    )

    def scan(**fields):
        found.append(fields["first"])
        return SimpleNamespace(candidates=2)

    def settle(**fields):
        found.append("settle")
        return SimpleNamespace(batches=3, settled=1, pending=2, changed=5)

    monkeypatch.setattr(discovery, "record_batches", scan)
    monkeypatch.setattr(tracking, "settle_outcomes", settle)
    return found


@pytest.mark.django_db
class TestRunNight:
    def test_asks_for_the_index_and_the_readings_of_what_has_settled(self, calls):
        job_kinds.run_night({}, Report())

        asked = JobRun.objects.filter(arguments={"source": "imported"})
        kinds = set(asked.values_list("kind", flat=True))
        assert {"index_history", "read_experiments"} <= kinds

    def test_asks_for_theses_to_be_settled(self, calls):
        job_kinds.run_night({}, Report())

        job = JobRun.objects.get(kind="settle_theses")
        assert job.arguments == {"source": "imported", "corrected": []}

    def test_scans_every_missed_session_in_order_and_then_settles(self, calls):
        report = Report()

        result = job_kinds.run_night({}, report)

        assert calls == [*DAYS, "settle"]
        assert (result["sessions"], result["candidates"]) == (3, 6)
        assert report.said[-1] == (4, 4)
        assert all(current <= total for current, total in report.said)

    def test_settles_although_no_session_was_missed(self, calls, monkeypatch):
        monkeypatch.setattr(nights, "get_missed", lambda now: None)

        job_kinds.run_night({}, Report())

        assert calls == ["settle"]


@pytest.mark.django_db
class TestCorrectedBars:
    def test_are_settled_again_although_the_batch_was_final(self, market, settings):
        settings.POLYGON_API_KEY = settings.ALPACA_API_KEY = ""
        market.store()
        scan()
        tracking.settle_outcomes(source="imported", now=NOW)
        BatchAnalysis.objects.update(is_final=True)  # as after a year
        settled = CandidateTracking.objects.filter(is_final=True, status="settled")
        final = settled.select_related("candidate__batch").order_by("candidate_id")[0]
        symbol, batch = final.candidate.symbol, final.candidate.batch
        last = sessions.offset(batch.session, 30)
        market_data.correct_bar(
            symbol=symbol, session=last, values={"open": 9, "high": 9, "low": 9, "close": 9},
            reason="seen", user=None, now=NOW, source="imported",
        )  # fmt: skip

        result = job_kinds.run_night({}, Report())

        kept = CandidateTracking.objects.get(pk=final.pk)
        assert kept.return_30 == pytest.approx(9 / final.entry_price - 1)
        assert kept.return_30 != pytest.approx(final.return_30)
        assert "outcomes changed by corrections" in result["message"]


@pytest.mark.django_db
class TestRequestNight:
    def test_asks_for_one_job_however_often_it_is_called(self, calls):
        first = job_kinds.request_night(now=NOW)

        assert job_kinds.request_night(now=NOW) == first
        assert JobRun.objects.get().kind == "nightly"

    def test_asks_for_none_on_a_holiday(self, calls, monkeypatch):
        monkeypatch.setattr(nights, "get_missed", lambda now: None)

        holiday = datetime(2024, 7, 4, 18, 30, tzinfo=NEW_YORK)

        assert job_kinds.request_night(now=holiday) is None
        assert not JobRun.objects.exists()

    def test_catches_up_on_a_holiday_too(self, calls):
        holiday = datetime(2024, 7, 4, 18, 30, tzinfo=NEW_YORK)

        assert job_kinds.request_night(now=holiday) is not None


class TestKinds:
    def test_are_known_to_every_process(self):
        names = {kind.name for kind in job_registry.get_kinds()}

        assert {
            "discover", "settle_outcomes", "import_market_data", "load_sample_market", "nightly",
        } <= names  # fmt: skip
