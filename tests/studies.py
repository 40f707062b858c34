"""A small market in a lake of its own, scanned by A and B; and rows of stage experiments."""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from analytics.models import (
    Experiment,
    ExperimentReading,
    HistoryIndex,
    SweepSet,
    Variant,
    WeightSweep,
)
from analytics.services import discovery, lakes
from tests import factories
from tests.factories import NOW, SESSION
from tests.performance.services.conftest import SCANNED, day, make_bars

LIMITS = {"min_rel_volume": 1.0, "min_dollar_volume": 1000.0, "max_close": 50.0, "min_close": 0.2}
WEIGHTS = (
    ("A", {"w_volume": 0.6, "w_momentum": 0.4, "w_float": 0, "w_short_interest": 0}),
    ("B", {"w_volume": 0.1, "w_momentum": 0.6, "w_technical": 0.3, "w_float": 0}),
)


class Report:
    """Hears how far the work is."""

    def __init__(self, now: datetime = NOW) -> None:
        self.said: list[tuple[int, int | None, str]] = []
        self._now = now

    def now(self) -> datetime:
        return self._now

    def progress(self, current: int, total: int | None = None, message: str = "") -> None:
        self.said.append((current, total, message))


def store_market(settings: Any, folder: Any, *, scan: bool = True) -> pl.DataFrame:
    """Fill a lake in ``folder``, list its stocks, scan 76 sessions; return the bars."""
    settings.LAKE_URL = str(folder / "lake")
    settings.VAR_DIR = str(folder / "var")
    bars = make_bars()
    lake = lakes.lake_of("imported")
    lake.create_all()
    lake.upsert("bars", bars.drop("at"))
    for symbol in bars["symbol"].unique(maintain_order=True):
        own = bars.filter(pl.col("symbol") == symbol)["session"]
        kind = "etf" if symbol == "SPY" else "common"
        factories.make_security(
            symbol=symbol, first_session=own.min(), last_session=own.max(), kind=kind
        )
    factories.make_reference(volume_spike=3.0, entry_price=4.0)
    for name, weights in WEIGHTS:
        Variant.objects.create(name=name, title=name, top=6, **(LIMITS | weights))
    if scan:
        discovery.record_batches(
            first=day(SCANNED[0]), last=day(SCANNED[1]), source="imported", now=NOW
        )
    return bars


def variants() -> tuple[Variant, Variant]:
    return Variant.objects.get(name="A"), Variant.objects.get(name="B")


def make_experiment(**fields: Any) -> Experiment:
    wanted: dict[str, Any] = {
        "name": "A against B",
        "rules": [],
        "minimal_effect": 0.01,
        "planned_sessions": 350,
        "first_session": SESSION,
        "registered_at": NOW,
        "source": "imported",
    }
    wanted |= fields
    for side in ("a", "b"):
        if f"variant_{side}" not in wanted:
            wanted[f"variant_{side}"] = factories.make_variant(name=side.upper())
    return Experiment.objects.create(**wanted)


def make_reading(**fields: Any) -> ExperimentReading:
    experiment = fields.pop("experiment", None) or make_experiment()
    point = {"session": "2024-06-28", "block": 0.01, "effect": 0.01, "log_e": 0.2}
    wanted: dict[str, Any] = {
        "read_at": NOW,
        "as_of": SESSION,
        "blocks": 2,
        "sessions": 56,
        "picks": 5600,
        "effective_n": 12.5,
        "rate_a": 0.05,
        "rate_b": 0.06,
        "effect": 0.01,
        "log_e": 0.2,
        "verdict": "NO_DIFFERENCE_YET",
        "metrics": {
            "return_14": {"a": -0.01, "b": -0.02, "effect": -0.01, "low": None, "high": None}
        },
        "sequence": [{**point, "low": None, "high": None}] * 2,
    }
    return ExperimentReading.objects.create(experiment=experiment, **{**wanted, **fields})


def make_sweep(**fields: Any) -> WeightSweep:
    wanted: dict[str, Any] = {
        "first": SESSION,
        "last": SESSION,
        "sets": 3,
        "top": 10,
        "cost": 0.005,
        "seed": 1,
        "components": ["volume", "momentum"],
        "sessions": 1,
        "overfitting": 0.4,
        "created_at": NOW,
        "seconds": 2.5,
        "source": "imported",
    }
    variant = fields.pop("variant", None) or factories.make_variant()
    return WeightSweep.objects.create(variant=variant, **{**wanted, **fields})


def make_set(**fields: Any) -> SweepSet:
    sweep = fields.pop("sweep", None) or WeightSweep.objects.first() or make_sweep()
    number = sweep.results.count() + 1
    wanted: dict[str, Any] = {
        "number": number,
        "w_volume": 0.7,
        "w_momentum": 0.3,
        "picks": 100,
        "explosive_rate": 0.06,
        "mean_net_return": -0.02,
        "place": number,
    }
    return SweepSet.objects.create(sweep=sweep, **{**wanted, **fields})


def make_index(**fields: Any) -> HistoryIndex:
    wanted: dict[str, Any] = {
        "name": "market-2024-06-28-20240629T000000",
        "as_of": SESSION,
        "settled": SESSION,
        "stock_days": 100,
        "shapes": 200,
        "references": [],
        "built_at": NOW,
        "seconds": 1.5,
        "source": "imported",
    }
    return HistoryIndex.objects.create(**{**wanted, **fields})


def in_time(session: Any) -> datetime:
    """Return the evening of a session."""
    return datetime.combine(session, datetime.min.time(), tzinfo=UTC).replace(hour=22)
