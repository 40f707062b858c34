"""The session under way, where the plan has snapshots: provisional rows, alerts at once.

Nothing here enters the lake or a batch. Without such a plan the state says "end of day".
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import polars as pl
from django.db import transaction

from analytics.calc import closes, sessions
from analytics.clients.answers import NotInPlan
from analytics.clients.polygon import Polygon
from analytics.models import (
    AlertKind,
    AlertSeverity,
    DataSet,
    DataSetState,
    Kind,
    LiveQuote,
    Security,
    Source,
)
from analytics.services import alerts, data_sets, lakes, market_sync, volume_curves

OPENS_WATCH: Final = time(8)
BACK: Final = 20  # sessions of usual volume
FEWEST: Final = 15  # of these must be known
MIN_CLOSE, MAX_CLOSE = 1.0, 8.0  # design §7, the band of the gates
MIN_DOLLAR_VOLUME: Final = 500_000.0
MIN_REL_VOLUME: Final = 1.5
ALERT_REL_VOLUME: Final = 15.0  # volume_alert of design §7
VIGL_REL_VOLUME: Final = 20.9  # vigl_pattern of design §7
VIGL_BAND: Final = (2.94, 4.66)
LIVE_ALERTS: Final = (AlertKind.VOLUME, AlertKind.VIGL_PATTERN, AlertKind.PREMARKET_GAP)
GAP: Final = 0.10  # before the open: worth a look. Ours
MOST_ROWS: Final = 100
ASK_AGAIN: Final = timedelta(days=1)  # a plan that had no snapshots may have been changed
END_OF_DAY: Final = "end of day"


@dataclass(frozen=True, kw_only=True)
class LiveState:
    """What can be said of the session under way.

    Attributes:
        label: ``end of day``, ``provisional`` or ``closed``.
        why: In a sentence.
        as_of: Of the newest row; None if there is none.
        rows: The loudest stocks first.
    """

    label: str
    why: str
    as_of: datetime | None
    rows: list[LiveQuote]


def is_watched(*, now: datetime) -> bool:
    """Return whether it is between 08:00 New York and the close of a session."""
    local = now.astimezone(sessions.NEW_YORK)
    today = local.date()
    if not sessions.is_session(today):
        return False
    return local.time() >= OPENS_WATCH and now <= closes.closing(today)


def may_ask(*, now: datetime) -> bool:
    """Return whether the plan is worth asking for a snapshot."""
    state = data_sets.get_state(data_set=DataSet.SNAPSHOT)
    refused = state is not None and state.state == DataSetState.State.NOT_IN_PLAN
    return not refused or (state is not None and state.checked_at < now - ASK_AGAIN)


def watch(*, polygon: Polygon, now: datetime) -> int | None:
    """Look at the session under way once; return how many alerts were raised.

    Returns:
        None where there is nothing to look at: no session, or no snapshots in the plan.

    Raises:
        UpstreamError: The provider let us down.
    """
    if not is_watched(now=now) or not may_ask(now=now):
        return None
    try:
        snapshot = polygon.snapshot()
    except NotInPlan as refusal:
        data_sets.record(
            data_set=DataSet.SNAPSHOT,
            provider=market_sync.POLYGON,
            state=DataSetState.State.NOT_IN_PLAN,
            now=now,
            detail=str(refusal),
        )
        LiveQuote.objects.all().delete()
        return None
    today = now.astimezone(sessions.NEW_YORK).date()
    usual = volume_curves.get_usual(now=now)
    rows = _loud(snapshot, _usual(today), usual.share, now)
    _store(rows, today, now)
    data_sets.record(
        data_set=DataSet.SNAPSHOT,
        provider=market_sync.POLYGON,
        state=DataSetState.State.CURRENT,
        now=now,
        newest=today,
    )
    return _raise_alerts(rows, today, now, is_learnt=usual.is_learnt)


def get_live(*, now: datetime) -> LiveState:
    """Return the rows of the session under way, or why there are none."""
    state = data_sets.get_state(data_set=DataSet.SNAPSHOT)
    if state is None or state.state != DataSetState.State.CURRENT:
        why = state.get_state_display() if state else "no provider of a session under way"
        return LiveState(label=END_OF_DAY, why=why, as_of=None, rows=[])
    today = now.astimezone(sessions.NEW_YORK).date()
    rows = list(LiveQuote.objects.filter(session=today).order_by("-rel_volume", "symbol"))
    newest = max((row.as_of for row in rows), default=None)
    if not is_watched(now=now):
        return LiveState(label="closed", why="no session under way", as_of=newest, rows=rows)
    why = f"volume against {volume_curves.get_usual(now=now).words}"
    return LiveState(label="provisional", why=why, as_of=newest, rows=rows)


def _usual(today: date) -> pl.DataFrame:
    """Return usual volume and last close of each scannable stock, on today's share basis."""
    lake = lakes.lake_of(Source.LIVE)
    last = sessions.offset(today, -1)
    first = sessions.offset(today, -BACK)
    bars = lake.read(
        "bars", first=first, last=last, columns=["symbol", "session", "close", "volume"]
    )
    splits = lake.read("splits", first=first, last=today, columns=["symbol", "ex_date", "ratio"])
    later = (
        bars.join(splits, on="symbol")
        .filter(pl.col("ex_date") > pl.col("session"))
        .group_by("symbol", "session")
        .agg(factor=pl.col("ratio").product())
    )
    listed = Security.objects.filter(
        source__in=lakes.sources_beside(Source.LIVE),
        kind__in=[Kind.COMMON, Kind.ADR],
        last_session__gte=sessions.offset(today, -5),
    )
    known = list(listed.values_list("symbol", "first_session"))
    periods = pl.DataFrame(
        known, schema={"symbol": pl.String, "since": pl.Date}, orient="row"
    ).unique("symbol", keep="last")
    return (
        bars.join(later, on=["symbol", "session"], how="left")
        .join(periods, on="symbol")
        .filter(pl.col("session") >= pl.col("since"))
        .with_columns(pl.col("factor").fill_null(1.0))
        .sort("symbol", "session")
        .group_by("symbol", maintain_order=True)
        .agg(
            usual=(pl.col("volume") * pl.col("factor")).mean(),
            dollars=(pl.col("close") * pl.col("volume")).mean(),
            before=(pl.col("close") / pl.col("factor")).last(),
            known=pl.len(),
        )
        .filter(
            pl.col("known") >= FEWEST,
            pl.col("usual") > 0,
            pl.col("dollars") >= MIN_DOLLAR_VOLUME,
        )
    )


def _loud(snapshot: pl.DataFrame, usual: pl.DataFrame, share: float, now: datetime) -> pl.DataFrame:
    """Return the stocks in the band that trade or move more than usual, the loudest first."""
    today = now.astimezone(sessions.NEW_YORK).date()
    before_open = now < sessions.opening(today)
    c = pl.col
    rows = (
        snapshot.join(usual, on="symbol")
        .filter(
            c("updated_at").dt.convert_time_zone("America/New_York").dt.date() == today,
            c("last").is_between(MIN_CLOSE, MAX_CLOSE),
        )
        .with_columns(
            volume=c("volume").fill_null(0.0),
            so_far=c("usual") * share,
            gap=c("last" if before_open else "open") / c("before") - 1,
        )
        .with_columns(rel_volume=c("volume") / c("so_far"))
    )
    loud = c("gap").abs() >= GAP if before_open else c("rel_volume") >= MIN_REL_VOLUME
    return (
        rows.filter(loud.fill_null(value=False))
        .sort("rel_volume", "symbol", descending=[True, False])
        .head(MOST_ROWS)
    )


@transaction.atomic
def _store(rows: pl.DataFrame, today: date, now: datetime) -> None:
    """Replace the provisional rows."""
    before_open = now < sessions.opening(today)
    LiveQuote.objects.all().delete()
    LiveQuote.objects.bulk_create(
        LiveQuote(
            symbol=row["symbol"][:16],
            session=today,
            as_of=row["updated_at"],
            last=row["last"],
            previous_close=row["before"],
            gap=row["gap"],
            volume=row["volume"],
            usual_volume=row["so_far"],
            rel_volume=row["rel_volume"],
            before_open=before_open,
        )
        for row in rows.iter_rows(named=True)
    )


def _raise_alerts(rows: pl.DataFrame, today: date, now: datetime, *, is_learnt: bool) -> int:
    """Raise each alert once a session; those of earlier sessions are resolved."""
    alerts.end_sessions(
        kinds=LIVE_ALERTS, before=today, source=Source.LIVE, now=now, provisional=True
    )
    wanted = [
        crossing
        for row in rows.iter_rows(named=True)
        for crossing in _crossings_of(
            row, today, before_open=now < sessions.opening(today), is_learnt=is_learnt
        )
    ]
    return alerts.raise_new(crossings=wanted, source=Source.LIVE, now=now)


def _crossings_of(
    row: dict[str, float | str], today: date, *, before_open: bool, is_learnt: bool
) -> list[alerts.Crossing]:
    symbol, last = str(row["symbol"])[:16], float(row["last"])
    rel, gap = float(row["rel_volume"]), row["gap"]
    found: list[tuple[AlertKind, AlertSeverity, str]] = []
    if before_open:
        moved = float(gap or 0.0)
        said = f"{symbol} at {last:.2f} before the open, {moved:+.0%} from the close"
        found.append((AlertKind.PREMARKET_GAP, AlertSeverity.INFO, said))
    else:
        basis = "learnt from minute bars" if is_learnt else "an approximation"
        said = f"{symbol} at {last:.2f}, volume {rel:.1f}x the usual by now, {basis}"
        if rel >= ALERT_REL_VOLUME:
            found.append((AlertKind.VOLUME, AlertSeverity.INFO, said))
        if rel >= VIGL_REL_VOLUME and VIGL_BAND[0] <= last <= VIGL_BAND[1]:
            found.append((AlertKind.VIGL_PATTERN, AlertSeverity.WARNING, said))
    return [
        alerts.Crossing(
            kind=kind,
            severity=severity,
            symbol=symbol,
            session=today,
            message=f"{said} (provisional)",
            provisional=True,
        )
        for kind, severity, said in found
    ]
