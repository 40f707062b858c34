"""Risk as it was last assessed, for screens. Reads never compute (design §14)."""

from dataclasses import dataclass
from datetime import date, datetime

from analytics.calc import sessions
from analytics.calc.evidence import Estimate
from analytics.services import lakes
from performance.calc import figure_json
from performance.models import RiskAssessment


@dataclass(frozen=True, kw_only=True)
class AccountRisk:
    """What was assessed of one account.

    Attributes:
        figures: Of the whole account, by name.
        positions: The biggest first, each with ``figures`` of its own.
    """

    account: RiskAssessment
    figures: dict[str, Estimate]
    positions: list[RiskAssessment]


@dataclass(frozen=True, kw_only=True)
class RiskReport:
    """The newest assessment of a realm, and how old it is.

    Attributes:
        session: None if nothing was assessed yet; ``reason`` then says so.
        age: Sessions that have closed since.
    """

    source: str
    session: date | None
    age: int | None
    accounts: list[AccountRisk]
    reason: str = ""


def get_risk(*, source: str, now: datetime) -> RiskReport:
    """Return the newest assessment: one query, whatever the rows. Reads never compute."""
    rows = RiskAssessment.objects.filter(source__in=lakes.sources_beside(source))
    last = rows.order_by("-session").values("session")[:1]
    newest = list(
        rows.filter(session=last)
        .select_related("account")
        .order_by("account__name", "account_id", "symbol")
    )
    if not newest:
        reason = "no account has been assessed yet; the job assess_risk does it"
        return RiskReport(source=source, session=None, age=None, accounts=[], reason=reason)
    session = newest[0].session
    by_account: dict[int, list[RiskAssessment]] = {}
    for row in newest:
        by_account.setdefault(row.account_id, []).append(row)
    age = sessions.number(sessions.last_finished(now)) - sessions.number(session)
    return RiskReport(
        source=source,
        session=session,
        age=max(age, 0),
        accounts=[_account(own) for own in by_account.values() if own[0].symbol == ""],
    )


def _account(rows: list[RiskAssessment]) -> AccountRisk:
    whole, positions = rows[0], rows[1:]
    return AccountRisk(
        account=whole,
        figures=figures_of(whole),
        positions=sorted(positions, key=lambda row: -abs(row.weight or 0.0)),
    )


def figures_of(row: RiskAssessment) -> dict[str, Estimate]:
    """Return the stored figures of a row with their evidence."""
    return {
        name: figure_json.from_json(stored)
        for name, stored in row.figures.items()
        if isinstance(stored, dict)
    }
