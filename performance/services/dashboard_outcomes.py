"""The outcomes card: what candidates were worth, beside the base and the claimed baseline."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import evidence, intervals
from analytics.calc.evidence import Estimate
from analytics.models import Baseline
from analytics.services import lakes
from performance.calc import freshness
from performance.calc.freshness import Freshness
from performance.calc.spans import Span
from performance.models import BatchAnalysis

COUNTED = (
    "first_settled", "first_explosive", "first_positive_14", "first_sum_return_14",
    "base_n", "base_explosive", "base_positive_14",
)  # fmt: skip
ASSUMED = "Wilson, independence assumed"

Floats = npt.NDArray[np.float64]
Give = Callable[..., Estimate]


@dataclass(frozen=True, kw_only=True)
class VariantOutcome:
    """One figure of one variant: in the range, and over all that has settled.

    Attributes:
        window_days, history_days: First and last settled session of each; None without one.
    """

    variant: str
    window: Estimate
    history: Estimate
    window_days: tuple[date, date] | None
    history_days: tuple[date, date] | None


@dataclass(frozen=True, kw_only=True)
class OutcomeFigure:
    """One question, answered for every variant, for the base and by the baseline.

    Attributes:
        signed: Shown with its sign: a return, not a share.
        base: Of the base universe over all settled sessions (design §8).
        baseline: Claimed, never measured (design §2); None if no baseline is stored.
        low, high: Ends of the scale that all its intervals are drawn on.
    """

    name: str
    meaning: str
    signed: bool
    variants: list[VariantOutcome]
    base: Estimate | None
    baseline: Estimate | None
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class OutcomesCard:
    """What became of first signals in the range, by variant.

    Attributes:
        first, last: Days of the range.
        complete: Sessions of the range whose 14 sessions after are covered.
        scanned: Sessions of the range with an analysis.
        history: First and last settled session; None without one.
        period: Of the baseline.
    """

    source: str
    first: date | None
    last: date | None
    complete: int
    scanned: int
    history: tuple[date, date] | None
    period: str
    figures: list[OutcomeFigure]
    freshness: Freshness | None


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """Counts of the settled sessions of one variant, in order of time."""

    variant: str
    days: list[date]
    columns: dict[str, Floats]

    @property
    def ends(self) -> tuple[date, date] | None:
        return (self.days[0], self.days[-1]) if self.days else None

    def since(self, first: date, last: date) -> "_Counts":
        keep = np.array([first <= day <= last for day in self.days], dtype=np.bool_)
        return replace(
            self,
            days=[day for day in self.days if first <= day <= last],
            columns={name: values[keep] for name, values in self.columns.items()},
        )


def get_outcomes(*, source: str, span: Span) -> OutcomesCard:
    """Return what became of the first signals of ``span``, with all history beside it.

    A window needs 60 settled sessions for an interval, so a short one says that its data are
    insufficient; the figures of all history say what can be said. Two queries.
    """
    settled, scanned = _read(source)
    days = sorted({day for day, _ in scanned})
    newest = days[-1] if days else None
    first, last = span.days_of(newest) if newest else (None, None)
    inside = {day: done for day, done in scanned if first and last and first <= day <= last}
    known = sorted({day for counts in settled for day in counts.days})
    claim = Baseline.objects.order_by("pk").first()
    return OutcomesCard(
        source=source,
        first=first,
        last=last,
        complete=sum(inside.values()),
        scanned=len(inside),
        history=(known[0], known[-1]) if known else None,
        period=claim.period if claim else "",
        figures=_figures(settled, claim, source, first, last) if known and first and last else [],
        freshness=freshness.of_session(newest) if newest else None,
    )


def _read(source: str) -> tuple[list[_Counts], list[tuple[date, bool]]]:
    """Read every analysis as counts: one query, whatever the number of sessions."""
    grouped: dict[tuple[str, int], list[Any]] = defaultdict(list)
    scanned = []
    rows = BatchAnalysis.objects.current().filter(source__in=lakes.sources_beside(source))
    for name, version, day, complete, *counts in rows.order_by("batch__session").values_list(
        "batch__variant__name",
        "batch__variant__version",
        "batch__session",
        "is_complete",
        *COUNTED,
    ):
        scanned.append((day, complete))
        if complete:
            grouped[name, version].append((day, *counts))
    found = []
    for (name, version), lines in sorted(grouped.items()):
        days, *columns = zip(*lines, strict=True)
        found.append(
            _Counts(
                variant=f"{name} v{version}",
                days=list(days),
                columns={
                    column: np.array(values, dtype=np.float64)
                    for column, values in zip(COUNTED, columns, strict=True)
                },
            )
        )
    return found, scanned


def _figures(
    settled: list[_Counts], claim: Baseline | None, source: str, first: date, last: date
) -> list[OutcomeFigure]:
    """Answer the three questions that the baseline makes claims about."""
    rate, mean = evidence.rate_estimate, evidence.mean_estimate
    asked: list[tuple[str, str, str, str, Give, Estimate | None]] = [
        (
            "Explosive",
            "best close at +50 % or more within 14 sessions",
            "first_explosive",
            "base_explosive",
            rate,
            _claimed_rate(claim.explosive, claim) if claim else None,
        ),
        (
            "Up after 14 sessions",
            "close above the entry, the open after the signal",
            "first_positive_14",
            "base_positive_14",
            rate,
            _claimed_rate(claim.winners, claim) if claim else None,
        ),
        (
            "Mean return, 14 sessions",
            "of equal stakes, before costs",
            "first_sum_return_14",
            "",
            mean,
            evidence.claimed(value=claim.average_return, n=claim.picks) if claim else None,
        ),
    ]
    return [
        _figure(name, meaning, hits, base, give, said, settled, source, first, last)
        for name, meaning, hits, base, give, said in asked
    ]


def _figure(
    name: str,
    meaning: str,
    hits: str,
    base: str,
    give: Give,
    said: Estimate | None,
    settled: list[_Counts],
    source: str,
    first: date,
    last: date,
) -> OutcomeFigure:
    variants = [
        VariantOutcome(
            variant=counts.variant,
            window=_estimate(inside, hits, "first_settled", give, source),
            history=_estimate(counts, hits, "first_settled", give, source),
            window_days=inside.ends,
            history_days=counts.ends,
        )
        for counts, inside in ((counts, counts.since(first, last)) for counts in settled)
    ]
    whole = max(settled, key=lambda counts: len(counts.days))
    of_base = _estimate(whole, base, "base_n", give, source) if base else None
    ends = [
        end
        for each in (*(e for v in variants for e in (v.window, v.history)), of_base, said)
        if each and each.value is not None
        for end in (each.value, each.low, each.high)
        if end is not None
    ]
    return OutcomeFigure(
        name=name,
        meaning=meaning,
        signed=give is evidence.mean_estimate,
        variants=variants,
        base=of_base,
        baseline=said,
        low=min([0.0, *ends]),
        high=max([0.01, *ends]),
    )


def _estimate(counts: _Counts, hits: str, whole: str, give: Give, source: str) -> Estimate:
    return give(
        intervals.ratio(counts.columns[hits], counts.columns[whole]),
        source=source,
        as_of=counts.days[-1] if counts.days else None,
    )


def _claimed_rate(hits: int, claim: Baseline) -> Estimate:
    """Return a claimed rate with the interval that its n alone would allow."""
    low, high = intervals.wilson(hits, claim.picks)
    stated = evidence.claimed(
        value=hits / claim.picks, n=claim.picks, reason=f"{hits} of {claim.picks} picks, as stated"
    )
    return replace(stated, low=low, high=high, method=ASSUMED)
