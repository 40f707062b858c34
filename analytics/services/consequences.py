"""What a correction changed: the predictions whose inputs it touched (design §3, §4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from analytics.calc import sessions
from analytics.models import Correction, DiscoveryBatch
from analytics.services import lakes

FOLLOWED = 31  # sessions after a signal that outcomes read: the entry and 30 from it (design §8)
REACH = 24  # sessions after D whose features still read D: the longest window is accumulation_5's


@dataclass(frozen=True, kw_only=True)
class Touched:
    """Batches whose inputs a correction touched.

    Attributes:
        first: First session whose features read the corrected row.
        last: Last such session.
        batches: Current batches of these sessions in which the symbol is a candidate.
        others: How many current batches of these sessions do not name it; with the
            corrected row they might.
        outcomes_from: First session whose outcomes read the row; the last is ``first``.
    """

    first: date
    last: date
    batches: Sequence[DiscoveryBatch]
    others: int
    outcomes_from: date


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The sessions whose features read a session, both ends included."""

    first: date
    last: date


def get_reach(*, session: date) -> Reach:
    """Return the sessions whose features read ``session``."""
    return Reach(first=session, last=sessions.offset(session, REACH))


def get_corrected(*, since: datetime, source: str) -> list[date]:
    """Return the sessions of bars and splits that were corrected from ``since`` on, ascending.

    Whoever corrected them: a later file, an import, a person.
    """
    rows = Correction.objects.filter(
        source__in=lakes.sources_beside(source), known_on__gte=since
    ).values_list("session", flat=True)
    return sorted(set(rows))


def get_outcome_stretches(*, days: Iterable[date]) -> list[tuple[date, date]]:
    """Return the stretches of sessions whose outcomes read one of ``days``, merged, ascending."""
    stretches: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        first = sessions.offset(day, -FOLLOWED)
        if stretches and first <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], day)
        else:
            stretches.append((first, day))
    return stretches


def get_touched(*, correction: Correction) -> Touched:
    """Return the batches whose features read the corrected bar or split."""
    first = correction.session
    last = sessions.offset(first, REACH)
    batches = (
        DiscoveryBatch.objects.current()
        .filter(source__in=lakes.sources_beside(correction.source), session__range=(first, last))
        .select_related("variant")
        .order_by("session", "variant__name", "variant__version")
    )
    naming = list(batches.filter(candidates__symbol=correction.symbol))
    others = batches.count() - len(naming)
    return Touched(
        first=first,
        last=last,
        batches=naming,
        others=others,
        outcomes_from=sessions.offset(first, -FOLLOWED),
    )
