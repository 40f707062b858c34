"""Features per symbol and session, point in time (design §4)."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.calc import panel as panels
from analytics.calc import sessions
from analytics.calc.kernels import layout
from analytics.calc.panel import Floats, Ints, Longs, Panel, Records

NAMES = layout.FEATURES


@dataclass(frozen=True, kw_only=True)
class FeatureTable:
    """Features of some rows of a panel.

    Attributes:
        rows: Rows of the panel, ascending.
        segment: Listing of each row.
        values: One row per name in ``NAMES``, one column per panel row; NaN is null.
            Returns and shares are fractions, dollar volume is USD, ages are sessions.
    """

    rows: Longs
    segment: Ints
    values: Floats

    def __getitem__(self, name: str) -> Floats:
        column: Floats = self.values[NAMES.index(name)]
        return column


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What each row of a panel says of the step from the session before.

    Attributes:
        values: [2, rows]: log return and true range [USD], split-adjusted; NaN without a bar
            on the session before.
        regular: Steps in a row, up to the row, without a hole, a split or a missing price.
    """

    values: Floats
    regular: Ints


def steps(panel: Panel) -> Steps:
    """Return the steps of every row."""
    from analytics.calc.kernels import bars

    values, regular = np.empty((2, panel.height)), np.empty(panel.height, np.int32)
    panels.in_threads(
        lambda first, last: bars.steps(
            first, last, panel.segment_start, panel.session, panel.open, panel.high, panel.low,
            panel.close, panel.split, values, regular,
        ),
        panel.segment_start,
    )  # fmt: skip
    return Steps(values=values, regular=regular)


def volume_means(panel: Panel, past: Steps) -> tuple[Floats, Floats]:
    """Return per row the mean volume [shares] and mean dollar volume of the 20 sessions before.

    NaN with fewer than 15 of them.
    """
    from analytics.calc.kernels import bars

    mean, dollars = np.empty(panel.height), np.empty(panel.height)
    panels.in_threads(
        lambda first, last: bars.volume_means(
            first, last, panel.segment_start, panel.session, panel.close, panel.volume,
            panel.split, past.regular, mean, dollars,
        ),
        panel.segment_start,
    )  # fmt: skip
    return mean, dollars


def of_bars(panel: Panel) -> Floats:
    """Return the features that need bars alone, for every row: float64 [12, rows], NaN is null.

    Row order as in ``layout.FEATURES``. Windows are counted in sessions: a window of 20 needs
    15 sessions with data, one of 14 needs 11, one of 5 needs 4; ``ret_k`` needs a bar exactly
    k sessions back.

    Source: design §4.
    """
    rows = np.arange(panel.height, dtype=np.int64)
    segment = np.repeat(np.arange(panel.segments, dtype=np.int32), np.diff(panel.segment_start))
    out = np.empty((layout.BAR_FEATURES, panel.height))
    _fill_bars(panel, rows, segment, steps(panel), out)
    return out


def of_rows(panel: Panel, rows: Longs, *, past: Steps | None = None) -> FeatureTable:
    """Return all features of ``rows`` (ascending), the same bits as :func:`of_bars` gives.

    ``float_shares`` is the public float if its effective date is within 400 days, else shares
    outstanding (``float_outstanding`` 1). ``short_interest_pct`` is at most 30 sessions past
    its settlement. Both are adjusted for splits since. ``short_volume_ratio`` and ``sentiment``
    are null when older than 5 sessions.

    Args:
        past: :func:`steps` of the panel, if they are at hand.

    Source: design §4.
    """
    segment = panels.row_segments(panel, rows)
    values = np.empty((len(NAMES), rows.size))
    _fill_bars(panel, rows, segment, past or steps(panel), values)
    _fill_records(panel, rows, segment, values)
    return FeatureTable(rows=rows, segment=segment, values=values)


def _fill_bars(panel: Panel, rows: Longs, segment: Ints, past: Steps, out: Floats) -> None:
    from analytics.calc.kernels import bars

    panels.in_threads(
        lambda first, last: bars.bar_features(
            first, last, rows, segment, panel.segment_start, panel.session, panel.open,
            panel.high, panel.low, panel.close, panel.volume, panel.split, past.values,
            past.regular, out,
        ),
        np.arange(rows.size + 1, dtype=np.int64),
    )  # fmt: skip


def _fill_records(panel: Panel, rows: Longs, segment: Ints, out: Floats) -> None:
    from analytics.calc.kernels import records

    days = panels.session_days()
    segments = (segment, panel.segment_symbol, panel.segment_after)
    splits = (panel.split_start, panel.split_session, panel.split_ratio)
    shares = (*_keys(panel.shares), panel.shares.day, *panel.shares.values.values())
    short = (*_keys(panel.short_interest), *panel.short_interest.values.values())
    volume = panel.short_volume.values
    share = np.divide(
        volume["short_volume"],
        volume["total_volume"],
        out=np.full(volume["short_volume"].size, np.nan),
        where=volume["total_volume"] > 0,
    )
    ratio = (*_keys(panel.short_volume), share)
    mood = (*_keys(panel.sentiment), panel.sentiment.values["sentiment"])

    def fill(first: int, last: int) -> None:
        records.float_features(
            first, last, rows, segments, panel.session, days, splits, shares, out
        )
        records.short_features(
            first, last, rows, segments, panel.session, splits, short, ratio, mood, out
        )

    panels.in_threads(fill, np.arange(rows.size + 1, dtype=np.int64))


def _keys(table: Records) -> tuple[Longs, Ints, Ints]:
    return table.start, table.known, table.about


def frame(panel: Panel, table: FeatureTable) -> pl.DataFrame:
    """Return the table with ``symbol`` and ``session`` in front; NaN becomes null."""
    symbol = panel.segment_symbol[table.segment]
    columns = {name: table[name] for name in NAMES}
    return pl.DataFrame(
        {
            "symbol": pl.Series(panel.symbols).gather(symbol),
            "session": sessions.calendar()[panel.session[table.rows]],
            **columns,
        }
    ).with_columns(pl.col(NAMES).fill_nan(None))
