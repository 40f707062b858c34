"""What performance can be asked to do: settle outcomes, and the work of a night."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from analytics.calc import sessions
from analytics.models import JobRun
from analytics.services import jobs, market_jobs, study_kinds
from analytics.services.job_registry import Kind, Report, register
from performance.services import (
    accuracy_kinds,
    check_kinds,
    portfolio_kinds,
    report_kinds,
    risk_kinds,
)

NIGHTLY = "nightly"


def settle_outcomes(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Settle candidates: ``source``; ``first``, ``last`` and ``again`` narrow or widen it."""
    from analytics.services import lakes
    from performance.services import tracking

    first, last = arguments.get("first"), arguments.get("last")
    report.progress(0, None, "reading market data")
    done = tracking.settle_outcomes(
        source=arguments.get("source") or lakes.get_active_source(),
        now=report.now(),
        first=date.fromisoformat(first) if first else None,
        last=date.fromisoformat(last) if last else None,
        again=bool(arguments.get("again")),
        on_progress=partial(report.progress, message="settling outcomes"),
    )
    said = f"{done.batches} batches: {done.settled} settled, {done.pending} pending"
    return {"batches": done.batches, "changed": done.changed, "message": said}


def run_night(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Fetch what is new, scan every session that was missed, in order, then settle.

    ``after_backfill`` says that a backfill asked for it at its end.

    Sessions whose bars came late or were corrected are scanned again; the old batches stay, and
    outcomes that read a corrected bar are settled again.
    """
    from analytics.services import lakes, night_sync, nights
    from performance.services import portfolio

    report.progress(0, 1, "asking for new bars")
    night = night_sync.sync_night(
        now=report.now(),
        say=lambda message: report.progress(0, 1, message),
        after_backfill=bool(arguments.get("after_backfill")),
    )
    if night.needs_backfill:
        jobs.request(kind=market_jobs.BACKFILL, now=report.now())
    if night.filling:
        return {"sessions": 0, "candidates": 0, "market": night.said, "message": night.said[-1]}
    missed = nights.get_missed(now=report.now())
    source = missed.source if missed else lakes.get_active_source()
    touched = night_sync.get_touched(night=night, source=source, now=report.now())
    late = night_sync.get_rescans(touched=touched, source=source)
    days = sessions.between(missed.first, missed.last) if missed else []
    stretches = [*late, *((day, day) for day in days)]
    if night.waiting and not stretches:
        return {"sessions": 0, "candidates": 0, "market": night.said, "message": night.said[-1]}
    total = len(stretches) + 1
    candidates = 0
    for done, (first, last) in enumerate(stretches):
        report.progress(done, total, f"scanning {first}" + (f" to {last}" if last > first else ""))
        candidates += _scan(first, last, source, report, night.said)
    if night_sync.is_connected():
        night.said += night_sync.sync_flags(
            now=report.now(), say=lambda message: report.progress(len(stretches), total, message)
        )
    report.progress(len(stretches), total, "settling outcomes")
    part = _Part(report, len(stretches), total)
    settled = settle_outcomes({"source": source}, part)
    night.said += _settle_again(touched, source, part)
    portfolio.rebuild_all(now=report.now(), source=source)
    for kind in study_kinds.NIGHTLY:
        jobs.request(kind=kind, arguments={"source": source}, now=report.now())
    look_back = {"source": source, "corrected": [str(day) for day in touched]}
    jobs.request(kind=accuracy_kinds.SETTLE_THESES, arguments=look_back, now=report.now())
    jobs.request(kind=risk_kinds.ASSESS, arguments={"source": source}, now=report.now())
    report.progress(total, total)
    scanned = f"{len(days)} sessions scanned, {candidates} candidates"
    said = "; ".join([scanned, settled["message"], *night.said])
    return {"sessions": len(days), "candidates": candidates, "market": night.said, "message": said}


def _scan(first: date, last: date, source: str, report: Report, said: list[str]) -> int:
    """Scan sessions; one that is held back is said, and the night goes on."""
    from analytics.services import discovery, holds

    try:
        done = discovery.record_batches(first=first, last=last, source=source, now=report.now())
    except holds.SessionHeld as held:
        said.append(str(held))
        return 0
    return done.candidates


def _settle_again(touched: list[date], source: str, report: Report) -> list[str]:
    """Settle once more what has settled on bars that are other now; say what changed."""
    from analytics.services import consequences

    changed = 0
    for first, last in consequences.get_outcome_stretches(days=touched):
        asked = {"source": source, "first": str(first), "last": str(last), "again": True}
        changed += settle_outcomes(asked, report)["changed"]
    return [f"{changed} outcomes changed by corrections"] if changed else []


def study_gates(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Loosen every gate in turn: ``source``; ``sessions`` says over how many."""
    from analytics.services import lakes
    from performance.services import missed_winners

    made = missed_winners.record_gate_studies(
        source=arguments.get("source") or lakes.get_active_source(),
        clock=report.now,
        count=int(arguments.get("sessions") or missed_winners.SESSIONS),
        on_progress=report.progress,
    )
    said = f"{made[0].first} to {made[0].last}: {', '.join(str(row.variant) for row in made)}"
    return {"studies": [row.pk for row in made], "message": said}


def request_night(*, now: datetime) -> JobRun | None:
    """Ask for the work of a night, unless there is none: a holiday, and nothing was missed."""
    from analytics.services import nights

    today = now.astimezone(sessions.NEW_YORK).date()
    if nights.get_missed(now=now) is None and not sessions.is_session(today):
        return None
    return jobs.request(kind=NIGHTLY, now=now)


def request_if_due(*, now: datetime) -> JobRun | None:
    """Ask for the work of a night if a provider may have bars that we lack, else for none.

    Called through the day: that is how a session is asked for until it is published.
    """
    from analytics.services import night_sync

    return jobs.request(kind=NIGHTLY, now=now) if night_sync.is_due(now=now) else None


class _Part:
    """The report of a last step: it hears and speaks, but the bar stays where it is."""

    def __init__(self, report: Report, current: int, total: int) -> None:
        self._report = report
        self._current = current
        self._total = total
        self.now = report.now

    def progress(self, current: int, total: int | None = None, message: str = "") -> None:
        share = f" ({current} of {total})" if total else ""
        self._report.progress(self._current, self._total, f"{message}{share}")


def add_kinds() -> None:
    """Make the kinds of performance known."""
    accuracy_kinds.add_kinds()
    portfolio_kinds.add_kinds()
    report_kinds.add_kinds()
    check_kinds.add_kinds()
    register(
        Kind(name="settle_outcomes", title="Settlement of outcomes", work=settle_outcomes),
        Kind(name="study_gates", title="Study of missed winners", work=study_gates),
        Kind(name=NIGHTLY, title="Nightly discovery and settlement", work=run_night, limit_s=3600),
    )
