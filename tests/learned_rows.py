"""Rows of the learned variant: each call states only what the test is about."""

from datetime import date
from itertools import count
from typing import Any

from analytics.models import LearnedModel, ResearchSheet, VariantKind
from tests.factories import NOW, make_variant

_number = count(1)
METRICS = {
    "sessions": ["2021-01-04", "2022-12-30"],
    "stock_days": 4321,
    "top": 10,
    "picks": 987,
    "precision": 0.125,
    "precision_low": 0.101,
    "precision_high": 0.152,
    "base_rate": 0.033,
    "mean_return_14": -0.02,
    "calibration_error": 0.0081,
    "calibration": {"said": [0.01], "came": [0.02], "n": [4321]},
}


def make_model(**fields: Any) -> LearnedModel:
    wanted: dict[str, Any] = {
        "kind": "logistic",
        "usable_from": date(2023, 1, 3),
        "design": {},
        "features": ["ret_1", "log_price"],
        "parameters": {},
        "calibration": {"slope": 1.0, "intercept": 0.0},
        "importances": {"ret_1": 0.2, "log_price": 0.0},
        "metrics": METRICS,
        "digest": f"{next(_number):032d}",
        "train_first": date(2020, 1, 2),
        "train_last": date(2022, 12, 1),
        "rows": 9000,
        "explosive": 300,
        "code_revision": "r",
        "seconds": 1.0,
        "created_at": NOW,
        "source": "imported",
    } | fields
    if "variant" not in wanted:
        name = f"C{next(_number)}"
        wanted["variant"] = make_variant(name=name, title="learned", kind=VariantKind.LEARNED)
    return LearnedModel.objects.create(**wanted)


def make_sheet(**fields: Any) -> ResearchSheet:
    wanted: dict[str, Any] = {
        "subject": "features",
        "last": date(2022, 12, 30),
        "result": {},
        "arithmetic": 1,
        "code_revision": "r",
        "seconds": 1.0,
        "created_at": NOW,
        "source": "imported",
    }
    return ResearchSheet.objects.create(**{**wanted, **fields})
