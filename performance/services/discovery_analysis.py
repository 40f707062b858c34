"""Read what candidates were worth, with evidence (design §1, §8)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Count, Q

from analytics.calc import evidence
from analytics.calc.evidence import Estimate
from performance.calc import tracking
from performance.calc.tracking import Figures, Picked, Tally
from performance.models import BatchAnalysis, CandidateTracking
from performance.models.tracking import CandidateTrackingQuerySet
from performance.services import discovery_history
from performance.services.discovery_history import History, Mark

EXPLOSIVE = 0.50  # best close within 14 sessions, as in analytics.calc.outcomes

COUNTED = (
    "candidates", "settled", "pending", "no_entry", "delisted", "explosive", "explosive_held",
    "positive_14", "sum_return_14", "first_settled", "first_explosive", "first_positive_14",
    "first_sum_return_14", "base_n", "base_explosive", "base_positive_14", "gate_n",
    "gate_explosive", "gate_positive_14", "gate_coverage", "best_n", "best_explosive",
    "best_positive_14", "best_coverage", "winner_days", "winner_days_captured", "episodes",
    "episodes_captured", "episodes_captured_at_random", "episodes_captured_by_best",
    "mean_coverage",
)  # fmt: skip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Candidates of a window by what is known of them, and winners by what was made of them.

    ``no_entry_traded_on`` of those without entry have a proxy outcome from the signal's close,
    ``no_entry_proxy_explosive`` of them reached +50 %; they are in no rate.
    """

    batches: int
    complete_batches: int
    candidates: int
    settled: int
    delisted: int
    pending: int
    no_entry: int
    no_entry_traded_on: int
    no_entry_proxy_explosive: int
    explosive: int
    episodes: int
    episodes_captured: int


@dataclass(frozen=True, kw_only=True)
class VariantAnalysis:
    """One variant: the window asked for, and all of its history beside it.

    Attributes:
        variant: Name and version.
        variant_id: Key.
        counts: Of the window, settled or not.
        window: Figures over the complete sessions of the window.
        median_first, median_all: Median ``return_14`` in the window, first signals and all rows.
        history: Figures over all complete sessions up to the end of the window.
        history_sessions: First and last of them; None without one.
        history_computed_at: When ``history`` was stored; None if it was computed just now.
        target: The mission's target of the quality score: a claim.
    """

    variant: str
    variant_id: int
    counts: Counts
    window: Figures
    median_first: Estimate
    median_all: Estimate
    history: Figures
    history_sessions: tuple[date, date] | None
    history_computed_at: datetime | None
    target: Estimate


@dataclass(frozen=True, kw_only=True)
class DiscoveryAnalysis:
    """What became of the candidates signalled from ``first`` to ``end``, by variant."""

    source: str
    first: date
    end: date
    as_of: date | None
    variants: list[VariantAnalysis]


def get_discovery_analysis(
    *, end: date, days_back: int, source: str, variant: str | None = None
) -> DiscoveryAnalysis:
    """Return how the candidates signalled in the ``days_back`` days to ``end`` have done.

    A short window cannot have settled, so the figures of all history stand beside it. They are
    read where they are stored for the very analyses up to ``end``, and computed otherwise.

    Args:
        end: Last day of the window.
        days_back: Its length in calendar days.
        source: Rows of one source only.
        variant: Name of a variant; every one otherwise.
    """
    first = end - timedelta(days=days_back)
    rows = BatchAnalysis.objects.current().of(source).filter(batch__session__lte=end)
    outcomes = CandidateTracking.objects.current().of(source).signalled_between(first, end)
    if variant:
        rows = rows.filter(batch__variant__name=variant)
        outcomes = outcomes.filter(candidate__batch__variant__name=variant)
    marks = discovery_history.get_marks(rows)
    stored = discovery_history.get_histories(marks, source=source)
    lacking = any(mark.batches and mark.variant_id not in stored for mark in marks)
    tables = _by_variant(rows if lacking else rows.filter(batch__session__gte=first))
    returns, proxies = _returns(outcomes), _proxies(outcomes)
    analyses = [
        _variant_analysis(
            tables.get(mark.variant_id) or _table(mark.variant, mark.variant_id, []),
            mark,
            stored.get(mark.variant_id),
            returns[mark.variant_id],
            proxies.get(mark.variant_id, (0, 0)),
            first,
            source,
        )
        for mark in marks
    ]
    as_of = max((mark.last for mark in marks if mark.last), default=None)
    return DiscoveryAnalysis(source=source, first=first, end=end, as_of=as_of, variants=analyses)


def refresh_histories(*, source: str, now: datetime) -> int:
    """Compute and store the figures over all history; return how many variants' changed."""
    tables = _by_variant(BatchAnalysis.objects.current().of(source))
    figures = []
    for table in tables.values():
        history = table.chosen(table.complete)
        if history.sessions:
            figures.append((history.mark, _history(history, source)))
    return discovery_history.store_histories(figures, source=source, now=now)


@dataclass(frozen=True, kw_only=True)
class _Table:
    """The analyses of one variant as columns, in order of session."""

    variant: str
    variant_id: int
    sessions: list[date]
    complete: npt.NDArray[np.bool_]
    columns: dict[str, Floats]
    by_decile: Floats
    changed: list[datetime]

    @property
    def mark(self) -> Mark:
        """Which complete analyses these are."""
        days = self.sessions
        return Mark(
            variant=self.variant,
            variant_id=self.variant_id,
            batches=len(days),
            first=days[0] if days else None,
            last=days[-1] if days else None,
            changed_at=max(self.changed, default=None),
        )

    def chosen(self, rows: npt.NDArray[np.bool_]) -> "_Table":
        return _Table(
            variant=self.variant,
            variant_id=self.variant_id,
            sessions=[day for day, keep in zip(self.sessions, rows, strict=True) if keep],
            complete=self.complete[rows],
            columns={name: values[rows] for name, values in self.columns.items()},
            by_decile=self.by_decile[rows],
            changed=[at for at, keep in zip(self.changed, rows, strict=True) if keep],
        )


def _by_variant(rows: Any) -> dict[int, _Table]:
    """Read the analyses: one query, whatever the number of variants and sessions."""
    grouped = defaultdict(list)
    keys = ("batch__variant__name", "batch__variant__version", "batch__variant_id")
    for name, version, pk, *row in rows.order_by("batch__session").values_list(
        *keys, "batch__session", "is_complete", "by_decile", "updated_at", *COUNTED
    ):
        grouped[f"{name} v{version}", pk].append(row)
    return {pk: _table(label, pk, found) for (label, pk), found in grouped.items()}


def _table(label: str, pk: int, found: list[list[Any]]) -> _Table:
    empty: list[tuple[Any, ...]] = [()] * (4 + len(COUNTED))
    days, complete, deciles, changed, *columns = zip(*found, strict=True) if found else empty
    return _Table(
        variant=label,
        variant_id=pk,
        sessions=list(days),
        complete=np.array(complete, dtype=np.bool_),
        columns={
            name: np.array(values, dtype=np.float64)
            for name, values in zip(COUNTED, columns, strict=True)
        },
        by_decile=np.array(deciles, dtype=np.float64).reshape(-1, 10, 6),
        changed=list(changed),
    )


def _returns(outcomes: CandidateTrackingQuerySet) -> dict[int, list[list[Any]]]:
    """Return by variant session, first signal and return of each known outcome: one query."""
    returns: dict[int, list[list[Any]]] = defaultdict(list)
    for key, *row in outcomes.known().values_list(
        "candidate__batch__variant_id",
        "candidate__batch__session",
        "candidate__first_signal",
        "return_14",
    ):
        returns[key].append(row)
    return returns


def _proxies(outcomes: CandidateTrackingQuerySet) -> dict[int, tuple[int, int]]:
    """Return by variant the candidates without entry that traded on, and those that rose 50 %."""
    proxy = "proxy_peak_close_return"
    counted = outcomes.values_list("candidate__batch__variant_id").annotate(
        traded_on=Count("pk", filter=Q(**{f"{proxy}__isnull": False})),
        explosive=Count("pk", filter=Q(**{f"{proxy}__gte": EXPLOSIVE})),
    )
    return {key: (traded_on, explosive) for key, traded_on, explosive in counted}


def _variant_analysis(
    table: _Table,
    mark: Mark,
    stored: History | None,
    returns: list[list[Any]],
    proxies: tuple[int, int],
    first: date,
    source: str,
) -> VariantAnalysis:
    inside = np.array([day >= first for day in table.sessions], dtype=np.bool_)
    window = table.chosen(inside & table.complete)
    as_of = window.sessions[-1] if window.sessions else None
    history = stored.figures if stored else _history(table.chosen(table.complete), source)
    return VariantAnalysis(
        variant=table.variant,
        variant_id=table.variant_id,
        counts=_counts(table.chosen(inside), proxies),
        window=tracking.figures(_tally(window), source=source, as_of=as_of),
        median_first=_median([row for row in returns if row[1]], window, source),
        median_all=_median(returns, window, source),
        history=history,
        history_sessions=mark.sessions,
        history_computed_at=stored.computed_at if stored else None,
        target=evidence.claimed(
            value=tracking.QUALITY_TARGET, n=0, reason="the mission's target, above hindsight"
        ),
    )


def _history(table: _Table, source: str) -> Figures:
    last = table.sessions[-1] if table.sessions else None
    return tracking.figures(_tally(table), source=source, as_of=last)


def _counts(table: _Table, proxies: tuple[int, int]) -> Counts:
    def total(name: str) -> int:
        return int(table.columns[name].sum())

    return Counts(
        batches=len(table.sessions),
        complete_batches=int(table.complete.sum()),
        candidates=total("candidates"),
        settled=total("settled"),
        delisted=total("delisted"),
        pending=total("pending"),
        no_entry=total("no_entry"),
        no_entry_traded_on=proxies[0],
        no_entry_proxy_explosive=proxies[1],
        explosive=total("explosive"),
        episodes=total("episodes"),
        episodes_captured=total("episodes_captured"),
    )


def _median(returns: list[list[Any]], window: _Table, source: str) -> Estimate:
    place = {day: at for at, day in enumerate(window.sessions)}
    kept = [(place[day], value) for day, _, value in returns if day in place]
    return evidence.median_estimate(
        np.array([value for _, value in kept], dtype=np.float64),
        np.array([at for at, _ in kept], dtype=np.int64),
        len(window.sessions),
        source=source,
        as_of=window.sessions[-1] if window.sessions else None,
    )


def _tally(table: _Table) -> Tally:
    c = table.columns
    return Tally(
        ranked=Picked(
            settled=c["settled"],
            explosive=c["explosive"],
            positive=c["positive_14"],
            covered=_covered(c["mean_coverage"], c["candidates"]),
            picks=c["candidates"],
            episodes_captured=c["episodes_captured"],
        ),
        drawn=Picked(
            settled=c["gate_n"],
            explosive=c["gate_explosive"],
            positive=c["gate_positive_14"],
            covered=_covered(c["gate_coverage"], c["gate_n"]),
            picks=c["gate_n"],
            episodes_captured=c["episodes_captured_at_random"],
        ),
        best=Picked(
            settled=c["best_n"],
            explosive=c["best_explosive"],
            positive=c["best_positive_14"],
            covered=_covered(c["best_coverage"], c["best_n"]),
            picks=c["best_n"],
            episodes_captured=c["episodes_captured_by_best"],
        ),
        returns=c["sum_return_14"],
        explosive_held=c["explosive_held"],
        first_settled=c["first_settled"],
        first_explosive=c["first_explosive"],
        first_positive=c["first_positive_14"],
        first_returns=c["first_sum_return_14"],
        base_n=c["base_n"],
        base_explosive=c["base_explosive"],
        base_positive=c["base_positive_14"],
        by_decile=table.by_decile,
        episodes=c["episodes"],
        winner_days=c["winner_days"],
        winner_days_captured=c["winner_days_captured"],
    )


def _covered(mean: Floats, n: Floats) -> Floats:
    """Return the sum of coverages; sessions without a pick have no mean and add nothing."""
    return np.where(n > 0, np.nan_to_num(mean), 0.0) * n
