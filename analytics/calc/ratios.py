"""Return and risk figures of a series of daily returns (design §11, §16)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

SESSIONS_A_YEAR = 252
EULER = 0.5772156649015329  # Euler-Mascheroni constant
SAME_TRIAL = 0.7  # correlation of daily returns from which two trials count as one

Floats = npt.NDArray[np.float64]
NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Moments:
    """What a Sharpe ratio and its uncertainty need of a series.

    Attributes:
        n: Returns.
        sharpe: Mean over sample standard deviation, per session.
        skew: Third standardised moment (of the population).
        kurtosis: Fourth one, **raw**: 3 for the normal distribution.
    """

    n: int
    sharpe: float
    skew: float
    kurtosis: float

    @property
    def annual_sharpe(self) -> float:
        return self.sharpe * sqrt(SESSIONS_A_YEAR)

    @property
    def standard_error(self) -> float:
        """Of the Sharpe ratio per session, for returns that are skewed and fat-tailed.

        Source: Mertens 2002; Bailey and Lopez de Prado 2012, J. of Risk 15(2), eq. (5),
        with n - 1 under the root.
        """
        return sqrt(max(self._shape, 0.0) / (self.n - 1))

    @property
    def _shape(self) -> float:
        return 1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2

    def probability_above(self, benchmark: float) -> float:
        """Return the probabilistic Sharpe ratio: P(true Sharpe per session > ``benchmark``)."""
        error = self.standard_error
        if error <= 0:
            return float(self.sharpe > benchmark)
        return NORMAL.cdf((self.sharpe - benchmark) / error)


def moments(returns: Floats) -> Moments | None:
    """Return the moments of a series; None with under 3 returns or without variation."""
    if returns.size < 3:
        return None
    away = returns - returns.mean()
    variance = float(np.mean(away**2))
    if not variance > 1e-24:
        return None
    return Moments(
        n=int(returns.size),
        sharpe=float(returns.mean() / returns.std(ddof=1)),
        skew=float(np.mean(away**3)) / variance**1.5,
        kurtosis=float(np.mean(away**4)) / variance**2,
    )


def max_drawdown(returns: Floats) -> float:
    """Return the deepest fall from a peak of the equity, a fraction at most 0."""
    equity = np.concatenate([[1.0], np.cumprod(1 + returns)])
    return float(np.min(equity / np.maximum.accumulate(equity) - 1))


def annual_return(returns: Floats) -> float:
    """Return the yearly growth rate of the equity; -1 if everything was lost."""
    grown = float(np.prod(1 + returns))
    return grown ** (SESSIONS_A_YEAR / returns.size) - 1 if grown > 0 else -1.0


def sortino(returns: Floats) -> float | None:
    """Return mean over downside deviation (below 0), a year; None without a loss."""
    downside = sqrt(float(np.mean(np.minimum(returns, 0) ** 2)))
    if not downside > 0:
        return None
    return float(returns.mean()) / downside * sqrt(SESSIONS_A_YEAR)


def calmar(returns: Floats) -> float | None:
    """Return yearly growth over the deepest fall; None if the equity never fell."""
    fall = max_drawdown(returns)
    return annual_return(returns) / -fall if fall < 0 else None


@dataclass(frozen=True, kw_only=True)
class Deflation:
    """How good the best of many worthless trials would look, and what that leaves.

    Attributes:
        trials: Recorded, each kind once.
        effective: Clusters of alike trials.
        deviation: Standard deviation of the clusters' Sharpe ratios, per session.
        expected_best: Sharpe ratio per session that the best of them has by luck alone.
        probability: Deflated Sharpe ratio: P(true Sharpe > ``expected_best``).
        cautious: The same if every trial without returns were a cluster of its own.
    """

    trials: int
    effective: int
    deviation: float
    expected_best: float
    probability: float
    cautious: float


def expected_best(count: int, deviation: float) -> float:
    """Return the expected highest Sharpe ratio of ``count`` independent worthless trials.

    Raises:
        ValueError: ``count`` is below 2.

    Source: Bailey and Lopez de Prado 2014, J. of Portfolio Management 40(5), eq. (1).
    """
    if count < 2:
        raise ValueError(f"the best of {count} trials is no selection")
    usual, rare = NORMAL.inv_cdf(1 - 1 / count), NORMAL.inv_cdf(1 - 1 / (count * e))
    return deviation * ((1 - EULER) * usual + EULER * rare)


def clusters(series: Sequence[dict[str, float]]) -> list[int]:
    """Return the cluster of each trial, numbered from 0 in order of the first in it.

    A trial joins the first cluster whose first member's daily returns correlate with its own
    at ``SAME_TRIAL`` or more over the sessions that both have; it needs 60 of them. Leader
    clustering in order of recording: simple, repeatable, and it errs towards more clusters,
    which deflates more.

    Args:
        series: Daily return by session of each trial.
    """
    leaders: list[dict[str, float]] = []
    found: list[int] = []
    for own in series:
        alike = next((at for at, leader in enumerate(leaders) if _alike(own, leader)), None)
        if alike is None:
            alike = len(leaders)
            leaders.append(own)
        found.append(alike)
    return found


def _alike(one: dict[str, float], other: dict[str, float]) -> bool:
    both = [day for day in one if day in other]
    if len(both) < 60:
        return False
    first = np.array([one[day] for day in both])
    second = np.array([other[day] for day in both])
    if first.std() == 0 or second.std() == 0:
        return False
    return float(np.corrcoef(first, second)[0, 1]) >= SAME_TRIAL


def deflate(
    own: Moments,
    sharpes: Sequence[float],
    series: Sequence[dict[str, float]],
    *,
    unmeasured: int = 0,
) -> Deflation | None:
    """Return the deflated Sharpe ratio; None while the ledger holds fewer than two clusters.

    Args:
        own: Of the series that is judged.
        sharpes: Sharpe ratio per session of each trial of the ledger, the own one included.
        series: Daily returns of each.
        unmeasured: Trials that left no returns, such as the sets of a weight sweep.
    """
    groups = clusters(series)
    effective = len(set(groups))
    if effective < 2:
        return None
    means = [
        float(np.mean([value for value, at in zip(sharpes, groups, strict=True) if at == group]))
        for group in range(effective)
    ]
    deviation = float(np.std(means, ddof=1))
    best = expected_best(effective, deviation)
    return Deflation(
        trials=len(groups),
        effective=effective,
        deviation=deviation,
        expected_best=best,
        probability=own.probability_above(best),
        cautious=own.probability_above(expected_best(effective + unmeasured, deviation)),
    )
