"""Which patterns discovery saw, how like past winners, and what became of them (design §6-§8)."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Avg, Count, Max, Q

from analytics.models import Baseline
from performance.models import CandidateTracking

FLAGS = ("vigl_pattern", "volume_alert", "short_fuel")
SQUEEZE = "VIGL_SQUEEZE"


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """The candidates of one kind in a window.

    Attributes:
        name: A flag of design §7, ``VIGL_SQUEEZE``, or ``all``.
        candidates: All of them; ``settled`` with a known outcome, ``explosive`` of those.
        mean_similarity, best_similarity: To the reference that each is most like, 0 to 100;
            None without one.
    """

    name: str
    candidates: int
    settled: int
    explosive: int
    mean_similarity: float | None
    best_similarity: float | None


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """Patterns of one variant in a window."""

    variant: str
    patterns: list[Pattern]


def get_patterns(
    *, end: date, days_back: int, source: str, variant: str | None = None
) -> list[Patterns]:
    """Return the patterns of a window by variant: one query. Arguments as in the analysis."""
    rows = CandidateTracking.objects.current().of(source)
    rows = rows.signalled_between(end - timedelta(days=days_back), end)
    if variant:
        rows = rows.filter(candidate__batch__variant__name=variant)
    kinds = {
        "all": Q(pk__isnull=False),
        SQUEEZE: Q(candidate__pattern=SQUEEZE),
        **{flag: Q(**{f"candidate__{flag}": True}) for flag in FLAGS},
    }
    asked: dict[str, Any] = {}
    for name, kind in kinds.items():
        asked |= {
            f"{name}_n": Count("pk", filter=kind),
            f"{name}_settled": Count("pk", filter=kind & Q(explosive__isnull=False)),
            f"{name}_explosive": Count("pk", filter=kind & Q(explosive=True)),
            f"{name}_mean": Avg("candidate__similarity", filter=kind),
            f"{name}_best": Max("candidate__similarity", filter=kind),
        }
    by = ("candidate__batch__variant__name", "candidate__batch__variant__version")
    return [
        Patterns(
            variant=f"{row[by[0]]} v{row[by[1]]}",
            patterns=[
                Pattern(
                    name=name,
                    candidates=row[f"{name}_n"],
                    settled=row[f"{name}_settled"],
                    explosive=row[f"{name}_explosive"],
                    mean_similarity=row[f"{name}_mean"],
                    best_similarity=row[f"{name}_best"],
                )
                for name in kinds
            ],
        )
        for row in rows.values(*by).annotate(**asked).order_by(*by)
    ]


def get_target() -> float | None:
    """Return the claimed explosive growth rate, a fraction; None without a baseline."""
    row = Baseline.objects.order_by("pk").first()
    return row.explosive_rate if row else None
