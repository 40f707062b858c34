"""Rows for tests: each call states only what the test is about."""

from datetime import date
from itertools import count
from typing import Any

from django.contrib.auth.models import User

from analytics.models import (
    Baseline,
    Candidate,
    Correction,
    DataFinding,
    DiscoveryBatch,
    ImportRun,
    JobRun,
    ReferencePattern,
    Security,
    ShadowPick,
    Source,
    Thesis,
    Variant,
)
from performance.models import (
    BatchAnalysis,
    CandidateTracking,
    DashboardSummary,
    HealthMetric,
    PerformanceMetric,
    RiskAssessment,
    ThesisAccuracy,
    TimingAnalysis,
    WinnerEpisode,
)
from tests.instants import NOW, SESSION
from tests.portfolio_rows import (
    make_account,
    make_action,
    make_cash,
    make_fill,
    make_position,
    make_trade,
)

__all__ = [
    "NOW",
    "SESSION",
    "make_account",
    "make_action",
    "make_cash",
    "make_fill",
    "make_position",
    "make_trade",
]

_number = count(1)


def make_user(**fields: Any) -> User:
    name = fields.pop("username", f"person{next(_number)}")
    return User.objects.create_user(username=name, password="secret", **fields)


def make_variant(**fields: Any) -> Variant:
    wanted: dict[str, Any] = {"name": "B", "version": 1, "title": "squeeze-optimized"}
    weights = {"w_volume": 0.4, "w_momentum": 0.3, "w_float": 0.15, "w_short_interest": 0.15}
    wanted |= fields
    found = Variant.objects.filter(name=wanted["name"], version=wanted["version"]).first()
    return found or Variant.objects.create(**{**weights, **wanted})


def make_batch(**fields: Any) -> DiscoveryBatch:
    wanted: dict[str, Any] = {
        "session": SESSION,
        "fingerprint": f"{next(_number):064d}",
        "lake_versions": {"bars": 3},
        "universe_size": 5000,
        "funnel": [4000, 3900, 3890, 3890, 1500, 800, 50, 48, 40],
        "candidate_count": 1,
        "mean_score": 61.0,
        "mean_coverage": 0.85,
        "run_seconds": 1.2,
        "created_at": NOW,
        "source": Source.IMPORTED,
    }
    variant = fields.pop("variant", None) or make_variant()
    return DiscoveryBatch.objects.create(variant=variant, **{**wanted, **fields})


def make_candidate(**fields: Any) -> Candidate:
    """Store a candidate; ``session``, ``variant`` and ``source`` go to a batch of its own."""
    of_batch = {key: fields.pop(key) for key in ("session", "variant", "source") if key in fields}
    wanted: dict[str, Any] = {
        "symbol": "VIGL",
        "score": 70.0,
        "rank_score": 60.0,
        "coverage": 0.85,
        "pattern": "STANDARD",
        "volume_alert": False,
        "vigl_pattern": False,
        "first_signal": True,
        "close": "2.94",
        "volume": 5_000_000.0,
        "rel_volume": 4.0,
        "dollar_volume_20": 900_000.0,
        "ret_1": 0.12,
        "c_volume": 0.5,
        "c_momentum": 0.9,
        "similarity": 55.0,
        "similarity_to": "VIGL",
        "similarities": {"VIGL": 55.0},
    }
    wanted |= fields
    batch = wanted.pop("batch", None) or make_batch(**of_batch)
    wanted.setdefault("rank", batch.candidates.count() + 1)
    return Candidate.objects.create(batch=batch, **wanted)


def make_shadow_pick(**fields: Any) -> ShadowPick:
    batch = fields.pop("batch", None) or make_batch()
    wanted = {"symbol": "SHDW", "rank": batch.shadow_picks.count() + 1, "score": 40.0}
    return ShadowPick.objects.create(batch=batch, **{**wanted, **fields})


def make_security(**fields: Any) -> Security:
    wanted = {
        "symbol": "VIGL",
        "first_session": date(2020, 1, 2),
        "last_session": SESSION,
        "kind": "common",
        "source": Source.IMPORTED,
    }
    return Security.objects.create(**{**wanted, **fields})


def make_import_run(**fields: Any) -> ImportRun:
    wanted = {
        "file": "bars.csv",
        "digest": "0" * 64,
        "data_set": "bars",
        "state": "done",
        "rows": 100,
        "started_at": NOW,
        "source": Source.IMPORTED,
    }
    return ImportRun.objects.create(**{**wanted, **fields})


def make_finding(**fields: Any) -> DataFinding:
    wanted = {
        "gate": "high_below_low",
        "severity": "error",
        "symbol": "VIGL",
        "session": SESSION,
        "detail": "high 2 is below low 3",
        "source": Source.IMPORTED,
    }
    return DataFinding.objects.create(**{**wanted, **fields})


def make_correction(**fields: Any) -> Correction:
    wanted = {
        "data_set": "bars",
        "symbol": "VIGL",
        "session": SESSION,
        "before": {"close": 2.9},
        "after": {"close": 2.94},
        "known_on": NOW,
        "reason": "The vendor sent a late print.",
        "source": Source.IMPORTED,
    }
    return Correction.objects.create(**{**wanted, **fields})


def make_reference(**fields: Any) -> ReferencePattern:
    wanted = {"symbol": "VIGL", "gain": 3.24, "entry_price": 2.94, "volume_spike": 20.9}
    return ReferencePattern.objects.create(**{**wanted, **fields})


def make_baseline(**fields: Any) -> Baseline:
    wanted = {
        "period": "June-July 2024",
        "picks": 15,
        "winners": 11,
        "explosive": 7,
        "average_return": 1.52,
        "profit_usd": "957.50",
        "invested_usd": "1500",
        "stars": [{"symbol": "VIGL", "return": 3.24}],
    }
    return Baseline.objects.create(**{**wanted, **fields})


def make_thesis(**fields: Any) -> Thesis:
    """Store a thesis at the end of the chain; its digest is none of its content."""
    last = Thesis.objects.newest_first().first()
    wanted: dict[str, Any] = {
        "number": last.number + 1 if last else 1,
        "previous": last,
        "symbol": "VIGL",
        "session": SESSION,
        "pattern": "STANDARD",
        "recommendation": "BUY",
        "entry_price": "3",
        "target_price": "4.5",
        "stop_price": "2.55",
        "max_entry_price": "3.15",
        "horizon": 14,
        "p_target": 0.2,
        "author": "rules:1",
        "prompt_version": f"test {next(_number)}",
        "issued_at": NOW,
        "digest": f"{next(_number):064d}",
        "source": Source.IMPORTED,
    }
    return Thesis.objects.create(**{**wanted, **fields})


def make_tracking(**fields: Any) -> CandidateTracking:
    """Store a settled outcome; ``status="pending"`` makes an open one."""
    candidate = fields.pop("candidate", None) or make_candidate()
    settled: dict[str, Any] = {
        "entry_session": date(2024, 7, 1),
        "entry_price": 3.0,
        "return_1": 0.02,
        "return_14": -0.06,
        "mfe": 0.2,
        "mae": -0.1,
        "peak_close_return": 0.15,
        "sessions_to_peak": 3,
        "explosive": False,
        "explosive_high": False,
        "explosive_held": False,
        "outcome": "strong",
        "is_final": True,
    }
    pending = {"reason": "14 sessions are not over", "is_final": False}
    wanted: dict[str, Any] = {
        "status": "settled",
        "lake_version": 3,
        "updated_at": NOW,
        "source": candidate.batch.source,
        **(pending if fields.get("status") == "pending" else settled),
    }
    return CandidateTracking.objects.create(candidate=candidate, **{**wanted, **fields})


def make_analysis(**fields: Any) -> BatchAnalysis:
    batch = fields.pop("batch", None) or make_batch()
    counts = ("no_entry", "delisted", "explosive_held", "positive_14", "first_explosive", "pending")
    wanted: dict[str, Any] = {
        **dict.fromkeys((*counts, "first_positive_14", "first_settled", "winner_days"), 0),
        **dict.fromkeys(("winner_days_captured", "episodes", "episodes_captured"), 0),
        **dict.fromkeys(("episodes_captured_at_random", "episodes_captured_by_best"), 0),
        **dict.fromkeys(("gate_explosive", "gate_positive_14", "best_positive_14"), 0),
        **dict.fromkeys(("gate_n", "best_n", "best_explosive", "first_sum_return_14"), 0),
        "is_complete": True,
        "is_final": True,
        "candidates": 10,
        "settled": 10,
        "explosive": 1,
        "sum_return_14": -0.4,
        "base_n": 900,
        "base_explosive": 30,
        "base_positive_14": 400,
        "lake_version": 3,
        "updated_at": NOW,
        "source": batch.source,
    }
    return BatchAnalysis.objects.create(batch=batch, **{**wanted, **fields})


def make_episode(**fields: Any) -> WinnerEpisode:
    wanted: dict[str, Any] = {
        "variant": fields.pop("variant", None) or make_variant(),
        "symbol": "VIGL",
        "first_session": SESSION,
        "last_session": SESSION,
        "days": 1,
        "days_captured": 0,
        "captured": False,
        "best_return": 0.8,
        "random_capture": 0.0,
        "best_capture": False,
        "first_close": 3.1,
        "in_base_universe": True,
        "gate": "rel_volume",
        "updated_at": NOW,
        "source": Source.IMPORTED,
    }
    return WinnerEpisode.objects.create(**{**wanted, **fields})


def make_risk(**fields: Any) -> RiskAssessment:
    """Store the risk of a position; ``symbol=""`` makes it the whole account's."""
    wanted: dict[str, Any] = {
        "symbol": "VIGL",
        "session": SESSION,
        "assessed_at": NOW,
        "source": Source.IMPORTED,
        **fields,
    }
    if wanted["symbol"]:
        wanted = {"weight": 0.08, "advice": "HOLD", **wanted}
    account = wanted.pop("account", None) or make_account()
    return RiskAssessment.objects.create(account=account, **wanted)


def make_timing(**fields: Any) -> TimingAnalysis:
    """Store the timing of a trade, unless ``source`` says that it is the claimed reference."""
    wanted: dict[str, Any] = {
        "symbol": "VIGL",
        "delay": 0,
        "updated_at": NOW,
        "source": Source.IMPORTED,
        **fields,
    }
    if wanted["source"] != Source.CLAIMED:
        wanted.setdefault("candidate", Candidate.objects.first() or make_candidate())
        wanted.setdefault("trade", make_trade())
    return TimingAnalysis.objects.create(**wanted)


def make_metric(**fields: Any) -> PerformanceMetric:
    wanted: dict[str, Any] = {
        "name": "win_rate",
        "window_days": 90,
        "as_of": SESSION,
        "value": 0.45,
        "n": 40,
        "low": 0.3,
        "high": 0.6,
        "status": "ok",
        "computed_at": NOW,
        "source": Source.IMPORTED,
    }
    return PerformanceMetric.objects.create(**{**wanted, **fields})


def make_health(**fields: Any) -> HealthMetric:
    wanted: dict[str, Any] = {
        "component": "database",
        "name": "latency",
        "value": 0.01,
        "unit": "s",
        "status": "HEALTHY",
        "measured_at": NOW,
        "source": Source.LIVE,
    }
    return HealthMetric.objects.create(**{**wanted, **fields})


def make_summary(**fields: Any) -> DashboardSummary:
    wanted: dict[str, Any] = {
        "session": SESSION,
        "alert_level": "UNKNOWN",
        "recovery_status": "INSUFFICIENT_DATA",
        "created_at": NOW,
        "source": Source.IMPORTED,
    }
    return DashboardSummary.objects.create(**{**wanted, **fields})


def make_accuracy(**fields: Any) -> ThesisAccuracy:
    thesis = fields.pop("thesis", None) or make_thesis()
    wanted: dict[str, Any] = {"reason": "too early", "updated_at": NOW, "source": thesis.source}
    return ThesisAccuracy.objects.create(thesis=thesis, **{**wanted, **fields})


def make_job(**fields: Any) -> JobRun:
    wanted: dict[str, Any] = {
        "kind": "discover",
        "arguments": {"session": "2024-06-28"},
        "idempotency_key": f"job {next(_number)}",
        "created_at": NOW,
    }
    return JobRun.objects.create(**{**wanted, **fields})
