"""The jobs that look at history: A/B readings, the index of stock-days, weight sweeps."""

from collections.abc import Mapping
from typing import Any

from analytics.services import thesis_kinds
from analytics.services.job_registry import Kind, Report, register

READ_EXPERIMENTS, INDEX_HISTORY, SWEEP = "read_experiments", "index_history", "weight_sweep"
NIGHTLY = (  # asked for when a night's sessions have settled
    INDEX_HISTORY,
    READ_EXPERIMENTS,
    thesis_kinds.WRITE_ALL,
    thesis_kinds.FALSIFIERS,
)


def read_experiments(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Read every running A/B test, and the default pair looking back: ``source``."""
    from analytics.services import ab_tests, lakes

    source = arguments.get("source") or lakes.get_active_source()
    done = ab_tests.record_all(source=source, now=report.now(), report=report)
    said = f"{done['experiments']} experiments, {done['readings']} with a reading"
    return {**done, "source": source, "message": said}


def index_history(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Build the index of past stock-days, unless the lake is as it was: ``source``."""
    from analytics.services import history_index, lakes

    source = arguments.get("source") or lakes.get_active_source()
    built = history_index.record_index(source=source, now=report.now(), report=report)
    said = f"{built.stock_days:,} stock-days, {built.shapes:,} shapes, up to {built.as_of}"
    return {"index": built.pk, "name": built.name, "message": said}


def weight_sweep(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Try many weight sets: ``variant``, ``first``, ``last``, ``sets``, ``top``, ``seed``."""
    from analytics.services import sweeps

    done = sweeps.record_sweep(wish=sweeps.wish_of(arguments), now=report.now(), report=report)
    share = f"{done.overfitting:.0%}" if done.overfitting is not None else "not known"
    said = f"{done}: probability of overfitting {share}"
    return {"sweep": done.pk, "overfitting": done.overfitting, "message": said}


def add_kinds() -> None:
    """Make the kinds known."""
    register(
        Kind(name=READ_EXPERIMENTS, title="Reading of A/B tests", work=read_experiments),
        Kind(name=INDEX_HISTORY, title="Index of past stock-days", work=index_history),
        Kind(name=SWEEP, title="Weight sweep", work=weight_sweep, limit_s=3600),
    )
