"""What a report by mail says, read from stored rows; nothing is computed anew (design §18)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import F, Max, Q, QuerySet, Sum
from django.urls import reverse

from analytics.calc import closes, sessions
from analytics.models import Alert, AlertSeverity, Candidate, DiscoveryBatch, Thesis
from analytics.services import lakes, thesis_chain
from performance.models import (
    CandidateTracking,
    Edition,
    EquityDay,
    HealthMetric,
    Incident,
    OrderProposal,
    OutcomeStatus,
    Position,
    PositionAdvice,
    ProposalState,
    RiskAdvice,
    RuleBreach,
)
from performance.services import summary_reading
from performance.services.metrics import HEADLINE
from performance.services.probes import OVERALL
from performance.services.system_health import STALE

Document = dict[str, Any]

HORIZON: Final = 15  # sessions after a signal until its outcome is known
TOP: Final = 5  # candidates
TOLD: Final = 8  # outcomes
MOST_BREACHES: Final = 5
MOST_ALERTS: Final = 10
SPAN: Final = {Edition.WEEKLY: 5, Edition.MONTHLY: 21}  # sessions; others tell one
CURVE: Final = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Window:
    """The sessions that an edition tells."""

    first: date
    last: date


def window(*, edition: str, now: datetime) -> Window:
    """Return the sessions up to the newest that has closed."""
    last = closes.last_closed(now)
    return Window(first=sessions.offset(last, 1 - SPAN.get(Edition(edition), 1)), last=last)


def read(*, edition: str, source: str, now: datetime) -> Document:
    """Return everything that a report says, as JSON holds it."""
    span = window(edition=edition, now=now)
    mine = Q(source__in=lakes.sources_beside(source))
    summary = summary_reading.get_summary(source=source, now=now, period_days=HEADLINE)
    return {
        "edition": edition,
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
        "source": source,
        "made_at": now.isoformat(),
        "data_as_of": _newest(mine),
        "candidates": _candidates(mine, span),
        "happened": _happened(mine, span),
        "profit": _profit(mine, span),
        "equity": _equity(mine, span),
        "alerts": _alerts(mine),
        "breaches": _breaches(mine, span),
        "advice": _advice(mine),
        "proposals": _proposals(mine),
        "incidents": _incidents(),
        "health": _health(now),
        "recovery": summary.section("recovery"),
        "summary": summary.about,
        "chain": _chain(),
    }


def _newest(mine: Q) -> str | None:
    newest = DiscoveryBatch.objects.current().filter(mine).aggregate(last=Max("session"))["last"]
    return newest.isoformat() if newest else None


def _candidates(mine: Q, span: Window) -> list[Document]:
    """Return the best of the newest session of each active variant, with their theses."""
    batches = DiscoveryBatch.objects.current().filter(mine, session=span.last, variant__active=True)
    picks = (
        Candidate.objects.filter(batch__in=batches, rank__lte=TOP)
        .select_related("batch__variant")
        .order_by("rank", "batch__variant__name", "symbol")
    )
    theses: dict[str, Thesis] = {}
    issued = Thesis.objects.filter(mine, session=span.last).order_by("issued_at", "pk")
    for thesis in issued.filter(symbol__in=[pick.symbol for pick in picks]):
        theses[thesis.symbol] = thesis  # the newest stands
    found: dict[str, Document] = {}
    for pick in picks:
        said = found.setdefault(pick.symbol, _pick(pick, theses.get(pick.symbol)))
        said["ranks"].append(f"{pick.batch.variant.name} #{pick.rank}")
    return list(found.values())[:TOP]


def _pick(pick: Candidate, thesis: Thesis | None) -> Document:
    return {
        "symbol": pick.symbol,
        "ranks": [],
        "score": pick.score,
        "close": float(pick.close),
        "rel_volume": pick.rel_volume,
        "short_interest_pct": pick.short_interest_pct,
        "flags": [
            name
            for name, is_set in (
                ("VIGL pattern", pick.vigl_pattern),
                ("volume 15x", pick.volume_alert),
                ("shorts", pick.short_fuel),
            )
            if is_set
        ],
        "thesis": _thesis(thesis) if thesis else None,
        "url": reverse("pages:symbol", args=[pick.symbol]),
    }


def _thesis(thesis: Thesis) -> Document:
    return {
        "author": thesis.author,
        "recommendation": thesis.recommendation,
        "p": thesis.p_target,
        "p_calibrated": thesis.p_calibrated,
        "target": float(thesis.target_price),
        "stop": float(thesis.stop_price),
        "max_entry": float(thesis.max_entry_price) if thesis.max_entry_price else None,
    }


def _happened(mine: Q, span: Window) -> Document:
    """Return what became of the first signals whose 14 sessions ended now: the misses first."""
    first, last = sessions.offset(span.first, -HORIZON), sessions.offset(span.last, -HORIZON)
    settled: QuerySet[CandidateTracking] = (
        CandidateTracking.objects.current()
        .first_signals()
        .signalled_between(first, last)
        .filter(
            mine,
            status__in=(OutcomeStatus.SETTLED, OutcomeStatus.DELISTED),
            candidate__batch__variant__active=True,
            return_14__isnull=False,
        )
        .select_related("candidate__batch__variant")
        .order_by("candidate__rank", "pk")
    )
    best: dict[tuple[str, date], CandidateTracking] = {}
    for row in settled:
        best.setdefault((row.candidate.symbol, row.candidate.batch.session), row)
    rows = sorted(best.values(), key=lambda row: row.return_14 or 0.0)
    misses = [row for row in rows if (row.return_14 or 0.0) < 0]
    hits = [row for row in reversed(rows) if (row.return_14 or 0.0) >= 0]
    told = misses[: TOLD - min(len(hits), TOLD // 2)] + hits[: TOLD // 2]
    return {
        "n": len(rows),
        "up": len(hits),
        "explosive": sum(bool(row.explosive) for row in rows),
        "rows": [_outcome(row) for row in told],
    }


def _outcome(row: CandidateTracking) -> Document:
    pick = row.candidate
    return {
        "symbol": pick.symbol,
        "variant": pick.batch.variant.name,
        "rank": pick.rank,
        "signalled": pick.batch.session.isoformat(),
        "return_14": row.return_14,
        "peak": row.peak_close_return,
        "outcome": row.outcome,
        "delisted": row.status == OutcomeStatus.DELISTED,
        "url": reverse("pages:symbol", args=[pick.symbol]),
    }


def _profit(mine: Q, span: Window) -> Document:
    """Return the change of mark-to-market over the window, less what came from outside."""
    before = sessions.offset(span.first, -1)
    days = EquityDay.objects.filter(mine, session__range=(before, span.last))
    ends = dict(
        days.filter(session__in=(before, span.last))
        .values_list("session")
        .annotate(sum=Sum("equity"))
    )
    start, end = ends.get(before), ends.get(span.last)
    if start is None or end is None:
        missing = before if start is None else span.last
        return {"change": None, "reason": f"There is no equity of {missing}."}
    flows = days.filter(session__gte=span.first).aggregate(sum=Sum("flow"), bad=Sum("frozen"))
    change = end - start - (flows["sum"] or 0)
    return {
        "change": float(change),
        "share": float(change / start) if start > 0 else None,
        "equity": float(end),
        "frozen": flows["bad"] or 0,
        "reason": "",
    }


def _equity(mine: Q, span: Window) -> list[list[Any]]:
    rows = (
        EquityDay.objects.filter(mine, session__range=(span.last - CURVE, span.last))
        .values_list("session")
        .annotate(sum=Sum("equity"))
        .order_by("session")
    )
    return [[day.isoformat(), float(value)] for day, value in rows]


def _alerts(mine: Q) -> list[Document]:
    grave = (AlertSeverity.CRITICAL, AlertSeverity.WARNING)
    standing = Alert.objects.standing().filter(mine, severity__in=grave)
    rows = standing.order_by("severity", "-crossed_at", "pk")[:MOST_ALERTS]
    return [
        {
            "severity": alert.severity,
            "kind": alert.kind,
            "message": alert.message,
            "since": alert.crossed_at.isoformat(),
            "url": _admin("analytics", "alert", alert.pk),
        }
        for alert in rows
    ]


def _breaches(mine: Q, span: Window) -> Document:
    """Return the newest rules broken by trades that are open, and how many there are."""
    open_ = Q()
    for account, symbol in Position.objects.filter(mine).values_list("account_id", "symbol"):
        open_ |= Q(account_id=account, symbol=symbol)
    if not open_:
        return {"n": 0, "rows": []}
    broken = RuleBreach.objects.filter(mine, open_, session__lte=span.last)
    newest = broken.order_by("-session", "-opened_at", "pk")[:MOST_BREACHES]
    return {
        "n": broken.count(),
        "rows": [{"symbol": row.symbol, "text": row.text} for row in newest],
    }


def _advice(mine: Q) -> list[Document]:
    newest = PositionAdvice.objects.filter(mine).aggregate(last=Max("session"))["last"]
    urgent = PositionAdvice.objects.filter(mine, session=newest).exclude(advice=RiskAdvice.HOLD)
    return [
        {"symbol": row.symbol, "advice": row.advice, "reason": row.reason}
        for row in urgent.order_by("advice", "symbol")[:10]
    ]


def _proposals(mine: Q) -> list[Document]:
    waiting = OrderProposal.objects.filter(mine, state=ProposalState.OPEN)
    return [
        {
            "symbol": row.symbol,
            "kind": row.kind,
            "reason": row.reason,
            "url": _admin("performance", "orderproposal", row.pk),
        }
        for row in waiting.order_by("kind", "symbol")[:10]
    ]


def _incidents() -> list[Document]:
    """Return what is open, and what ended since the last mail that mentioned it."""
    told = Incident.objects.filter(Q(closed_at__isnull=True) | Q(mentioned_at__isnull=True))
    return [
        {
            "id": row.pk,
            "component": row.component,
            "status": row.status,
            "reason": row.reason,
            "recommendation": row.recommendation,
            "opened_at": row.opened_at.isoformat(),
            "closed_at": row.closed_at.isoformat() if row.closed_at else None,
            "url": _admin("performance", "incident", row.pk),
        }
        for row in told.order_by(F("closed_at").asc(nulls_first=True), "-opened_at")[:10]
    ]


def _health(now: datetime) -> Document:
    newest = HealthMetric.objects.filter(component=OVERALL).order_by("-measured_at").first()
    if newest is None or now - newest.measured_at > STALE:
        return {"score": None, "status": "UNKNOWN", "reason": "The system was not measured lately."}
    return {
        "score": newest.value,
        "status": newest.status,
        "reason": newest.reason,
        "known": newest.figures.get("known"),
        "unknown": newest.figures.get("unknown"),
    }


def _chain() -> Document | None:
    head = thesis_chain.get_head()
    if head is None:
        return None
    return {
        "number": head.number,
        "digest": head.digest,
        "issued_at": head.issued_at.isoformat(),
    }


def _admin(app: str, model: str, number: int) -> str:
    """Return the address of a row in the admin; a worker has no admin to ask."""
    return f"/admin/{app}/{model}/{number}/change/"
