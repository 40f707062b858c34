from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from performance.models import DashboardSummary, RoadmapChange, RoadmapCheck, TimingAnalysis
from performance.services import (
    metrics,
    recovery,
    summaries,
    summary_reading,
    timing_summary,
    zero_skill,
)
from tests import factories, risk_market, score_rows
from tests.score_rows import EVENING, LAST

pytestmark = pytest.mark.django_db


@pytest.fixture
def market(tmp_path, settings):
    risk_market.store(tmp_path, settings)


@pytest.fixture
def record(market):
    factories.make_baseline()
    account = factories.make_account()
    score_rows.make_record(account)
    score_rows.make_equity(account)
    return account


def refresh(now=EVENING, source="imported"):
    return summaries.refresh_summaries(source=source, now=now)


def summary(days=90, now=EVENING, source="imported"):
    return summary_reading.get_summary(source=source, now=now, period_days=days)


class TestRefresh:
    def test_writes_one_row_per_period(self, record):
        done = refresh()

        assert done.summaries == len(metrics.WINDOWS)
        assert TimingAnalysis.objects.count() == 30
        assert set(DashboardSummary.objects.values_list("period_days", "session")) == {
            (days, LAST) for days in metrics.WINDOWS
        }

    def test_twice_changes_nothing(self, record):
        refresh()

        again = refresh(EVENING + timedelta(minutes=5))

        assert (again.metrics, again.timing, again.flips, again.summaries) == (0, 0, 0, 0)
        assert summary().created_at == EVENING

    def test_rewrites_the_row_of_its_session(self, record):
        refresh()
        record.trades.update(return_on_cost=0.9)

        refresh(EVENING + timedelta(minutes=5))

        assert DashboardSummary.objects.count() == len(metrics.WINDOWS)
        assert summary().section("recovery")["status"] == "BEHIND_SCHEDULE"
        assert summary().created_at == EVENING + timedelta(minutes=5)

    def test_works_without_a_single_trade(self, market):
        factories.make_baseline()

        refresh()

        told = summary().section("recovery")
        assert (told["status"], told["progress"], told["alert_level"]) == (
            "INSUFFICIENT_DATA", None, "UNKNOWN",
        )  # fmt: skip
        assert summary().section("timing")["figures"]["mean_delay"]["value"] is None

    def test_works_without_a_baseline(self, market):
        refresh()

        assert summary().section("recovery")["reason"] == "no baseline is stored"

    def test_keeps_sources_apart(self, record, settings, tmp_path):
        risk_market.store(tmp_path / "other", settings, source="simulated")
        refresh(source="simulated")

        assert summary().session is None
        assert summary(source="simulated").section("recovery")["progress"] is None

    def test_says_how_far_it_is(self, record):
        heard = []

        summaries.refresh_summaries(
            source="imported", now=EVENING, on_progress=lambda *told: heard.append(told)
        )

        assert [done for done, _total, _message in heard] == [0, 1, 2, 3]


class TestRecovery:
    def test_is_measured_against_the_baseline(self, record):
        refresh()

        told = summary(0).section("recovery")
        values = {name: each["value"] for name, each in told["current"].items()}
        win, mean = values["win_rate"], values["average_return"]
        expected = 0.5 * (mean + 1) / 2.52 + 0.2 * win / (11 / 15)
        expected += 0.3 * values["explosive_growth_rate"] / (7 / 15)
        assert told["progress"] == pytest.approx(expected)
        assert told["performance_gap"] == pytest.approx(mean - 1.52)
        assert told["zero_skill"]["idle_cash"] == pytest.approx(0.5 / 2.52)

    def test_says_what_needs_no_skill(self, record):
        refresh()

        zero = summary().section("recovery")["zero_skill"]
        assert zero["random"] is None  # these stocks trade too little for the base universe
        assert zero["reason"] == "no stock-day with 14 known sessions after it"

    def test_measures_random_stocks_once_in_four_weeks(self, record, monkeypatch):
        measured = {"average_return": -0.02, "win_rate": 0.43, "explosive_growth_rate": 0.01,
                    "n": 9, "first": "2024-06-03", "last": "2024-06-07"}  # fmt: skip
        monkeypatch.setattr(zero_skill, "measure", lambda **_asked: measured)
        refresh()
        monkeypatch.setattr(zero_skill, "measure", lambda **_asked: None)
        refresh(EVENING + timedelta(days=3))

        zero = summary(now=EVENING + timedelta(days=3)).section("recovery")["zero_skill"]
        assert zero["measured"] == measured
        assert zero["random"] == pytest.approx(0.318, abs=1e-3)

    def test_names_no_date_that_the_cohorts_do_not_carry(self, record):
        refresh()

        told = summary(0).section("recovery")
        assert told["projected_recovery_date"] is None
        assert told["projection"]["cohorts"] == 30
        assert "slopes rise" in told["projection"]["reason"]

    def test_needs_half_a_year_of_cohorts(self, market):
        factories.make_baseline()
        score_rows.make_record(factories.make_account(), n=8)

        refresh()

        reason = summary(0).section("recovery")["projection"]["reason"]
        assert reason == "8 entry weeks with trades, 26 are needed"

    def test_keeps_the_best_value_ever_reached(self, record):
        factories.make_metric(
            name="win_rate", value=0.8, high=0.9, window_days=90, as_of=date(2024, 1, 3)
        )
        refresh()

        assert summary().section("recovery")["best"]["win_rate"] == 0.8

    def test_is_read_with_one_query(self, record):
        refresh()

        with CaptureQueriesContext(connection) as queries:
            assert recovery.get_recovery(source="imported", now=EVENING)["status"]

        assert len(queries) == 1


class TestTiming:
    def test_is_told_by_period(self, record):
        refresh()

        whole, month = (summary(days).section("timing") for days in (0, 30))

        assert (whole["trades"], month["trades"]) == (30, 2)
        assert whole["figures"]["mean_delay"]["value"] == 1.0
        assert month["figures"]["mean_delay"]["reason"] == "2 trades, 5 are needed"
        assert {each["verdict"] for each in month["exit_lab"]} == {"refused"}
        assert whole["exit_lab"][0]["n"] == 29
        assert len(whole["terciles"]) == 3

    def test_stands_beside_the_claimed_reference(self, record):
        factories.make_timing(source="claimed")
        refresh()

        told = timing_summary.get_timing(source="imported", now=EVENING, period_days=30)
        assert (told["reference"]["symbol"], told["reference"]["delay"]) == ("VIGL", 0)


class TestRoadmap:
    def test_is_ticked_with_evidence(self, record):
        refresh()

        boxes = {row.key: row for row in RoadmapCheck.objects.all()}
        assert len(boxes) == 15
        assert boxes["entry_delay"].state == "not_met"
        assert boxes["entry_delay"].evidence.startswith("mean entry delay 1.00 sessions, n = ")
        assert boxes["thesis_accuracy"].state == "unknown"
        assert boxes["critical_losses"].state == "met"
        assert all(row.evidence and row.flipped_on == LAST for row in boxes.values())
        assert RoadmapChange.objects.count() == 15

    def test_is_counted_in_the_summary(self, record):
        refresh()

        told = summary().section("roadmap")
        states = list(told["states"].values())
        assert (told["boxes"], len(states)) == (15, 15)
        assert told["met"] == states.count("met")


class TestAge:
    def test_is_told_in_sessions(self, record):
        refresh()

        found = summary(now=EVENING + timedelta(days=4))

        assert (found.session, found.age) == (LAST, 2)
        assert found.about["as_of"] == LAST.isoformat()

    def test_of_nothing_is_unknown(self, market):
        assert summary().about == {"as_of": None, "computed_at": None, "age_sessions": None}
