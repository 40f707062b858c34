"""The jobs of stage theses. Heavy modules are loaded when work begins."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User

from analytics.errors import DomainError
from analytics.models import AuthorKind, Candidate, JobRun, RequestOutcome, Source
from analytics.services.job_registry import Kind, Report, register

WRITE_ALL, WRITE_ONE = "write_theses", "write_thesis"
FALSIFIERS, PRE_OPEN = "check_falsifiers", "check_before_open"


class NoCandidate(DomainError):
    """There is no such candidate, or no session has candidates yet."""


def write_theses(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Ask for a thesis job per top candidate: ``source``; ``session``, ``count``, ``portfolio``.

    ``portfolio`` is what performance knows of positions and limits, see :func:`request_one`.
    """
    from django.conf import settings

    from analytics.services import claude_author, claude_models, lakes, theses

    source = arguments.get("source") or lakes.get_active_source()
    try:
        session = _session(arguments, source)
    except NoCandidate as nobody:  # a quiet market is no failure
        report.progress(1, 1)
        return {"session": None, "candidates": 0, "message": str(nobody)}
    count = int(arguments.get("count") or settings.THESES_PER_SESSION)
    found = theses.get_top(source=source, session=session, count=count)
    authors = [AuthorKind.RULES.value]
    note = claude_models.record_lifecycle(now=report.now())
    if source == Source.SIMULATED:
        note = "Claude is not asked about the sample market"
    elif not claude_author.is_connected():
        note = "Claude is not asked: no key"
    else:
        authors.append(AuthorKind.CLAUDE.value)
    for done, candidate in enumerate(found):
        report.progress(done, len(found), candidate.symbol)
        request_one(
            candidate=candidate,
            requested_by=None,
            now=report.now(),
            authors=authors,
            portfolio=arguments.get("portfolio"),
        )
    report.progress(len(found), len(found) or 1)
    said = f"{session}: {len(found)} candidates, {' and '.join(authors)}"
    return {
        "session": session.isoformat(),
        "candidates": len(found),
        "message": f"{said}; {note}" if note else said,
    }


def write_thesis(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Have theses written about ``candidate`` by ``authors``, with its ``portfolio``."""
    from analytics.services import theses

    candidate = _candidate(int(arguments["candidate"]))
    authors = arguments.get("authors") or AuthorKind.RULES.value
    names = [authors] if isinstance(authors, str) else list(authors)
    report.progress(0, len(names), candidate.symbol)
    job = JobRun.objects.unfinished().of(WRITE_ONE).filter(arguments=dict(arguments)).first()
    done = theses.write(
        candidate=candidate,
        authors=names,
        clock=report.now,
        requested_by=job.requested_by if job else None,
        job=job,
        context=theses.Context(portfolio=arguments.get("portfolio")),
    )
    report.progress(len(names), len(names))
    said = [
        f"{one.author_kind}: {one.get_outcome_display()}"
        + (f" ({one.get_reason_display()}: {one.message})" if one.reason else "")
        for one in done
    ]
    return {
        "theses": [one.thesis_id for one in done if one.thesis_id],
        "requests": [one.pk for one in done],
        "failed": [one.reason for one in done if one.outcome == RequestOutcome.FAILED],
        "message": f"{candidate.symbol} {candidate.batch.session}: {'; '.join(said)}",
    }


def request_one(
    *,
    candidate: Candidate,
    requested_by: User | None,
    now: datetime,
    authors: Sequence[str] = (AuthorKind.RULES, AuthorKind.CLAUDE),
    portfolio: Mapping[str, Any] | None = None,
) -> JobRun:
    """Ask for theses about one candidate; asked twice, the job under way.

    Args:
        candidate: With its batch.
        requested_by: The person; None at night.
        now: Noted as the time of asking.
        authors: ``rules``, ``claude``.
        portfolio: Plain values: ``positions`` (by symbol: ``weight``, ``limit``, ``unrealised``)
            and whatever limits there are; authors see the position in this symbol as ``held``.
    """
    from analytics.services import jobs

    names = sorted({str(AuthorKind(author)) for author in authors})
    own = {"portfolio": _own(portfolio, candidate.symbol)} if portfolio else {}
    return jobs.request(
        kind=WRITE_ONE,
        arguments={
            "candidate": candidate.pk,
            "authors": names,
            "source": candidate.batch.source,
            **own,
        },
        requested_by=requested_by,
        now=now,
    )


def _own(portfolio: Mapping[str, Any], symbol: str) -> dict[str, Any]:
    """Return the portfolio as the thesis on one symbol sees it."""
    positions = portfolio.get("positions") or {}
    rest = {name: value for name, value in portfolio.items() if name != "positions"}
    return {**rest, "positions": len(positions), "held": positions.get(symbol)}


def check_falsifiers(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Record the falsifiers that came true: ``source``; ``first`` if given."""
    from analytics.services import lakes, thesis_events

    first = arguments.get("first")
    done = thesis_events.check_falsifiers(
        source=arguments.get("source") or lakes.get_active_source(),
        now=report.now(),
        first=date.fromisoformat(first) if first else None,
    )
    said = f"{done.theses} theses up to {done.last}, {done.triggered} falsifiers came true"
    return {"theses": done.theses, "triggered": done.triggered, "message": said}


def check_before_open(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Hold today's entries against the prices before the open: ``source``."""
    from analytics.services import lakes, thesis_pre_open

    done = thesis_pre_open.check(
        source=arguments.get("source") or lakes.get_active_source(), now=report.now()
    )
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(done.said.items()))
    told = "; ".join(part for part in (said, done.why) if part)
    return {"said": done.said, "why": done.why, "message": told}


def _session(arguments: Mapping[str, Any], source: str) -> date:
    from analytics.services import theses

    if arguments.get("session"):
        return date.fromisoformat(arguments["session"])
    newest = theses.get_newest_session(source=source)
    if newest is None:
        raise NoCandidate(f"No session has {source} candidates yet.")
    return newest


def _candidate(pk: int) -> Candidate:
    found = Candidate.objects.select_related("batch__variant").filter(pk=pk).first()
    if found is None:
        raise NoCandidate(f"There is no candidate {pk}.")
    return found


def add_kinds() -> None:
    """Make the kinds of stage theses known."""
    register(
        Kind(name=WRITE_ALL, title="Theses of the top candidates", work=write_theses, limit_s=600),
        Kind(name=WRITE_ONE, title="Theses on a candidate", work=write_thesis, limit_s=900),
        Kind(name=FALSIFIERS, title="Check of falsifiers", work=check_falsifiers, limit_s=900),
        Kind(name=PRE_OPEN, title="Check before the open", work=check_before_open, limit_s=300),
    )
