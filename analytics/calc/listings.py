"""Listing periods: where the history of a ticker must not be read across (design §3)."""

from typing import Final

import numpy as np
import polars as pl

from analytics.calc import sessions

LONGEST_GAP: Final = 20  # sessions without a bar that still belong to one listing
LEVEL_SHIFT: Final = 6  # quality of a bar whose price level shifts without a split
FIELDS: Final = ("kind", "name", "exchange", "sector", "industry", "country", "figi", "cik")
UNKNOWN: Final = "unknown"


def with_gaps(bars: pl.DataFrame, changes: pl.DataFrame | None = None) -> pl.DataFrame:
    """Add ``gap`` and ``starts``, the facts about the row before in the same symbol.

    Args:
        bars: Sorted by (``symbol``, ``session``), with ``quality``.
        changes: Rows of :func:`changes_of_company`; none if not given.

    Returns:
        ``bars`` plus ``gap`` int [sessions without a bar since the row before; null on the
        first row of a symbol] and ``starts`` bool (a listing period begins here).
    """
    numbers = np.searchsorted(sessions.calendar(), bars["session"].to_numpy())
    same = pl.col("symbol") == pl.col("symbol").shift(1)
    changed = _first_bars_since(bars, changes)
    gap = pl.when(same).then(pl.col("_number") - pl.col("_number").shift(1) - 1)
    return (
        bars.with_columns(_number=pl.Series(numbers, dtype=pl.Int32))
        .with_columns(gap=gap)
        .with_columns(
            starts=pl.col("gap").is_null()
            | (pl.col("gap") > LONGEST_GAP)
            | (pl.col("quality") == LEVEL_SHIFT).fill_null(value=False)
            | changed
        )
        .drop("_number")
    )


def changes_of_company(lists: pl.DataFrame) -> pl.DataFrame:
    """Find the days from which a ticker belongs to another company.

    Two entries of the symbol lists with different FIGIs are two companies. The later one
    begins the day after the earlier one was delisted, where that is stated, else on the
    first day it was seen.

    Args:
        lists: ``symbol``, ``first_date``, ``figi`` and ``delisted_on``, the last two of which
            may be null.

    Returns:
        Sorted: ``symbol``, ``since`` date.
    """
    c = pl.col
    known = lists.filter(c("figi").is_not_null()).sort("symbol", "first_date", "figi")
    same = c("symbol") == c("symbol").shift(1)
    other = (same & (c("figi") != c("figi").shift(1))).fill_null(value=False)
    ended = pl.when(same).then(c("delisted_on").shift(1)) + pl.duration(days=1)
    since = pl.min_horizontal(ended, "first_date")
    return known.with_columns(since=since).filter(other).select("symbol", "since")


def _first_bars_since(bars: pl.DataFrame, changes: pl.DataFrame | None) -> pl.Series:
    """Say of each bar whether it is its symbol's first on or after one of the ``changes``."""
    if changes is None or changes.is_empty() or bars.is_empty():
        return pl.repeat(False, bars.height, eager=True)
    rows = bars.select("symbol", "session", row=pl.int_range(pl.len()))
    first = changes.sort("since").join_asof(
        rows.sort("session"),
        left_on="since",
        right_on="session",
        by="symbol",
        strategy="forward",
        check_sortedness=False,
    )
    at = first["row"].drop_nulls()
    return pl.int_range(bars.height, eager=True).is_in(at.implode())


def periods(bars: pl.DataFrame, changes: pl.DataFrame | None = None) -> pl.DataFrame:
    """Cut each symbol's bars into listing periods.

    A period ends where more than 20 sessions lie between two bars, before a bar whose
    price level shifts without a split (ticker reuse, relisting), and where the symbol lists
    name another company.

    Args:
        bars: Sorted by (``symbol``, ``session``), with ``quality``.
        changes: Rows of :func:`changes_of_company`; none if not given.

    Returns:
        Sorted, one row per period: ``symbol``, ``first_session``, ``last_session``.

    Source:
        Design §3: "a ticker can be reused, so history never crosses a listing boundary". The
        limit of 20 sessions is ours; the data's README counts gaps above it as reuse,
        relisting or long halts.
    """
    return (
        with_gaps(bars.select("symbol", "session", "quality"), changes)
        .with_columns(period=pl.col("starts").cum_sum())
        .group_by("period", maintain_order=True)
        .agg(
            pl.col("symbol").first(),
            first_session=pl.col("session").first(),
            last_session=pl.col("session").last(),
        )
        .drop("period")
    )


def describe(found: pl.DataFrame, lists: pl.DataFrame) -> pl.DataFrame:
    """Add to each period what the symbol lists say about it.

    Each field comes from the list entry that overlaps the period longest and has the field;
    what a person assumed counts only where no list says anything. The answer does not
    depend on the order of ``lists``.

    Args:
        found: Rows of :func:`periods`.
        lists: ``symbol``, ``first_date``, ``last_date``, ``origin``, ``assumed`` and of the
            columns in ``FIELDS`` and ``delisted_on`` those that are known, with nulls.

    Returns:
        ``found``, same rows and order, plus the columns in ``FIELDS`` and ``delisted_on``;
        ``kind`` is ``"unknown"``, ``delisted_on`` null and the others are empty text where
        nothing is known.
    """
    absent = [name for name in FIELDS if name not in lists.columns]
    lists = lists.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    if "delisted_on" not in lists.columns:
        lists = lists.with_columns(delisted_on=pl.lit(None, pl.Date))
    overlap = pl.min_horizontal("last_session", "last_date") - pl.max_horizontal(
        "first_session", "first_date"
    )
    order = ["assumed", "overlap", "last_date", "origin"]
    best = (
        found.join(lists, on="symbol", how="inner")
        .with_columns(overlap=overlap, kind=pl.col("kind").replace({UNKNOWN: None}))
        .filter(pl.col("overlap") >= pl.duration(days=0))
        .sort(
            "symbol", "first_session", *order, descending=[False, False, False, True, True, False]
        )
        .group_by("symbol", "first_session", maintain_order=True)
        .agg(pl.col(field).drop_nulls().first() for field in (*FIELDS, "delisted_on"))
    )
    known = found.join(best, on=["symbol", "first_session"], how="left", maintain_order="left")
    return known.with_columns(
        pl.col("kind").fill_null(UNKNOWN), *(pl.col(f).fill_null("") for f in FIELDS[1:])
    )
