"""The jobs that look back on theses: settle them, learn what probabilities are worth."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from analytics.services.job_registry import Kind, Report, register

SETTLE_THESES = "settle_theses"
PERIODS = (7, 30, 90)  # days that are asked for most


def settle_theses(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Settle and recalibrate: ``source``; ``corrected`` sessions and ``again`` look once more."""
    from analytics.services import lakes
    from performance.services import accuracy, accuracy_calibration, accuracy_settlement

    source = arguments.get("source") or lakes.get_active_source()
    report.progress(0, None, "reading theses")
    done = accuracy_settlement.settle_theses(
        source=source,
        now=report.now(),
        corrected=[date.fromisoformat(day) for day in arguments.get("corrected") or ()],
        again=bool(arguments.get("again")),
        on_progress=partial(report.progress, message="settling theses"),
    )
    learnt = accuracy_calibration.record_calibrations(source=source, now=report.now())
    for days in PERIODS:  # kept, so that who asks first does not wait
        accuracy.get_accuracy(source=source, now=report.now(), period_days=days)
    said = (
        f"{done.looked_at} theses looked at: {done.settled} settled, {done.pending} pending, "
        f"{done.void + done.no_entry} void or without entry; {learnt.added} calibrations added"
    )
    return {"theses": done.looked_at, "changed": done.changed, "message": said}


def add_kinds() -> None:
    """Make the kinds known."""
    register(Kind(name=SETTLE_THESES, title="Settlement of theses", work=settle_theses))
