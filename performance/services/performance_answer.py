"""What ``/analytics/performance`` says: baseline, current, recovery, and all that stands beside."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.models import Baseline, ClaimAudit
from performance.services import recovery, summary_reading
from performance.services.metrics import HEADLINE
from performance.services.summary_reading import Summary


@dataclass(frozen=True, kw_only=True)
class Star:
    """A best performer of the baseline, as claimed: return as a fraction."""

    symbol: str
    gain: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One audited claim of the baseline."""

    kind: str
    subject: str
    claim: str
    verdict: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Everything of one answer. ``audit`` is None while the baseline was never audited."""

    summary: Summary
    baseline: Baseline | None
    stars: list[Star]
    audit_id: int | None
    audited_at: datetime | None
    audit: list[Verdict]

    @property
    def recovery(self) -> dict[str, Any]:
        return self.summary.section("recovery")

    @property
    def impossible(self) -> int:
        """Claims of the baseline that cannot be."""
        return sum(each.verdict == "impossible" for each in self.audit)


def get_performance(*, source: str, now: datetime, period_days: int = HEADLINE) -> Performance:
    """Return the performance as it was last computed: four queries, whatever the rows.

    Args:
        source: ``imported``, ``live`` or ``simulated``.
        now: Summaries after it are not looked at.
        period_days: One of ``metrics.WINDOWS``.
    """
    baseline = recovery.get_baseline()
    audit = ClaimAudit.objects.filter(baseline=baseline).order_by("-created_at", "-pk").first()
    items = audit.items.order_by("position") if audit and baseline else []
    stars = [
        Star(symbol=s["symbol"], gain=s["return"]) for s in (baseline.stars if baseline else [])
    ]
    return Performance(
        summary=summary_reading.get_summary(source=source, now=now, period_days=period_days),
        baseline=baseline,
        stars=sorted(stars, key=lambda star: -star.gain),
        audit_id=audit.pk if audit and baseline else None,
        audited_at=audit.created_at if audit and baseline else None,
        audit=[
            Verdict(
                kind=item.kind,
                subject=item.subject,
                claim=item.claim,
                verdict=item.verdict,
                evidence=item.evidence,
            )
            for item in items
        ],
    )
