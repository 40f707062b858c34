"""What a measurement means for the health of a component (design §15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

FRESH_SESSIONS = 1  # the next session's bars come in the evening, some time after its close


class Status(StrEnum):
    """UNKNOWN is what could not be measured: never counted as healthy."""

    HEALTHY = "HEALTHY"
    UNKNOWN = "UNKNOWN"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


WORSE = tuple(Status)  # from the best to the worst
POINTS = {Status.HEALTHY: 100.0, Status.WARNING: 60.0, Status.CRITICAL: 0.0}  # design §15
CAP = 60.0  # of the score while anything is critical


@dataclass(frozen=True, kw_only=True)
class Component:
    """One measured component.

    Attributes:
        reason: One sentence for people; "" where all is well.
        figures: What was measured; None where it could not be.
    """

    name: str
    status: Status
    reason: str = ""
    figures: Mapping[str, str | float | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Health:
    """Components and, as a whole, the worst of them."""

    measured_at: datetime
    components: tuple[Component, ...]
    source: str = ""

    @property
    def status(self) -> Status:
        return worst([component.status for component in self.components])


def worst(statuses: Sequence[Status]) -> Status:
    """Return the worst of ``statuses``; UNKNOWN if there is none."""
    return max(statuses, key=WORSE.index, default=Status.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Score:
    """How healthy the whole is.

    Attributes:
        value: 0 to 100; None where nothing could be measured.
        known, unknown: Components that count, and that could not be measured.
        capped: Whether something critical holds it down.
    """

    value: float | None
    known: int
    unknown: int
    capped: bool = False


def score(components: Sequence[Component], weights: Mapping[str, float]) -> Score:
    """Return the weighted mean over the components that could be measured (design §15).

    Args:
        components: Measured at one time.
        weights: By the component's name; 1 where there is none.
    """
    known = [part for part in components if part.status in POINTS]
    unknown = len(components) - len(known)
    total = sum(weights.get(part.name, 1.0) for part in known)
    if not total:
        return Score(value=None, known=0, unknown=unknown)
    points = sum(weights.get(part.name, 1.0) * POINTS[part.status] for part in known)
    critical = any(part.status == Status.CRITICAL for part in known)
    value = points / total
    value = min(value, CAP) if critical else value
    return Score(value=value, known=len(known), unknown=unknown, capped=critical)


def of_age(age: int | None) -> Status:
    """Return the status of data that is ``age`` sessions old; None: there is no data."""
    if age is None:
        return Status.UNKNOWN
    return Status.HEALTHY if age <= FRESH_SESSIONS else Status.WARNING
