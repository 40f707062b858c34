"""Every headline figure computed once more, plainly, and held against what is stored (design §15).

On purpose nothing here shares code with what it checks: rows are read one by one, sums are loops.
Where the two differ, one of them is wrong, and nobody should trust the figure until it is known
which: that is an incident.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isclose
from statistics import median
from typing import Any, Final

from django.db.models import Count, Max, Q, Sum

from analytics.calc.health import Component, Status
from analytics.models import DiscoveryBatch
from analytics.services import lakes
from performance.models import (
    EXTERNAL,
    Account,
    BatchAnalysis,
    CandidateTracking,
    CashMovement,
    DashboardSummary,
    EquityDay,
    HealthMetric,
    PerformanceMetric,
    ThesisAccuracy,
    Trade,
    Weighting,
)
from performance.services import probes

NAME: Final = "self-check"
DAYS: Final = 90  # the headline window
CLOSE: Final = 1e-9
FEWEST: Final = 5  # trades under which no figure is given
POINTS: Final = {"HEALTHY": 100.0, "WARNING": 60.0, "CRITICAL": 0.0}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One figure, as stored and as computed here; None: insufficient data.

    ``tolerance`` is what rounding may come to; nine digits are always asked for.
    """

    name: str
    stored: float | None
    plain: float | None
    tolerance: float = CLOSE

    @property
    def agrees(self) -> bool:
        """Whether both are the same, or both are not known."""
        if self.stored is None or self.plain is None:
            return self.stored is self.plain
        return isclose(self.stored, self.plain, rel_tol=CLOSE, abs_tol=self.tolerance)


def get_checks(*, source: str) -> list[Check]:
    """Compute every headline figure of the newest summary once more."""
    beside = Q(source__in=lakes.sources_beside(source))
    summary = DashboardSummary.objects.filter(beside, period_days=DAYS).order_by("-session").first()
    found = [*_batches(beside), *_cash(beside), *_health()]
    if summary is not None:
        last, first = summary.session, summary.session - timedelta(days=DAYS - 1)
        found += [
            *_trades(beside, first, last),
            *_recovery(summary),
            *_discovery(beside, summary),
            *_theses(beside, summary),
        ]
    return found


def check(*, source: str) -> Component:
    """Return the outcome as a component of the system."""
    checks = get_checks(source=source)
    wrong = [each for each in checks if not each.agrees]
    figures: dict[str, str | float | None] = {"figures": len(checks), "differences": len(wrong)}
    if not checks:
        said = "There is no figure to be checked yet."
        return Component(name=NAME, status=Status.UNKNOWN, reason=said, figures=figures)
    if wrong:
        said = "; ".join(
            f"{each.name}: stored {each.stored}, computed {each.plain}" for each in wrong[:3]
        )
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return Component(
            name=NAME, status=Status.CRITICAL, reason=f"{said}{more}"[:300], figures=figures
        )
    return Component(name=NAME, status=Status.HEALTHY, figures=figures)


def record(*, source: str, now: datetime) -> Component:
    """Check, store the outcome, open or close the incident; return it."""
    from performance.services import incidents

    found = check(source=source)
    HealthMetric.objects.get_or_create(
        component=NAME,
        name=probes.PROBE,
        measured_at=now,
        defaults={
            "value": found.figures["figures"],
            "unit": "figures",
            "status": found.status,
            "reason": found.reason,
            "figures": dict(found.figures),
            "source": source,
        },
    )
    incidents.follow(components=[found], recommendations={NAME: RECOMMENDATION}, now=now)
    return found


RECOMMENDATION: Final = "Do not trust the figure that is named; compare its rows with it."


def _trades(beside: Q, first: date, last: date) -> Iterator[Check]:
    """Returns of the trades open at any time in the window, one by one."""
    returns: list[float] = []
    trades = Trade.objects.filter(beside, account__is_active=True, opened_session__lte=last)
    for trade in trades:
        gone = trade.closed_session is not None and trade.closed_session < first
        if gone or not trade.invested:
            continue
        if trade.status == "open" and trade.unrealised is None:
            continue
        result = trade.realised + (trade.unrealised or Decimal(0))
        returns.append(float(result / trade.invested))
    stored = _stored(beside, last)
    told = len(returns) >= FEWEST
    wins = [value for value in returns if value > CLOSE]
    losses = [value for value in returns if value < -CLOSE]
    plain: dict[str, Callable[[], float | None]] = {
        "win_rate": lambda: len(wins) / len(returns),
        "average_return": lambda: sum(returns) / len(returns),
        "median_return": lambda: median(returns),
        "explosive_growth_rate": lambda: sum(value > 0.5 for value in returns) / len(returns),
        "profit_factor": lambda: sum(wins) / -sum(losses) if losses and wins else None,
    }
    for name, compute in plain.items():
        yield Check(name=name, stored=stored.get(name), plain=compute() if told else None)


def _stored(beside: Q, last: date) -> dict[str, float | None]:
    rows = PerformanceMetric.objects.filter(
        beside,
        account__isnull=True,
        window_days=DAYS,
        weighting=Weighting.EQUAL,
        as_of=last,
    )
    return dict(rows.values_list("name", "value"))


def _recovery(summary: DashboardSummary) -> Iterator[Check]:
    """Progress by the formula of design §12, from the figures that stand beside it."""
    told = summary.figures.get("recovery", {})
    current = {name: row["value"] for name, row in (told.get("current") or {}).items()}
    if None in current.values() or len(current) < 3:
        yield Check(name="recovery", stored=summary.recovery_progress, plain=None)
        return
    share = 0.0
    for name, weight, floor, goal in (
        ("average_return", 0.5, -1.0, 1.52),
        ("win_rate", 0.2, 0.0, 11 / 15),
        ("explosive_growth_rate", 0.3, 0.0, 7 / 15),
    ):
        share += weight * min(1.0, max(0.0, (current[name] - floor) / (goal - floor)))
    yield Check(name="recovery", stored=summary.recovery_progress, plain=share)


def _discovery(beside: Q, summary: DashboardSummary) -> Iterator[Check]:
    """Explosive rate of first signals, counted from the tracked candidates."""
    first = summary.session - timedelta(days=DAYS - 1)
    for variant, told in (summary.figures.get("discovery") or {}).items():
        stored = told["explosive"]
        if stored["value"] is None:
            continue
        complete = BatchAnalysis.objects.filter(
            is_complete=True, batch__session__range=(first, summary.session)
        ).values("batch")
        rows = (
            CandidateTracking.objects.current()
            .known()
            .first_signals()
            .filter(beside, candidate__batch__in=complete, candidate__batch__variant__name=variant)
        )
        counts = rows.aggregate(n=Count("pk"), hits=Count("pk", filter=Q(explosive=True)))
        plain = counts["hits"] / counts["n"] if counts["n"] else None
        yield Check(name=f"explosive rate of {variant}", stored=stored["value"], plain=plain)
        yield Check(name=f"n of {variant}", stored=stored["n"], plain=counts["n"])


def _theses(beside: Q, summary: DashboardSummary) -> Iterator[Check]:
    """Share of the settled calls that were right."""
    if summary.thesis_accuracy is None:
        return
    settled = ThesisAccuracy.objects.settled().filter(
        beside,
        counts_as_skill=True,
        settled_session__range=(summary.session - timedelta(days=DAYS), summary.session),
    )
    right = sum(bool(row) for row in settled.values_list("direction_right", flat=True))
    n = settled.count()
    plain = right / n if n else None
    yield Check(name="thesis accuracy", stored=summary.thesis_accuracy, plain=plain)


def _batches(beside: Q) -> Iterator[Check]:
    """Candidates of the newest session, counted."""
    batches = DiscoveryBatch.objects.current().filter(beside)
    newest = batches.aggregate(last=Max("session"))["last"]
    for batch in batches.filter(session=newest).select_related("variant"):
        yield Check(
            name=f"candidates of {batch.variant} on {batch.session}",
            stored=batch.candidate_count,
            plain=batch.candidates.count(),
        )


def _cash(beside: Q) -> Iterator[Check]:
    """Equity of the newest day from its two parts, and what came from outside from its rows."""
    for account in Account.objects.filter(beside, is_active=True):
        days = EquityDay.objects.filter(account=account)
        newest = days.order_by("-session").first()
        if newest is None:
            continue
        yield Check(
            name=f"equity of {account}",
            stored=float(newest.equity),
            plain=float(newest.cash + newest.holdings),
        )
        held: Any = sum(
            (row.market_value or Decimal(0) for row in account.positions.all()), Decimal(0)
        )
        yield Check(name=f"holdings of {account}", stored=float(newest.holdings), plain=float(held))
        yield from _from_trades(account, newest)


def _from_trades(account: Account, newest: EquityDay) -> Iterator[Check]:
    """What came from outside, what trades made and what was paid on top are the equity."""
    trades = list(Trade.objects.filter(account=account))
    if any(trade.status == "open" and trade.unrealised is None for trade in trades):
        return
    made = sum((trade.realised + (trade.unrealised or Decimal(0)) for trade in trades), Decimal(0))
    paid = CashMovement.objects.filter(account=account).exclude(kind__in=EXTERNAL)
    other = paid.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    flows = EquityDay.objects.filter(account=account).aggregate(sum=Sum("flow"))["sum"]
    yield Check(
        name=f"equity of {account} from its trades",
        stored=float(newest.equity),
        plain=float((flows or Decimal(0)) + made + other),
        tolerance=0.01 * (len(trades) + 1),
    )


def _health() -> Iterator[Check]:
    """The score, from the components of the newest round."""
    newest = HealthMetric.objects.filter(component=probes.OVERALL).order_by("-measured_at").first()
    if newest is None or newest.value is None:
        return
    total = points = 0.0
    critical = False
    for row in HealthMetric.objects.filter(measured_at=newest.measured_at, name=probes.PROBE):
        if row.status in POINTS and row.component in probes.WEIGHTS:
            weight = probes.WEIGHTS[row.component]
            total += weight
            points += weight * POINTS[row.status]
            critical = critical or row.status == "CRITICAL"
    plain = points / total if total else None
    if plain is not None and critical:
        plain = min(plain, 60.0)
    yield Check(name="health score", stored=newest.value, plain=plain)
