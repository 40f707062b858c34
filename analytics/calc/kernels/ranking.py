"""Loops from features to scores, similarity, ranks, history and first signals (design §5-§7)."""

# mypy: disable-error-code="no-untyped-def"

from math import exp, isnan, log
from typing import Any

import numpy as np
from numba import njit

from analytics.calc.kernels.layout import (
    BREAKOUT,
    CLOSE_LOCATION,
    FLOAT,
    REL_VOLUME,
    RET_1,
    RET_5,
    RET_20,
    SENTIMENT,
    SHORT_INTEREST,
)

jit: Any = njit(cache=True, nogil=True, error_model="numpy")


@jit
def _clip(value):
    return value if isnan(value) else min(max(value, 0.0), 1.0)


@jit
def components(features, out):
    """Fill ``out[6, n]``: volume, momentum, float, short interest, technical, sentiment (§5)."""
    for i in range(features.shape[1]):
        times = features[REL_VOLUME, i]
        out[0, i] = np.nan
        if times >= 0:
            out[0, i] = _clip(log(times) / log(20.9)) if times > 1 else 0.0
        out[1, i] = (
            _clip(features[RET_1, i] / 0.15)
            + _clip(features[RET_5, i] / 0.30)
            + _clip(features[RET_20, i] / 0.60)
        ) / 3
        shares = features[FLOAT, i]
        out[2, i] = _clip(1 - log(shares / 5e6) / log(1e8 / 5e6)) if shares > 0 else np.nan
        out[3, i] = _clip((features[SHORT_INTEREST, i] - 0.05) / 0.25)
        out[4, i] = (
            _clip(features[CLOSE_LOCATION, i]) + _clip((features[BREAKOUT, i] + 0.05) / 0.15)
        ) / 2
        out[5, i] = _clip((features[SENTIMENT, i] + 1) / 2)


@jit
def scores(parts, weights, score, coverage):
    """Fill ``score`` (0-100 over the components with data, NaN without any) and ``coverage``."""
    total = 0.0
    for k in range(6):
        total += weights[k]
    for i in range(parts.shape[1]):
        weighted, known = 0.0, 0.0
        for k in range(6):
            if weights[k] > 0 and not isnan(parts[k, i]):
                weighted += weights[k] * parts[k, i]
                known += weights[k]
        score[i] = min(100 * weighted / known, 100.0) if known > 0 else np.nan
        coverage[i] = known / total


@jit
def similarity(fields, reference, weights, widths, value, coverage):
    """Fill ``value`` (0-100, NaN with no common field) and ``coverage`` (0-1) of design §6.

    ``fields[4, n]`` and ``reference[4]``: volume spike, short interest, float, price.
    """
    total = 0.0
    for k in range(4):
        total += weights[k]
    for i in range(fields.shape[1]):
        distance, known = 0.0, 0.0
        for k in range(4):
            if fields[k, i] > 0 and reference[k] > 0:
                z = log(fields[k, i] / reference[k]) / widths[k]
                distance += weights[k] * z * z
                known += weights[k]
        value[i] = 100 * exp(-0.5 * distance / known) if known > 0 else np.nan
        coverage[i] = known / total


@jit
def _better(a, b, rank_score, alike, symbol):
    """Return whether row ``a`` ranks before row ``b``: score, then similarity, then symbol."""
    if rank_score[a] != rank_score[b]:
        return rank_score[a] > rank_score[b]
    alike_a = -1.0 if isnan(alike[a]) else alike[a]
    alike_b = -1.0 if isnan(alike[b]) else alike[b]
    if alike_a != alike_b:
        return alike_a > alike_b
    return symbol[a] < symbol[b]


@jit
def rank(
    order,
    slot_start,
    row_slot,
    pool,
    parts,
    weights,
    alike,
    symbol,
    top,
    rank_score,
    picks,
    count,
    dropped,
):
    """Pick the best ``top`` rows of each session.

    Args:
        order: Rows grouped by session; session ``s`` owns ``order[slot_start[s]:slot_start[s+1]]``.
        row_slot: Session of each row.
        pool: Whether a row takes part.
        parts: Components [6, n].
        rank_score: Filled for the pool: a component missing for one row counts 0, one missing
            for the whole session is dropped for all.
        picks: Filled [sessions, top] with rows, best first; -1 beyond the last.
        count: Filled with the number of picks per session.
        dropped: Filled [sessions, 6]: a weighted component without any data in the session.
    """
    seen = np.zeros(dropped.shape, np.bool_)
    for i in range(pool.size):  # in the order of memory; by session would be all over it
        if pool[i]:
            weighted = 0.0
            for k in range(6):
                if not isnan(parts[k, i]):
                    seen[row_slot[i], k] = True
                    if weights[k] > 0:
                        weighted += weights[k] * parts[k, i]
            rank_score[i] = weighted
    for s in range(slot_start.size - 1):
        live = 0.0
        for k in range(6):
            dropped[s, k] = weights[k] > 0 and not seen[s, k]
            if seen[s, k]:
                live += weights[k]
        size = 0
        for at in range(slot_start[s], slot_start[s + 1]):
            i = order[at]
            if not pool[i]:
                continue
            rank_score[i] = min(100 * rank_score[i] / live, 100.0) if live > 0 else 0.0
            if size == top and not _better(i, picks[s, size - 1], rank_score, alike, symbol):
                continue
            place = size if size < top else top - 1
            while place > 0 and _better(i, picks[s, place - 1], rank_score, alike, symbol):
                picks[s, place] = picks[s, place - 1]
                place -= 1
            picks[s, place] = i
            size = min(size + 1, top)
        count[s] = size


@jit
def history_shares(
    order, slot_start, slot_session, ranked, level, levels, life, at_least, total, days
):
    """Count for each ranked row the past ranked rows that score at least as much.

    Args:
        level: Position of each row's score among all distinct scores, ascending, from 1.
        levels: Number of distinct scores.
        life: Sessions of history; the row's own session is no part of it.
        at_least: Filled: past ranked rows with at least the row's score.
        total: Filled per slot: past ranked rows.
        days: Filled per slot: past sessions with at least one ranked row.
    """
    tree = np.zeros(levels + 1, np.int64)
    held, held_days, oldest = 0, 0, 0
    for s in range(slot_start.size - 1):
        while slot_session[oldest] < slot_session[s] - life:
            leaving = 0
            for at in range(slot_start[oldest], slot_start[oldest + 1]):
                if ranked[order[at]]:
                    leaving += 1
                    k = level[order[at]]
                    while k <= levels:
                        tree[k] -= 1
                        k += k & -k
            held -= leaving
            held_days -= leaving > 0
            oldest += 1
        total[s], days[s] = held, held_days
        arriving = 0
        for at in range(slot_start[s], slot_start[s + 1]):
            if ranked[order[at]]:
                below, k = 0, level[order[at]] - 1
                while k > 0:
                    below += tree[k]
                    k -= k & -k
                at_least[order[at]] = held - below
                arriving += 1
        for at in range(slot_start[s], slot_start[s + 1]):
            if ranked[order[at]]:
                k = level[order[at]]
                while k <= levels:
                    tree[k] += 1
                    k += k & -k
        held += arriving
        held_days += arriving > 0


@jit
def first_signals(picks, count, slot_session, row_segment, segments, quiet, first):
    """Fill ``first[s, place]``: no pick of the same listing in the ``quiet`` sessions before."""
    newest = np.full(segments, -10_000, np.int32)
    for s in range(count.size):
        for place in range(count[s]):
            segment = row_segment[picks[s, place]]
            first[s, place] = slot_session[s] - newest[segment] > quiet
        for place in range(count[s]):
            newest[row_segment[picks[s, place]]] = slot_session[s]
