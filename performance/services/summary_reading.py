"""Read the newest summary of a period: what every screen and endpoint of the scores shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from analytics.calc import sessions
from performance.models import DashboardSummary


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A summary as it was last written.

    Attributes:
        session: That it tells; None if nothing was written yet.
        created_at: When it was written.
        age: Sessions that have ended since; None if nothing was written yet.
        figures: Documents by section.
    """

    source: str
    period_days: int
    session: date | None
    created_at: datetime | None
    age: int | None
    figures: Mapping[str, Any]

    def section(self, name: str) -> dict[str, Any]:
        """Return one section; empty where it was not written."""
        return dict(self.figures.get(name) or {})

    @property
    def about(self) -> dict[str, Any]:
        """What stands beside everything that is read from it."""
        return {
            "as_of": self.session.isoformat() if self.session else None,
            "computed_at": self.created_at.isoformat() if self.created_at else None,
            "age_sessions": self.age,
        }


def get_summary(*, source: str, now: datetime, period_days: int) -> Summary:
    """Return the newest summary of a period that is not after ``now``: one query."""
    last = sessions.last_finished(now)
    row = (
        DashboardSummary.objects.filter(source=source, period_days=period_days, session__lte=last)
        .order_by("-session")
        .first()
    )
    return Summary(
        source=source,
        period_days=period_days,
        session=row.session if row else None,
        created_at=row.created_at if row else None,
        age=sessions.number(last) - sessions.number(row.session) if row else None,
        figures=row.figures if row else {},
    )
