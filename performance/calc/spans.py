"""The days that a page looks at. They end at the newest session there is, not at today."""

from dataclasses import dataclass
from datetime import date, timedelta

DAYS = (7, 30, 90)  # calendar days offered on every page
DEFAULT_DAYS = 90
EARLIEST = date(1995, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Span:
    """What was asked for: a number of days, a first and last day, or everything.

    Attributes:
        days: Calendar days up to the newest session; None with ``first`` and ``last``, or all.
        first, last: Days of a custom range, both included; None leaves that end open.
    """

    days: int | None = None
    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.days is not None and (self.days < 1 or self.first or self.last):
            raise ValueError("a span is a number of days, or a first and last day, not both")
        if self.first and self.last and self.last < self.first:
            raise ValueError(f"{self.last} lies before {self.first}")

    @property
    def key(self) -> str:
        """How the address says it: "90", "all" or "custom"."""
        if self.days is not None:
            return str(self.days)
        return "custom" if self.first or self.last else "all"

    @property
    def query(self) -> str:
        """The part of an address that says it."""
        if self.key != "custom":
            return f"range={self.key}"
        ends = (("from", self.first), ("to", self.last))
        return "&".join(f"{name}={day}" for name, day in ends if day)

    @property
    def title(self) -> str:
        """How a heading says it."""
        if self.days is not None:
            return f"last {self.days} days"
        if self.first and self.last and self.first == self.last:
            return f"{self.first}"
        if self.first or self.last:
            return f"{self.first or 'start'} to {self.last or 'now'}"
        return "all history"

    def days_of(self, newest: date) -> tuple[date, date]:
        """Return first and last day, both included, where ``newest`` is the newest session."""
        if self.days is not None:
            return newest - timedelta(days=self.days - 1), newest
        return self.first or EARLIEST, self.last or newest


WHOLE = Span()
DEFAULT = Span(days=DEFAULT_DAYS)
