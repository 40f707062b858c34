"""Follow every candidate to its end, and say what candidates were worth (design §8)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from time import perf_counter

import numpy as np
from django.db.models import Q

from analytics.calc import sessions
from analytics.models import DiscoveryBatch
from analytics.services import lakes
from performance.services.discovery_analysis import (
    Counts,
    DiscoveryAnalysis,
    VariantAnalysis,
    get_discovery_analysis,
)

__all__ = [
    "Counts",
    "DiscoveryAnalysis",
    "SettleSummary",
    "VariantAnalysis",
    "get_discovery_analysis",
    "settle_outcomes",
]

CHUNK = 500  # sessions settled from one reading; bounds the memory of a long history
APART = 60  # sessions between batches that are better read separately

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class SettleSummary:
    """What a run did. Candidates are those of the batches that were brought up to date.

    Attributes:
        batches: Brought up to date.
        settled, delisted, pending, no_entry: Their candidates by status.
        changed: Rows written because something in them was new.
        seconds: Wall time.
    """

    batches: int
    settled: int
    delisted: int
    pending: int
    no_entry: int
    changed: int
    seconds: float


def settle_outcomes(
    *,
    source: str,
    now: datetime,
    first: date | None = None,
    last: date | None = None,
    again: bool = False,
    on_progress: Progress | None = None,
) -> SettleSummary:
    """Fill in what became of the candidates of all batches that are not final.

    Safe to run twice: with no new bars, nothing changes. A batch that waits for data is
    looked at again when the lake has changed.

    Args:
        source: ``imported``, ``live`` or ``simulated``: tells the lake.
        now: Written on rows that change.
        first, last: Only batches of these sessions; every one otherwise.
        again: Settle final batches, too: after a correction of bars.
        on_progress: Told the sessions done and in all.

    Raises:
        lakes.NoLake: ``source`` has no market data.
    """
    from performance.services import settlement

    started = perf_counter()
    lake = lakes.lake_of(source)
    due = _due(source, lake.versions().get("bars", 0), first, last, again)
    numbers = [sessions.number(day) for day in lake.sessions()] if due else []
    covered = np.array(numbers, dtype=np.int32)
    batches, changed, done = 0, 0, 0
    counts: Counter[str] = Counter()
    for part in _chunks(due):
        stretch = settlement.extended(source=source, first=part[0], last=part[-1])
        found = settlement.settle(stretch, now=now, covered=covered)
        batches, changed, done = batches + found.batches, changed + found.changed, done + len(part)
        counts.update(found.counts)
        if on_progress:
            on_progress(done, len(due))
    return SettleSummary(
        batches=batches,
        settled=counts["settled"],
        delisted=counts["delisted"],
        pending=counts["pending"],
        no_entry=counts["no_entry"],
        changed=changed,
        seconds=perf_counter() - started,
    )


def _due(
    source: str, version: int, first: date | None, last: date | None, again: bool
) -> list[date]:
    """Return the sessions with a current batch whose outcomes may have news, ascending."""
    batches = DiscoveryBatch.objects.current().of(source)
    if first:
        batches = batches.filter(session__gte=first)
    if last:
        batches = batches.filter(session__lte=last)
    if not again:
        waiting = Q(analysis__is_final=False) & ~Q(analysis__lake_version=version)
        batches = batches.filter(Q(analysis__isnull=True) | waiting)
    return list(batches.order_by("session").values_list("session", flat=True).distinct())


def _chunks(days: list[date]) -> list[list[date]]:
    """Cut sessions where many lie between two of them, and where there are too many."""
    chunks: list[list[date]] = []
    for day in days:
        number = sessions.number(day)
        near = chunks and number - sessions.number(chunks[-1][-1]) <= APART
        if near and number - sessions.number(chunks[-1][0]) < CHUNK:
            chunks[-1].append(day)
        else:
            chunks.append([day])
    return chunks
