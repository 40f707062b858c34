"""Further evidence per symbol and session for the learned variant, point in time (design §4)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.calc import features
from analytics.calc import panel as panels
from analytics.calc.features import FeatureTable, Steps
from analytics.calc.kernels import learned_layout as layout
from analytics.calc.panel import Flags, Floats, Ints, Longs, Panel, Records

NAMES = (*features.NAMES, *layout.EVIDENCE)
BASE_CLOSE_USD = (1.0, 8.0)  # whose doings are the market's state, design §8
BASE_DOLLAR_VOLUME_USD = 500_000.0
HEALTH_CARE = "Health Care"
SHORT, LONG = 5, 20  # sessions of the market's state
FEWEST = {SHORT: 4, LONG: 15}


@dataclass(frozen=True, kw_only=True)
class State:
    """What the base universe did, by group and session; the last group is the whole market.

    Attributes:
        base: First session.
        values: [5, groups, sessions]: sum of mean returns of 5 and of 20 sessions, share of
            run-ups, its mean over 20 sessions, mean absolute return of 20 sessions.
        spikes: [sessions] share of spikes over its mean of the 20 sessions before.
    """

    base: int
    values: Floats
    spikes: Floats


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What each row of a panel is marked with, and its mean volumes.

    Attributes:
        mark: [3, rows]: run-up, failed run-up, volume spike.
        dollars: ``dollar_volume_20``.
    """

    mark: Flags
    dollars: Floats


def of_rows(panel: Panel, rows: Longs, *, past: Steps | None = None) -> Floats:
    """Return the features and the further evidence of ``rows`` (ascending).

    Returns:
        float64 [``NAMES``, rows]; NaN is null. Logarithms are natural; counts are sessions.

    Source: design §4.
    """
    past = past or features.steps(panel)
    return with_evidence(panel, features.of_rows(panel, rows, past=past), past=past)


def with_evidence(panel: Panel, table: FeatureTable, *, past: Steps) -> Floats:
    """Return what :func:`of_rows` does, of rows whose features are at hand."""
    from analytics.calc.kernels import learned

    rows, segment = table.rows, table.segment
    out = np.full((len(layout.EVIDENCE), rows.size), np.nan)
    seen = _marks(panel, past)
    run_start = _run_start(panel)
    dollars, shares = np.ascontiguousarray(table["dollar_volume_20"]), table["float_shares"]
    shares = np.ascontiguousarray(shares)
    short, fails = panel.short_interest, panel.fails

    def fill(first: int, last: int) -> None:
        learned.bar_evidence(
            first, last, rows, segment, panel.segment_start, panel.segment_first, run_start,
            panel.session, panel.open, panel.close, panel.volume, panel.split, past.values[0],
            seen.mark, dollars, shares, out,
        )  # fmt: skip
        learned.record_evidence(
            first, last, rows, (segment, panel.segment_symbol, panel.segment_after), panel.session,
            (panel.split_start, panel.split_session, panel.split_ratio),
            _record(short, "shares_short"), _record(fails, "quantity"), shares, out,
        )  # fmt: skip

    panels.in_threads(fill, np.arange(rows.size + 1, dtype=np.int64))
    _fill_state(panel, rows, segment, _state(panel, past, seen), out)
    return np.concatenate([table.values, out])


def _record(table: Records, figure: str) -> tuple[Longs, Ints, Ints, Floats]:
    return table.start, table.known, table.about, table.values[figure]


def _marks(panel: Panel, past: Steps) -> Marks:
    from analytics.calc.kernels import learned

    mean, dollars = features.volume_means(panel, past)
    mark = np.zeros((3, panel.height), np.bool_)
    panels.in_threads(
        lambda first, last: learned.marks(
            first, last, panel.segment_start, panel.session, panel.close, panel.volume,
            panel.split, mean, mark,
        ),
        panel.segment_start,
    )  # fmt: skip
    return Marks(mark=mark, dollars=dollars)


def _run_start(panel: Panel) -> Ints:
    """Return by session number the first session of its unbroken run of sessions with bars."""
    present = np.bincount(panel.session) > 0 if panel.height else np.zeros(1, np.bool_)
    number = np.arange(present.size)
    begins = present & ~np.concatenate([[False], present[:-1]])
    start: Ints = np.maximum.accumulate(np.where(begins, number, -1)).astype(np.int32)
    return start


def _state(panel: Panel, past: Steps, seen: Marks) -> State:
    from analytics.calc.kernels import learned

    common = np.repeat(panel.segment_common, np.diff(panel.segment_start))
    low, high = BASE_CLOSE_USD
    inside = common & (panel.close >= low) & (panel.close <= high)
    rows = np.flatnonzero(inside & (seen.dollars >= BASE_DOLLAR_VOLUME_USD))
    base = int(panel.session.min()) if panel.height else 0
    width = int(panel.session.max()) - base + 1 if panel.height else 0
    groups = len(panel.sectors)
    sums = np.zeros((6, groups + 1, width))
    sector = panel.segment_sector[panels.row_segments(panel, rows)]
    everything = np.full(rows.size, groups, np.int32)
    for group in (sector, everything):
        learned.market_sums(
            rows, group, panel.session, base, past.values[0], seen.mark, sums
        )  # fmt: skip
    return _windows(sums, base)


def _windows(sums: Floats, base: int) -> State:
    fewest = np.full((sums.shape[1], 1), float(layout.FEWEST_OF_SECTOR))
    enough = sums[0] >= fewest
    with np.errstate(invalid="ignore", divide="ignore"):
        move = np.where(enough & (sums[1] > 0), sums[2] / sums[1], np.nan)
        size = np.where(enough & (sums[1] > 0), sums[3] / sums[1], np.nan)
        heat = np.where(enough, sums[4] / sums[0], np.nan)
        spikes = np.where(enough[-1], sums[5, -1] / sums[0, -1], np.nan)
        usual = _mean(np.concatenate([[np.nan], spikes[:-1]])[None], LONG)[0]
        unusual = np.where(usual > 0, spikes / usual, np.nan)
    values = np.stack(
        [
            _mean(move, SHORT) * SHORT,
            _mean(move, LONG) * LONG,
            heat,
            _mean(heat, LONG),
            _mean(size, LONG),
        ]
    )
    return State(base=base, values=values, spikes=unusual)


def _mean(series: Floats, window: int) -> Floats:
    """Return the mean of each ``window`` newest values, newest first; NaN with too few."""
    total, count = np.zeros(series.shape), np.zeros(series.shape)
    for lag in range(min(window, series.shape[1])):
        moved = np.full(series.shape, np.nan)
        moved[:, lag:] = series[:, : series.shape[1] - lag]
        known = ~np.isnan(moved)
        total += np.where(known, moved, 0.0)
        count += known
    mean: Floats = np.divide(
        total, count, out=np.full(series.shape, np.nan), where=count >= FEWEST[window]
    )
    return mean


def _fill_state(panel: Panel, rows: Longs, segment: Ints, state: State, out: Floats) -> None:
    when: npt.NDArray[np.int64] = panel.session[rows].astype(np.int64) - state.base
    ret_5, ret_20, heat, heat_20, move_20 = state.values
    out[layout.MARKET_RET_5] = ret_5[-1, when]
    out[layout.MARKET_RET_20] = ret_20[-1, when]
    out[layout.MARKET_HEAT] = heat[-1, when]
    out[layout.MARKET_HEAT_20] = heat_20[-1, when]
    out[layout.MARKET_MOVE] = move_20[-1, when]
    out[layout.MARKET_SPIKES] = state.spikes[when]
    sector = panel.segment_sector[segment]
    known = sector >= 0
    out[layout.SECTOR_RET_20] = np.where(known, ret_20[sector, when] - ret_20[-1, when], np.nan)
    out[layout.SECTOR_HEAT_20] = np.where(known, heat_20[sector, when], np.nan)
    health = panel.sectors.index(HEALTH_CARE) if HEALTH_CARE in panel.sectors else -2
    out[layout.HEALTH_CARE] = np.where(known, (sector == health).astype(np.float64), np.nan)
