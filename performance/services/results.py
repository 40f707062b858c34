"""The results of all discovery so far, by year and variant: the material of a report."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import Count, Max, Min, Q

from analytics.calc import evidence, intervals
from analytics.calc.evidence import Estimate
from analytics.models import DiscoveryBatch
from performance.models import BatchAnalysis, CandidateTracking
from performance.services.discovery_analysis import VariantAnalysis, get_discovery_analysis

TOP = 10  # first ranks whose precision is reported by itself
EXTREMES = 5
ALERT = 15.0  # the rule whose outcome is known from elsewhere (design §1) [x average]


@dataclass(frozen=True, kw_only=True)
class Pick:
    """One candidate and what became of it. Returns are fractions from the next open."""

    session: date
    symbol: str
    rank: int
    score: float
    close: float
    entry_price: float | None
    peak_close_return: float | None
    return_14: float | None
    status: str


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One variant in one year, or in all of them (``year`` None)."""

    year: int | None
    analysis: VariantAnalysis
    top: Estimate
    alert: Estimate
    base: Estimate
    volume_events: int


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that has settled of one source.

    Attributes:
        slices: By year, then variant; the whole period last.
        best, worst: By variant, the first signals with the highest and the lowest return
            after 14 sessions.
    """

    source: str
    first: date
    last: date
    slices: list[Slice]
    best: dict[str, list[Pick]]
    worst: dict[str, list[Pick]]


def get_results(*, source: str) -> Results | None:
    """Return what every current batch of ``source`` came to; None without a batch."""
    batches = DiscoveryBatch.objects.current().of(source)
    span = batches.aggregate(first=Min("session"), last=Max("session"))
    if span["first"] is None:
        return None
    years = sorted({day.year for day in batches.dates("session", "year")})
    slices = [
        part for year in years for part in _slices(source, date(year, 1, 1), date(year, 12, 31))
    ]
    slices += _slices(source, span["first"], span["last"], whole=True)
    names = [part.analysis.variant for part in slices if part.year is None]
    ids = {part.analysis.variant: part.analysis.variant_id for part in slices}
    return Results(
        source=source,
        first=span["first"],
        last=span["last"],
        slices=slices,
        best={name: _extremes(source, ids[name], "-return_14") for name in names},
        worst={name: _extremes(source, ids[name], "return_14") for name in names},
    )


def _slices(source: str, first: date, last: date, *, whole: bool = False) -> list[Slice]:
    found = get_discovery_analysis(end=last, days_back=(last - first).days, source=source)
    made = []
    for analysis in found.variants:
        if not analysis.counts.batches:
            continue
        events = DiscoveryBatch.objects.current().of(source)
        made.append(
            Slice(
                year=None if whole else first.year,
                analysis=analysis,
                top=_share(source, analysis.variant_id, first, last, Q(candidate__rank__lte=TOP)),
                alert=_share(
                    source, analysis.variant_id, first, last, Q(candidate__rel_volume__gte=ALERT)
                ),
                base=analysis.window.base_explosive,
                volume_events=events.filter(
                    variant=analysis.variant_id, session__range=(first, last), volume_event=True
                ).count(),
            )
        )
    return made


def _share(source: str, variant: int, first: date, last: date, chosen: Q) -> Estimate:
    """Return the explosive share of some candidates of the complete sessions of a period."""
    complete = (
        BatchAnalysis.objects.current()
        .of(source)
        .filter(batch__variant=variant, batch__session__range=(first, last), is_complete=True)
        .order_by("batch__session")
    )
    counted = {
        row["candidate__batch"]: row
        for row in CandidateTracking.objects.current()
        .of(source)
        .known()
        .signalled_between(first, last)
        .filter(chosen, candidate__batch__variant=variant)
        .values("candidate__batch")
        .annotate(n=Count("pk"), hits=Count("pk", filter=Q(explosive=True)))
    }
    rows = [counted.get(pk, {"n": 0, "hits": 0}) for pk in complete.values_list("batch", flat=True)]
    pooled = intervals.ratio(
        np.array([float(row["hits"]) for row in rows]),
        np.array([float(row["n"]) for row in rows]),
    )
    return evidence.rate_estimate(pooled, source=source, as_of=last)


def _extremes(source: str, variant: int, order: str) -> list[Pick]:
    rows = (
        CandidateTracking.objects.current()
        .of(source)
        .known()
        .first_signals()
        .filter(candidate__batch__variant=variant, return_14__isnull=False)
        .select_related("candidate__batch")
        .order_by(order, "candidate__batch__session", "candidate__symbol")[:EXTREMES]
    )
    return [
        Pick(
            session=row.candidate.batch.session,
            symbol=row.candidate.symbol,
            rank=row.candidate.rank,
            score=row.candidate.score,
            close=float(row.candidate.close),
            entry_price=row.entry_price,
            peak_close_return=row.peak_close_return,
            return_14=row.return_14,
            status=row.status,
        )
        for row in rows
    ]
