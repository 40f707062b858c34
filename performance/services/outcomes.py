"""Outcomes beside their candidates, for screens and programs. Reads only (design §8)."""

from datetime import date

from django.db.models import QuerySet

from analytics.services import lakes
from performance.models import CandidateTracking


def get_outcomes(
    *,
    source: str,
    session: date | None = None,
    first: date | None = None,
    last: date | None = None,
    variant: str = "",
    symbol: str = "",
    status: str = "",
    outcome: str = "",
    candidate: int | None = None,
    batch: int | None = None,
) -> QuerySet[CandidateTracking]:
    """Return outcomes of current batches, the newest signal first.

    Args:
        source: Rows of its realm: live and imported stand together, simulated alone.
        session: Only signals of this session.
        first: No signal before.
        last: No signal after.
        variant: Name of the variant.
        symbol: Only this ticker, in any case.
        status: Only this status.
        outcome: Only this outcome class.
        candidate: Only this candidate, also of a superseded batch.
        batch: Only this batch, also if it is superseded.
    """
    rows = CandidateTracking.objects.filter(source__in=lakes.sources_beside(source))
    if candidate is None and batch is None:
        rows = rows.current()
    wanted = {
        "candidate__batch__session": session,
        "candidate__batch__session__gte": first,
        "candidate__batch__session__lte": last,
        "candidate__batch__variant__name": variant or None,
        "candidate__symbol": symbol.strip().upper() or None,
        "status": status or None,
        "outcome": outcome or None,
        "candidate": candidate,
        "candidate__batch": batch,
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    return rows.select_related("candidate__batch__variant").order_by(
        "-candidate__batch__session", "candidate__batch__variant__name", "candidate__rank", "pk"
    )
