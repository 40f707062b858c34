"""Loops over bars: the features that need bars alone (design §4).

Where the 24 steps before a row are regular (a bar each session, prices complete, no split)
many rows are summed side by side; elsewhere one by one. Both add the same numbers in the
same order, newest first, so both give the same bits.
"""

# mypy: disable-error-code="no-untyped-def"

from math import isnan, log, sqrt
from typing import Any

import numpy as np
from numba import njit

from analytics.calc.kernels.layout import (
    ACCUMULATION,
    ATR,
    BREAKOUT,
    CLOSE_LOCATION,
    DOLLAR_VOLUME,
    FEWEST_OF_5,
    FEWEST_OF_14,
    FEWEST_OF_20,
    GAP,
    LONGEST_WINDOW,
    REL_VOLUME,
    RET_1,
    RET_5,
    RET_20,
    VOLATILITY,
    VOLATILITY_BEFORE,
)

jit: Any = njit(cache=True, nogil=True, error_model="numpy")

BLOCK = 512  # rows summed side by side: their sums stay in the first cache
SHORTEST_BLOCK = 8


@jit
def steps(first, last, segment_start, session, open_, high, low, close, split, step, regular):
    """Fill what each row says of the step from the session before, in the row's own split basis.

    Args:
        step: [2, n]: ln(close_t / close_{t-1}) and the true range; NaN without a bar on the
            session before.
        regular: Steps in a row, up to this one, with a bar each session, complete prices and
            no split.
    """
    for s in range(first, last):
        for i in range(segment_start[s], segment_start[s + 1]):
            step[0, i] = np.nan
            step[1, i] = np.nan
            regular[i] = 0
            if i > segment_start[s] and session[i - 1] == session[i] - 1:
                previous = close[i - 1] if split[i] == 1.0 else close[i - 1] / split[i]
                step[0, i] = log(close[i] / previous)
                complete = not (isnan(high[i]) or isnan(low[i]) or isnan(open_[i]))
                if not (isnan(high[i]) or isnan(low[i])):
                    step[1, i] = max(high[i], previous) - min(low[i], previous)
                if complete and split[i] == 1.0:
                    regular[i] = regular[i - 1] + 1


@jit
def _reach(i, start, session, back):
    """Return the first row of the listing that lies at most ``back`` sessions before row ``i``."""
    row = max(start, i - back)
    while session[row] < session[i] - back:
        row += 1
    return row


@jit
def _volume_window(i, start, session, close, volume, split):
    """Return mean volume and mean dollar volume of the 20 sessions before row ``i``, or NaN."""
    oldest = _reach(i, start, session, 20)
    count = i - oldest
    if count < FEWEST_OF_20:
        return np.nan, np.nan
    basis, total, dollars = 1.0, 0.0, 0.0
    for j in range(i - 1, oldest - 1, -1):
        basis *= split[j + 1]
        total += volume[j] * basis
        dollars += close[j] * volume[j]
    return total / count, dollars / count


@jit
def volume_means(first, last, segment_start, session, close, volume, split, regular, mean, dollars):
    """Fill mean volume and mean dollar volume of the 20 sessions before each row, or NaN."""
    for s in range(first, last):
        start, end = segment_start[s], segment_start[s + 1]
        i = start
        while i < end:
            stop = i
            while stop < end and stop - i < BLOCK and regular[stop] >= 20:
                stop += 1
            if stop == i:
                mean[i], dollars[i] = _volume_window(i, start, session, close, volume, split)
                i += 1
            else:
                _volume_block(i, stop - i, close, volume, mean[i:stop], dollars[i:stop])
                i = stop


@jit
def _volume_block(i, size, close, volume, mean, dollars):
    """Fill both means of ``size`` regular rows from row ``i``."""
    mean[:] = 0.0
    dollars[:] = 0.0
    for back in range(1, 21):
        shares, price = volume[i - back : i - back + size], close[i - back : i - back + size]
        for r in range(size):
            mean[r] += shares[r]
            dollars[r] += price[r] * shares[r]
    for r in range(size):
        mean[r] /= 20
        dollars[r] /= 20


@jit
def _deviation(newest, oldest, log_return):
    """Return the sample deviation of the log returns of rows ``oldest``..``newest``, or NaN."""
    total, count = 0.0, 0
    for j in range(newest, oldest - 1, -1):
        if not isnan(log_return[j]):
            total += log_return[j]
            count += 1
    if count < FEWEST_OF_20:
        return np.nan
    mean, squares = total / count, 0.0
    for j in range(newest, oldest - 1, -1):
        if not isnan(log_return[j]):
            squares += (log_return[j] - mean) * (log_return[j] - mean)
    return sqrt(squares / (count - 1))


@jit
def _accumulation(i, start, session, volume, split):
    """Return mean volume of the newest 5 sessions over that of the 20 before them, or NaN."""
    recent, oldest = _reach(i, start, session, 4), _reach(i, start, session, LONGEST_WINDOW)
    if i - recent + 1 < FEWEST_OF_5 or recent - oldest < FEWEST_OF_20:
        return np.nan
    basis, total, older = 1.0, 0.0, 0.0
    for j in range(i, recent - 1, -1):
        total += volume[j] * basis
        basis *= split[j]
    for j in range(recent - 1, oldest - 1, -1):
        older += volume[j] * basis
        basis *= split[j]
    if older <= 0:
        return np.nan
    return (total / (i - recent + 1)) / (older / (recent - oldest))


@jit
def _highest(i, start, session, high, split):
    """Return the highest high of the 20 sessions before row ``i``, or NaN."""
    basis, highest, count = 1.0, -np.inf, 0
    for j in range(i - 1, _reach(i, start, session, 20) - 1, -1):
        basis *= split[j + 1]
        if not isnan(high[j]):
            highest = max(highest, high[j] / basis if basis != 1.0 else high[j])
            count += 1
    return highest if count >= FEWEST_OF_20 else np.nan


@jit
def _mean_range(i, start, session, true_range, split):
    """Return the mean true range of the 14 sessions to row ``i``, or NaN."""
    basis, total, count = 1.0, 0.0, 0
    for j in range(i, _reach(i, start, session, 13) - 1, -1):
        if not isnan(true_range[j]):
            total += true_range[j] / basis if basis != 1.0 else true_range[j]
            count += 1
        basis *= split[j]
    return total / count if count >= FEWEST_OF_14 else np.nan


@jit
def _change(i, start, session, close, split, back):
    """Return close over the close exactly ``back`` sessions before, less 1, or NaN."""
    j = _reach(i, start, session, back)
    if session[j] != session[i] - back:
        return np.nan
    basis = 1.0
    for k in range(i, j, -1):
        basis *= split[k]
    return close[i] / (close[j] / basis) - 1


@jit
def _bar_features(i, start, session, open_, high, low, close, volume, split, step, out, at):
    """Write the features of row ``i`` that need bars alone into ``out[:, at]``."""
    mean, dollars = _volume_window(i, start, session, close, volume, split)
    out[REL_VOLUME, at] = volume[i] / mean if mean > 0 else np.nan
    out[DOLLAR_VOLUME, at] = dollars
    out[RET_1, at] = _change(i, start, session, close, split, 1)
    out[RET_5, at] = _change(i, start, session, close, split, 5)
    out[RET_20, at] = _change(i, start, session, close, split, 20)
    out[GAP, at] = np.nan
    if i > start and session[i - 1] == session[i] - 1:
        out[GAP, at] = open_[i] / (close[i - 1] / split[i]) - 1
    spread = high[i] - low[i]
    out[CLOSE_LOCATION, at] = (close[i] - low[i]) / spread if spread > 0 else np.nan
    out[ATR, at] = _mean_range(i, start, session, step[1], split) / close[i]
    out[BREAKOUT, at] = close[i] / _highest(i, start, session, high, split) - 1
    out[VOLATILITY, at] = _deviation(i, _reach(i, start, session, 19), step[0])
    out[VOLATILITY_BEFORE, at] = _deviation(i - 1, _reach(i, start, session, 20), step[0])
    out[ACCUMULATION, at] = _accumulation(i, start, session, volume, split)


@jit
def _sums_block(i, size, youngest, oldest, values, total):
    """Fill ``total`` with the sums of ``values`` from ``youngest`` to ``oldest`` rows back."""
    total[:] = 0.0
    for back in range(youngest, oldest + 1):
        past = values[i - back : i - back + size]
        for r in range(size):
            total[r] += past[r]


@jit
def _deviation_block(i, size, log_return, mean, out):
    """Fill ``out`` with the sample deviations of the 20 log returns up to each row."""
    _sums_block(i, size, 0, 19, log_return, mean)
    for r in range(size):
        mean[r] /= 20
        out[r] = 0.0
    for back in range(20):
        past = log_return[i - back : i - back + size]
        for r in range(size):
            out[r] += (past[r] - mean[r]) * (past[r] - mean[r])
    for r in range(size):
        out[r] = sqrt(out[r] / 19)


@jit
def _feature_block(i, size, open_, high, low, close, volume, step, total, other, out):
    """Fill ``out[12, size]`` for ``size`` regular rows from row ``i``.

    A window that is another row's window shifted is summed once: the older volumes of
    accumulation are those of rel_volume 4 rows before, and so is volatility one row before.
    """
    dollars = out[DOLLAR_VOLUME]
    dollars[:] = 0.0
    for back in range(1, 21):
        shares, price = volume[i - back : i - back + size], close[i - back : i - back + size]
        for r in range(size):
            dollars[r] += price[r] * shares[r]
    _sums_block(i - 4, size + 4, 1, 20, volume, total[: size + 4])
    _sums_block(i, size, 0, 4, volume, other[:size])
    for r in range(size):
        dollars[r] /= 20
        mean, older = total[r + 4] / 20, total[r]
        out[REL_VOLUME, r] = volume[i + r] / mean if mean > 0 else np.nan
        out[ACCUMULATION, r] = (other[r] / 5) / (older / 20) if older > 0 else np.nan
    for r in range(size):
        out[RET_1, r] = close[i + r] / close[i + r - 1] - 1
        out[RET_5, r] = close[i + r] / close[i + r - 5] - 1
        out[RET_20, r] = close[i + r] / close[i + r - 20] - 1
        out[GAP, r] = open_[i + r] / close[i + r - 1] - 1
        spread = high[i + r] - low[i + r]
        out[CLOSE_LOCATION, r] = (close[i + r] - low[i + r]) / spread if spread > 0 else np.nan
    _sums_block(i, size, 0, 13, step[1], other[:size])
    highest = total[:size]
    highest[:] = -np.inf
    for back in range(1, 21):
        past = high[i - back : i - back + size]
        for r in range(size):
            highest[r] = max(highest[r], past[r])
    for r in range(size):
        out[ATR, r] = other[r] / 14 / close[i + r]
        out[BREAKOUT, r] = close[i + r] / highest[r] - 1
    _deviation_block(i - 1, size + 1, step[0], total[: size + 1], other[: size + 1])
    for r in range(size):
        out[VOLATILITY_BEFORE, r] = other[r]
        out[VOLATILITY, r] = other[r + 1]


@jit
def bar_features(
    first,
    last,
    rows,
    row_segment,
    segment_start,
    session,
    open_,
    high,
    low,
    close,
    volume,
    split,
    step,
    regular,
    out,
):
    """Fill ``out[:BAR_FEATURES, first:last]`` for ``rows[first:last]``, which ascend."""
    total, other = np.empty(BLOCK + 4), np.empty(BLOCK + 4)
    at = first
    while at < last:
        stop = at
        while (
            stop < last
            and stop - at < BLOCK
            and rows[stop] - rows[at] == stop - at
            and regular[rows[stop]] >= LONGEST_WINDOW
        ):
            stop += 1
        size = stop - at
        if size >= SHORTEST_BLOCK:
            _feature_block(
                rows[at],
                size,
                open_,
                high,
                low,
                close,
                volume,
                step,
                total,
                other,
                out[:, at:stop],
            )
            at = stop
        else:
            for k in range(at, max(stop, at + 1)):
                start = segment_start[row_segment[k]]
                _bar_features(
                    rows[k], start, session, open_, high, low, close, volume, split, step, out, k
                )
            at = max(stop, at + 1)
