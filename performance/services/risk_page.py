"""Everything risk knows on one page: assessments, advice, broken rules, proposals (design §14)."""

from dataclasses import dataclass
from datetime import datetime

from performance.models import OrderProposal, PositionAdvice, RuleBreach
from performance.services import advice, compliance, orders_switch, proposals, risk
from performance.services.risk import RiskReport

LATEST = 50  # breaches and proposals shown


@dataclass(frozen=True, kw_only=True)
class RiskPage:
    """What the page shows.

    Attributes:
        counts: How often each rule was broken, all history.
        halted: Nothing can be sent; ``halt_reason`` says why.
    """

    report: RiskReport
    advice: list[PositionAdvice]
    counts: dict[str, int]
    latest: list[RuleBreach]
    proposals: list[OrderProposal]
    halted: bool
    halt_reason: str


def get_page(*, source: str, now: datetime) -> RiskPage:
    """Return everything risk knows of a realm: eight queries, whatever the rows."""
    halted, reason = orders_switch.is_halted()
    return RiskPage(
        report=risk.get_risk(source=source, now=now),
        advice=advice.get_advice(source=source),
        counts=compliance.count_breaches(source=source),
        latest=list(compliance.get_breaches(source=source)[:LATEST]),
        proposals=list(proposals.get_proposals(source=source)[:LATEST]),
        halted=halted,
        halt_reason=reason,
    )
