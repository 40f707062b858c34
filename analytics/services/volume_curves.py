"""The usual course of a day's volume: learnt where the plan has minute bars, else stated.

A learnt curve is stored with its day and used from the next session on; without one that is young
enough, and on half days, the stated approximation of ``calc.intraday`` stands in and says so.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from analytics.calc import closes, intraday, sessions, volume_curve
from analytics.calc.volume_curve import POINT, VolumeCurve
from analytics.clients import polygon_minutes
from analytics.clients.answers import NotFound
from analytics.clients.polygon import Polygon
from analytics.models import Kind, Security, Source
from analytics.services import lakes

BAND: Final = (1.0, 8.0)  # dollars: the gates of design §7
NAME: Final = "1-8"
MIN_DOLLARS: Final = 500_000.0  # a day
SESSIONS: Final = 20
STOCKS: Final = 60  # one question each
OLDEST: Final = timedelta(days=45)
APPROXIMATION: Final = "a stated approximation of a day's shape, not learnt from data"


@dataclass(frozen=True, kw_only=True)
class Usual:
    """The share of a usual day's volume by an instant, and where it is known from."""

    share: float
    words: str
    is_learnt: bool


def get_usual(*, now: datetime) -> Usual:
    """Return the share of a usual day's volume that has passed by ``now``, and its origin."""
    local = now.astimezone(sessions.NEW_YORK)
    today = local.date()
    opens, ends = sessions.opening(today), closes.closing(today)
    curve = get_curve(today=today)
    full = ends.astimezone(sessions.NEW_YORK).hour == volume_curve.CLOSE // 60
    if curve is None or not full:
        share = intraday.usual_share(now, opens=opens, closes=ends)
        why = APPROXIMATION if full else f"{APPROXIMATION} (a half day)"
        return Usual(share=share, words=why, is_learnt=False)
    minute = local.hour * 60 + local.minute + local.second / 60
    return Usual(
        share=curve.share_at(min(minute, volume_curve.CLOSE)), words=words_of(curve), is_learnt=True
    )


def words_of(curve: VolumeCurve) -> str:
    """Say what a curve was learnt from, and how sure it is at noon."""
    noon = curve.points.filter(pl.col("minute") == 12 * 60).row(0, named=True)
    return (
        f"the course of volume learnt from {curve.sessions} sessions of {curve.stocks} stocks at "
        f"{NAME} dollars up to {curve.as_of} (by noon {noon['share']:.0%} of the day, "
        f"95 % interval {noon['low']:.0%} to {noon['high']:.0%})"
    )


def get_curve(*, today: date) -> VolumeCurve | None:
    """Return the newest curve learnt before ``today``; None if there is none, or it is too old."""
    yesterday = today - timedelta(days=1)
    found = lakes.lake_of(Source.LIVE).read("volume_curves", first=today - OLDEST, last=yesterday)
    newest = found.filter(pl.col("day") == pl.col("day").max()) if found.height else found
    if newest.is_empty():
        return None
    return VolumeCurve(
        as_of=newest["day"][0],
        sessions=newest["sessions"][0],
        stocks=newest["stocks"][0],
        points=newest.sort("minute").select(list(POINT)),
    )


def learn(*, polygon: Polygon, now: datetime) -> VolumeCurve | None:
    """Learn the curve of the last 20 full sessions and store it. Safe to run again.

    Returns:
        None where the lake or the provider has too little to learn from.

    Raises:
        NotInPlan: The plan has no minute bars.
        UpstreamError: The provider let us down.
    """
    days = _full_sessions(now)
    parts = []
    for symbol in _sample(days):
        try:
            parts.append(
                polygon_minutes.volumes(
                    polygon, symbol=symbol, first=days[0], last=days[-1], minutes=volume_curve.STEP
                )
            )
        except NotFound:
            continue
    curve = volume_curve.learn(pl.concat(parts), days=days) if parts else None
    if curve is not None:
        rows = curve.points.with_columns(
            symbol=pl.lit(NAME),
            day=pl.lit(curve.as_of),
            sessions=pl.lit(curve.sessions),
            stocks=pl.lit(curve.stocks),
            source=pl.lit(Source.LIVE.value),
        )
        lakes.lake_of(Source.LIVE).upsert("volume_curves", rows)
    return curve


def _full_sessions(now: datetime) -> list[date]:
    last = sessions.last_finished(now)
    recent = sessions.between(sessions.offset(last, -(SESSIONS + 5)), last)
    full = [
        day
        for day in recent
        if closes.closing(day).astimezone(sessions.NEW_YORK).hour == volume_curve.CLOSE // 60
    ]
    return full[-SESSIONS:]


def _sample(days: list[date]) -> list[str]:
    """Return the stocks to learn from: of the band, evenly over what they trade a day."""
    lake = lakes.lake_of(Source.LIVE)
    bars = lake.read(
        "bars", first=days[0], last=days[-1], columns=["symbol", "session", "close", "volume"]
    )
    listed = Security.objects.filter(
        source__in=lakes.sources_beside(Source.LIVE),
        kind__in=[Kind.COMMON, Kind.ADR],
        first_session__lte=days[0],
        last_session__gte=days[-1],
    )
    c = pl.col
    usual = (
        bars.filter(c("symbol").is_in(list(set(listed.values_list("symbol", flat=True)))))
        .group_by("symbol")
        .agg(dollars=(c("close") * c("volume")).mean(), close=c("close").median(), n=pl.len())
        .filter(
            c("close").is_between(*BAND), c("dollars") >= MIN_DOLLARS, c("n") >= SESSIONS * 3 // 4
        )
        .sort("dollars", "symbol")
    )
    step = max(1.0, usual.height / STOCKS)
    places = sorted({int(number * step) for number in range(min(STOCKS, usual.height))})
    return sorted(usual["symbol"].gather(places).to_list())
