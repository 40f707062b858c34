"""Everything there is about one symbol: bars, splits, signals, outcomes, shorts, float."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.models import Candidate, Security
from analytics.services import lakes, market_data, predictions, renames, similarity_evidence
from analytics.services.renames import OtherName
from analytics.services.similarity_evidence import Evidences
from performance.calc import anatomy, freshness, prices
from performance.calc.anatomy import Part
from performance.calc.freshness import Freshness
from performance.calc.prices import Bar, Split
from performance.calc.spans import Span
from performance.calc.symbol_chart import Mark
from performance.models import CandidateTracking

SHOWN_RECORDS = 6  # of short interest and of float
HORIZON = 14  # sessions after the signal that an outcome looks at


class NoSymbol(DomainError):
    """No bar of that symbol is stored."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One listing period: a ticker can be reused."""

    first: date
    last: date
    kind: str
    name: str
    exchange: str
    sector: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one signal (design §8). Returns are fractions; None is not known (yet)."""

    status: str
    status_words: str
    reason: str
    outcome: str
    entry_session: date | None
    entry_price: float | None
    entry_gap: float | None
    returns: dict[int, float | None]
    mfe: float | None
    mae: float | None
    peak: float | None
    sessions_to_peak: int | None
    excess_14: float | None


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One candidate row of this symbol, with its outcome."""

    candidate_id: int
    session: date
    variant: str
    rank: int
    score: float
    coverage: float
    pattern: str
    flags: list[str]
    first_signal: bool
    close: float
    rel_volume: float
    outcome: Outcome | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Why the newest signal scored what it did, by one variant.

    ``evidence`` says how many past stock-days were as alike, and what they did.
    """

    signal: Signal
    rank_score: float
    label: str
    history_share: float | None
    history_n: int
    parts: list[Part]
    similarities: list[tuple[str, float | None]]
    similarity_coverage: float | None
    evidence: Evidences
    short_interest_pct: float | None
    short_interest_age: int | None
    float_shares: float | None
    float_basis: str
    float_age: int | None


@dataclass(frozen=True, kw_only=True)
class Record:
    """One published figure. ``age`` is in sessions before the last bar shown."""

    day: date
    known_on: datetime
    value: float | None
    second: float | None
    origin: str
    age: int


@dataclass(frozen=True, kw_only=True)
class SymbolPage:
    """What the page of one symbol shows.

    Attributes:
        bars: Of the range; raw as traded, or on the share basis of the last one.
        splits: Inside the range.
        signals: Newest first, of all history; those of the range are drawn.
        verdicts: Of the newest session with a signal, one per variant.
        shorts: Shares short, days to cover; newest first.
        floats: Public float, shares outstanding; newest first.
        other_names: The same share class under other tickers; its history does not cross.
    """

    symbol: str
    source: str
    adjusted: bool
    first: date
    last: date
    listings: list[Listing]
    bars: list[Bar]
    splits: list[Split]
    signals: list[Signal]
    verdicts: list[Verdict]
    shorts: list[Record]
    floats: list[Record]
    other_names: list[OtherName]
    freshness: Freshness


def get_symbol(*, symbol: str, source: str, span: Span, adjust: bool) -> SymbolPage:
    """Return everything about ``symbol`` in ``span``, which ends at its newest bar.

    Args:
        symbol: In upper case.
        source: Rows and bars of its realm.
        span: Days of the chart; the signals are those of all history.
        adjust: Whether bars stand on the share basis of the last bar, or raw as traded.

    Raises:
        NoSymbol: There is no bar of it.
    """
    listings = _listings(symbol, source)
    if not listings:
        raise NoSymbol(f"There are no {source} bars of {symbol}.")
    newest = max(listing.last for listing in listings)
    first, last = span.days_of(newest)
    bars = _bars(symbol, source, first, last)
    splits = _splits(symbol, source, last)
    found = list(
        predictions.get_candidates(source=source, symbol=symbol).select_related("tracking")
    )
    signals = [_signal(candidate) for candidate in found]
    latest = found[0].batch.session if found else None
    return SymbolPage(
        symbol=symbol,
        source=source,
        adjusted=adjust,
        first=bars[0].session if bars else first,
        last=bars[-1].session if bars else last,
        listings=listings,
        bars=prices.adjusted(bars, splits) if adjust else bars,
        splits=[split for split in splits if first <= split.ex_date <= last],
        signals=signals,
        verdicts=[
            _verdict(candidate, signal)
            for candidate, signal in zip(found, signals, strict=True)
            if candidate.batch.session == latest
        ],
        shorts=_records(
            symbol, source, "short_interest", "settlement_date", "shares_short", "days_to_cover",
            min(last, newest),
        ),
        floats=_records(
            symbol, source, "shares", "effective_date", "public_float", "shares_outstanding",
            min(last, newest),
        ),
        other_names=renames.get_other_names(symbol=symbol, source=source),
        freshness=freshness.of_session(newest),
    )  # fmt: skip


def get_marks(page: SymbolPage) -> list[Mark]:
    """Return the signals of the page as marks: one per session, whatever variants said it."""
    by_day: dict[date, list[Signal]] = {}
    for signal in page.signals:
        by_day.setdefault(signal.session, []).append(signal)
    return [_mark(day, same) for day, same in sorted(by_day.items())]


def _mark(day: date, same: list[Signal]) -> Mark:
    outcome = same[0].outcome
    peak, to_peak = (outcome.peak, outcome.sessions_to_peak) if outcome else (None, None)
    settled = peak is not None and to_peak is not None
    return Mark(
        session=day,
        says=", ".join(f"{signal.variant} #{signal.rank}" for signal in same),
        first_signal=any(signal.first_signal for signal in same),
        entry=outcome.entry_session if outcome else None,
        best=sessions.offset(day, to_peak) if to_peak else None,
        best_return=peak,
        last=sessions.offset(day, HORIZON) if settled else None,
        last_return=outcome.returns[HORIZON] if outcome else None,
    )


def _listings(symbol: str, source: str) -> list[Listing]:
    rows = Security.objects.filter(symbol=symbol, source__in=lakes.sources_beside(source))
    return [
        Listing(
            first=row.first_session,
            last=row.last_session,
            kind=row.get_kind_display(),
            name=row.name,
            exchange=row.exchange,
            sector=row.sector,
        )
        for row in rows.order_by("-last_session")
    ]


def _bars(symbol: str, source: str, first: date, last: date) -> list[Bar]:
    frame = market_data.get_bars(source=source, first=first, last=last, symbols=[symbol])
    names = ["session", "open", "high", "low", "close", "volume"]
    return [Bar(**row) for row in frame.select(names).iter_rows(named=True)]


def _splits(symbol: str, source: str, last: date) -> list[Split]:
    frame = market_data.get_splits(source=source, last=last, symbols=[symbol])
    return [Split(**row) for row in frame.select("ex_date", "ratio").iter_rows(named=True)]


def _records(
    symbol: str, source: str, table: str, key: str, value: str, second: str, last: date
) -> list[Record]:
    """Return the newest records of ``table`` that were known at the close of ``last``."""
    frame = lakes.lake_of(source).read(table, last=last, symbols=[symbol])
    known = frame.filter(pl.col("known_on") <= sessions.cut_off(last)).sort(key, descending=True)
    today = sessions.number(last)
    return [
        Record(
            day=row[key],
            known_on=row["known_on"],
            value=row[value],
            second=row[second],
            origin=row.get("origin") or row["source"],
            age=today - sessions.number(row[key]),
        )
        for row in known.head(SHOWN_RECORDS).iter_rows(named=True)
    ]


def _signal(candidate: Candidate) -> Signal:
    tracking: CandidateTracking | None = getattr(candidate, "tracking", None)
    flags = ("volume_alert", "vigl_pattern", "short_fuel", "first_signal")
    return Signal(
        candidate_id=candidate.pk,
        session=candidate.batch.session,
        variant=candidate.batch.variant.name,
        rank=candidate.rank,
        score=candidate.score,
        coverage=candidate.coverage,
        pattern=candidate.pattern,
        flags=[flag for flag in flags if getattr(candidate, flag)],
        first_signal=candidate.first_signal,
        close=float(candidate.close),
        rel_volume=candidate.rel_volume,
        outcome=_outcome(tracking) if tracking else None,
    )


def _outcome(tracking: CandidateTracking) -> Outcome:
    return Outcome(
        status=tracking.status,
        status_words=tracking.get_status_display(),
        reason=tracking.reason,
        outcome=tracking.outcome,
        entry_session=tracking.entry_session,
        entry_price=tracking.entry_price,
        entry_gap=tracking.entry_gap,
        returns={h: getattr(tracking, f"return_{h}") for h in (1, 3, 5, 7, 14, 30)},
        mfe=tracking.mfe,
        mae=tracking.mae,
        peak=tracking.peak_close_return,
        sessions_to_peak=tracking.sessions_to_peak,
        excess_14=tracking.excess_14,
    )


def _verdict(candidate: Candidate, signal: Signal) -> Verdict:
    batch = candidate.batch
    return Verdict(
        signal=signal,
        rank_score=candidate.rank_score,
        label=candidate.label,
        history_share=candidate.history_share,
        history_n=candidate.history_n,
        parts=anatomy.parts(
            candidate.components, batch.variant.weights, dropped=batch.dropped_components
        ),
        similarities=sorted(candidate.similarities.items(), key=_likest),
        similarity_coverage=candidate.similarity_coverage,
        evidence=similarity_evidence.get_evidence(candidate=candidate),
        short_interest_pct=candidate.short_interest_pct,
        short_interest_age=candidate.short_interest_age,
        float_shares=candidate.float_shares,
        float_basis=candidate.float_basis,
        float_age=candidate.float_age,
    )


def _likest(item: tuple[str, Any]) -> tuple[bool, float]:
    """Sort key: the likest first, what cannot be compared last."""
    value = item[1]
    return (value is None, -(value or 0.0))
