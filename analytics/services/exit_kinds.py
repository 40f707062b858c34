"""The job that replays the exits of everything that was ever listed (design §13)."""

from collections.abc import Mapping
from typing import Any

from analytics.models import JobRun
from analytics.services.job_registry import Kind, Report, register

REPLAY_EXITS = "replay_exits"


def replay_exits(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Make a detector report: ``source``."""
    from analytics.calc import detector_report_words
    from analytics.services import detector_report, lakes

    made = detector_report.record_report(
        source=arguments.get("source") or lakes.get_active_source(),
        clock=report.now,
        on_progress=report.progress,
        job=_job(arguments),
    )
    said = detector_report_words.sentences(made.result)
    return {"report": made.pk, "digest": made.digest, "message": f"{made}: {said[-1]}"}


def _job(arguments: Mapping[str, Any]) -> JobRun | None:
    """Return the job that is doing this work; only one of a kind and its arguments runs."""
    running = JobRun.objects.unfinished().of(REPLAY_EXITS).filter(arguments=dict(arguments))
    return running.newest_first().first()


def add_kinds() -> None:
    """Make the kind known."""
    register(Kind(name=REPLAY_EXITS, title="Replay exits", work=replay_exits, limit_s=3600))
