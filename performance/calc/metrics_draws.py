"""Bootstrap intervals of the figures of an equity curve: all figures from the same draws (§1)."""

from collections.abc import Callable, Mapping
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from analytics.calc import intervals
from analytics.calc.ratios import SESSIONS_A_YEAR
from performance.calc.metrics_tails import TAIL

BLOCK = 28  # sessions of a bootstrap block, design §1
DRAWS, SEED = 1000, 11
LARGEST = 2_000_000  # returns drawn at a time: bounds the memory of a long history

Floats = npt.NDArray[np.float64]


def bounds(returns: Floats) -> dict[str, tuple[float, float]]:
    """Return the 95 % percentile interval of every figure over circular blocks.

    Nothing under two blocks. A figure that is not defined in half of the draws has none. The
    seed is fixed: the same returns give the same intervals.

    Source:
        Politis and Romano 1992, in Exploring the Limits of Bootstrap.
    """
    if returns.size < 2 * BLOCK:
        return {}
    chance = np.random.default_rng(SEED)
    starts = chance.integers(0, returns.size, (DRAWS, ceil(returns.size / BLOCK)))
    step = max(1, LARGEST // returns.size)
    parts = [_figures(_draw(returns, starts[at : at + step])) for at in range(0, DRAWS, step)]
    tail = (1 - intervals.LEVEL) / 2
    found = {}
    for name in FIGURES:
        values = np.concatenate([part[name] for part in parts])
        known = values[np.isfinite(values)]
        if known.size >= DRAWS / 2:
            low, high = np.quantile(known, [tail, 1 - tail])
            found[name] = (float(low), float(high))
    return found


def _draw(returns: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    places = (starts[:, :, None] + np.arange(BLOCK)) % returns.size
    drawn: Floats = returns[places.reshape(starts.shape[0], -1)[:, : returns.size]]
    return drawn


def _figures(drawn: Floats) -> dict[str, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: figure(drawn) for name, figure in FIGURES.items()}


def drawdowns(drawn: Floats) -> Floats:
    """Return the deepest fall of each row."""
    equity = np.cumprod(1 + drawn, axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
    found: Floats = np.minimum((equity / peak).min(axis=1) - 1, 0.0)
    return found


def volatilities(drawn: Floats) -> Floats:
    """Return the yearly deviation of each row."""
    found: Floats = drawn.std(axis=1, ddof=1) * sqrt(SESSIONS_A_YEAR)
    return found


def sortinos(drawn: Floats) -> Floats:
    """Return the Sortino ratio of each row."""
    downside = np.sqrt(np.mean(np.minimum(drawn, 0) ** 2, axis=1))
    found: Floats = drawn.mean(axis=1) / downside * sqrt(SESSIONS_A_YEAR)
    return found


def calmars(drawn: Floats) -> Floats:
    """Return the Calmar ratio of each row."""
    grown = np.maximum(np.prod(1 + drawn, axis=1), 0.0) ** (SESSIONS_A_YEAR / drawn.shape[1]) - 1
    found: Floats = grown / -drawdowns(drawn)
    return found


def values_at_risk(drawn: Floats) -> Floats:
    """Return the historical value at risk of each row."""
    found: Floats = np.percentile(drawn, 100 * TAIL, axis=1)
    return found


def shortfalls(drawn: Floats) -> Floats:
    """Return the expected shortfall of each row."""
    last = int((drawn.shape[1] - 1) * TAIL)
    found: Floats = np.partition(drawn, last, axis=1)[:, : last + 1].mean(axis=1)
    return found


FIGURES: Mapping[str, Callable[[Floats], Floats]] = {
    "max_drawdown": drawdowns,
    "volatility": volatilities,
    "sortino": sortinos,
    "calmar": calmars,
    "value_at_risk_95": values_at_risk,
    "expected_shortfall_95": shortfalls,
}
