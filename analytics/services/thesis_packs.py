"""Make the data pack of a candidate: what was known at its session's cut-off (design §9)."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from analytics.calc import closes, data_pack, sessions
from analytics.calc.data_pack import Inputs
from analytics.calc.evidence import Estimate
from analytics.clients import polygon_records
from analytics.errors import DomainError, UpstreamError
from analytics.models import Candidate, Source
from analytics.services import filings, providers, shape_search, similarity_evidence

NEIGHBOURS: Final = 100  # shapes compared with; the nearest ones are listed
LISTED: Final = 6
TITLES: Final = 10
NEWS_BACK: Final = 5  # sessions
HORIZONS: Final = (5, 14, 30)  # sessions whose dates the calendar names
FEATURES: Final = (
    "close", "volume", "rel_volume", "dollar_volume_20", "ret_1", "ret_5", "ret_20", "gap",
    "close_location", "atr_pct_14", "breakout_20", "volatility_20", "accumulation_5",
    "float_shares", "short_interest_pct", "days_to_cover", "short_volume_ratio", "sentiment",
)  # fmt: skip
FLAGS: Final = ("rank", "score", "label", "history_share", "history_n", "pattern", "volume_alert",
                "vigl_pattern", "short_fuel", "first_signal", "float_basis")  # fmt: skip

logger = logging.getLogger(__name__)


def get_pack(
    *,
    candidate: Candidate,
    titles: Sequence[Mapping[str, str]] | None = None,
    portfolio: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the data pack of a candidate. Nothing in it became known after its cut-off.

    Args:
        candidate: With its batch.
        titles: News (``at``, ``title``) up to the cut-off: :func:`get_titles`; None if there is
            no provider of them.
        portfolio: Positions and limits as of the session, plain values; ``held`` is the position
            in this symbol (``weight``, ``limit``, ``unrealised``). None if not known.
    """
    batch = candidate.batch
    alike = similarity_evidence.get_evidence(candidate=candidate)
    matched = alike.of[0].matched_base if alike.of else None
    return data_pack.build(
        Inputs(
            symbol=candidate.symbol,
            session=batch.session,
            source=batch.source,
            candidate={name: getattr(candidate, name) for name in FLAGS}
            | {"of": batch.candidate_count, "volume_event": batch.volume_event},
            features={name: _float(getattr(candidate, name)) for name in FEATURES},
            ages={
                "float_shares": candidate.float_age,
                "short_interest": candidate.short_interest_age,
            },
            similarity=[_likeness(one) for one in alike.of],
            base=_estimate(matched) if matched else {"reason": alike.reason},
            neighbours=_neighbours(candidate),
            calendar=_calendar(batch.session),
            notices=_notices(candidate),
            news=titles,
            portfolio=portfolio,
        )
    )


def get_titles(*, symbol: str, session: date, source: str) -> list[dict[str, str]] | None:
    """Return the titles of the news on a symbol, the newest first; None without a provider.

    Only what was published by the cut-off of ``session``. They are text from the outside.
    """
    if source == Source.SIMULATED or not providers.has_polygon():
        return None
    since = sessions.opening(sessions.offset(session, -NEWS_BACK))
    try:
        with providers.connect_polygon() as polygon:
            found = polygon_records.news(
                polygon, since=since, until=sessions.cut_off(session), symbol=symbol
            )
    except UpstreamError as error:
        logger.warning("news titles of %s: %s", symbol, error)
        return None
    rows = found.sort("published_at", descending=True).head(TITLES)
    return [
        {"at": f"{at:%Y-%m-%d}", "title": title or ""}
        for at, title in rows.select("published_at", "title").iter_rows()
    ]


def _likeness(one: similarity_evidence.Evidence) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "similarity": one.similarity,
        "coverage": one.coverage,
        "partial": one.partial,
        "by_construction": one.by_construction,
        "reached": _estimate(one.reached),
    }


def _estimate(found: Estimate) -> dict[str, Any]:
    if found.value is None:
        return {"n": found.n, "reason": found.reason}
    shown: dict[str, Any] = {"share": found.value, "n": found.n, "as_of": found.as_of}
    if found.low is not None and found.high is not None:
        shown |= {"low_95": found.low, "high_95": found.high}
    return shown


def _neighbours(candidate: Candidate) -> dict[str, Any]:
    """Return what the stock-days of the nearest shape came to, or why that is not known."""
    batch = candidate.batch
    try:
        found = shape_search.get_search(
            symbol=candidate.symbol, session=batch.session, source=batch.source, k=NEIGHBOURS
        )
    except DomainError as error:
        return {"reason": str(error)}
    return {
        "k": found.k,
        "explosive": _estimate(found.explosive),
        "peak_close_return": _quantiles(found.peak_close_return),
        "return_14": _quantiles(found.return_14),
        "nearest": [
            {
                "symbol": one.symbol,
                "session": one.session,
                "peak_close_return": one.peak_close_return,
                "return_14": one.return_14,
            }
            for one in found.neighbours[:LISTED]
        ],
    }


def _quantiles(found: Mapping[str, float]) -> dict[str, float]:
    return {f"q{round(float(level) * 100):02}": value for level, value in found.items()}


def _notices(candidate: Candidate) -> list[dict[str, str]]:
    batch = candidate.batch
    found = filings.get_flags(symbol=candidate.symbol, session=batch.session, source=batch.source)
    return [
        {"kind": one.kind, "label": one.label, "at": f"{one.known_on:%Y-%m-%d}"} for one in found
    ]


def _calendar(session: date) -> dict[str, Any]:
    ahead = [sessions.offset(session, count) for count in range(1, max(HORIZONS) + 1)]
    return {
        "signal_session": session,
        "entry_session": ahead[0],
        **{f"last_of_{count}": ahead[count - 1] for count in HORIZONS},
        "half_days": [day for day in ahead[:14] if closes.is_half_day(day)],
    }


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
