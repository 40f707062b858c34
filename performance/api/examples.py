"""Examples of answers in the API's description: rows of the sample market."""

from typing import Any

OUTCOME: dict[str, Any] = {
    "candidate": 22231,
    "symbol": "ZQUOB",
    "session": "2026-11-02",
    "variant": "A",
    "version": 1,
    "rank": 1,
    "score": 49.4061,
    "pattern": "STANDARD",
    "first_signal": True,
    "status": "settled",
    "reason": "",
    "is_final": False,
    "entry_session": "2026-11-03",
    "entry_price": 3.24,
    "entry_gap": 0.0658,
    "returns": {"1": -0.3457, "3": -0.0988, "5": -0.1451, "7": -0.1975, "14": -0.3302, "30": None},
    "spy_returns": {"1": 0.004, "3": 0.0009, "5": 0.0046, "7": 0.0084, "14": 0.005, "30": None},
    "excess_14": -0.3352,
    "mfe": 0.1049,
    "mae": -0.5432,
    "peak_close_return": -0.0988,
    "sessions_to_peak": 3,
    "explosive": False,
    "explosive_high": False,
    "explosive_held": False,
    "outcome": "poor",
    "proxy_return_14": None,
    "proxy_peak_close_return": None,
    "last_trade": None,
    "updated_at": "2026-11-23T13:27:51.509579-05:00",
    "source": "simulated",
    "links": {
        "candidate": "/analytics/candidates/22231",
        "admin": "/admin/performance/candidatetracking/23571/change/",
    },
}
ESTIMATE: dict[str, Any] = {
    "value": 0.0407,
    "n": 2162,
    "low": 0.0332,
    "high": 0.0499,
    "level": 0.95,
    "method": "Wilson at n_eff 2162 (EWC, nu 24)",
    "as_of": "2026-11-02",
    "source": "simulated",
    "status": "simulated",
    "reason": "",
}
NOT_YET: dict[str, Any] = {
    **ESTIMATE,
    "value": None,
    "n": 111,
    "low": None,
    "high": None,
    "method": "",
    "status": "insufficient_data",
    "reason": "46 settled sessions, 60 are needed",
}
ANALYSIS: dict[str, Any] = {
    "source": "simulated",
    "simulated": True,
    "days_back": 90,
    "first": "2026-08-25",
    "end": "2026-11-23",
    "as_of": "2026-11-02",
    "variants": [
        {
            "variant": "B v1",
            "explosive_growth_rate": None,
            "discovery_quality_score": None,
            "counts": {"batches": 63, "complete_batches": 49, "candidates": 871, "settled": 699},
            "window": {"sessions": 49, "first_signals": {"explosive": NOT_YET}},
            "history": {"sessions": 739, "first_signals": {"explosive": ESTIMATE}},
            "history_sessions": ["2023-11-21", "2026-11-02"],
            "history_computed_at": "2026-11-23T22:10:00Z",
            "links": {
                "batches": "/admin/performance/batchanalysis/?origin=simulated"
                "&batch__session__gte=2026-08-25&batch__session__lte=2026-11-23"
            },
        }
    ],
}
