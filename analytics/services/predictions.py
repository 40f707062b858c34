"""What was said, for screens and programs: batches and candidates, filtered. Reads only."""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from analytics.calc.kernels import layout
from analytics.models import Candidate, DiscoveryBatch
from analytics.services import lakes

LISTED = "listed that session"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One gate of a funnel: symbols left after it, symbols it removed."""

    gate: str
    left: int
    removed: int


def get_funnel(*, batch: DiscoveryBatch) -> list[Step]:
    """Return the funnel with the names of its gates, the whole universe first (design §7)."""
    left = [batch.universe_size, *batch.funnel]
    return [
        Step(gate=gate, left=now, removed=before - now)
        for gate, before, now in zip((LISTED, *layout.GATES), [left[0], *left], left, strict=False)
    ]


def get_batches(
    *,
    source: str,
    session: date | None = None,
    first: date | None = None,
    last: date | None = None,
    variant: str = "",
    version: int | None = None,
    superseded: bool = False,
) -> QuerySet[DiscoveryBatch]:
    """Return batches, the newest session first.

    Args:
        source: Rows of its realm: live and imported stand together, simulated alone.
        session: Only this session.
        first: No session before.
        last: No session after.
        variant: Name of the variant; all of them if blank.
        version: Version of the variant.
        superseded: Also revisions that a later one replaced.
    """
    batches = DiscoveryBatch.objects.filter(source__in=lakes.sources_beside(source))
    if not superseded:
        batches = batches.current()
    batches = batches.filter(**_wanted("", session, first, last, variant, version))
    return batches.select_related("variant").order_by("-session", "variant__name", "-revision")


def get_candidates(
    *,
    source: str,
    session: date | None = None,
    first: date | None = None,
    last: date | None = None,
    variant: str = "",
    version: int | None = None,
    symbol: str = "",
    pattern: str = "",
    batch: int | None = None,
) -> QuerySet[Candidate]:
    """Return candidates of current batches, best first within the newest session.

    Args:
        source: See :func:`get_batches`, as the next five.
        session: Only this session.
        first: No session before.
        last: No session after.
        variant: Name of the variant.
        version: Version of the variant.
        symbol: Only this ticker, in any case.
        pattern: Only this pattern type.
        batch: Only this batch, also if it is superseded.
    """
    candidates = Candidate.objects.filter(batch__source__in=lakes.sources_beside(source))
    candidates = candidates.filter(batch=batch) if batch else candidates.current()
    if symbol:
        candidates = candidates.filter(symbol=symbol.strip().upper())
    if pattern:
        candidates = candidates.filter(pattern=pattern)
    candidates = candidates.filter(**_wanted("batch__", session, first, last, variant, version))
    return candidates.select_related("batch__variant").order_by(
        "-batch__session", "batch__variant__name", "rank", "pk"
    )


def _wanted(
    path: str,
    session: date | None,
    first: date | None,
    last: date | None,
    variant: str,
    version: int | None,
) -> dict[str, object]:
    """Return the filters that were asked for, below ``path``."""
    wanted = {
        "session": session,
        "session__gte": first,
        "session__lte": last,
        "variant__name": variant or None,
        "variant__version": version,
    }
    return {path + name: value for name, value in wanted.items() if value is not None}
