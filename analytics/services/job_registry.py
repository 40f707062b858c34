"""The kinds of jobs there are: what they do, how long they may take, whether they may be repeated.

Each app registers its own when it is loaded, so that nothing here knows of scores.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from analytics.errors import DomainError

LONGEST_S = 3600  # no kind may take longer; the broker's redelivery is set by it


class UnknownKind(DomainError):
    """No job of that kind is registered."""


class GoesOn(Exception):
    """The work has more to do than one attempt may take: it is queued again and goes on."""


class Report(Protocol):
    """How running work speaks: it says how far it is, and hears that it should end."""

    def now(self) -> datetime:
        """Return the present, aware."""

    def progress(self, current: int, total: int | None = None, message: str = "") -> None:
        """Say how far the work is; call it as often as you like.

        Raises:
            Stop: The work should end: cancelled, out of time, or its worker is ending.
        """


Work = Callable[[Mapping[str, Any], Report], Mapping[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of job.

    Attributes:
        name: As stored on jobs.
        title: For people.
        work: Does it: plain arguments in, a plain result out. Loads heavy modules itself.
        idempotent: May be repeated when its worker was killed.
        limit_s: Seconds it may take.
        max_attempts: Starts in all, if idempotent.
    """

    name: str
    title: str
    work: Work
    idempotent: bool = True
    limit_s: int = 1800
    max_attempts: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.limit_s <= LONGEST_S:
            raise ValueError(f"{self.name} may take 1 to {LONGEST_S} s, not {self.limit_s}")


_KINDS: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Make kinds known. The same name again replaces the kind."""
    _KINDS.update({kind.name: kind for kind in kinds})


def get_kind(name: str) -> Kind:
    """Return the kind called ``name``.

    Raises:
        UnknownKind: There is none.
    """
    if name not in _KINDS:
        raise UnknownKind(f"there is no kind of job called {name!r}")
    return _KINDS[name]


def get_kinds() -> list[Kind]:
    """Return every kind, by name."""
    return [_KINDS[name] for name in sorted(_KINDS)]


def title_of(name: str) -> str:
    """Return a kind's title; its name if it is no longer known."""
    return _KINDS[name].title if name in _KINDS else name
