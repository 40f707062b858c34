"""Examples of answers about scores in the API: the shape is real, the figures are made up."""

from typing import Any

WIN_RATE: dict[str, Any] = {
    "value": 0.4182,
    "n": 55,
    "low": 0.2973,
    "high": 0.5497,
    "level": 0.95,
    "method": "Wilson, independence assumed",
    "as_of": "2026-11-23",
    "source": "simulated",
    "status": "simulated",
    "reason": "",
}
PERFORMANCE: dict[str, Any] = {
    "source": "simulated",
    "simulated": True,
    "period_days": 90,
    "as_of": "2026-11-23",
    "computed_at": "2026-11-24T00:45:11+00:00",
    "age_sessions": 0,
    "baseline": {
        "period": "June-July 2024",
        "best_performer": {"symbol": "VIGL", "return": "+324%"},
        "portfolio_metrics": {
            "average_return": "+152%",
            "win_rate": "73%",
            "explosive_growth_rate": "46.7%",
        },
        "status": "claimed",
        "reason": "",
    },
    "current": {"average_return": -3.1, "win_rate": 41.8, "explosive_growth_rate": 1.8},
    "recovery": {
        "recovery_progress_pct": 31.8,
        "performance_gap": -155.1,
        "recovery_status": "BEHIND_SCHEDULE",
        "projected_recovery_date": None,
    },
    "evidence": {
        "status": "ok",
        "current": {"win_rate": WIN_RATE},
        "recovery": {
            "projection": {
                "cohorts": 31,
                "rising": 0.41,
                "reason": "41% of bootstrapped slopes rise, 97.5% must",
            },
            "zero_skill": {"idle_cash": 0.198, "random": 0.317},
        },
    },
    "audit": {
        "audited_at": "2026-11-20T18:00:00+00:00",
        "items": [
            {
                "kind": "arithmetic",
                "subject": "total profit",
                "claim": "+152 % on average, $957.50 on $1,500",
                "verdict": "impossible",
                "evidence": "$957.50 on $1,500 is +63.8 %",
            }
        ],
    },
    "links": {"page": "/recovery"},
}
TIMING: dict[str, Any] = {
    "source": "simulated",
    "simulated": True,
    "period_days": 30,
    "as_of": "2026-11-23",
    "computed_at": "2026-11-24T00:45:11+00:00",
    "age_sessions": 0,
    "market_timing_score": 71.4,
    "target": {"value": 90.0, "status": "claimed"},
    "status": "ok",
    "reason": "",
    "trades": 18,
    "figures": {"market_timing_score": WIN_RATE | {"value": 71.4, "low": 60.2, "high": 82.6}},
    "bridge": [
        {"key": "signal", "usd": 18000.0, "n": 18, "about": "cost at the first executable open"},
        {"key": "delay", "usd": 412.5, "n": 18, "about": "cost of waiting"},
    ],
    "terciles": [],
    "exit_lab": [{"rule": "stop -15 %", "n": 18, "verdict": "refused"}],
    "reference": {"symbol": "VIGL", "delay": 0, "status": "claimed", "note": ""},
    "links": {"rows": "/admin/performance/timinganalysis/?origin=simulated"},
}
