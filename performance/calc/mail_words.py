"""What a report leads with: one subject, at most five things to do (design §18)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from analytics.calc import figures

MOST: Final = 5  # things to do
LONGEST: Final = 150  # characters of a subject

Document = Mapping[str, Any]


def subject(content: Document) -> str:
    """Return the one thing that matters, then the day.

    In this order: the system cannot be trusted, money is at risk, an alert level, a pattern,
    what happened, what was found.
    """
    return f"{_lead(content)} ({content['last']})"[:LONGEST]


def actions(content: Document) -> list[dict[str, str]]:
    """Return at most five things to do, the most urgent first: ``text`` and ``url``."""
    found = [
        *_repairs(content["incidents"]),
        *(
            {"text": f"{row['advice'].capitalize()} {row['symbol']}: {row['reason']}", "url": ""}
            for row in content["advice"]
        ),
        *(
            {"text": f"Decide on {row['kind']} {row['symbol']}: {row['reason']}", "url": row["url"]}
            for row in content["proposals"]
        ),
        *(
            {"text": f"Look at: {row['message']}", "url": row["url"]}
            for row in content["alerts"]
            if row["kind"] not in {"health", "critical_loss"}
        ),
    ]
    seen: dict[str, dict[str, str]] = {}
    for row in found:
        seen.setdefault(row["text"], row)
    return list(seen.values())[:MOST]


def _lead(content: Document) -> str:
    critical = [row for row in content["incidents"] if _is_critical(row)]
    sells = [row["symbol"] for row in content["advice"] if row["advice"] == "LIQUIDATE"]
    grave = [row for row in content["alerts"] if row["severity"] == "critical"]
    patterns = [row["message"] for row in content["alerts"] if row["kind"] == "vigl_pattern"]
    told, newest = content["happened"], content["data_as_of"]
    names = [row["symbol"] for row in content["candidates"]]
    leads = (
        *(f"[CRITICAL] {row['component']}: {row['reason']}" for row in critical[:1]),
        f"[CRITICAL] Liquidate {_listed(sells)}" if sells else "",
        *(f"[CRITICAL] {row['message']}" for row in grave[:1]),
        *(f"VIGL pattern: {message}" for message in patterns[:1]),
        ""
        if newest == content["last"]
        else f"[WARNING] No candidates: data end at {newest or 'nothing'}",
        f"{told['up']} of {told['n']} settled picks are up, {told['explosive']} explosive"
        if told["n"]
        else "",
        f"Top candidates: {_listed(names)}" if names else "No candidates",
    )
    return next(lead for lead in leads if lead)


def _is_critical(row: Document) -> bool:
    return row["closed_at"] is None and row["status"] == "CRITICAL"


def _repairs(incidents: Sequence[Document]) -> list[dict[str, str]]:
    return [
        {"text": f"{row['component']}: {row['recommendation']}", "url": row["url"]}
        for row in incidents
        if row["closed_at"] is None
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def profit(content: Document) -> str:
    """Return the profit and loss of the window in words, or why it is not known."""
    found = content["profit"]
    if found["change"] is None:
        return f"insufficient data: {found['reason']}"
    share = f" ({figures.change(found['share'])})" if found["share"] is not None else ""
    sign = "+" if found["change"] >= 0 else "-"
    frozen = (
        f"; {found['frozen']} frozen quotes count at their last price" if found["frozen"] else ""
    )
    return f"{sign}{figures.money(abs(found['change']))}{share}{frozen}"
