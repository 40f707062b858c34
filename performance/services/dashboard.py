"""What the overview shows. Reads only; a fixed number of queries, whatever the rows."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max

from analytics.calc import sessions
from analytics.models import Candidate, DiscoveryBatch, JobRun
from analytics.services import jobs, lakes, predictions
from performance.calc import freshness
from performance.calc.freshness import Freshness
from performance.calc.spans import Span
from performance.services.dashboard_outcomes import OutcomesCard, get_outcomes

__all__ = [
    "FunnelCard",
    "JobLine",
    "JobsCard",
    "LatestCard",
    "OutcomesCard",
    "Overview",
    "VolumeEventsCard",
    "get_funnel",
    "get_job_line",
    "get_jobs",
    "get_latest",
    "get_outcomes",
    "get_overview",
    "get_session_to_scan",
    "get_volume_events",
]

SHOWN_PER_VARIANT = 8  # candidates of each variant on the overview; the screener has all
SHOWN_EVENTS = 6
SHOWN_JOBS = 5
FLAGS = ("volume_alert", "vigl_pattern", "short_fuel", "first_signal")


@dataclass(frozen=True, kw_only=True)
class BatchHead:
    """One variant's batch of the newest session."""

    batch_id: int
    variant: str
    name: str
    title: str
    candidates: int
    mean_score: float | None
    dropped: list[str]
    written_at: datetime


@dataclass(frozen=True, kw_only=True)
class Pick:
    """What one variant said of a symbol; no rank and no score where it did not pick it."""

    variant: str
    rank: int | None = None
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class PickRow:
    """A symbol that at least one variant picked; ``picks`` stand in the order of the variants."""

    symbol: str
    pattern: str
    flags: list[str]
    close: float
    rel_volume: float
    ret_1: float | None
    short_interest_pct: float | None
    float_shares: float | None
    picks: list[Pick]


@dataclass(frozen=True, kw_only=True)
class LatestCard:
    """The best candidates of the newest session of the range, of every variant that scanned it."""

    session: date | None
    source: str
    batches: list[BatchHead]
    rows: list[PickRow]
    symbols: int
    volume_event: bool | None
    freshness: Freshness | None


@dataclass(frozen=True, kw_only=True)
class FunnelStep:
    """Symbols left after one gate, by variant, and the share of the first variant's universe."""

    gate: str
    left: list[int]
    removed: list[int]
    share: float | None


@dataclass(frozen=True, kw_only=True)
class FunnelCard:
    """How the universe of the newest session came down to its candidates."""

    session: date | None
    source: str
    batches: list[BatchHead]
    steps: list[FunnelStep]
    freshness: Freshness | None


@dataclass(frozen=True, kw_only=True)
class VolumeEvent:
    """A session on which the whole market traded a multiple of its usual volume (design §7)."""

    session: date
    share: float | None
    median: float | None
    candidates: int

    @property
    def multiple(self) -> float | None:
        """How many times its median the share was."""
        return self.share / self.median if self.share is not None and self.median else None


@dataclass(frozen=True, kw_only=True)
class VolumeEventsCard:
    """Market-wide volume events of the range, newest first.

    Attributes:
        sessions: Sessions scanned.
        unknown: Sessions without enough history to tell.
        events: All events; the card shows the newest ones.
    """

    source: str
    first: date | None
    last: date | None
    sessions: int
    unknown: int
    events: list[VolumeEvent]
    freshness: Freshness | None

    @property
    def shown(self) -> list[VolumeEvent]:
        return self.events[:SHOWN_EVENTS]


@dataclass(frozen=True, kw_only=True)
class JobLine:
    """One job as a person reads it. ``fraction`` is None while the total is not known."""

    job_id: int
    title: str
    about: str
    state: str
    said: str
    fraction: float | None
    finished: bool
    by: str
    created_at: datetime
    seconds: float | None
    candidates_session: date | None


@dataclass(frozen=True, kw_only=True)
class JobsCard:
    """The newest jobs."""

    source: str
    jobs: list[JobLine]
    freshness: Freshness


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Everything that the overview shows."""

    source: str
    newest: date | None
    latest: LatestCard
    funnel: FunnelCard
    outcomes: OutcomesCard
    volume_events: VolumeEventsCard
    jobs: JobsCard


def get_overview(*, source: str, span: Span, now: datetime) -> Overview:
    """Return the overview of ``span``, which ends at the newest session there is."""
    heads = _newest_batches(source, span)
    latest = get_latest(source=source, span=span, batches=heads)
    return Overview(
        source=source,
        newest=latest.session,
        latest=latest,
        funnel=get_funnel(source=source, span=span, batches=heads),
        outcomes=get_outcomes(source=source, span=span),
        volume_events=get_volume_events(source=source, span=span),
        jobs=get_jobs(source=source, now=now),
    )


def get_latest(
    *, source: str, span: Span, batches: list[DiscoveryBatch] | None = None
) -> LatestCard:
    """Return the best candidates of the newest session up to the end of ``span``.

    Args:
        source: Rows of its realm.
        span: Its end says which session.
        batches: That session's batches, if they have been read already.
    """
    found = _newest_batches(source, span) if batches is None else batches
    picked: dict[str, list[Candidate | None]] = {}
    places = {batch.pk: at for at, batch in enumerate(found)}
    for candidate in Candidate.objects.filter(batch__in=places).order_by("rank") if found else ():
        row = picked.setdefault(candidate.symbol, [None] * len(found))
        row[places[candidate.batch_id]] = candidate
    names = [str(batch.variant) for batch in found]
    rows = [
        _pick_row(row, names) for row in picked.values() if _best_rank(row) <= SHOWN_PER_VARIANT
    ]
    session = found[0].session if found else None
    return LatestCard(
        session=session,
        source=source,
        batches=[_head(batch) for batch in found],
        rows=sorted(rows, key=_order),
        symbols=len(picked),
        volume_event=found[0].volume_event if found else None,
        freshness=freshness.of_session(session) if session else None,
    )


def get_funnel(
    *, source: str, span: Span, batches: list[DiscoveryBatch] | None = None
) -> FunnelCard:
    """Return the funnel of the newest session. Arguments as in :func:`get_latest`."""
    found = _newest_batches(source, span) if batches is None else batches
    session = found[0].session if found else None
    columns = [predictions.get_funnel(batch=batch) for batch in found]
    whole = columns[0][0].left if columns and columns[0] else 0
    steps = [
        FunnelStep(
            gate=same[0].gate,
            left=[step.left for step in same],
            removed=[step.removed for step in same],
            share=same[0].left / whole if whole else None,
        )
        for same in zip(*columns, strict=False)
    ]
    return FunnelCard(
        session=session,
        source=source,
        batches=[_head(batch) for batch in found],
        steps=steps,
        freshness=freshness.of_session(session) if session else None,
    )


def get_volume_events(*, source: str, span: Span) -> VolumeEventsCard:
    """Return the market-wide volume events of ``span``."""
    days = predictions.get_batches(source=source)
    newest = days.aggregate(last=Max("session"))["last"]
    first, last = span.days_of(newest) if newest else (None, None)
    rows = days.filter(session__range=(first, last)) if newest else days.none()
    seen = {
        day: (event, VolumeEvent(session=day, share=share, median=median, candidates=most))
        for day, event, share, median, most in rows.values_list(
            "session", "volume_event", "spike_share", "spike_share_median", "candidate_count"
        )
    }
    return VolumeEventsCard(
        source=source,
        first=first,
        last=last,
        sessions=len(seen),
        unknown=sum(event is None for event, _ in seen.values()),
        events=[told for event, told in seen.values() if event],
        freshness=freshness.of_session(newest) if newest else None,
    )


def get_jobs(*, source: str, now: datetime) -> JobsCard:
    """Return the newest jobs as they stand at ``now``."""
    return JobsCard(
        source=source,
        jobs=[job_line(job) for job in jobs.newest()[:SHOWN_JOBS]],
        freshness=freshness.of_moment(now),
    )


def get_job_line(*, job_id: int) -> JobLine:
    """Return one job as a person reads it.

    Raises:
        jobs.NoSuchJob: There is none of that number.
    """
    return job_line(jobs.get_job(job_id=job_id))


def job_line(job: JobRun) -> JobLine:
    """Return a job as a person reads it."""
    result = job.result if isinstance(job.result, dict) else {}
    ended = job.finished_at or job.heartbeat_at
    about = job.arguments.get("session") or " to ".join(
        str(job.arguments[name]) for name in ("first", "last") if job.arguments.get(name)
    )
    asked = job.arguments.get("session") or job.arguments.get("last")
    return JobLine(
        job_id=job.pk,
        title=jobs.title_of(job.kind),
        about=about,
        state=job.state,
        said=job.error or str(result.get("message") or job.message),
        fraction=job.fraction,
        finished=job.is_finished,
        by=job.requested_by.get_username() if job.requested_by else "timetable",
        created_at=job.created_at,
        seconds=(ended - job.started_at).total_seconds() if job.started_at and ended else None,
        candidates_session=(
            date.fromisoformat(asked)
            if asked and job.kind == "discover" and job.state == "succeeded"
            else None
        ),
    )


def get_session_to_scan(*, source: str, now: datetime) -> date | None:
    """Return the newest finished session that has bars; None without any."""
    last = sessions.last_finished(now)
    days = [day for day in lakes.lake_of(source).sessions() if day <= last]
    return days[-1] if days else None


def _newest_batches(source: str, span: Span) -> list[DiscoveryBatch]:
    """Return the current batches of the newest session in ``span``: one query."""
    batches = predictions.get_batches(source=source)
    if span.last:
        batches = batches.filter(session__lte=span.last)
    if span.first:
        batches = batches.filter(session__gte=span.first)
    newest = batches.order_by("-session").values("session")[:1]
    return list(batches.filter(session=newest).order_by("variant__name"))


def _head(batch: DiscoveryBatch) -> BatchHead:
    return BatchHead(
        batch_id=batch.pk,
        variant=str(batch.variant),
        name=batch.variant.name,
        title=batch.variant.title,
        candidates=batch.candidate_count,
        mean_score=batch.mean_score,
        dropped=[name.replace("_", " ") for name in batch.dropped_components],
        written_at=batch.created_at,
    )


def _pick_row(row: list[Candidate | None], variants: list[str]) -> PickRow:
    any_of = next(candidate for candidate in row if candidate)
    return PickRow(
        symbol=any_of.symbol,
        pattern=any_of.pattern,
        flags=[flag for flag in FLAGS if any(getattr(c, flag) for c in row if c)],
        close=float(any_of.close),
        rel_volume=any_of.rel_volume,
        ret_1=any_of.ret_1,
        short_interest_pct=any_of.short_interest_pct,
        float_shares=any_of.float_shares,
        picks=[
            Pick(variant=name, rank=c.rank, score=c.score) if c else Pick(variant=name)
            for name, c in zip(variants, row, strict=True)
        ],
    )


def _best_rank(row: list[Candidate | None]) -> int:
    return min(candidate.rank for candidate in row if candidate)


def _order(row: PickRow) -> tuple[float, float, str]:
    ranks = [pick.rank for pick in row.picks if pick.rank is not None]
    return (min(ranks), sum(ranks) / len(ranks), row.symbol)
