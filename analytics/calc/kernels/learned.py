"""Loops over bars and records for the further evidence of design §4. Row t reads rows up to t.

As in ``bars``: windows are counted in sessions, summed afresh newest first, on the split basis
of their own last row, so a scan of one session gives the bits of a replay of ten years.
"""

# mypy: disable-error-code="no-untyped-def"

from math import exp, isnan, log, sqrt
from typing import Any

import numpy as np
from numba import njit

from analytics.calc.kernels.learned_layout import (
    CONTRACTION,
    DOLLARS_SURGE,
    FAILED,
    FAILED_RUNUPS,
    FAILS_LIFE,
    FAILS_PCT,
    FEWEST_OF_5,
    FEWEST_OF_10,
    FEWEST_OF_20,
    FEWEST_OF_40,
    FEWEST_OF_60,
    FEWEST_OF_YEAR,
    FLAT,
    FROM_HIGH,
    FROM_LOW,
    GAP_HOLD,
    GAP_UP,
    GAPS,
    ILLIQUIDITY,
    LOG_DOLLARS,
    LOG_PRICE,
    MARKET_CAP,
    MARKET_CLIP,
    MAX_RET_20,
    MAX_RET_252,
    MIN_RET_20,
    QUIET_ACCUMULATION,
    RET_60,
    RET_120,
    REVERSE_SPLIT,
    RUNUP,
    RUNUP_WINDOW,
    RUNUPS,
    SESSIONS_LISTED,
    SHORT_CHANGE,
    SHORT_STEP,
    SINCE_REVERSE_SPLIT,
    SINCE_RUNUP,
    SPIKE,
    SPIKES,
    TURNOVER_1,
    TURNOVER_20,
    UP_VOLUME,
    VOLATILITY_5,
    VOLATILITY_60,
    VOLUME_TREND,
    YEAR,
)

jit: Any = njit(cache=True, nogil=True, error_model="numpy")


@jit
def marks(first, last, segment_start, session, close, volume, split, mean_volume, mark):
    """Fill ``mark`` [3, n] of the rows of listings ``first:last``.

    Args:
        mark: Run-up: the close is at least ``RUNUP`` times the lowest of the 14 sessions
            before. Failed: a run-up exactly 14 sessions before has lost ``1 - FAILED`` of
            its close. Spike: relative volume of at least ``SPIKE``.
    """
    for s in range(first, last):
        start = segment_start[s]
        for i in range(start, segment_start[s + 1]):
            lowest, basis, before = np.inf, 1.0, -1
            j = i - 1
            while j >= start and session[j] >= session[i] - RUNUP_WINDOW:
                basis *= split[j + 1]
                lowest = min(lowest, close[j] / basis)
                before = j
                j -= 1
            mark[0, i] = lowest < np.inf and close[i] >= RUNUP * lowest
            mark[1, i] = False
            if before >= 0 and session[before] == session[i] - RUNUP_WINDOW and mark[0, before]:
                mark[1, i] = close[i] <= FAILED * close[before] / basis
            mark[2, i] = mean_volume[i] > 0 and volume[i] >= SPIKE * mean_volume[i]


@jit
def _deviation(squares, total, count):
    mean = total / count
    return sqrt(max(squares / count - mean * mean, 0.0) * count / (count - 1))


@jit
def _year(i, start, session, open_, close, split, step, mark, out, at):
    """Write what the last 252 sessions to row ``i`` say into ``out[:, at]``."""
    now, basis, count = session[i], 1.0, 0
    high, low, best = -np.inf, np.inf, -np.inf
    runups, failed, spikes, gaps = 0, 0, 0, 0
    since_runup, since_split, hold = YEAR, YEAR, 0.0
    out[RET_60, at] = np.nan
    out[RET_120, at] = np.nan
    j = i
    while j >= start and session[j] > now - YEAR:
        back = now - session[j]
        price = close[j] / basis
        high, low = max(high, price), min(low, price)
        count += 1
        if not isnan(step[j]):
            best = max(best, step[j])
        if mark[0, j]:
            runups += 1
            since_runup = min(since_runup, back)
        failed += mark[1, j]
        spikes += mark[2, j]
        if back == 60:
            out[RET_60, at] = close[i] / price - 1
        if back == 120:
            out[RET_120, at] = close[i] / price - 1
        if split[j] < REVERSE_SPLIT:
            since_split = min(since_split, back)
        beside = j > start and session[j - 1] == session[j] - 1
        if beside and back < 60 and open_[j] / (close[j - 1] / split[j]) - 1 >= GAP_UP:
            gaps += 1
            hold += close[j] / open_[j] - 1
        basis *= split[j]
        j -= 1
    enough = count >= FEWEST_OF_YEAR
    out[FROM_HIGH, at] = close[i] / high - 1 if enough else np.nan
    out[FROM_LOW, at] = log(close[i] / low) if enough else np.nan
    out[MAX_RET_252, at] = exp(best) - 1 if enough else np.nan
    out[RUNUPS, at] = runups if enough else np.nan
    out[FAILED_RUNUPS, at] = failed if enough else np.nan
    out[SPIKES, at] = spikes if enough else np.nan
    out[SINCE_RUNUP, at] = since_runup if enough else np.nan
    out[SINCE_REVERSE_SPLIT, at] = since_split
    out[GAPS, at] = gaps
    out[GAP_HOLD, at] = hold / gaps if gaps > 0 else np.nan


@jit
def _returns(i, start, session, close, volume, step, out, at):
    """Write what the log returns of the last 60 sessions to row ``i`` say into ``out[:, at]``."""
    now = session[i]
    t60, q60, n60, t10, q10, n10, q5, n5 = 0.0, 0.0, 0, 0.0, 0.0, 0, 0.0, 0
    best, worst, n20, impact, traded, rising = -np.inf, np.inf, 0, 0.0, 0.0, 0.0
    j = i
    while j >= start and session[j] > now - 60:
        back, move = now - session[j], step[j]
        if not isnan(move):
            t60 += move
            q60 += move * move
            n60 += 1
            if back < 10:
                t10 += move
                q10 += move * move
                n10 += 1
            if back < 5:
                q5 += move * move
                n5 += 1
            if back < 20:
                dollars = close[j] * volume[j]
                best, worst = max(best, move), min(worst, move)
                n20 += 1
                traded += dollars
                if move > 0:
                    rising += dollars
                impact += abs(move) / max(dollars, 1.0)
        j -= 1
    wide = _deviation(q60, t60, n60) if n60 >= FEWEST_OF_60 else np.nan
    near = _deviation(q10, t10, n10) if n10 >= FEWEST_OF_10 else np.nan
    known = n20 >= FEWEST_OF_20
    out[VOLATILITY_60, at] = wide
    out[CONTRACTION, at] = log(near / wide) if near > 0 and wide > 0 else np.nan
    out[VOLATILITY_5, at] = sqrt(q5 / n5) if n5 >= FEWEST_OF_5 else np.nan
    out[MAX_RET_20, at] = exp(best) - 1 if known else np.nan
    out[MIN_RET_20, at] = exp(worst) - 1 if known else np.nan
    out[UP_VOLUME, at] = rising / traded if known and traded > 0 else np.nan
    out[ILLIQUIDITY, at] = log(impact / n20) if known and impact > 0 else np.nan


@jit
def _volumes(i, start, session, close, volume, split, out, at):
    """Write the trend of volume before row ``i`` into ``out[:, at]``; return mean volume of 20."""
    now, basis = session[i], 1.0
    recent, older, n20, n40, price = 0.0, 0.0, 0, 0, np.nan
    j = i - 1
    while j >= start and session[j] >= now - 60:
        basis *= split[j + 1]
        back = now - session[j]
        if back <= 20:
            recent += volume[j] * basis
            n20 += 1
        else:
            older += volume[j] * basis
            n40 += 1
        if back == 21:
            price = close[j] / basis
        j -= 1
    out[VOLUME_TREND, at] = np.nan
    out[QUIET_ACCUMULATION, at] = np.nan
    if n20 < FEWEST_OF_20:
        return np.nan
    if n40 >= FEWEST_OF_40 and older > 0 and recent > 0:
        trend = log((recent / n20) / (older / n40))
        out[VOLUME_TREND, at] = trend
        if i > start and session[i - 1] == now - 1 and price > 0:
            change = close[i - 1] / split[i] / price - 1
            out[QUIET_ACCUMULATION, at] = trend * max(0.0, 1 - abs(change) / FLAT)
    return recent / n20


@jit
def bar_evidence(
    first,
    last,
    rows,
    row_segment,
    segment_start,
    segment_first,
    run_start,
    session,
    open_,
    close,
    volume,
    split,
    step,
    mark,
    dollars,
    shares,
    out,
):
    """Fill ``out[:, first:last]`` for ``rows[first:last]`` from bars and the float.

    Args:
        run_start: By session number, the first session of the run of sessions with bars.
        dollars: ``dollar_volume_20`` of each row asked for.
        shares: ``float_shares`` of each row asked for; NaN where not known.
    """
    for at in range(first, last):
        i, s = rows[at], row_segment[at]
        start, now = segment_start[s], session[i]
        _year(i, start, session, open_, close, split, step, mark, out, at)
        _returns(i, start, session, close, volume, step, out, at)
        mean = _volumes(i, start, session, close, volume, split, out, at)
        out[LOG_PRICE, at] = log(close[i]) if close[i] > 0 else np.nan
        out[LOG_DOLLARS, at] = log(dollars[at]) if dollars[at] > 0 else np.nan
        today = close[i] * volume[i]
        known = dollars[at] > 0 and today > 0
        out[DOLLARS_SURGE, at] = log(today / dollars[at]) if known else np.nan
        listed = now - segment_first[s] + 1
        out[SESSIONS_LISTED, at] = YEAR
        if listed < YEAR:
            out[SESSIONS_LISTED, at] = listed if segment_first[s] > run_start[now] else np.nan
        held = shares[at]
        out[MARKET_CAP, at] = log(close[i] * held) if held > 0 and close[i] > 0 else np.nan
        out[TURNOVER_1, at] = volume[i] / held if held > 0 else np.nan
        out[TURNOVER_20, at] = mean / held if held > 0 else np.nan


@jit
def _newest(start, end, known, now):
    low, high = start, end
    while low < high:
        middle = (low + high) // 2
        if known[middle] <= now:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def _split_since(symbol, about, now, splits):
    start, when, ratio = splits
    product = 1.0
    for k in range(start[symbol], start[symbol + 1]):
        if about < when[k] <= now:
            product *= ratio[k]
    return product


@jit
def record_evidence(first, last, rows, segments, session, splits, short, fails, shares, out):
    """Fill the change of short interest and the fails to deliver of ``rows[first:last]``.

    Args:
        segments: Segment of each row; symbol and session of the ticker's end before, by segment.
        splits: Start per symbol, session, ratio.
        short: Start per symbol, known, about, shares short.
        fails: Start per symbol, known, about, quantity.
        shares: ``float_shares`` of each row.
    """
    row_segment, segment_symbol, segment_after = segments
    for at in range(first, last):
        symbol, after = segment_symbol[row_segment[at]], segment_after[row_segment[at]]
        now = session[rows[at]]
        out[SHORT_CHANGE, at] = np.nan
        out[FAILS_PCT, at] = np.nan
        start, known, about, held = short
        k = _newest(start[symbol], start[symbol + 1], known, now) - 1
        if k > start[symbol]:
            fresh = now - about[k] <= SHORT_STEP and about[k] - about[k - 1] <= SHORT_STEP
            if fresh and about[k - 1] > after and held[k - 1] > 0:
                new = held[k] * _split_since(symbol, about[k], now, splits)
                old = held[k - 1] * _split_since(symbol, about[k - 1], now, splits)
                out[SHORT_CHANGE, at] = log((new + 1.0) / (old + 1.0))
        start, known, about, quantity = fails
        k = _newest(start[symbol], start[symbol + 1], known, now) - 1
        fresh = k >= start[symbol] and about[k] > after and now - about[k] <= FAILS_LIFE
        if fresh and shares[at] > 0:
            failed = quantity[k] * _split_since(symbol, about[k], now, splits)
            out[FAILS_PCT, at] = failed / shares[at]


@jit
def market_sums(rows, row_group, session, base, step, mark, sums):
    """Add up what the base universe does, per group and session: ``sums[5, groups, sessions]``.

    In order: rows, rows with a return, returns (clipped), absolute returns, run-ups; spikes last.
    """
    for at in range(rows.size):
        i = rows[at]
        group, when = row_group[at], session[i] - base
        if group < 0:
            continue
        sums[0, group, when] += 1
        sums[4, group, when] += mark[0, i]
        sums[5, group, when] += mark[2, i]
        if not isnan(step[i]):
            move = min(max(step[i], -MARKET_CLIP), MARKET_CLIP)
            sums[1, group, when] += 1
            sums[2, group, when] += move
            sums[3, group, when] += abs(move)
