"""What the detector made of past winners, beside what was claimed of it (design §16)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from analytics.calc import claims, sessions
from analytics.calc.panel import Panel
from analytics.calc.sessions import OutsideCalendar
from analytics.calc.similarity import Reference
from analytics.models import ReferencePattern, Variant
from analytics.services import discovery, lakes, panels

AROUND = 14  # sessions before the signal in which a flag counts, and after it for the move
MOVE = 0.50  # close over the entry open that makes the move


def get_all(*, source: str, variants: Sequence[Variant]) -> list[dict[str, Any]]:
    """Return for each active reference: flagged, when, at what rank, how alike to the others.

    Where the data cannot say, the status is ``unverifiable`` with the reason, and no number.
    """
    found = []
    for reference in ReferencePattern.objects.filter(active=True).order_by("symbol"):
        document: dict[str, Any] = {
            "symbol": reference.symbol,
            "signal_session": _iso(reference.signal_session),
            "claimed": {
                "gain": reference.gain,
                "similarity_pct": claims.SIMILARITIES.get(reference.symbol),
                "average_gain_of_winners": claims.WINNERS_AVERAGE,
            },
            "audit": _audit(reference.symbol),
        }
        missing = _missing(reference, source)
        if missing:
            document |= {"status": "unverifiable", "verdict": "unverifiable", "reason": missing}
        else:
            document |= _examined(reference, source, variants)
        found.append(document)
    return found


def _audit(symbol: str) -> list[dict[str, str]]:
    """Return the verdicts on what the mission claimed of its winners; empty for any other."""
    if symbol not in claims.SIMILARITIES:
        return []
    said = dict(
        ReferencePattern.objects.filter(symbol__in=claims.SIMILARITIES).values_list(
            "symbol", "gain"
        )
    )
    items = [claims.check_similarity(symbol, claims.SIMILARITIES[symbol])]
    if len(said) == len(claims.SIMILARITIES):
        gains = [said[name] for name in claims.SIMILARITIES]
        items.append(claims.check_winners_average(gains))
    return [
        {"claim": item.claim, "verdict": item.verdict, "evidence": item.evidence} for item in items
    ]


def _missing(reference: ReferencePattern, source: str) -> str:
    """Return why nothing can be said; blank if the bars of the signal are there."""
    lake = lakes.lake_of(source)
    bars = lake.read("bars", symbols=[reference.symbol], columns=["symbol", "session"])
    if bars.is_empty():
        return f"There are no bars of {reference.symbol}."
    span = f"bars of {reference.symbol} reach from {bars['session'][0]} to {bars['session'][-1]}"
    if reference.signal_session is None:
        return f"No signal session is recorded for it; {span}."
    if reference.signal_session not in set(bars["session"].to_list()):
        return f"There is no bar on {reference.signal_session}; {span}."
    return ""


def _examined(
    reference: ReferencePattern, source: str, variants: Sequence[Variant]
) -> dict[str, Any]:
    from analytics.calc import outcomes, replay

    signal = reference.signal_session
    assert signal is not None  # noqa: S101  # _missing has looked
    others = [known for known in discovery.get_references() if known.symbol != reference.symbol]
    first, last = sessions.offset(signal, -AROUND), _after(signal)
    reading = panels.get_panel(source=source, first=first, last=last)
    seen = replay.run(
        reading.panel,
        variants=[discovery.rules_of(variant, source=source) for variant in variants],
        references=others,
        first=first,
        last=last,
    )
    opens, closes = outcomes.by_session(
        reading.panel, reference.symbol, size=sessions.calendar().size
    )
    at = sessions.number(signal)
    gains = closes[at + 1 : at + 1 + AROUND] / opens[at + 1] - 1
    moved = np.flatnonzero(gains >= MOVE)
    move = at + 1 + int(moved[0]) if moved.size else None
    flags = {
        str(variant): _flag(result.candidates, reference.symbol, move)
        for variant, result in zip(variants, seen.variants, strict=True)
    }
    alike = _similarity(reading.panel, reference.symbol, at, others)
    return {
        "status": "simulated" if source == "simulated" else "ok",
        "verdict": "computed",
        "move_session": _iso(sessions.day(move)) if move is not None else None,
        "best_close_14": float(np.nanmax(gains)) if np.isfinite(gains).any() else None,
        "flagged": flags,
        "similarity_leave_one_out": alike,
        "reason": "" if move is not None else "No close rose 50 % above the entry in 14 sessions.",
    }


def _flag(candidates: pl.DataFrame, symbol: str, move: int | None) -> dict[str, Any]:
    """Return the first session with a candidate row up to the move, its rank and lead."""
    own = candidates.filter(pl.col("symbol") == symbol).sort("session")
    if move is not None:
        own = own.filter(pl.col("session") <= sessions.day(move))
    if own.is_empty():
        return {"flagged": False, "session": None, "rank": None, "sessions_before_move": None}
    session = own["session"][0]
    lead = None if move is None else move - sessions.number(session)
    return {
        "flagged": True,
        "session": _iso(session),
        "rank": int(own["rank"][0]),
        "sessions_before_move": lead,
    }


def _similarity(
    panel: Panel, symbol: str, at: int, others: Sequence[Reference]
) -> dict[str, float | None]:
    """Return the similarity of the signal's stock-day to each of the other references."""
    from analytics.calc import features, market, similarity

    row = market.find_rows(
        panel, np.array([panel.symbols.index(symbol)]), np.array([at], dtype=np.int64)
    )
    table = features.of_rows(panel, row)
    fields = np.stack(
        [
            table["rel_volume"],
            table["short_interest_pct"],
            table["float_shares"],
            panel.close[row],
        ]
    )
    compared = similarity.compare(fields, others)
    return {
        known.symbol: None if np.isnan(value[0]) else float(value[0])
        for known, value in zip(others, compared.value, strict=True)
    }


def _after(signal: date) -> date:
    try:
        return sessions.offset(signal, AROUND)
    except OutsideCalendar:
        return signal


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
