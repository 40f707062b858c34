"""Probes of the work itself: data, discovery, outcomes, theses, portfolio (design §15)."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Q

from analytics.calc import closes, sessions
from analytics.calc.health import Component, Status
from analytics.models import (
    AuthorKind,
    DataSetState,
    DiscoveryBatch,
    HeldSession,
    RequestOutcome,
    Thesis,
    ThesisRequest,
)
from analytics.services import health as analytics_health
from analytics.services import lakes
from performance.models import (
    Account,
    CandidateTracking,
    Difference,
    EquityDay,
    LedgerFinding,
)

DAY: Final = timedelta(days=1)
REFUSED: Final = (DataSetState.State.UNAUTHORIZED, DataSetState.State.REFUSED)
HORIZON: Final = 15  # sessions after the signal: the entry, and 14 in which it is watched
OLD_PORTFOLIO: Final = 1  # sessions that its newest day may be behind the market
FAILING: Final = 0.5  # share of a day's requests to Claude that may fail


def get_market_data(now: datetime) -> Component:
    """Measure the newest bar's age, completeness against the calendar, what providers refuse."""
    try:
        days = lakes.lake_of(lakes.get_active_source()).sessions()
    except analytics_health.unreadable() as error:
        said = f"The lake cannot be read: {type(error).__name__}."
        return Component(name="market data", status=Status.CRITICAL, reason=said)
    found = analytics_health.get_market_data(days=days, now=now)
    recent = sessions.between(sessions.offset(days[-1], -59), days[-1]) if days else []
    missing = len(set(recent) - set(days))
    held = HeldSession.objects.standing().count()
    refused = DataSetState.objects.filter(state__in=REFUSED)
    names = sorted(state.get_data_set_display() for state in refused)
    troubles = [
        found.reason,
        f"{missing} of the last 60 sessions have no bars." if missing else "",
        f"{held} sessions are held back by a hard gate." if held else "",
        f"Refused by the provider: {', '.join(names)}." if names else "",
    ]
    said = " ".join(trouble for trouble in troubles if trouble)
    status = found.status
    if said and status in (Status.HEALTHY, Status.UNKNOWN):
        status = Status.WARNING
    share = round(1 - missing / len(recent), 4) if recent else None
    figures = {**found.figures, "complete_60": share, "held": held, "refused": len(names)}
    return Component(name="market data", status=status, reason=said, figures=figures)


def get_discovery(_now: datetime) -> Component:
    """Measure how many sessions with bars were not scanned."""
    source = lakes.get_active_source()
    return analytics_health.get_discovery(source=source, days=lakes.lake_of(source).sessions())


def get_outcomes(_now: datetime) -> Component:
    """Measure how many batches are overdue for settlement."""
    return get_settlement(source=lakes.get_active_source())


def get_settlement(*, source: str) -> Component:
    """Return how many batches are overdue: the market went on long enough to settle them.

    The market is taken to reach as far as the newest batch, which was scanned from its bars.
    """
    batches = DiscoveryBatch.objects.current().filter(source__in=lakes.sources_beside(source))
    newest: date | None = batches.aggregate(newest=Max("session"))["newest"]
    if newest is None:
        reason = "There is no batch whose outcome could be known."
        return Component(name="outcomes", status=Status.UNKNOWN, reason=reason)
    due = batches.filter(session__lte=sessions.offset(newest, -HORIZON))
    count = due.count()
    overdue = due.filter(Q(analysis__isnull=True) | Q(analysis__is_complete=False)).count()
    settled = CandidateTracking.objects.of(source).aggregate(last=Max("updated_at"))["last"]
    if overdue:
        status, reason = Status.WARNING, f"{overdue} batches could be settled and are not."
    elif count:
        status, reason = Status.HEALTHY, ""
    else:
        status, reason = Status.UNKNOWN, "No batch is old enough to be settled."
    return Component(
        name="outcomes",
        status=status,
        reason=reason,
        figures={
            "batches_due": count,
            "batches_overdue": overdue,
            "last_settled_at": settled.isoformat() if settled else None,
        },
    )


def get_thesis(now: datetime) -> Component:
    """Measure the newest thesis's age, and the share of a day's requests that came to nothing."""
    source = lakes.get_active_source()
    newest = Thesis.objects.filter(source__in=lakes.sources_beside(source)).aggregate(
        last=Max("issued_at")
    )["last"]
    asked = ThesisRequest.objects.filter(
        requested_at__gte=now - DAY, author_kind=AuthorKind.CLAUDE
    ).aggregate(n=Count("pk"), bad=Count("pk", filter=~Q(outcome__in=_GOOD)))
    figures: dict[str, Any] = {
        "newest": newest.isoformat() if newest else None,
        "requests_24h": asked["n"],
        "without_an_answer_24h": asked["bad"],
    }
    if newest is None:
        said = "No thesis was written yet."
        return Component(name="thesis", status=Status.UNKNOWN, reason=said, figures=figures)
    said = ""
    if asked["n"] and asked["bad"] / asked["n"] >= FAILING:
        said = f"{asked['bad']} of {asked['n']} requests of a day brought no thesis of Claude's."
    status = Status.WARNING if said else Status.HEALTHY
    return Component(name="thesis", status=status, reason=said, figures=figures)


def get_portfolio(now: datetime) -> Component:
    """Measure how old the newest day of equity is, and what does not agree with the broker."""
    source = lakes.get_active_source()
    mine = Q(source__in=lakes.sources_beside(source))
    accounts = Account.objects.filter(mine).count()
    if not accounts:
        said = "There is no account yet."
        return Component(name="portfolio", status=Status.UNKNOWN, reason=said)
    newest = EquityDay.objects.filter(mine).aggregate(last=Max("session"))["last"]
    open_ = Q(resolved_at__isnull=True) & mine
    differences = Difference.objects.filter(open_).count()
    findings = LedgerFinding.objects.filter(open_).count()
    age = None
    if newest is not None:
        age = max(0, sessions.number(closes.last_closed(now)) - sessions.number(newest))
    figures: dict[str, Any] = {
        "accounts": accounts,
        "newest": newest.isoformat() if newest else None,
        "age_sessions": age,
        "differences": differences,
        "findings": findings,
    }
    troubles = [
        "The equity was never computed." if age is None else "",
        f"The newest day is {age} sessions old." if age and age > OLD_PORTFOLIO else "",
        f"{differences} differences to the broker are open." if differences else "",
    ]
    said = " ".join(trouble for trouble in troubles if trouble)
    status = Status.WARNING if said else Status.HEALTHY
    return Component(name="portfolio", status=status, reason=said, figures=figures)


_GOOD: Final = (RequestOutcome.WAITING, RequestOutcome.WRITTEN, RequestOutcome.EXISTS)
