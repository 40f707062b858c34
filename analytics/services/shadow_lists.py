"""The shadow lists of two variants and what became of them, from rows and bars (design §17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc import sessions
from analytics.calc.ab_metrics import Paired, join, pair
from analytics.calc.panel import Panel
from analytics.models import DiscoveryBatch, ShadowPick, Variant
from analytics.services import lakes, panels
from analytics.services.job_registry import Report

CHUNK = 500  # sessions read at once
AHEAD = 15  # sessions of bars that settle the last one

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Paired metrics by session, and what they were read from.

    Attributes:
        paired: Metrics; None without a session that both variants scanned.
        settled: Last session whose window has settled, as a number; -1 if there is none.
        versions: Version by lake table.
    """

    paired: Paired | None
    settled: int
    versions: dict[str, int]


def get_lists(
    *,
    variants: Sequence[Variant],
    source: str,
    first: date,
    last: date | None = None,
    in_time: bool,
    report: Report | None = None,
) -> Lists:
    """Return the outcomes of the shadow lists of two variants.

    Args:
        variants: A and B.
        source: Of the batches.
        first: First session.
        last: Last session; the last with bars otherwise.
        in_time: Only lists written before the next session opened, superseded later or not;
            else the current revision of each session.
        report: Told how far the reading is.
    """
    from analytics.calc import outcomes

    covered = np.array([sessions.number(day) for day in lakes.lake_of(source).sessions()], np.int32)
    if not covered.size:
        return Lists(paired=None, settled=-1, versions={})
    newest = sessions.day(int(covered[-1]))
    batches = _batches(variants, source, first, min(last, newest) if last else newest, in_time)
    settled = int(covered[-1]) - outcomes.WINDOW
    days = batches["session"].unique().sort().to_list()
    parts, versions = [], lakes.lake_of(source).versions()
    reach = outcomes.coverage(covered, size=sessions.calendar().size)
    for at in range(0, len(days), CHUNK):
        if report:
            report.progress(at, len(days), "reading shadow lists and bars")
        parts.append(_paired(batches, days[at : at + CHUNK], source, reach))
    return Lists(paired=join(parts) if parts else None, settled=settled, versions=versions)


def _batches(
    variants: Sequence[Variant], source: str, first: date, last: date, in_time: bool
) -> pl.DataFrame:
    """Return one batch per session and side, of sessions that both variants scanned."""
    rows = DiscoveryBatch.objects.filter(
        variant__in=variants,
        source__in=lakes.sources_beside(source),
        session__range=(first, last),
    )
    if not in_time:
        rows = rows.current()
    side = {variant.pk: number for number, variant in enumerate(variants)}
    chosen: dict[tuple[date, int], tuple[int, int]] = {}
    values = rows.values_list("pk", "variant_id", "session", "revision", "created_at")
    for pk, variant_id, session, revision, created_at in values.order_by("revision", "pk"):
        if not in_time or created_at < sessions.opening(sessions.offset(session, 1)):
            chosen[session, side[variant_id]] = (pk, revision)
    both = [
        (pk, session, number)
        for (session, number), (pk, _) in chosen.items()
        if (session, 1 - number) in chosen
    ]
    return pl.DataFrame(
        both,
        schema={"batch_id": pl.Int64, "session": pl.Date, "side": pl.Int64},
        orient="row",
    )


def _paired(
    batches: pl.DataFrame, days: list[date], source: str, reach: npt.NDArray[np.int32]
) -> Paired:
    from analytics.calc import market

    reading = panels.get_panel(source=source, first=days[0], last=days[-1], ahead=AHEAD)
    picks = _picks(batches.filter(pl.col("session").is_in(days)))
    numbers = np.array([sessions.number(day) for day in days], np.int32)
    lists = [_rows(reading.panel, picks.filter(pl.col("side") == side)) for side in (0, 1)]
    seen = market.view(
        reading.panel, reach=reach, numbers=numbers, extra=np.unique(np.concatenate(lists))
    )
    return pair(seen, lists)


def _picks(batches: pl.DataFrame) -> pl.DataFrame:
    of_batches = ShadowPick.objects.filter(
        batch__session__range=(batches["session"].min(), batches["session"].max()),
    ).values_list("batch_id", "symbol")
    picks = pl.DataFrame(
        list(of_batches), schema={"batch_id": pl.Int64, "symbol": pl.String}, orient="row"
    )
    return picks.join(batches, on="batch_id")


def _rows(panel: Panel, picks: pl.DataFrame) -> Longs:
    """Return the rows of picks; one whose bar is gone since is left out."""
    from analytics.calc import market

    ids = {symbol: number for number, symbol in enumerate(panel.symbols)}
    symbol = np.array([ids.get(name, -1) for name in picks["symbol"]], np.int64)
    days = picks["session"].to_numpy().astype("datetime64[D]")
    number = np.searchsorted(sessions.calendar(), days).astype(np.int64)
    rows = market.find_rows(panel, symbol, number)
    found: Longs = np.unique(rows[rows >= 0])
    return found
