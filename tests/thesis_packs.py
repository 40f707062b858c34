"""A data pack as services make it, stating only what a test is about."""

from datetime import date
from typing import Any

from analytics.calc import data_pack
from analytics.calc.data_pack import Inputs

SESSION = date(2024, 6, 28)


def make_inputs(**changes: Any) -> Inputs:
    given: dict[str, Any] = {
        "symbol": "VIGL",
        "session": SESSION,
        "source": "imported",
        "candidate": {
            "rank": 1,
            "score": 71.5,
            "label": "top 1 %",
            "pattern": "VIGL_SQUEEZE",
            "volume_event": False,
        },
        "features": {
            "close": 2.94,
            "volume": 5_000_000.0,
            "rel_volume": 20.9,
            "ret_1": 0.12,
            "close_location": 0.9,
            "atr_pct_14": 0.075,
            "volatility_20": 0.06,
            "float_shares": 8_000_000.0,
            "short_interest_pct": 0.184,
        },
        "ages": {"float_shares": 40, "short_interest": 9},
        "similarity": [
            {
                "reference": "CRWV",
                "similarity": 61.2,
                "coverage": 0.7,
                "by_construction": False,
                "reached": {"share": 0.12, "n": 310, "low_95": 0.08, "high_95": 0.17},
            }
        ],
        "base": {"share": 0.05, "n": 4100, "low_95": 0.04, "high_95": 0.06},
        "neighbours": {
            "k": 100,
            "explosive": {"share": 0.09, "n": 100},
            "nearest": [
                {
                    "symbol": "AEVA",
                    "session": date(2023, 3, 1),
                    "peak_close_return": 0.4,
                    "return_14": -0.06,
                }
            ],
        },
        "calendar": {"entry_session": date(2024, 7, 1), "last_of_14": date(2024, 7, 19)},
        **changes,
    }
    return Inputs(**given)


def make_pack(**changes: Any) -> dict[str, Any]:
    return data_pack.build(make_inputs(**changes))
