"""Rows that go with theses: each call states only what the test is about."""

from datetime import timedelta
from typing import Any

from analytics.models import (
    ClaudeCall,
    PatternCalibration,
    ThesisBudget,
    ThesisEvent,
    ThesisRequest,
)
from tests.factories import NOW, SESSION, make_candidate, make_thesis


def make_event(**fields: Any) -> ThesisEvent:
    wanted: dict[str, Any] = {
        "thesis": fields.pop("thesis", None) or make_thesis(),
        "kind": "falsified",
        "session": SESSION,
        "subject": "close < 2.5",
        "message": "close < 2.5: close was 2.4",
        "detail": {"value": 2.4},
        "recorded_at": NOW,
        "source": "imported",
    }
    return ThesisEvent.objects.create(**{**wanted, **fields})


def make_request(**fields: Any) -> ThesisRequest:
    wanted: dict[str, Any] = {
        "candidate": fields.pop("candidate", None) or make_candidate(),
        "author_kind": "claude",
        "outcome": "failed",
        "reason": "refusal",
        "message": "Claude refused to answer.",
        "requested_at": NOW,
        "finished_at": NOW,
    }
    return ThesisRequest.objects.create(**{**wanted, **fields})


def make_calibration(**fields: Any) -> PatternCalibration:
    wanted: dict[str, Any] = {
        "author": "rules:1",
        "pattern": "STANDARD",
        "method": "beta_binomial",
        "parameters": {"alpha": 3.0, "beta": 7.0},
        "n": 20,
        "settled_before": SESSION,
        "valid_from": SESSION,
        "base_rate": 0.25,
        "created_at": NOW,
        "source": "imported",
    }
    return PatternCalibration.objects.create(**{**wanted, **fields})


def make_budget(days: int = 0) -> ThesisBudget:
    day = SESSION + timedelta(days=days)
    return ThesisBudget.objects.create(day=day, tokens_held=1000, microdollars_held=3250)


def make_call(days: int = 0, **fields: Any) -> ClaudeCall:
    wanted: dict[str, Any] = {
        "budget": make_budget(days),
        "model_id": "claude-sonnet-5-5",
        "tokens_reserved": 1000,
        "usd_reserved": "0.003250",
        "started_at": NOW,
    }
    return ClaudeCall.objects.create(**{**wanted, **fields})
