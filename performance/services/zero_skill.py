"""The progress that needs no skill: random stocks held 14 sessions, and idle cash (design §12)."""

from datetime import date, datetime
from typing import Any

from analytics.calc import sessions
from analytics.models import Baseline, Security
from analytics.services import lakes, market_data
from performance.calc import random_holding
from performance.models import DashboardSummary
from performance.services import recovery

SESSIONS = 60  # on which stocks are drawn
REUSED_DAYS = 28  # for which a measurement stands: one costs a second of reading bars
KINDS = ("common",)

Document = dict[str, Any]


def get_zero_skill(*, source: str, now: datetime, baseline: Baseline | None) -> Document | None:
    """Return the progress of random stocks and of idle cash; None without a baseline.

    Measured on the newest sessions whose 14 sessions after are known; a measurement of another
    summary is taken over for four weeks.
    """
    if baseline is None:
        return None
    last = sessions.last_finished(now)
    cash = recovery.idle_cash(baseline)
    known = _stored(source, last)
    random = known or measure(source=source, last=last)
    if random is None:
        reason = "no stock-day with 14 known sessions after it"
        return {"idle_cash": cash, "random": None, "reason": reason}
    values = {name: float(random[name]) for name in recovery.PARTS}
    return {"idle_cash": cash, "random": recovery.progress_of(values, baseline), "measured": random}


def _stored(source: str, last: date) -> Document | None:
    """Return the measurement of the newest summary, if it is young enough."""
    row = (
        DashboardSummary.objects.filter(source=source, session__lte=last)
        .order_by("-session", "-pk")
        .values_list("figures__recovery__zero_skill__measured", flat=True)
        .first()
    )
    if not isinstance(row, dict):
        return None
    age = (last - date.fromisoformat(row["last"])).days
    return row if 0 <= age <= REUSED_DAYS + random_holding.HOLD * 2 else None


def measure(*, source: str, last: date) -> Document | None:
    """Measure what every stock-day of the base universe brought; None without one."""
    days = [day for day in lakes.lake_of(source).sessions() if day <= last]
    if len(days) <= random_holding.HOLD:
        return None
    first = days[max(0, len(days) - SESSIONS - random_holding.HOLD - random_holding.MEAN)]
    common = Security.objects.filter(
        source__in=lakes.sources_beside(source), kind__in=KINDS, last_session__gte=first
    )
    symbols = sorted(set(common.values_list("symbol", flat=True)))
    bars = market_data.get_bars(source=source, first=first, last=last, symbols=symbols)
    splits = market_data.get_splits(source=source, first=first, last=last, symbols=symbols)
    return random_holding.summarise(bars, splits, sessions_kept=SESSIONS)
