"""Rows of stage experiments for tests: each call states only what the test is about."""

from datetime import date, timedelta
from typing import Any

from analytics.models import BacktestRun, ClaimAudit, ClaimItem, LookaheadCertificate, Trial
from performance.models import GateStudy
from tests.factories import NOW, make_variant

FIGURE = {"value": 0.05, "n": 900, "low": 0.04, "high": 0.06, "status": "ok", "reason": ""}
RESULT = {
    "counts": {"candidates": 1200},
    "explosive": {
        "base": FIGURE,
        "first_signals": {"rate": FIGURE},
        "all_rows": {"rate": FIGURE, "matched_lift": FIGURE},
    },
    "returns": {"mean_net": FIGURE},
    "recall": {"episodes": FIGURE},
    "rank_ic": FIGURE,
    "portfolio": {"total_return": -0.3, "max_drawdown": -0.5, "sharpe": FIGURE, "psr": FIGURE},
    "walk_forward": [
        {
            "year": 2023,
            "explosive": FIGURE,
            "matched_lift": FIGURE,
            "mean_net": FIGURE,
            "portfolio_return": -0.1,
            "sharpe": -0.4,
        }
    ],
}


def make_run(**fields: Any) -> BacktestRun:
    wanted: dict[str, Any] = {
        "first": date(2022, 1, 3),
        "last": date(2023, 12, 29),
        "parameters": {"terms": {"top": 10}, "variants": {"B v1": {}}},
        "result": {"B v1": RESULT},
        "deflation": {"B v1": {"value": None, "status": "insufficient_data"}},
        "winners": [
            {
                "symbol": "VIGL",
                "verdict": "unverifiable",
                "reason": "There are no bars of VIGL.",
                "claimed": {"similarity_pct": 100.0},
            }
        ],
        "digest": "d" * 32,
        "lake_versions": {"bars": 3},
        "code_revision": "0123456789abcdef",
        "seconds": 10.0,
        "created_at": NOW - timedelta(seconds=10),
        "finished_at": NOW,
        "source": "imported",
    }
    return BacktestRun.objects.create(**{**wanted, **fields})


def make_trial(**fields: Any) -> Trial:
    run = fields.pop("run", None) or make_run()
    variant = fields.pop("variant", None) or make_variant()
    wanted: dict[str, Any] = {
        "key": "k" * 32,
        "sharpe": 0.05,
        "sessions": 500,
        "created_at": NOW,
        "source": "imported",
    }
    return Trial.objects.create(run=run, variant=variant, **{**wanted, **fields})


def make_certificate(**fields: Any) -> LookaheadCertificate:
    wanted: dict[str, Any] = {
        "first": date(2022, 1, 3),
        "last": date(2023, 12, 29),
        "sessions": 50,
        "stock_days": 200_000,
        "values": 5_000_000,
        "differences": 0,
        "leaks": {"future filter": {"differences": 9, "example": "A"}},
        "leaks_planted": 8,
        "leaks_caught": 8,
        "passed": True,
        "seed": 0,
        "code_revision": "0123456789abcdef",
        "seconds": 40.0,
        "created_at": NOW,
        "source": "imported",
    }
    return LookaheadCertificate.objects.create(**{**wanted, **fields})


def make_audit(**fields: Any) -> ClaimAudit:
    wanted: dict[str, Any] = {
        "title": "A letter",
        "digest": "a" * 32,
        "created_at": NOW,
        "source": "imported",
    }
    return ClaimAudit.objects.create(**{**wanted, **fields})


def make_claim(**fields: Any) -> ClaimItem:
    audit = fields.pop("audit", None) or make_audit()
    wanted: dict[str, Any] = {
        "position": audit.items.count() + 1,
        "kind": "market",
        "subject": "VIGL",
        "claim": "bought at $2.94",
        "verdict": "unverifiable",
        "evidence": "The data have no bars of VIGL.",
    }
    return ClaimItem.objects.create(audit=audit, **{**wanted, **fields})


def make_study(**fields: Any) -> GateStudy:
    variant = fields.pop("variant", None) or make_variant()
    gate = {
        "gate": "price band",
        "how": "dropped",
        "episodes_gained": 116,
        "episodes_lost": 100,
        "candidates_added": 8240,
        "candidates_displaced": 4000,
        "candidates_added_per_session": 32.7,
        "precision_of_added": FIGURE,
        "false_alarms_per_episode_gained": 64.6,
    }
    wanted: dict[str, Any] = {
        "first": date(2022, 12, 8),
        "last": date(2023, 12, 8),
        "result": {
            "sessions": 252,
            "episodes": 3402,
            "captured": 394,
            "precision": FIGURE,
            "gates": [gate],
            "caught_by": {"LOST 2024-06-28": ["price band: dropped"], "LOST 2024-05-28": []},
        },
        "seconds": 30.0,
        "created_at": NOW,
        "source": "imported",
    }
    return GateStudy.objects.create(variant=variant, **{**wanted, **fields})
