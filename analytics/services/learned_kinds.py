"""The jobs of the learned variant. Heavy modules are loaded when work begins."""

from collections.abc import Mapping
from typing import Any

from analytics.services.job_registry import Kind, Report, register

FIT = "fit_learned"


def fit_learned(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Fit the models that learned variants lack, one a month: ``source``, ``variants``."""
    from analytics.services import lakes, learned

    source = arguments.get("source") or lakes.get_active_source()
    found = learned.record_models(
        source=source, now=report.now(), report=report, names=arguments.get("variants")
    )
    told = [
        f"{one.variant}: {one.new} new models, {one.kept} kept"
        + (f"; insufficient data: {one.reason}" if one.reason else "")
        for one in found
    ]
    return {
        "new": sum(one.new for one in found),
        "kept": sum(one.kept for one in found),
        "source": source,
        "message": "; ".join(told),
    }


def add_kinds() -> None:
    """Make the kinds known."""
    register(Kind(name=FIT, title="Fit of the learned variant", work=fit_learned, limit_s=3600))
