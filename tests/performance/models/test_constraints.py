"""Every constraint of the scores has a row that it refuses."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from performance.models import CandidateTracking, DiscoveryHistory, TimingAnalysis
from tests import factories
from tests.factories import NOW, SESSION

pytestmark = pytest.mark.django_db


def refused(make, constraint, **fields):
    """Whether the database refuses the row, naming the constraint (or another: "a or b")."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        make(**fields)
    return any(name in str(caught.value) for name in constraint.split(" or "))


class TestCandidateTracking:
    def test_stores_a_settled_and_a_pending_outcome(self):
        factories.make_tracking()
        batch = CandidateTracking.objects.get().candidate.batch
        other = factories.make_candidate(batch=batch, symbol="CRWV")
        factories.make_tracking(status="pending", candidate=other)

        assert CandidateTracking.objects.known().count() == 1

    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("tracking_status_known or tracking_open_outcome_has_no_class", {"status": "lost"}),
            ("tracking_source_known", {"source": "claimed"}),
            ("tracking_outcome_known", {"outcome": "win"}),
            ("tracking_known_outcome_is_complete", {"return_14": None}),
            ("tracking_known_outcome_is_complete", {"mae": None}),
            ("tracking_known_outcome_is_complete", {"explosive": None}),
            ("tracking_known_outcome_is_complete", {"outcome": ""}),
            ("tracking_open_outcome_has_no_class", {"status": "pending", "explosive": True}),
            ("tracking_open_outcome_has_no_class", {"status": "pending", "outcome": "poor"}),
            ("tracking_no_entry_has_no_return", {"status": "no_entry", "outcome": ""}),
            ("tracking_pending_says_why", {"status": "pending", "reason": ""}),
            ("tracking_pending_says_why", {"status": "pending", "is_final": True}),
            ("tracking_delisted_names_last_trade", {"status": "delisted"}),
            ("tracking_entry_above_zero", {"entry_price": 0.0}),
            ("tracking_peak_within_14", {"sessions_to_peak": 15}),
            ("tracking_decile_1_to_10", {"volatility_decile": 11}),
            ("tracking_loses_no_more_than_all", {"return_14": -1.01}),
        ],
    )
    def test_refuses(self, constraint, fields):
        nothing = {"explosive": None, "explosive_high": None, "explosive_held": None}
        if fields.get("status") == "no_entry":
            fields = {**nothing, "peak_close_return": None, "reason": "no bar", **fields}

        assert refused(factories.make_tracking, constraint, **fields)

    def test_refuses_a_second_outcome_of_one_candidate(self):
        tracking = factories.make_tracking()

        with pytest.raises(IntegrityError), transaction.atomic():
            factories.make_tracking(candidate=tracking.candidate)


class TestBatchAnalysis:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("analysis_source_known", {"source": "claimed"}),
            ("analysis_counts_add_up", {"settled": 9}),
            ("analysis_parts_fit_the_whole", {"explosive": 11}),
            ("analysis_parts_fit_the_whole", {"explosive_held": 2}),
            ("analysis_parts_fit_the_whole", {"first_settled": 11}),
            ("analysis_parts_fit_the_whole", {"first_explosive": 1}),
            ("analysis_base_fits", {"base_explosive": 901}),
            ("analysis_gate_fits", {"gate_n": 5, "gate_positive_14": 6}),
            ("analysis_best_fits", {"best_n": 4}),
            ("analysis_best_fits", {"best_n": 1, "best_explosive": 2}),
            ("analysis_capture_fits", {"episodes": 1, "episodes_captured": 2}),
            ("analysis_capture_fits", {"winner_days": 1, "winner_days_captured": 2}),
            ("analysis_capture_fits", {"episodes_captured_by_best": 1}),
            ("analysis_complete_when_settled", {"pending": 1, "candidates": 11}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(factories.make_analysis, constraint, **fields)


class TestWinnerEpisode:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("episode_source_known", {"source": "claimed"}),
            ("episode_in_order", {"last_session": SESSION - timedelta(days=1)}),
            ("episode_in_order", {"days": 0}),
            ("episode_captured_names_its_day", {"captured": True}),
            ("episode_captured_names_its_day", {"days_captured": 1}),
            ("episode_captured_names_its_day", {"captured_on": SESSION}),
            (
                "episode_captured_names_its_day",
                {"captured": True, "captured_on": SESSION + timedelta(days=1)},
            ),
            ("episode_is_explosive", {"best_return": 0.49}),
            ("episode_score_0_to_100", {"score": 101.0}),
            ("episode_chance_0_to_1", {"random_capture": 1.1}),
            ("episode_missed_says_why", {"gate": "", "reason": ""}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(factories.make_episode, constraint, **fields)

    def test_refuses_the_same_beginning_twice(self):
        episode = factories.make_episode()

        with pytest.raises(IntegrityError), transaction.atomic():
            factories.make_episode(variant=episode.variant)


class TestTimingAnalysis:
    def test_takes_a_claim_without_a_trade(self):
        factories.make_timing(source="claimed")

        assert TimingAnalysis.objects.get().trade is None

    def test_refuses_a_real_row_without_a_trade(self):
        assert refused(factories.make_timing, "timing_only_a_claim_has_no_trade", trade=None)

    def test_refuses_a_real_row_without_a_candidate(self):
        assert refused(factories.make_timing, "timing_only_a_claim_has_no_trade", candidate=None)

    def test_refuses_a_claim_with_a_trade(self):
        trade = factories.make_trade()

        assert refused(
            factories.make_timing,
            "timing_only_a_claim_has_no_trade",
            source="claimed",
            trade=trade,
        )

    def test_refuses_a_second_claim_of_one_symbol(self):
        factories.make_timing(source="claimed")

        with pytest.raises(IntegrityError), transaction.atomic():
            factories.make_timing(source="claimed")

    def test_refuses_a_score_above_100(self):
        assert refused(factories.make_timing, "timing_scores_0_to_100", entry_score=101.0)

    def test_refuses_less_than_nothing_left_on_the_table(self):
        assert refused(factories.make_timing, "timing_left_is_not_negative", left_after="-1")


class TestPortfolio:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("trade_amounts_positive", {"quantity": 0}),
            ("trade_amounts_positive", {"fees": -1}),
            ("trade_closed_with_its_exit", {"closed_at": NOW}),
            ("trade_closed_with_its_exit", {"exit_price": 4}),
            (
                "trade_closed_with_its_exit",
                {"closed_at": NOW - timedelta(days=1), "exit_price": 4},
            ),
            ("trade_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses_a_trade(self, constraint, fields):
        assert refused(factories.make_trade, constraint, **fields)

    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("position_amounts_positive", {"quantity": 0}),
            ("position_mark_names_its_session", {"mark_price": 3}),
            ("position_mark_names_its_session", {"mark_session": SESSION}),
            ("position_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses_a_position(self, constraint, fields):
        assert refused(factories.make_position, constraint, **fields)

    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("account_kind_known", {"kind": "dreamt"}),
            ("account_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses_an_account(self, constraint, fields):
        assert refused(factories.make_account, constraint, **fields)

    def test_refuses_one_broker_number_twice(self):
        factories.make_account(broker="Alpaca", number="1")

        with pytest.raises(IntegrityError), transaction.atomic():
            factories.make_account(broker="Alpaca", number="1")


class TestRiskAssessment:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("risk_of_a_position_or_an_account", {"var_95": 0.1}),
            ("risk_advice_known", {"advice": "PRAY"}),
            ("risk_of_a_position_or_an_account", {"symbol": "", "weight": 0.1}),
            ("risk_figures_in_range", {"symbol": "", "sector_hhi": 1.1}),
            ("risk_figures_in_range", {"money_at_risk": -1}),
            ("risk_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(factories.make_risk, constraint, **fields)

    def test_refuses_a_second_one_of_a_session(self):
        account = factories.make_account()
        for symbol in ("VIGL", ""):
            factories.make_risk(account=account, symbol=symbol)

            with pytest.raises(IntegrityError), transaction.atomic():
                factories.make_risk(account=account, symbol=symbol)


class TestHealthMetric:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("health_status_known", {"status": "FINE"}),
            ("health_unmeasured_is_not_healthy", {"value": None, "status": "HEALTHY"}),
            ("health_trouble_says_why", {"status": "CRITICAL", "reason": ""}),
            ("health_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(factories.make_health, constraint, **fields)


class TestPerformanceMetric:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("metric_has_a_value_or_a_reason", {"status": "ok", "value": None}),
            (
                "metric_has_a_value_or_a_reason",
                {"status": "insufficient_data", "value": None, "reason": ""},
            ),
            ("metric_has_a_value_or_a_reason", {"status": "insufficient_data", "reason": "few"}),
            ("metric_lies_in_its_interval", {"value": 0.5, "low": 0.6, "high": 0.7}),
            ("metric_lies_in_its_interval", {"value": 0.5, "low": 0.4, "high": None}),
            ("metric_level_0_to_1", {"level": 1.0}),
            ("metric_weighting_known", {"weighting": "karma"}),
            ("metric_source_known", {"source": "dreamt"}),
            ("metric_simulated_says_so", {"source": "simulated", "status": "ok"}),
            ("metric_at_zero_needs_a_frozen_quote", {"at_zero": 0.1}),
        ],
    )
    def test_refuses(self, constraint, fields):
        plain = {"low": None, "high": None}

        assert refused(factories.make_metric, constraint, **{**plain, **fields})


class TestDashboardSummary:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("summary_alert_level_known", {"alert_level": "PINK"}),
            (
                "summary_status_fits_progress",
                {"recovery_status": "INSUFFICIENT_DATA", "recovery_progress": 0.5},
            ),
            (
                "summary_status_fits_progress",
                {"recovery_status": "RECOVERED", "recovery_progress": None},
            ),
            ("summary_scores_in_range", {"health_score": 101.0}),
            ("summary_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(factories.make_summary, constraint, **fields)


class TestDiscoveryHistory:
    def make(self, **fields):
        wanted = {
            "first_session": SESSION, "last_session": SESSION, "batches": 1, "changed_at": NOW,
            "formula": 1, "computed_at": NOW, "source": "imported",
        }  # fmt: skip
        variant = factories.make_variant()
        return DiscoveryHistory.objects.create(variant=variant, **{**wanted, **fields})

    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("history_runs_forward", {"last_session": SESSION - timedelta(days=1)}),
            ("history_has_a_batch", {"batches": 0}),
            ("history_source_known", {"source": "claimed"}),
        ],
    )
    def test_refuses(self, constraint, fields):
        assert refused(self.make, constraint, **fields)

    def test_refuses_a_second_one_of_a_variant(self):
        self.make()

        assert refused(self.make, "history_one_per_variant or variant_id")
