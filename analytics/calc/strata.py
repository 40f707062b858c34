"""The base universe in ten layers of volatility, so that like is compared with like (design §8)."""

import numpy as np
import numpy.typing as npt

DECILES = 10

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


def edges(volatility: Floats, session: Longs, sessions: int) -> Floats:
    """Return the lower edges of deciles 2 to 10 of each session.

    Args:
        volatility: Of the base universe; NaN is left out.
        session: Position of the session of each, 0 to ``sessions`` - 1.
        sessions: Their number.

    Returns:
        Shape (sessions, 9); NaN for a session without a value.
    """
    known = ~np.isnan(volatility)
    values, at = volatility[known], session[known]
    order = np.lexsort((values, at))
    values, at = values[order], at[order]
    count = np.bincount(at, minlength=sessions)
    start = np.cumsum(count) - count
    cut = np.arange(1, DECILES)
    place = start[:, None] + (count[:, None] * cut) // DECILES
    found = np.full((sessions, DECILES - 1), np.nan)
    some = count > 0
    found[some] = values[place[some]]
    return found


def decile(volatility: Floats, session: Longs, lower: Floats) -> Longs:
    """Return the decile, 1 (calm) to 10; 0 where it is not known.

    Args:
        volatility: Of any stocks.
        session: Position of the session of each.
        lower: See :func:`edges`.
    """
    own = lower[session]
    known = ~np.isnan(volatility) & ~np.isnan(own).any(axis=1)
    reached: Longs = 1 + np.sum(volatility[:, None] >= own, axis=1)
    return np.where(known, reached, 0)


def counts(decile_of: Longs, session: Longs, sessions: int) -> Longs:
    """Return how many stocks each session has in each decile, shape (sessions, 10)."""
    known = decile_of > 0
    cell = session[known] * DECILES + decile_of[known] - 1
    found: Longs = np.bincount(cell, minlength=sessions * DECILES)
    return found.reshape(sessions, DECILES).astype(np.int64)
