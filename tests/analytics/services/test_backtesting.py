from datetime import UTC, datetime, timedelta

import pytest

from analytics.calc import sessions
from analytics.models import BacktestRun, Security, Trial
from analytics.services import (
    backtesting,
    certificates,
    discovery,
    experiment_kinds,
    job_registry,
    lakes,
    trials,
)
from analytics.services.backtesting import Question
from tests import evidence_rows, markets
from tests.factories import make_job, make_reference, make_variant

NOW = datetime(2022, 1, 3, 22, 0, tzinfo=UTC)
MARKET = markets.make_market(seed=4, symbols=20, length=150, split=0.003)
DAYS = MARKET.sessions
LIMITS = {"max_close": 50.0, "min_close": 0.01, "min_dollar_volume": 1e4, "min_rel_volume": 0.5}

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    markets.fill_lake(MARKET, lakes.lake_of("imported"), source="imported")
    Security.objects.bulk_create(
        Security(**row, source="imported") for row in MARKET.securities.to_dicts()
    )
    make_variant(name="A", w_volume=0.0, w_momentum=1.0, w_float=0, w_short_interest=0, **LIMITS)
    make_variant(name="B", w_volume=1.0, w_momentum=0.0, w_float=0, w_short_interest=0, **LIMITS)
    return lakes.lake_of("imported")


def run(**asked):
    return backtesting.record_backtest(
        question=Question(**{"source": "imported", "first": DAYS[30], "last": DAYS[110], **asked}),
        clock=lambda: NOW,
        on_progress=lambda *_said: None,
    )


class TestRecordBacktest:
    def test_stores_figures_of_every_active_variant(self, lake):
        found = run()

        assert list(found.result) == ["A v1", "B v1"]
        assert found.parameters["terms"]["cost_bp"] == 50.0
        assert (found.first, found.last) == (DAYS[30], DAYS[110])
        assert found.result["B v1"]["counts"]["candidates"] > 300

    def test_gives_the_same_bytes_again(self, lake):
        first, again = run(), run()

        assert again.digest == first.digest
        stored = BacktestRun.objects.order_by("pk")
        assert stored[0].result == stored[1].result

    def test_gives_the_same_bytes_whatever_the_chunks(self, lake, monkeypatch):
        first = run()
        monkeypatch.setattr(backtesting, "CHUNK", 23)

        assert run().digest == first.digest

    def test_gives_other_bytes_on_other_terms(self, lake):
        assert run(terms={"top": 3}).digest != run().digest

    def test_names_the_candidates_that_discovery_recorded(self, lake):
        discovery.record_batches(first=DAYS[30], last=DAYS[110], source="imported", now=NOW)

        found = run(variants=["B"])

        from analytics.models import Candidate

        recorded = Candidate.objects.filter(batch__variant__name="B").count()
        assert found.result["B v1"]["counts"]["candidates"] == recorded

    def test_writes_every_run_into_the_ledger(self, lake):
        run()
        run(terms={"hold": 5})

        assert Trial.objects.count() == 4
        assert len(set(Trial.objects.values_list("key", flat=True))) == 4

    def test_counts_a_repeated_trial_once(self, lake):
        run()

        assert run().deflation["A v1"]["trials"] == 2

    def test_reports_progress(self, lake):
        told = []

        backtesting.record_backtest(
            question=Question(source="imported", first=DAYS[30], last=DAYS[60]),
            clock=lambda: NOW,
            on_progress=lambda *said: told.append(said[:2]),
        )

        assert told == [(0, 31), (31, 31)]

    def test_says_what_is_missing(self, lake):
        with pytest.raises(backtesting.NothingToTest, match="no imported bars"):
            run(first=sessions.offset(DAYS[-1], 5), last=None)
        with pytest.raises(backtesting.BadTerms):
            run(terms={"hold": 99})
        with pytest.raises(discovery.NoVariant):
            run(variants=["Z"])


class TestHistoricalWinners:
    def test_are_unverifiable_without_bars_or_signal(self, lake):
        make_reference()
        make_reference(symbol="S00", gain=1.71)

        by_symbol = {known["symbol"]: known for known in run().winners}

        assert by_symbol["VIGL"]["verdict"] == "unverifiable"
        assert by_symbol["VIGL"]["claimed"]["similarity_pct"] == 100.0
        assert "no bars of VIGL" in by_symbol["VIGL"]["reason"]
        assert "No signal session" in by_symbol["S00"]["reason"]
        assert "flagged" not in by_symbol["VIGL"]

    def test_stand_beside_the_claims_and_their_audit(self, lake):
        for symbol, gain in (("VIGL", 3.24), ("CRWV", 1.71), ("AEVA", 1.62)):
            make_reference(symbol=symbol, gain=gain)
        make_reference(symbol="S00", gain=0.5)

        audits = {known["symbol"]: known["audit"] for known in run().winners}

        similar, average = audits["CRWV"]
        assert (similar["claim"], similar["verdict"]) == (
            "95 % similar to the pattern",
            "unverifiable",
        )
        assert average["verdict"] == "impossible"
        assert "+219%" in average["evidence"]
        assert audits["S00"] == []

    def test_are_examined_where_there_are_bars(self, lake):
        row = MARKET.bars.filter(session=DAYS[70]).sort("symbol").row(0, named=True)
        make_reference(symbol=row["symbol"], signal_session=DAYS[70], gain=0.9)
        make_reference(symbol="VIGL")

        known = next(w for w in run().winners if w["symbol"] == row["symbol"])

        assert known["status"] == "ok"
        assert set(known["flagged"]) == {"A v1", "B v1"}
        assert list(known["similarity_leave_one_out"]) == ["VIGL"]
        for flag in known["flagged"].values():
            assert flag["flagged"] == (flag["session"] is not None) == (flag["rank"] is not None)


class TestGetLatest:
    def test_is_none_at_first(self):
        assert backtesting.get_latest(source="imported", now=NOW) is None

    def test_is_the_one_that_finished_last_and_says_how_old_it_is(self):
        evidence_rows.make_run()
        newest = evidence_rows.make_run(
            finished_at=evidence_rows.NOW + timedelta(hours=1), digest="e" * 32
        )
        evidence_rows.make_run(
            source="simulated", finished_at=evidence_rows.NOW + timedelta(hours=2)
        )

        found = backtesting.get_latest(
            source="imported", now=evidence_rows.NOW + timedelta(hours=3)
        )

        assert (found.run, found.age_seconds) == (newest, 7200.0)


class TestDeflation:
    def series(self, seed):
        import numpy as np

        values = np.random.default_rng(seed).normal(0.0005, 0.01, 100)
        return {f"2022-{at:04d}": float(value) for at, value in enumerate(values)}

    def test_says_why_there_is_none(self):
        found = trials.get_deflation(source="imported", returns=self.series(1))

        assert (found["value"], found["status"]) == (None, "insufficient_data")
        assert "two independent trials" in found["reason"]

    def test_counts_the_ledger_of_the_realm(self):
        for seed in (1, 2, 3):
            run = evidence_rows.make_run()
            trials.record(run=run, variant=make_variant(), key=f"{seed}", returns=self.series(seed))
        other = evidence_rows.make_run(source="simulated")
        trials.record(run=other, variant=make_variant(), key="s", returns=self.series(9))

        found = trials.get_deflation(source="imported", returns=self.series(1))

        assert (found["trials"], found["effective_trials"]) == (3, 3)
        assert 0 < found["value"] < 1

    def test_counts_looks_without_returns_apart(self):
        for seed in (1, 2):
            run = evidence_rows.make_run()
            trials.record(run=run, variant=make_variant(), key=f"{seed}", returns=self.series(seed))
        for at in range(50):
            evidence_rows.make_trial(key=f"set {at}", sharpe=None)

        found = trials.get_deflation(source="imported", returns=self.series(1))

        assert (found["trials"], found["trials_without_returns"]) == (2, 50)
        assert found["value_if_those_without_returns_were_independent"] < found["value"]


class TestJob:
    def report(self):
        class Report:
            told: list = []

            def now(self):
                return NOW

            def progress(self, current, total=None, message=""):
                self.told.append((current, total))

        return Report()

    def test_runs_a_backtest_from_plain_arguments(self, lake):
        kind = job_registry.get_kind(experiment_kinds.BACKTEST)

        asked = {"source": "imported", "first": str(DAYS[30]), "last": str(DAYS[60]), "top": 3}
        job = make_job(kind=experiment_kinds.BACKTEST, arguments=asked)

        result = kind.work(asked, self.report())

        assert BacktestRun.objects.get().job == job
        assert BacktestRun.objects.get().parameters["terms"]["top"] == 3
        assert result["digest"] == BacktestRun.objects.get().digest

    def test_issues_a_certificate(self, lake):
        kind = job_registry.get_kind(experiment_kinds.CERTIFICATE)

        result = kind.work({"source": "imported", "stock_days": 60}, self.report())

        assert "planted leaks caught" in result["message"]


class TestCertificate:
    def test_passes_on_an_honest_detector_that_catches_every_leak(self, lake):
        found = certificates.record_certificate(
            source="imported", clock=lambda: NOW, stock_days=120, seed=3
        )

        assert found.differences == 0
        assert found.leaks_caught == found.leaks_planted >= 7
        assert found.passed
        assert found.stock_days >= 120

    def test_needs_bars(self, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path / "empty")

        with pytest.raises(certificates.NothingToCertify):
            certificates.record_certificate(source="imported", clock=lambda: NOW)
