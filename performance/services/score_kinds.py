"""The job that brings the scores up to date, and the jobs that it follows (design §11-§13)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from analytics.models import JobRun
from analytics.services import job_registry, jobs
from analytics.services.job_registry import Kind, Report, UnknownKind, Work, register
from performance.services import check_kinds

REFRESH = "refresh_scores"
# Jobs after which the scores may say something else; those that do not exist are left out.
FOLLOWED = (
    "settle_outcomes", "nightly", "settle_theses", "sync_alpaca", "rebuild_portfolio",
    "assess_risk", "weight_sweep",
)  # fmt: skip


def refresh_scores(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Compute metrics, timing, recovery and roadmap, and rewrite the summaries: ``source``."""
    from analytics.services import lakes
    from performance.services import summaries

    source = arguments.get("source") or lakes.get_active_source()
    done = summaries.refresh_summaries(
        source=source,
        now=report.now(),
        on_progress=report.progress,
    )
    check_kinds.request_check(source=source, now=report.now())
    said = (
        f"{done.metrics} metrics and {done.timing} timings changed, {done.flips} check boxes "
        f"flipped, {done.summaries} summaries rewritten"
    )
    return {"changed": done.metrics + done.timing + done.summaries, "message": said}


def request_refresh(*, source: str, now: datetime, after: str = "") -> JobRun:
    """Ask for the scores to be brought up to date.

    Args:
        source: Whose rows.
        now: Noted as the time of asking.
        after: Kind of job that ended: asked again for each, so that none is missed.
    """
    key = f"{REFRESH} {source} after {after}" if after else None
    return jobs.request(kind=REFRESH, arguments={"source": source}, now=now, key=key)


def followed(kind: Kind) -> Kind:
    """Return the kind with the scores asked for at its end."""
    work: Work = kind.work

    def work_and_ask(arguments: Mapping[str, Any], report: Report) -> Mapping[str, Any] | None:
        from analytics.services import lakes

        result = work(arguments, report)
        source = arguments.get("source") or lakes.get_active_source()
        request_refresh(source=source, now=report.now(), after=kind.name)
        return result

    return replace(kind, work=work_and_ask)


def add_kinds() -> None:
    """Make the job known and let it follow others; called when every other kind is known."""
    register(Kind(name=REFRESH, title="Metrics, timing, recovery, roadmap", work=refresh_scores))
    for name in FOLLOWED:
        try:
            kind = job_registry.get_kind(name)
        except UnknownKind:
            continue
        register(followed(kind))
