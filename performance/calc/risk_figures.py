"""Figures of returns and weights that more than one kind of risk needs (design §14)."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import numpy.typing as npt

from analytics.calc import ratios

Floats = npt.NDArray[np.float64]


def beta(returns: Floats, benchmark: Floats) -> float | None:
    """Return covariance with the benchmark over its variance; None if it never moved."""
    away = benchmark - benchmark.mean()
    variance = float(np.mean(away**2))
    if not variance > 1e-24:
        return None
    return float(np.mean(away * (returns - returns.mean())) / variance)


def annual_volatility(returns: Floats) -> float | None:
    """Return the sample standard deviation times the root of 252; None under 2 returns."""
    if returns.size < 2:
        return None
    return float(returns.std(ddof=1)) * sqrt(ratios.SESSIONS_A_YEAR)


def concentration(parts: Floats) -> float | None:
    """Return the Herfindahl index of absolute parts: 1 if all lies in one; None without any."""
    total = float(np.abs(parts).sum())
    if not total > 0:
        return None
    return float(np.sum((np.abs(parts) / total) ** 2))


def by_group(parts: Floats, groups: Sequence[str]) -> dict[str, float]:
    """Return the sum of absolute parts of each group, in order of first appearance."""
    found: dict[str, float] = {}
    for part, group in zip(np.abs(parts).tolist(), groups, strict=True):
        found[group] = found.get(group, 0.0) + part
    return found


def mean_correlation(returns: Floats) -> tuple[float, int] | None:
    """Return the mean correlation over pairs of columns, and the pairs; None without a pair.

    Args:
        returns: [sessions, holdings], complete. Holdings that never moved are in no pair.
    """
    moving = returns[:, returns.std(axis=0) > 1e-12] if returns.size else returns
    if moving.ndim != 2 or moving.shape[1] < 2 or moving.shape[0] < 3:
        return None
    table = np.atleast_2d(np.corrcoef(moving, rowvar=False))
    found = table[np.triu_indices(moving.shape[1], 1)]
    return float(np.clip(found.mean(), -1, 1)), int(found.size)
