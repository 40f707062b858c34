"""Market data as jobs: the backfill, reference data, short interest, compaction."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from analytics.calc import sessions
from analytics.services.job_registry import GoesOn, Kind, Report, register

if TYPE_CHECKING:
    from analytics.clients.polygon import Polygon

BACKFILL: Final = "sync_market_data"
SESSION: Final = "sync_session"
NIGHTLY: Final = "nightly"  # the job that does a night's work
REFERENCE: Final = "sync_reference"
SHORT_INTEREST: Final = "sync_short_interest"
COMPACT: Final = "compact_lake"
MOST_DEATHS: Final = 100  # each attempt goes on where the last one was killed
LONGEST: Final = timedelta(minutes=45)  # of one attempt; the rest follows in the next
BACK: Final = 120  # days of short interest asked for: corrections come with the next files


def sync_market_data(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Fill the lake: ``first`` and ``last`` narrow it. Goes on where it was."""
    from analytics.services import backfill, jobs, providers

    first, last = arguments.get("first"), arguments.get("last")
    plan = backfill.get_plan(
        now=report.now(),
        limit=providers.polygon_limit(),
        first=date.fromisoformat(first) if first else None,
        last=date.fromisoformat(last) if last else None,
    )
    report.progress(0, len(plan.days) or 1, str(plan))
    with providers.connect_polygon() as polygon, providers.connect_finra() as finra:
        try:
            filled = backfill.fill(
                polygon=polygon,
                finra=finra,
                plan=plan,
                clock=report.now,
                on_progress=report.progress,
                until=report.now() + LONGEST,
            )
        except backfill.MoreToDo as rest:
            raise GoesOn("what is stored stays") from rest
    if filled.stored:  # what nights left to it is scanned now
        jobs.request(kind=NIGHTLY, arguments={"after_backfill": True}, now=report.now())
    return {"stored": filled.stored, "held": filled.held, "message": str(filled)}


def sync_session(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Ask again for the bars of one ``session``."""
    from analytics.services import market_sync, providers

    day = date.fromisoformat(arguments["session"])
    report.progress(0, 1, f"bars of {day}")
    with providers.connect_polygon() as polygon:
        found = market_sync.sync_session(session=day, polygon=polygon, now=report.now())
    market_sync.refresh_listings(now=report.now())
    report.progress(1, 1)
    said = f"{day} is held back, {found.held}" if found.held else f"{day}: {found.rows} bars"
    return {"rows": found.rows, "message": said}


def sync_reference(_arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Store who is listed, and the splits and floats of today."""
    from analytics.services import market_sync, providers

    now = report.now()
    if not providers.has_polygon():
        return {"message": "skipped: POLYGON_API_KEY is not set"}
    report.progress(0, 1, "who is listed, splits, floats")
    today = now.astimezone(sessions.NEW_YORK).date()
    with providers.connect_polygon() as polygon:
        asked = market_sync.sync_reference(polygon=polygon, as_of=today, now=now)
        said = [
            *(one.said for one in asked),
            _sync_renames(polygon, report),
            _learn_volume_curve(polygon, report),
        ]
    report.progress(1, 1)
    return {"message": "; ".join(filter(None, said))}


def _sync_renames(polygon: "Polygon", report: Report) -> str:
    """Link young tickers to what their companies were called before; say how many."""
    from analytics.errors import UpstreamError
    from analytics.services import data_sets, market_sync, renames

    report.progress(0, 1, "renamed companies")
    try:
        stored = renames.sync_renames(polygon=polygon, now=report.now())
    except UpstreamError as error:
        return f"renames: {data_sets.state_of(error).label}"
    if not stored.moved:
        return ""
    market_sync.refresh_listings(now=report.now(), again=True)
    return f"renames: {stored.new} names of young tickers"


def _learn_volume_curve(polygon: "Polygon", report: Report) -> str:
    """Learn the course of a day's volume where sessions under way are watched; say from what."""
    from analytics.errors import UpstreamError
    from analytics.models import DataSet, DataSetState
    from analytics.services import data_sets, volume_curves

    state = data_sets.get_state(data_set=DataSet.SNAPSHOT)
    if state is None or state.state != DataSetState.State.CURRENT:
        return ""
    report.progress(0, 1, "the course of a day's volume")
    try:
        curve = volume_curves.learn(polygon=polygon, now=report.now())
    except UpstreamError as error:
        return f"course of a day's volume: {data_sets.state_of(error).label}"
    return volume_curves.words_of(curve) if curve else "too few minute bars for a day's course"


def sync_short_interest(_arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Store short interest: from the provider, or from FINRA's files where the plan has none."""
    from analytics.services import market_sync, providers

    now = report.now()
    today = now.astimezone(sessions.NEW_YORK).date()
    report.progress(0, 1, "short interest")
    polygon = providers.connect_polygon() if providers.has_polygon() else None
    with providers.connect_finra() as finra:
        try:
            asked = market_sync.sync_short_interest(
                polygon=polygon,
                finra=finra,
                first=today - timedelta(days=BACK),
                last=today,
                now=now,
            )
        finally:
            if polygon:
                polygon.close()
    report.progress(1, 1)
    return {"message": asked.said}


def compact_lake(_arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Rewrite closed months that lie in many small files; old versions stay readable."""
    from analytics.lake.schemas import SHAPES
    from analytics.models import Source
    from analytics.services import lakes

    today = report.now().astimezone(sessions.NEW_YORK).date()
    lake = lakes.lake_of(Source.LIVE)
    fewer = 0
    for number, table in enumerate(SHAPES):
        report.progress(number, len(SHAPES), table)
        fewer += lake.compact(table, before=today)
    report.progress(len(SHAPES), len(SHAPES))
    return {"files": fewer, "message": f"{fewer} files fewer"}


def settled_by(today: date) -> list[date]:
    """Return the settlements of the last 120 days that should be published by ``today``."""
    from analytics.clients.finra import settlement_dates
    from analytics.clients.reference_files import PUBLICATION_SESSIONS

    settled = settlement_dates(today - timedelta(days=BACK), today)
    return [day for day in settled if sessions.offset(day, PUBLICATION_SESSIONS) <= today]


def is_short_interest_due(*, now: datetime) -> bool:
    """Return whether a settlement that should be published by now is not in the lake."""
    from analytics.models import Source
    from analytics.services import lakes

    due = settled_by(now.astimezone(sessions.NEW_YORK).date())
    lake = lakes.lake_of(Source.LIVE)
    stored = lake.read("short_interest", first=due[0], columns=["settlement_date"])
    return not set(due) <= set(stored["settlement_date"].unique().to_list())


def add_kinds() -> None:
    """Make the kinds known."""
    register(
        Kind(
            name=BACKFILL,
            title="Backfill of market data",
            work=sync_market_data,
            limit_s=3600,
            max_attempts=MOST_DEATHS,
        ),
        Kind(name=SESSION, title="Bars of a session", work=sync_session),
        Kind(name=REFERENCE, title="Reference data", work=sync_reference),
        Kind(name=SHORT_INTEREST, title="Short interest", work=sync_short_interest),
        Kind(name=COMPACT, title="Compaction of the lake", work=compact_lake),
    )
