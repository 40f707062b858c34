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


def of_age(age: int | None) -> Status:
    """Return the status of data that is ``age`` sessions old; None: there is no data."""
    if age is None:
        return Status.UNKNOWN
    return Status.HEALTHY if age <= FRESH_SESSIONS else Status.WARNING
