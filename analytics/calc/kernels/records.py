"""Loops that look up the newest published record of a symbol (design §4)."""

# mypy: disable-error-code="no-untyped-def"

from typing import Any

import numpy as np
from numba import njit

from analytics.calc.kernels.layout import (
    BAR_FEATURES,
    DAILY_FIGURE_LIFE,
    DAYS_TO_COVER,
    FLOAT,
    FLOAT_AGE,
    FLOAT_OUTSTANDING,
    PUBLIC_FLOAT_LIFE,
    SENTIMENT,
    SHORT_INTEREST,
    SHORT_INTEREST_AGE,
    SHORT_INTEREST_LIFE,
    SHORT_VOLUME_RATIO,
)

jit: Any = njit(cache=True, nogil=True, error_model="numpy")


@jit
def _newest(start, end, known, now):
    """Return the position after the last record of ``start:end`` that is known at ``now``."""
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
    """Return new shares per old for splits after session ``about`` up to ``now``."""
    start, session, each = splits
    ratio = 1.0
    for k in range(start[symbol], start[symbol + 1]):
        if about < session[k] <= now:
            ratio *= each[k]
    return ratio


@jit
def _float_record(begin, end, known, about, day, public, outstanding, after, now, today):
    """Return the record that gives the float, and whether it is the public float; -1 if none.

    The newest public float that is fresh enough; else the newest shares outstanding.
    """
    fallback = -1
    for k in range(_newest(begin, end, known, now) - 1, begin - 1, -1):
        if about[k] <= after:
            continue
        if public[k] > 0 and today - day[k] <= PUBLIC_FLOAT_LIFE:
            return k, True
        if fallback < 0 and outstanding[k] > 0:
            fallback = k
    return fallback, False


@jit
def _live_record(begin, end, known, about, after, now, life):
    """Return the newest record known at ``now`` and about at most ``life`` sessions ago; or -1."""
    k = _newest(begin, end, known, now) - 1
    if k >= begin and about[k] > after and now - about[k] <= life:
        return k
    return -1


@jit
def float_features(first, last, rows, segments, session, session_day, splits, shares, out):
    """Fill float, its basis and its age of ``rows[first:last]``; clear all record features.

    Args:
        segments: Segment of each row; symbol and last session of the listing before, per segment.
            Records about sessions up to that one belong to another company and are not used.
        splits: Start per symbol, session, ratio.
        shares: Start per symbol, known, about, day, public float, shares outstanding.
    """
    row_segment, segment_symbol, segment_after = segments
    start, known, about, day, public, outstanding = shares
    for at in range(first, last):
        symbol = segment_symbol[row_segment[at]]
        now = session[rows[at]]
        out[BAR_FEATURES:, at] = np.nan
        k, is_public = _float_record(
            start[symbol],
            start[symbol + 1],
            known,
            about,
            day,
            public,
            outstanding,
            segment_after[row_segment[at]],
            now,
            session_day[now],
        )
        if k >= 0:
            ratio = _split_since(symbol, about[k], now, splits)
            out[FLOAT, at] = (public[k] if is_public else outstanding[k]) * ratio
            out[FLOAT_OUTSTANDING, at] = 0.0 if is_public else 1.0
            out[FLOAT_AGE, at] = now - about[k]


@jit
def short_features(first, last, rows, segments, session, splits, short, ratio, mood, out):
    """Fill short interest, short volume and sentiment of ``rows[first:last]``.

    Args:
        segments, splits: As for :func:`float_features`, which goes first.
        short: Start per symbol, known, about, shares short, days to cover.
        ratio, mood: Start per symbol, known, about, value.
    """
    row_segment, segment_symbol, segment_after = segments
    start, known, about, shares_short, days = short
    for at in range(first, last):
        symbol, after = segment_symbol[row_segment[at]], segment_after[row_segment[at]]
        now = session[rows[at]]
        k = _live_record(
            start[symbol], start[symbol + 1], known, about, after, now, SHORT_INTEREST_LIFE
        )
        if k >= 0:
            held = shares_short[k] * _split_since(symbol, about[k], now, splits)
            if out[FLOAT, at] > 0:
                out[SHORT_INTEREST, at] = held / out[FLOAT, at]
            out[SHORT_INTEREST_AGE, at] = now - about[k]
            out[DAYS_TO_COVER, at] = days[k]
        k = _live_record(
            ratio[0][symbol],
            ratio[0][symbol + 1],
            ratio[1],
            ratio[2],
            after,
            now,
            DAILY_FIGURE_LIFE,
        )
        if k >= 0:
            out[SHORT_VOLUME_RATIO, at] = ratio[3][k]
        k = _live_record(
            mood[0][symbol], mood[0][symbol + 1], mood[1], mood[2], after, now, DAILY_FIGURE_LIFE
        )
        if k >= 0:
            out[SENTIMENT, at] = mood[3][k]
