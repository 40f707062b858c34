"""Loops over bars that say which rows pass gates 1-6 (design §7)."""

# mypy: disable-error-code="no-untyped-def"

from math import isnan
from typing import Any

import numpy as np
from numba import njit

from analytics.calc.kernels.layout import (
    ABSENCE_LIMIT,
    GATE_BAR,
    GATE_DOLLAR_VOLUME,
    GATE_KIND,
    GATE_PRICE,
    GATE_SESSIONS,
    GATE_SPLIT,
    PASSED,
)

jit: Any = njit(cache=True, nogil=True, error_model="numpy")


@jit
def locate(symbol_start, session, want_symbol, want_session):
    """Return per query the first row of its symbol at or after its session, or the symbol's end."""
    found = np.empty(want_symbol.size, np.int64)
    for q in range(want_symbol.size):
        low, high = symbol_start[want_symbol[q]], symbol_start[want_symbol[q] + 1]
        while low < high:
            middle = (low + high) // 2
            if session[middle] < want_session[q]:
                low = middle + 1
            else:
                high = middle
        found[q] = low
    return found


@jit
def gate_rows(
    first,
    last,
    segment_start,
    segment_first,
    scannable,
    session,
    close,
    volume,
    split,
    mean_volume,
    mean_dollars,
    min_sessions,
    min_close,
    max_close,
    min_dollars,
    rel_volume,
    code,
):
    """Fill ``rel_volume`` of every row and ``code``: the first of gates 1-6 that fails, or 0."""
    for s in range(first, last):
        for i in range(segment_start[s], segment_start[s + 1]):
            mean = mean_volume[i]
            rel_volume[i] = volume[i] / mean if mean > 0 else np.nan
            if not scannable[s]:
                code[i] = GATE_KIND
            elif session[i] - segment_first[s] + 1 < min_sessions:
                code[i] = GATE_SESSIONS
            elif not volume[i] > 0:
                code[i] = GATE_BAR
            elif split[i] != 1.0:
                code[i] = GATE_SPLIT
            elif not (min_close <= close[i] <= max_close):
                code[i] = GATE_PRICE
            elif not mean_dollars[i] >= min_dollars:
                code[i] = GATE_DOLLAR_VOLUME
            else:
                code[i] = PASSED


@jit
def count_gates(
    first,
    last,
    segment_start,
    segment_symbol,
    segment_first,
    scannable,
    session,
    code,
    min_sessions,
    base,
    funnel,
):
    """Add to ``funnel[session - base, gate]`` the rows that fail each gate; column 0 fails none.

    Of the listings ``first:last``.

    A symbol whose last bar is at most ``ABSENCE_LIMIT`` sessions old and that has no bar on the
    session fails the gate that its last bar would, or else "bar present". It counts once, also
    where one listing follows on another.
    """
    sessions = funnel.shape[0]
    for s in range(first, last):
        end = segment_start[s + 1]
        next_listing = 2**30
        if s + 1 < segment_symbol.size and segment_symbol[s + 1] == segment_symbol[s]:
            next_listing = session[end]
        for i in range(segment_start[s], end):
            at = session[i] - base
            if 0 <= at < sessions:
                funnel[at, code[i]] += 1
            upto = session[i + 1] if i + 1 < end else next_listing
            for absent in range(session[i] + 1, min(upto, session[i] + ABSENCE_LIMIT + 1)):
                if 0 <= absent - base < sessions:
                    if not scannable[s]:
                        funnel[absent - base, GATE_KIND] += 1
                    elif absent - segment_first[s] + 1 < min_sessions:
                        funnel[absent - base, GATE_SESSIONS] += 1
                    else:
                        funnel[absent - base, GATE_BAR] += 1


@jit
def count_spikes(segment_start, scannable, session, rel_volume, times, base, spikes, known):
    """Count per session the rows with a relative volume, and those at ``times`` or more."""
    for s in range(segment_start.size - 1):
        if not scannable[s]:
            continue
        for i in range(segment_start[s], segment_start[s + 1]):
            at = session[i] - base
            if 0 <= at < known.size and not isnan(rel_volume[i]):
                known[at] += 1
                if rel_volume[i] >= times:
                    spikes[at] += 1
