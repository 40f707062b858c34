"""Bars of a few minutes of one stock from Polygon, before, in and after its sessions."""

from datetime import date
from typing import Final
from urllib.parse import quote

import polars as pl

from analytics.clients import rows
from analytics.clients.polygon import Polygon

MINUTES: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "at": rows.INSTANT,  # start of the bar
    "volume": pl.Float64(),  # may be fractional
}


def volumes(
    polygon: Polygon, *, symbol: str, first: date, last: date, minutes: int
) -> pl.DataFrame:
    """Return the volume of each bar of so many minutes from ``first`` to ``last``.

    Returns:
        Columns as in ``MINUTES``, by time; a bar without trades is missing. The time of a bar
        is that of its start here, unlike grouped daily's.

    Raises:
        NotInPlan, TooOldForPlan: The plan does not have them.
        UpstreamError: The provider let us down.
    """
    found = polygon.all_rows(
        f"/v2/aggs/ticker/{quote(symbol, safe='')}/range/{minutes}/minute/{first}/{last}",
        adjusted="false",
        sort="asc",
        limit="50000",
    )
    frame = rows.table(found, {"at": ("t", pl.Int64()), "volume": ("v", pl.Float64())})
    made = frame.select(
        symbol=pl.lit(symbol),
        at=pl.from_epoch("at", time_unit="ms").dt.replace_time_zone("UTC"),
        volume="volume",
    ).drop_nulls()
    kept = made.filter(pl.col("volume") >= 0).unique("at", keep="first", maintain_order=True)
    return kept.select(pl.col(name).cast(dtype) for name, dtype in MINUTES.items()).sort("at")
