"""The risk page: heat, limits, positions with advice, broken rules, proposals."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from performance.services import risk_page
from performance.services.risk_page import RiskPage
from performance.views.frame import asked_span, page, source_of_page, staff_page

FIGURES = (
    ("var_95", "VaR 95 %, one session", True),
    ("cvar_95", "CVaR 95 %, one session", True),
    ("volatility", "Volatility, a year", False),
    ("max_drawdown", "Max drawdown", True),
    ("heat", "Heat", False),
    ("heat_confirmed_stops", "Heat, confirmed stops only", False),
    ("gross_exposure", "Gross exposure", False),
)
PLAIN = (
    ("beta", "Beta to SPY"),
    ("name_hhi", "Concentration by name [HHI]"),
    ("sector_hhi", "Concentration by sector [HHI]"),
    ("mean_correlation", "Mean correlation"),
    ("size_rank_correlation", "Entry weight and return, rank correlation"),
)


@staff_page
@require_safe
def risk(request: HttpRequest) -> HttpResponse:
    source = source_of_page()
    found = risk_page.get_page(source=source, now=timezone.now())
    advised = {(row.account_id, row.symbol): row for row in found.advice}
    return page(
        request,
        "performance/risk.html",
        title="Risk",
        source=source,
        span=asked_span(request.GET),
        found=found,
        shares=FIGURES,
        accounts=[_account(each, advised) for each in found.report.accounts],
        chart=_chart(found),
    )


def _account(each: Any, advised: dict[tuple[int, str], Any]) -> dict[str, Any]:
    """Return what the template shows of one account."""
    return {
        "row": each.account,
        "figures": [
            (title, each.figures.get(name), signed, "share") for name, title, signed in FIGURES
        ]
        + [(title, each.figures.get(name), False, "plain") for name, title in PLAIN],
        "sizing": each.figures.get("capital_less_equal"),
        "positions": [
            (row, advised.get((each.account.account_id, row.symbol))) for row in each.positions
        ],
    }


def _chart(found: RiskPage) -> dict[str, Any]:
    """Return weights and money at risk of the positions, as fractions of equity."""
    rows = [row for account in found.report.accounts for row in account.positions]
    known = [row for row in rows if row.weight is not None]
    return {
        "symbols": [row.symbol for row in known],
        "weights": [round(abs(row.weight or 0.0), 6) for row in known],
        "at_risk": [
            round(float(row.money_at_risk / row.equity), 6)
            if row.money_at_risk is not None and row.equity
            else None
            for row in known
        ],
        "limit": known[0].size_limit if known else None,
    }
