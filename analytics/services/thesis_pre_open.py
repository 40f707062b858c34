"""Before the open: is the price still one at which the entry may be taken? (design §9)"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from analytics.calc import sessions
from analytics.clients.answers import NotInPlan
from analytics.clients.polygon import Polygon
from analytics.errors import UpstreamError
from analytics.models import DataSet, DataSetState, Source, Thesis, ThesisEvent, ThesisEventKind
from analytics.services import data_sets, lakes, live_session, market_sync, providers


@dataclass(frozen=True, kw_only=True)
class PreOpen:
    """What a check before the open found.

    Attributes:
        session: About to open; None if no session is.
        said: Events by kind.
        why: Why nothing could be checked; "" if prices were to be had.
    """

    session: date | None
    said: dict[str, int] = field(default_factory=dict)
    why: str = ""


def check(*, source: str, now: datetime) -> PreOpen:
    """Hold the theses whose entry is today's open against the prices before it.

    Each gets one event a session and verdict. Where there is no price before the open, because
    the plan has no snapshots or the market is simulated, the event says so.
    """
    today = now.astimezone(sessions.NEW_YORK).date()
    if not sessions.is_session(today) or now >= sessions.opening(today):
        return PreOpen(session=None, why="no session is about to open")
    theses = list(
        Thesis.objects.filter(
            source__in=lakes.sources_beside(source), session=sessions.offset(today, -1)
        ).defer("data_pack", "raw_answer")
    )
    if not theses:
        return PreOpen(session=today, why="no thesis has its entry at this open")
    prices, why = _prices(source, today, now)
    events = [_event(thesis, prices.get(thesis.symbol), why, today, now) for thesis in theses]
    known = set(
        ThesisEvent.objects.filter(thesis__in=theses, session=today).values_list(
            "thesis_id", "kind"
        )
    )
    fresh = [event for event in events if (event.thesis_id, event.kind) not in known]
    ThesisEvent.objects.bulk_create(fresh, ignore_conflicts=True)
    said: dict[str, int] = {}
    for event in events:
        said[event.kind] = said.get(event.kind, 0) + 1
    return PreOpen(session=today, said=said, why=why)


def _prices(source: str, today: date, now: datetime) -> tuple[Mapping[str, float], str]:
    """Return the last price by symbol, on the basis of the session before, or why there is none."""
    if source == Source.SIMULATED:
        return {}, "the sample market has no prices before the open"
    if not providers.has_polygon():
        return {}, "no provider of prices before the open: POLYGON_API_KEY is not set"
    if not live_session.may_ask(now=now):
        return {}, "the plan has no snapshots: end of day only"
    try:
        with providers.connect_polygon() as polygon:
            return _last_prices(polygon, today), ""
    except NotInPlan as refusal:
        data_sets.record(
            data_set=DataSet.SNAPSHOT,
            provider=market_sync.POLYGON,
            state=DataSetState.State.NOT_IN_PLAN,
            now=now,
            detail=str(refusal),
        )
        return {}, "the plan has no snapshots: end of day only"
    except UpstreamError as error:
        return {}, f"the provider did not answer: {error}"


def _last_prices(polygon: Polygon, today: date) -> dict[str, float]:
    splits = lakes.lake_of(Source.LIVE).read("splits", first=today, last=today)
    ratio = splits.group_by("symbol").agg(pl.col("ratio").product())
    updated = pl.col("updated_at").dt.convert_time_zone("America/New_York").dt.date()
    found = (
        polygon.snapshot()
        .filter(updated == today, pl.col("last").is_not_null())
        .join(ratio, on="symbol", how="left")
        .select("symbol", pl.col("last") * pl.col("ratio").fill_null(1.0))
    )
    return dict(found.iter_rows())


def _event(thesis: Thesis, last: float | None, why: str, today: date, now: datetime) -> ThesisEvent:
    kind, message, detail = _verdict(thesis, last, why)
    return ThesisEvent(
        thesis=thesis,
        candidate_id=thesis.candidate_id,
        kind=kind,
        session=today,
        message=message[:300],
        detail=detail,
        recorded_at=now,
        source=thesis.source,
    )


def _verdict(
    thesis: Thesis, last: float | None, why: str
) -> tuple[ThesisEventKind, str, dict[str, float]]:
    """Return what the price before the open means for a thesis."""
    if last is None:
        reason = why or f"no trade of {thesis.symbol} before the open"
        return ThesisEventKind.NOT_CHECKED, reason, {}
    entry, most = float(thesis.entry_price), float(thesis.max_entry_price)
    low, high = sorted((float(thesis.stop_price), float(thesis.target_price)))
    gap = last / entry - 1
    detail = {"last": last, "gap": gap, "max_entry": most}
    said = f"{last:.2f} before the open, {gap:+.1%} from {entry:.2f}"
    if not low < last < high:
        return ThesisEventKind.PAST_BARRIER, f"{said}: beyond a barrier, void at this open", detail
    if last > most:
        return ThesisEventKind.DO_NOT_CHASE, f"{said}: above {most:.2f}, do not chase", detail
    return ThesisEventKind.ENTER, f"{said}: not above {most:.2f}", detail
