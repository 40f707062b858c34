"""Quality gates of daily bars (design §3): what is wrong or odd, never mended in silence.

Two families. *Row gates* look at one row of a file; what they find is kept out of the lake.
*Series gates* look at a symbol's whole history in the lake; what they find stays in and is
reported once per run or hole, not once per row.
"""

from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from analytics.calc import listings, sessions

FINDING: Final[dict[str, pl.DataType]] = {
    "gate": pl.String(),
    "severity": pl.String(),  # info, warning, error
    "symbol": pl.String(),
    "session": pl.Date(),
    "detail": pl.String(),
}
TEXT: Final = pl.String()
PRICES: Final = ("open", "high", "low", "close")
LONGEST_SYMBOL: Final = 16  # characters
TOLERANCE: Final = 1e-6  # relative: a close that rounding put outside the range is inside
FROZEN_SESSIONS: Final = 5  # same close, no volume, so many sessions in a row
NEAR_WHOLE: Final = 0.03  # a one-day ratio this near to a whole multiple looks like a split
REPEATED_SHARE: Final = 0.5  # of the symbols repeat yesterday's bar: the feed is stuck
FEWEST_SYMBOLS: Final = 10  # below that, a missing session says nothing about the feed
COVERED_SHARE: Final = 0.5  # of a session's symbols: so many make another session comparable
STALE_SESSIONS: Final = 5  # the newest bar may be so old before the feed is called stale

SERIES_GATES: Final = (
    "missing_session",
    "unadjusted_split",
    "frozen_quote",
    "stale_feed",
    "other_listing",
)


def row_faults(bars: pl.DataFrame) -> pl.DataFrame:
    """Find the rows that must not enter the lake.

    Args:
        bars: Rows of one file in any order, with ``line`` int, ``symbol``, ``session``,
            ``open``, ``high``, ``low``, ``close`` [USD] and ``volume`` [shares]; prices
            other than the close may be null.

    Returns:
        One row per faulty row, by line: ``gate``, ``severity``, ``symbol``, ``session``,
        ``detail``, ``line``. A row with several faults is named by the first of: not_a_session,
        bad_symbol, bad_price, bad_volume, high_below_low, close_outside, duplicate_key.

    Source:
        Design §3. Of rows with the same key the first in the file is kept.
    """
    c = pl.col
    trading = pl.Series(sessions.calendar()).cast(pl.Date)
    days = pl.DataFrame({"session": bars["session"].unique()})
    closed = days.filter(~c("session").is_in(trading.implode()))["session"]
    if closed.is_empty() and _is_sound(bars):
        kept = {name: bars.schema[name] for name in ("symbol", "session", "line")}
        return pl.DataFrame(schema={"gate": TEXT, **kept, "severity": TEXT, "detail": TEXT})
    outside = (c("close") > c("high") * (1 + TOLERANCE)) | (c("close") < c("low") * (1 - TOLERANCE))
    gate = (
        pl.when(c("session").is_in(closed.implode()))
        .then(pl.lit("not_a_session"))
        .when(~c("symbol").str.len_chars().is_between(1, LONGEST_SYMBOL))
        .then(pl.lit("bad_symbol"))
        .when(c("close").is_null() | pl.any_horizontal(~(c(p) > 0) for p in PRICES))
        .then(pl.lit("bad_price"))
        .when(~(c("volume") >= 0) | c("volume").is_null())
        .then(pl.lit("bad_volume"))
        .when(c("high") < c("low"))
        .then(pl.lit("high_below_low"))
        .when(outside)
        .then(pl.lit("close_outside"))
    )
    marked = bars.with_columns(gate=gate)
    good = marked.filter(c("gate").is_null()).select("symbol", "session", "line")
    again = _repeated(good)
    faults = pl.concat(
        [
            marked.filter(c("gate").is_not_null()),
            marked.filter(c("line").is_in(again.implode())).with_columns(
                gate=pl.lit("duplicate_key")
            ),
        ]
    )
    shown = pl.concat_str(
        *(pl.lit(f"{p} ") + c(p).cast(pl.String).fill_null("-") for p in (*PRICES, "volume")),
        separator=" ",
    )
    return faults.sort("line").select(
        "gate", "symbol", "session", "line", severity=pl.lit("error"), detail=shown
    )


def _is_sound(bars: pl.DataFrame) -> bool:
    """Return whether no row has a fault, its day aside: nearly always so, and told at once."""
    c = pl.col
    outside = (c("close") > c("high") * (1 + TOLERANCE)) | (c("close") < c("low") * (1 - TOLERANCE))
    wrong = (
        ~c("symbol").str.len_chars().is_between(1, LONGEST_SYMBOL),
        c("close").is_null() | pl.any_horizontal(~(c(p) > 0) for p in PRICES),
        ~(c("volume") >= 0) | c("volume").is_null(),
        c("high") < c("low"),
        outside,
    )
    if bars.select(pl.any_horizontal(part.any() for part in wrong)).item():
        return False
    return not bars.select("symbol", "session").is_duplicated().any()


def _repeated(rows: pl.DataFrame) -> pl.Series:
    """Return the lines of rows whose key an earlier line has."""
    c = pl.col
    ordered = rows.sort("symbol", "session", "line")
    same = (c("symbol") == c("symbol").shift(1)) & (c("session") == c("session").shift(1))
    return ordered.filter(same)["line"]


def series_findings(bars: pl.DataFrame, splits: pl.DataFrame, market: pl.DataFrame) -> pl.DataFrame:
    """Look at whole histories: one finding per hole, jump, frozen run and listing boundary.

    Args:
        bars: Sorted by (``symbol``, ``session``), with ``close``, ``volume``, ``quality``.
        splits: ``symbol``, ``ex_date``.
        market: ``session`` and how many ``symbols`` have a bar on it, over the whole lake,
            ascending.

    Returns:
        Sorted rows with the columns in ``FINDING``.
    """
    if bars.is_empty():
        return pl.DataFrame(schema=FINDING)
    rows = listings.with_gaps(bars).with_columns(
        ratio=pl.col("close") / pl.col("close").shift(1), before=pl.col("session").shift(1)
    )
    parts = [
        _holes(rows, market),
        _other_listings(rows, market),
        _unadjusted_splits(rows, splits),
        _frozen(rows),
    ]
    return pl.concat([part.select(*FINDING) for part in parts]).sort("symbol", "session", "gate")


def repeated_sessions(bars: pl.DataFrame) -> pl.DataFrame:
    """Find the sessions on which a feed repeats the one before: it was stuck.

    Args:
        bars: What one feed delivered, sorted by (``symbol``, ``session``), with ``close`` and
            ``volume``.

    Returns:
        One row per session on which at least half of 10 or more symbols have close and
        (non-zero) volume of their row before; columns as in ``FINDING``, ``symbol`` empty.
    """
    c = pl.col
    repeated = (
        (c("symbol") == c("symbol").shift(1))
        & (c("close") == c("close").shift(1))
        & (c("volume") == c("volume").shift(1))
        & (c("volume") > 0)
    )
    return (
        bars.select("session", repeated=repeated)
        .group_by("session")
        .agg(share=c("repeated").mean(), symbols=pl.len())
        .filter((c("symbols") >= FEWEST_SYMBOLS) & (c("share") >= REPEATED_SHARE))
        .with_columns(
            gate=pl.lit("repeated_session"),
            severity=pl.lit("error"),
            symbol=pl.lit(""),
            detail=_text(c("share").round(3), pl.lit(" of the bars repeat the session before")),
        )
        .select(*FINDING)
        .sort("session")
    )


def feed_findings(market: list[date], *, symbols: int, last_finished: date) -> pl.DataFrame:
    """Look at the feed as a whole: sessions without any bar, and how old the newest bar is.

    Args:
        market: The sessions with a bar of any symbol, ascending.
        symbols: How many symbols there are.
        last_finished: The newest session that has closed.

    Returns:
        Rows with the columns in ``FINDING``; ``symbol`` is empty.
    """
    found: list[dict[str, object]] = []
    if symbols >= FEWEST_SYMBOLS:
        found += [
            _feed("missing_session", "warning", day, "no bar of any symbol")
            for day in _missing_days(market)
        ]
    if market:
        age = sessions.number(last_finished) - sessions.number(market[-1])
        if age > STALE_SESSIONS:
            detail = f"the newest bar is of {market[-1]}"
            found.append(_feed("stale_feed", "info", market[-1], detail))
    return pl.DataFrame(found, schema=FINDING)


def _feed(gate: str, severity: str, day: date, detail: str) -> dict[str, object]:
    return {"gate": gate, "severity": severity, "symbol": "", "session": day, "detail": detail}


def _text(*parts: pl.Expr | str) -> pl.Expr:
    """Write ``parts`` one after the other. (``pl.format`` panics on a frame without rows.)"""
    columns = (pl.col(part) if isinstance(part, str) else part for part in parts)
    return pl.concat_str(column.cast(pl.String) for column in columns)


def _missing_days(market: list[date]) -> list[date]:
    """Return sessions without a bar that lie in holes of 20 sessions or less."""
    at = np.array([sessions.number(day) for day in market])
    return [
        sessions.day(number)
        for a, b in pairwise(at)
        if b - a - 1 <= listings.LONGEST_GAP
        for number in range(a + 1, b)
    ]


def _covered(rows: pl.DataFrame, market: pl.DataFrame, share: float) -> pl.DataFrame:
    """Add ``open_days``: sessions between a row and the one before that the data covers.

    A session is covered if it has bars of at least ``share`` times as many symbols as the
    row's own session: where hardly anything is known, a missing bar says nothing.
    """
    days = market["session"].to_numpy()
    symbols = market["symbols"].to_numpy()
    later = np.searchsorted(days, rows["session"].to_numpy())
    earlier = np.searchsorted(days, rows["before"].to_numpy(), side="right")
    counts = {
        (a, b): int((symbols[a:b] >= share * symbols[b]).sum())
        for a, b in set(zip(earlier.tolist(), later.tolist(), strict=True))
    }
    found = [counts[pair] for pair in zip(earlier.tolist(), later.tolist(), strict=True)]
    return rows.with_columns(open_days=pl.Series(found, dtype=pl.Int64))


def _holes(rows: pl.DataFrame, market: pl.DataFrame) -> pl.DataFrame:
    c = pl.col
    holes = rows.filter(c("gap").is_between(1, listings.LONGEST_GAP))
    return (
        _covered(holes, market, 0)
        .filter(c("open_days") > 0)
        .with_columns(
            gate=pl.lit("missing_session"),
            severity=pl.lit("info"),
            detail=_text("open_days", pl.lit(" missing since "), "before"),
        )
    )


def _other_listings(rows: pl.DataFrame, market: pl.DataFrame) -> pl.DataFrame:
    c = pl.col
    cuts = rows.filter(c("starts") & c("gap").is_not_null())
    shift = c("quality") == listings.LEVEL_SHIFT
    return (
        _covered(cuts, market, COVERED_SHARE)
        .filter(shift | (c("open_days") > listings.LONGEST_GAP))
        .with_columns(
            gate=pl.lit("other_listing"),
            severity=pl.lit("warning"),
            detail=_text(
                pl.lit("the close of "),
                "before",
                pl.lit(" is of another listing; this one is "),
                c("ratio").round(4),
                pl.lit(" times it"),
            ),
        )
    )


def _unadjusted_splits(rows: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    c = pl.col
    jump = pl.max_horizontal(c("ratio"), 1 / c("ratio"))
    whole = jump.round()
    near = (whole >= 2) & ((jump / whole - 1).abs() <= NEAR_WHOLE)
    return (
        rows.filter(~c("starts") & near)
        .join(splits.select("symbol", session="ex_date"), on=["symbol", "session"], how="anti")
        .with_columns(
            gate=pl.lit("unadjusted_split"),
            severity=pl.lit("warning"),
            detail=_text(
                pl.lit("close is "),
                c("ratio").round(4),
                pl.lit(" times that of "),
                "before",
                pl.lit(", no split"),
            ),
        )
    )


def _frozen(rows: pl.DataFrame) -> pl.DataFrame:
    c = pl.col
    goes_on = (
        ~c("starts") & (c("ratio") == 1) & (c("volume") == 0) & (c("volume").shift(1) == 0)
    ).fill_null(value=False)
    return (
        rows.with_columns(run=(~goes_on).cum_sum())
        .filter(c("volume") == 0)
        .group_by("run", maintain_order=True)
        .agg(
            c("symbol").first(),
            c("session").first(),
            c("close").first(),
            last=c("session").last(),
            length=pl.len(),
        )
        .filter(c("length") >= FROZEN_SESSIONS)
        .with_columns(
            gate=pl.lit("frozen_quote"),
            severity=pl.lit("warning"),
            detail=_text(
                pl.lit("close "),
                "close",
                pl.lit(" for "),
                "length",
                pl.lit(" sessions to "),
                "last",
                pl.lit(", no volume"),
            ),
        )
    )
