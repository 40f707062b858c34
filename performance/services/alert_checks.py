"""What crosses a limit after a night: the mission's thresholds, risk, patterns (§12).

Everything is read from stored rows. A figure without sufficient data crosses nothing, and resolves
nothing either.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Max, Q

from analytics.models import (
    AlertKind,
    AlertSeverity,
    Candidate,
    DiscoveryBatch,
)
from analytics.services import alerts, lakes
from analytics.services.alerts import Crossing, Observed
from performance.calc.recovery import (
    CRITICAL_RETURN,
    CRITICAL_WIN_RATE,
    WARNING_ACCURACY,
    WARNING_QUALITY,
)
from performance.models import (
    DashboardSummary,
    PerformanceMetric,
    Position,
    PositionAdvice,
    RiskAdvice,
    RuleBreach,
    Weighting,
)
from performance.services.metrics import HEADLINE

RECENT: Final = timedelta(days=7)  # of what happened once: older is history, not news
NEW_TRADE: Final = timedelta(days=30)
LEVELS: Final = (
    # kind, name of the metric, limit, what it is called
    (AlertKind.WIN_RATE, "win_rate", CRITICAL_WIN_RATE, "Win rate"),
    (AlertKind.AVERAGE_RETURN, "average_return", CRITICAL_RETURN, "Average return"),
)


def check(*, source: str, now: datetime) -> Observed:
    """Raise what crossed, resolve what came back; safe to repeat."""
    beside = Q(source__in=lakes.sources_beside(source))
    known, low = _thresholds(beside)
    kinds = [*known, AlertKind.CRITICAL_LOSS]
    crossings = [*low, *_losses(beside)]
    observed = alerts.observe(kinds=kinds, crossings=crossings, source=source, now=now)
    breaches = _breaches(beside, now)
    once = alerts.raise_new(crossings=breaches, source=source, now=now)
    patterns, session = _patterns(source)
    if session is not None:
        for provisional in (False, True):
            alerts.end_sessions(
                kinds=(AlertKind.VOLUME, AlertKind.VIGL_PATTERN),
                before=session,
                source=source,
                now=now,
                provisional=provisional,
            )
    raised = alerts.raise_new(crossings=patterns, source=source, now=now)
    return Observed(
        raised=observed.raised + once + raised,
        escalated=observed.escalated,
        resolved=observed.resolved,
    )


def _thresholds(beside: Q) -> tuple[list[str], list[Crossing]]:
    """Return the kinds whose figures are known, and those below their limits."""
    names = [name for _kind, name, _limit, _said in LEVELS]
    rows = PerformanceMetric.objects.filter(
        beside,
        account__isnull=True,
        name__in=names,
        window_days=HEADLINE,
        weighting=Weighting.EQUAL,
    )
    newest = rows.aggregate(last=Max("as_of"))["last"]
    values = dict(rows.filter(as_of=newest, value__isnull=False).values_list("name", "value"))
    summary = (
        DashboardSummary.objects.filter(beside, period_days=HEADLINE).order_by("-session").first()
    )
    measured: list[tuple[str, float | None, float, str, bool]] = [
        (kind, values.get(name), limit, said, True) for kind, name, limit, said in LEVELS
    ]
    if summary is not None:
        quality, accuracy = summary.discovery_quality, summary.thesis_accuracy
        measured += [
            (AlertKind.DISCOVERY_QUALITY, quality, WARNING_QUALITY, "Discovery quality", False),
            (AlertKind.THESIS_ACCURACY, accuracy, WARNING_ACCURACY, "Thesis accuracy", True),
        ]
    known = [kind for kind, value, *_rest in measured if value is not None]
    return known, [
        _low(kind, value, limit, said, share=share)
        for kind, value, limit, said, share in measured
        if value is not None and value < limit
    ]


def _low(kind: str, value: float, limit: float, said: str, *, share: bool) -> Crossing:
    def shown(figure: float) -> str:
        return f"{figure * 100:.1f} %" if share else f"{figure:.1f}"

    critical = kind in {AlertKind.WIN_RATE, AlertKind.AVERAGE_RETURN}
    return Crossing(
        kind=kind,
        severity=AlertSeverity.CRITICAL if critical else AlertSeverity.WARNING,
        message=f"{said} of {HEADLINE} days is {shown(value)}, below {shown(limit)}.",
        value=value,
        limit=limit,
    )


def _losses(beside: Q) -> list[Crossing]:
    """Return the open positions whose newest advice is to liquidate."""
    newest = PositionAdvice.objects.filter(beside).aggregate(last=Max("session"))["last"]
    held = set(Position.objects.filter(beside).values_list("account_id", "symbol"))
    advices = PositionAdvice.objects.filter(
        beside, session=newest, advice=RiskAdvice.LIQUIDATE
    ).select_related("account")
    return [
        Crossing(
            kind=AlertKind.CRITICAL_LOSS,
            severity=AlertSeverity.CRITICAL,
            symbol=advice.symbol,
            subject=str(advice.account),
            message=f"{advice.symbol} in {advice.account}: {advice.advice}: {advice.reason}",
        )
        for advice in advices
        if (advice.account_id, advice.symbol) in held
    ]


def _breaches(beside: Q, now: datetime) -> list[Crossing]:
    """Return the rules broken lately by trades opened lately; each is told once.

    A ledger that is imported whole breaks the rules of years at once: that is history, not news.
    """
    lately = {"found_at__gte": now - RECENT, "opened_at__gte": now - NEW_TRADE}
    broken = RuleBreach.objects.filter(beside, **lately)
    return [
        Crossing(
            kind=AlertKind.RISK_BREACH,
            severity=AlertSeverity.WARNING,
            symbol=breach.symbol,
            subject=f"{breach.account} {breach.rule}"[:80],
            session=breach.session,
            message=f"{breach.symbol} in {breach.account}: {breach.text}",
            value=breach.measured,
            limit=breach.allowed,
        )
        for breach in broken.select_related("account").order_by("pk")
    ]


def _patterns(source: str) -> tuple[Sequence[Crossing], date | None]:
    """Return the pattern alerts of the newest session that was scanned, and that session."""
    batches = DiscoveryBatch.objects.current().of(source)
    session = batches.aggregate(last=Max("session"))["last"]
    if session is None:
        return [], None
    marked = Candidate.objects.filter(
        Q(volume_alert=True) | Q(vigl_pattern=True), batch__in=batches.filter(session=session)
    )
    found: dict[tuple[str, str], Crossing] = {}
    for candidate in marked.order_by("symbol", "pk"):
        kind = AlertKind.VIGL_PATTERN if candidate.vigl_pattern else AlertKind.VOLUME
        vigl = kind is AlertKind.VIGL_PATTERN
        found.setdefault(
            (kind, candidate.symbol),
            Crossing(
                kind=kind,
                severity=AlertSeverity.WARNING if vigl else AlertSeverity.INFO,
                symbol=candidate.symbol,
                session=session,
                message=(
                    f"{candidate.symbol} closed at {candidate.close:.2f} on {session} "
                    f"with {candidate.rel_volume:.1f}x its usual volume."
                ),
                value=candidate.rel_volume,
                limit=20.9 if vigl else 15.0,
            ),
        )
    return list(found.values()), session
