"""Digests of the rows that a scan reads (design §7, fingerprint)."""

# mypy: disable-error-code="no-untyped-def"

from typing import Any

import numpy as np
from numba import njit

jit: Any = njit(cache=True, nogil=True, error_model="numpy")

SECOND = np.uint64(0x13198A2E03707345)  # separates the two words of a digest
# Odd numbers with the digits of pi; each separates one column from the others.
MULTIPLIERS = (
    np.uint64(0x243F6A8885A308D3),
    np.uint64(0xA4093822299F31D1),
    np.uint64(0x082EFA98EC4E6C89),
    np.uint64(0x452821E638D01377),
    np.uint64(0xBE5466CF34E90C6D),
    np.uint64(0xC0AC29B7C97C50DD),
)


@jit
def _mix(state, word):
    """Return one round of splitmix64 over ``state ^ word`` (Steele, Lea and Flood 2014)."""
    z = (state ^ word) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@jit
def _fold(value, multiplier):
    """Return ``value`` stirred: one to one, its high bits brought down before they are lost."""
    return (value ^ (value >> np.uint64(29))) * multiplier


@jit
def _spread(word, since, until, out):
    """Add a row's digest to the sessions ``since`` to ``until`` of the difference array ``out``."""
    last = out.shape[0] - 1
    start, stop = max(since, 0), min(until, last)
    if start < stop:
        other = _fold(word, SECOND)
        out[start, 0] += word
        out[start, 1] += other
        out[stop, 0] -= word
        out[stop, 1] -= other


@jit
def digest_bars(
    first, last, symbol_start, owner, session, open_, high, low, close, volume, base, out
):
    """Add the digest of each bar of the symbols ``first:last`` to its session.

    Sums are modulo 2**64, so the order of rows does not matter.

    Args:
        owner: Digest of each symbol's name.
        open_, high, low, close, volume: The values as raw 64-bit words.
        base: Session number of ``out[0]``; none lies before.
        out: uint64 [sessions, 2].
    """
    for k in range(first, last):
        for i in range(symbol_start[k], symbol_start[k + 1]):
            at = session[i] - base
            word = owner[k] + np.uint64(session[i]) * MULTIPLIERS[0]
            word += _fold(open_[i], MULTIPLIERS[1]) + _fold(high[i], MULTIPLIERS[2])
            word += _fold(low[i], MULTIPLIERS[3]) + _fold(close[i], MULTIPLIERS[4])
            word = _mix(word, _fold(volume[i], MULTIPLIERS[5]))
            out[at, 0] += word
            out[at, 1] += _fold(word, SECOND)


@jit
def spans(holder_start, session, life, span_start, span_from, span_until):
    """Fill per holder (symbol or listing) the sessions whose scan reads at least one of its bars.

    Args:
        holder_start: Row offsets per holder.
        life: Sessions from a bar's own on that read it.
        span_start: Offsets per holder, filled.
        span_from, span_until: Session numbers, the second excluded; as many as holders and
            holes of more than ``life`` sessions.

    Returns:
        Number of spans.
    """
    count = 0
    for k in range(holder_start.size - 1):
        span_start[k] = count
        for i in range(holder_start[k], holder_start[k + 1]):
            if i == holder_start[k] or session[i] > span_until[count - 1]:
                span_from[count] = session[i]
                count += 1
            span_until[count - 1] = session[i] + life
    span_start[holder_start.size - 1] = count
    return count


@jit
def digest_rows(holder, owner, columns, since, until, reach, base, out):
    """Spread the digest of each row of a small table over the sessions ``since`` to ``until``.

    Only sessions count whose scan reads a bar of the holder.

    Args:
        holder: Holder of each row: symbol or listing.
        owner: Digest of each holder's symbol.
        columns: Raw 64-bit words [k, n].
        since, until: Session numbers, the second excluded.
        reach: From :func:`spans`: start, from, until.
        base, out: As for :func:`digest_bars`.
    """
    span_start, span_from, span_until = reach
    for i in range(holder.size):
        word = owner[holder[i]]
        for k in range(columns.shape[0]):
            word = _mix(word, columns[k, i])
        for at in range(span_start[holder[i]], span_start[holder[i] + 1]):
            _spread(
                word,
                max(since[i], span_from[at]) - base,
                min(until[i], span_until[at]) - base,
                out,
            )
