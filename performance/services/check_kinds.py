"""The job that follows fresh scores: what crossed a limit, and whether the figures are right."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from analytics.models import JobRun
from analytics.services import jobs
from analytics.services.job_registry import Kind, Report, register

CHECK: Final = "check_scores"


def check_scores(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Raise and resolve alerts, then compute every headline figure once more: ``source``."""
    from analytics.services import lakes
    from performance.services import alert_checks, self_check

    source = arguments.get("source") or lakes.get_active_source()
    report.progress(0, 2, "limits")
    seen = alert_checks.check(source=source, now=report.now())
    report.progress(1, 2, "self-check")
    found = self_check.record(source=source, now=report.now())
    report.progress(2, 2)
    said = f"{seen.raised} alerts raised, {seen.resolved} resolved; self-check {found.status}"
    return {"raised": seen.raised, "self_check": str(found.status), "message": said}


def request_check(*, source: str, now: datetime) -> JobRun:
    """Ask for it."""
    return jobs.request(kind=CHECK, arguments={"source": source}, now=now)


def add_kinds() -> None:
    """Make the kind known."""
    register(Kind(name=CHECK, title="Limits and self-check", work=check_scores, limit_s=900))
