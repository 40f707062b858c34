"""Join trades to the candidate and thesis they came from (design §10).

Stated with the opening fill, or else the latest candidate of the symbol within 10 sessions
before the entry. A candidate of the entry's own session was not known when the market opened,
and does not count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from analytics.calc import sessions
from analytics.models import Candidate, Source, Thesis
from analytics.services import lakes
from performance.calc.ledger_states import TradeState
from performance.models import TradeLink
from performance.services.ledger_reading import Link

WITHIN: Final = 10  # sessions before the entry


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What a trade came from, and how that is known."""

    candidate: int | None = None
    thesis: int | None = None
    link: str = TradeLink.NONE


def join(trades: Sequence[TradeState], *, source: str, stated: Mapping[int, Link]) -> list[Joined]:
    """Return what each trade came from, in the order of ``trades``."""
    open_ended = [at for at, trade in enumerate(trades) if _stated(trade, stated) is None]
    nearest = _nearest([trades[at] for at in open_ended], source)
    by_trade = {open_ended[at]: pk for at, pk in nearest.items()}
    subjects = {link.thesis for link in stated.values() if link.thesis and link.candidate is None}
    of_thesis = dict(Thesis.objects.filter(pk__in=subjects).values_list("pk", "candidate_id"))
    theses = _theses(list(by_trade.values()))
    return [
        _joined(trade, _stated(trade, stated), by_trade.get(at), of_thesis, theses)
        for at, trade in enumerate(trades)
    ]


def _stated(trade: TradeState, stated: Mapping[int, Link]) -> Link | None:
    what, key = trade.opening
    return stated.get(key) if what == "fill" else None


def _joined(
    trade: TradeState,
    link: Link | None,
    candidate: int | None,
    of_thesis: Mapping[int, int | None],
    theses: Mapping[int, list[tuple[datetime, int]]],
) -> Joined:
    if link is not None:
        named = link.candidate
        if named is None and link.thesis is not None:
            named = of_thesis.get(link.thesis)
        return Joined(candidate=named, thesis=link.thesis, link=TradeLink.EXPLICIT)
    if candidate is None:
        return Joined()
    known = [pk for issued, pk in theses.get(candidate, []) if issued <= trade.opened_at]
    return Joined(candidate=candidate, thesis=known[-1] if known else None, link=TradeLink.NEAREST)


def _nearest(trades: Sequence[TradeState], source: str) -> dict[int, int]:
    """Return the latest candidate by position in ``trades``; of several variants, the best rank."""
    if not trades or source == Source.CLAIMED:
        return {}
    entries = pl.DataFrame(
        {
            "at": range(len(trades)),
            "symbol": [trade.symbol for trade in trades],
            "number": [sessions.number(trade.opened_session) - 1 for trade in trades],
        },
        schema={"at": pl.Int64, "symbol": pl.String, "number": pl.Int64},
    )
    found = _candidates(entries, source)
    if found.is_empty():
        return {}
    joined = entries.sort("number").join_asof(
        found.sort("number"),
        on="number",
        by="symbol",
        strategy="backward",
        tolerance=WITHIN - 1,
        check_sortedness=False,
    )
    known = joined.drop_nulls("candidate")
    return dict(known.select("at", "candidate").iter_rows())


def _candidates(entries: pl.DataFrame, source: str) -> pl.DataFrame:
    first = sessions.day(max(int(entries["number"].min()) - WITHIN, 0))  # type: ignore[arg-type]
    last = sessions.day(int(entries["number"].max()))  # type: ignore[arg-type]
    rows = (
        Candidate.objects.current()
        .filter(
            batch__source__in=lakes.sources_beside(source),
            batch__session__range=(first, last),
            symbol__in=entries["symbol"].unique().to_list(),
        )
        .order_by("batch__session", "rank", "pk")
        .values_list("symbol", "batch__session", "pk")
    )
    found = pl.DataFrame(
        [(symbol, sessions.number(session), pk) for symbol, session, pk in rows],
        schema={"symbol": pl.String, "number": pl.Int64, "candidate": pl.Int64},
        orient="row",
    )
    return found.unique(["symbol", "number"], keep="first", maintain_order=True)


def _theses(candidates: list[int]) -> dict[int, list[tuple[datetime, int]]]:
    rows = (
        Thesis.objects.filter(candidate_id__in=candidates)
        .order_by("issued_at", "pk")
        .values_list("candidate_id", "issued_at", "pk")
    )
    found: dict[int, list[tuple[datetime, int]]] = {}
    for candidate, issued, pk in rows:
        found.setdefault(int(candidate), []).append((issued, pk))
    return found
