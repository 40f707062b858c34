"""Equity against SPY and the claimed baseline, as plain lists that a browser can draw (§10, §2)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def payload(
    days: Sequence[date],
    growth: Floats,
    market: Floats,
    *,
    claims: Mapping[str, float],
) -> dict[str, Any]:
    """Return what the chart draws, by day: growth since the first day, fractions.

    Args:
        days: Ascending.
        growth: Product of the account's daily returns since the first day, less 1.
        market: The same of SPY; NaN where it is not known.
        claims: What the baseline claims for its two months, by name: the edges of its band.
    """
    edges = sorted(claims.values())
    return {
        "days": [day.isoformat() for day in days],
        "growth": _listed(growth),
        "market": _listed(market),
        "band": [edges[0], edges[-1]] if edges else None,
    }


def describe(days: Sequence[date], growth: Floats, market: Floats) -> str:
    """Return the chart in a sentence."""
    if not days:
        return "No day of equity yet."
    spy = market[~np.isnan(market)]
    beside = f"SPY at {spy[-1]:+.1%}" if spy.size else "SPY not known"
    return f"From {days[0]} to {days[-1]}: the account at {growth[-1]:+.1%}, {beside}."


def growth_of(returns: Floats) -> Floats:
    """Return growth since the beginning: the product of 1 + return, less 1."""
    return np.asarray(np.cumprod(1 + returns) - 1, np.float64)


def beside(days: Sequence[date], other: Mapping[date, float]) -> Floats:
    """Return the growth of another price since the first of ``days`` that it has; NaN: unknown."""
    prices = np.array([other.get(day, np.nan) for day in days], np.float64)
    known = prices[~np.isnan(prices)]
    if not known.size:
        return prices
    return np.asarray(prices / known[0] - 1, np.float64)


def _listed(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 6) for value in values]
