"""Keep what was computed from settled theses until one of them changes (design §9, §19)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache as once
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeVar

from django.core.cache import cache
from django.db.models import Count, Max, Min, Q

from analytics.services import lakes
from analytics.services.revisions import get_code_revision
from performance.models import ThesisAccuracy
from performance.models.accuracy import SETTLED

KEPT_S: Final = 7 * 24 * 3600
FEWEST: Final = 100  # settled theses below which computing takes no longer than looking
SOURCES: Final = Path(__file__).resolve().parent.parent

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """The state of the accuracy rows of a realm: equal stamps, equal figures.

    Attributes:
        rows: Settled or not.
        settled: Those that scores count.
        oldest, newest: Ends of their horizons; None without one.
        last: Highest id of a row.
        updated_at: When one was last changed.
    """

    source: str
    rows: int
    settled: int
    oldest: date | None
    newest: date | None
    last: int | None
    updated_at: datetime | None

    def kept(self, name: str, make: Callable[[], Found]) -> Found:
        """Return what was kept under a name, else make and keep it.

        Args:
            name: What it is, with everything it depends on beside the rows.
            make: Computes it; the result must be picklable and is not changed by anybody.
        """
        if self.settled < FEWEST:
            return make()
        key = self._key(name)
        found: Found | None = cache.get(key)
        if found is None:
            found = make()
            cache.set(key, found, KEPT_S)
        return found

    def _key(self, name: str) -> str:
        digest = blake2b(f"{self!r} {name} {_revision()}".encode(), digest_size=16)
        return f"thesis-accuracy:{digest.hexdigest()}"


def get_stamp(*, source: str) -> Stamp:
    """Return the state of the accuracy rows: one query.

    Raises:
        lakes.NoLake: ``source`` has no market data.
    """
    rows = ThesisAccuracy.objects.filter(source__in=lakes.sources_beside(source))
    counts = Q(settlement__in=SETTLED)
    found = rows.aggregate(
        rows=Count("pk"),
        settled=Count("pk", filter=counts),
        oldest=Min("settled_session", filter=counts),
        newest=Max("settled_session", filter=counts),
        last=Max("pk"),
        updated_at=Max("updated_at"),
    )
    return Stamp(source=source, **found)


@once
def _revision() -> str:
    """Return a digest of the sources that figures come from: another release keeps its own."""
    digest = blake2b(get_code_revision().encode(), digest_size=8)
    for path in sorted(SOURCES.glob("*/accuracy*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
