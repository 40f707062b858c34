"""Keep the figures over all history of discovery, so that no request computes them (design §8).

What was stored counts only for the very analyses that it was pooled from: their number, last
session and newest change are asked for first. Otherwise it is as if nothing were stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Max, Min, Q

from analytics.services import bulk
from performance.calc import figure_json
from performance.calc.tracking import Figures
from performance.models import DiscoveryHistory

FORMULA = 1  # raised whenever the same analyses give other figures


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Which analyses of one variant its history is pooled from: the complete ones.

    Attributes:
        first, last: Their sessions; None without one.
        changed_at: Their newest change.
    """

    variant: str
    variant_id: int
    batches: int
    first: date | None
    last: date | None
    changed_at: datetime | None

    @property
    def sessions(self) -> tuple[date, date] | None:
        """The first and the last session; None without one."""
        return (self.first, self.last) if self.first and self.last else None


@dataclass(frozen=True, kw_only=True)
class History:
    """Figures as they were stored, and since when they have been the same."""

    figures: Figures
    computed_at: datetime


def get_marks(rows: Any) -> list[Mark]:
    """Return the mark of each variant that has analyses, by name: one query.

    Args:
        rows: Analyses of one source, complete or not.
    """
    of = "batch__variant__name", "batch__variant__version", "batch__variant_id"
    complete = Q(is_complete=True)
    found = rows.values_list(*of).annotate(
        batches=Count("batch", filter=complete),
        first=Min("batch__session", filter=complete),
        last=Max("batch__session", filter=complete),
        changed=Max("updated_at", filter=complete),
    )
    marks = [
        Mark(
            variant=f"{name} v{version}", variant_id=pk, batches=batches, first=first, last=last,
            changed_at=changed,
        )
        for name, version, pk, batches, first, last, changed in found.order_by()
    ]  # fmt: skip
    return sorted(marks, key=lambda mark: (mark.variant, mark.variant_id))


def get_histories(marks: Sequence[Mark], *, source: str) -> dict[int, History]:
    """Return by variant what is stored for exactly these analyses: one query."""
    wanted = {mark.variant_id: mark for mark in marks}
    rows = DiscoveryHistory.objects.filter(variant__in=wanted, source=source, formula=FORMULA)
    return {
        row.variant_id: History(
            figures=figure_json.from_tree(Figures, row.figures), computed_at=row.computed_at
        )
        for row in rows
        if _fits(row, wanted[row.variant_id])
    }


def store_histories(figures: Sequence[tuple[Mark, Figures]], *, source: str, now: datetime) -> int:
    """Store the figures of each variant; return how many rows are new or changed."""
    kept = [(mark, own) for mark, own in figures if mark.sessions]
    columns: Mapping[str, list[Any]] = {
        "variant_id": [mark.variant_id for mark, _ in kept],
        "first_session": [mark.first for mark, _ in kept],
        "last_session": [mark.last for mark, _ in kept],
        "batches": [mark.batches for mark, _ in kept],
        "changed_at": [mark.changed_at for mark, _ in kept],
        "formula": [FORMULA] * len(kept),
        "figures": [figure_json.to_tree(own) for _, own in kept],
        "computed_at": [now] * len(kept),
        "source": [source] * len(kept),
    }
    return bulk.upsert(DiscoveryHistory, columns, key=["variant", "source"], stamps=["computed_at"])


def _fits(row: DiscoveryHistory, mark: Mark) -> bool:
    stored = (row.batches, row.first_session, row.last_session, row.changed_at)
    return stored == (mark.batches, mark.first, mark.last, mark.changed_at)
