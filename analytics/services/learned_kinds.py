"""The jobs of the learned variant. Heavy modules are loaded when work begins."""

from collections.abc import Mapping
from typing import Any

from analytics.services.job_registry import Kind, Report, register

FIT, EVIDENCE, TRY = "fit_learned", "feature_evidence", "try_designs"


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


def feature_evidence(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Make the evidence sheet of every feature: ``source``."""
    from analytics.services import feature_evidence as evidence
    from analytics.services import lakes

    source = arguments.get("source") or lakes.get_active_source()
    made = evidence.record_evidence(source=source, now=report.now(), report=report)
    return {"sheet": made.pk, "message": f"{len(made.result)} features, up to {made.last}"}


def try_designs(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Try every design of the learned variant and enter each into the ledger: ``source``."""
    from analytics.services import feature_evidence as evidence
    from analytics.services import lakes

    source = arguments.get("source") or lakes.get_active_source()
    made = evidence.record_trials(source=source, now=report.now(), report=report)
    designs = made.result["designs"]
    return {"sheet": made.pk, "message": f"{len(designs)} designs, up to {made.last}"}


def add_kinds() -> None:
    """Make the kinds known."""
    register(
        Kind(name=FIT, title="Fit of the learned variant", work=fit_learned, limit_s=3600),
        Kind(name=EVIDENCE, title="Evidence by feature", work=feature_evidence, limit_s=1800),
        Kind(name=TRY, title="Trial of the designs", work=try_designs, limit_s=3600),
    )
