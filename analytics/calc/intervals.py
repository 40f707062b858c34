"""Intervals that cover: candidates of a session move together, and windows overlap (design §1)."""

from dataclasses import dataclass
from functools import lru_cache
from math import atan, cos, log, pi, sin, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

LEVEL = 0.95  # of every interval
SESSIONS_PER_DEGREE = 28  # sessions for each degree of freedom of the long-run variance
FEWEST_DEGREES, MOST_DEGREES = 3, 24

FloatArray = npt.NDArray[np.float64]


def wilson(successes: float, n: float, *, critical: float | None = None) -> tuple[float, float]:
    """Return the Wilson score interval of a rate.

    Args:
        successes: 0 to ``n``; fractions are allowed (an effective sample).
        n: Above 0.
        critical: Quantile used; the normal one of :data:`LEVEL` if None.

    Raises:
        ValueError: ``n`` is not above 0, or ``successes`` lies outside 0 to ``n``.

    Source:
        Wilson 1927, J. Am. Stat. Assoc. 22, 209.
    """
    if n <= 0 or not -1e-9 <= successes <= n * (1 + 1e-9):
        raise ValueError(f"{successes} of {n} is no rate")
    z = normal_quantile(0.5 + LEVEL / 2) if critical is None else critical
    rate = min(max(successes / n, 0.0), 1.0)
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if rate == 0 else max(0.0, centre - half)
    return low, 1.0 if rate == 1 else min(1.0, centre + half)


def normal_quantile(p: float) -> float:
    """Return the quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(p)


@lru_cache(maxsize=4096)
def t_quantile(p: float, degrees: int) -> float:
    """Return the quantile of Student's t for a whole number of degrees of freedom.

    Bisection on the closed form of the distribution function: SciPy is no
    dependency of the running product.

    Raises:
        ValueError: ``p`` is not between 0 and 1, or ``degrees`` is below 1.
    """
    if not 0 < p < 1 or degrees < 1:
        raise ValueError(f"no quantile at p={p} with {degrees} degrees of freedom")
    low, high = -1.0, 1.0
    while _t_below(low, degrees) > p:
        low *= 2
    while _t_below(high, degrees) < p:
        high *= 2
    while high - low > 1e-12 * max(1.0, abs(low)):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_below(middle, degrees) < p else (low, middle)
    return (low + high) / 2


def t_probability(t: float, degrees: int) -> float:
    """Return P(T <= t) of Student's t for a whole number of degrees of freedom."""
    return _t_below(t, degrees)


def _t_below(t: float, degrees: int) -> float:
    """P(T <= t). Abramowitz and Stegun 26.7.3 (odd) and 26.7.4 (even)."""
    theta = atan(t / sqrt(degrees))
    cosine, sine = cos(theta), sin(theta)
    odd = degrees % 2 == 1
    term = cosine if odd else 1.0
    total = 0.0 if degrees == 1 else term
    for k in range(3 if odd else 2, degrees - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    between = 2 / pi * (theta + sine * total) if odd else sine * total
    return (1 + between) / 2


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """A figure pooled over sessions, with what each session adds to it.

    ``influence`` has one value per session, in order of time; its mean is 0. The
    long-run variance of these values is the variance of the figure times the
    number of sessions.
    """

    value: float
    n: int
    influence: FloatArray
    settled_sessions: int

    @property
    def sessions(self) -> int:
        """Sessions pooled, those that add nothing included."""
        return len(self.influence)

    @property
    def degrees(self) -> int:
        """Degrees of freedom of :attr:`standard_error`."""
        return degrees_of_freedom(self.sessions)

    @property
    def standard_error(self) -> float:
        """Of ``value``; candidates of a session may move together, windows may overlap."""
        return sqrt(long_run_variance(self.influence) / self.sessions)

    @property
    def critical(self) -> float:
        """Student quantile for an interval at :data:`LEVEL`."""
        return t_quantile(0.5 + LEVEL / 2, self.degrees)


def degrees_of_freedom(sessions: int) -> int:
    """Return the number of cosines that the long-run variance averages (design §1)."""
    return min(MOST_DEGREES, max(FEWEST_DEGREES, sessions // SESSIONS_PER_DEGREE))


def long_run_variance(series: FloatArray) -> float:
    """Return the equal-weighted-cosine long-run variance of a series.

    The mean of the squares of the first nu cosine transforms; with it,
    (mean - mu) / sqrt(variance / length) is Student t with nu degrees of freedom.

    Args:
        series: In order of time, at least one value more than nu.

    Raises:
        ValueError: The series is too short.

    Source:
        Lazarus, Lewis, Stock and Watson 2018, J. Bus. Econ. Stat. 36, 541, eq. (10).
    """
    length = len(series)
    degrees = degrees_of_freedom(length)
    if length <= degrees:
        raise ValueError(f"{length} sessions are too few for {degrees} cosines")
    weights = sqrt(2 / length) * (_waves(length, degrees) @ series)
    return float(np.mean(weights**2))


@lru_cache(maxsize=16)
def _waves(length: int, degrees: int) -> FloatArray:
    """Return the cosines, shape (degrees, length): the same for every figure of a window."""
    when = (np.arange(length) + 0.5) / length
    waves: FloatArray = np.cos(np.pi * np.outer(np.arange(1, degrees + 1), when))
    waves.flags.writeable = False
    return waves


def ratio(numerators: FloatArray, denominators: FloatArray) -> Pooled | None:
    """Pool sums over counts: a rate, or a mean over candidates. None with nothing to pool.

    With equal counts this is the mean of the session means.

    Args:
        numerators: Sum of each session, in order of time.
        denominators: Count of each session; 0 where the session has none.
    """
    total = float(denominators.sum())
    if total <= 0:
        return None
    value = float(numerators.sum()) / total
    share = len(denominators) / total
    return Pooled(
        value=value,
        n=round(total),
        influence=(numerators - value * denominators) * share,
        settled_sessions=int(np.count_nonzero(denominators)),
    )


def log_lift(rate: Pooled, base: Pooled) -> Pooled | None:
    """Return ln(rate / base); None unless both are above 0.

    Both are pooled over the same sessions, so what moves them together cancels.
    """
    if rate.value <= 0 or base.value <= 0:
        return None
    return Pooled(
        value=log(rate.value / base.value),
        n=rate.n,
        influence=rate.influence / rate.value - base.influence / base.value,
        settled_sessions=rate.settled_sessions,
    )


def matched_base(counts: FloatArray, base_n: FloatArray, base_hits: FloatArray) -> Pooled | None:
    """Return the base rate that the strata of the candidates would have had.

    Args:
        counts: Candidates by session and stratum, shape (sessions, strata).
        base_n: Base universe, same shape.
        base_hits: Hits among it, same shape.

    Returns:
        sum over strata of N_d p_d / N, where p_d is the pooled base rate of the
        stratum. None if there is no candidate, or a stratum has no base.
    """
    per_stratum, base_total = counts.sum(axis=0), base_n.sum(axis=0)
    total = float(per_stratum.sum())
    used = per_stratum > 0
    if total <= 0 or bool((base_total[used] <= 0).any()):
        return None
    rates = np.divide(
        base_hits.sum(axis=0), base_total, out=np.zeros_like(base_total), where=base_total > 0
    )
    leverage = np.divide(per_stratum, base_total, out=np.zeros_like(base_total), where=used)
    value = float(per_stratum @ rates) / total
    own = counts @ rates - value * counts.sum(axis=1)
    stratum = (base_hits - base_n * rates) @ leverage
    return Pooled(
        value=value,
        n=round(total),
        influence=(own + stratum) * (len(counts) / total),
        settled_sessions=int(np.count_nonzero(counts.sum(axis=1))),
    )


def combine(parts: list[tuple[float, Pooled]], *, constant: float = 0.0) -> Pooled:
    """Return ``constant`` plus the sum of slope times part, over the same sessions."""
    first = parts[0][1]
    return Pooled(
        value=constant + sum(slope * part.value for slope, part in parts),
        n=first.n,
        influence=np.sum([slope * part.influence for slope, part in parts], axis=0),
        settled_sessions=min(part.settled_sessions for _, part in parts),
    )


def effective_n(rate: Pooled) -> float:
    """Return the number of independent candidates that would carry as much evidence."""
    independent = rate.value * (1 - rate.value) / rate.n
    variance = rate.standard_error**2
    if independent <= 0 or variance <= independent:
        return float(rate.n)
    return rate.n * independent / variance


def rate_bounds(rate: Pooled) -> tuple[float, float]:
    """Return the Wilson interval at the effective number of candidates (design §1).

    Where that number was shrunk by an estimated variance, Student's quantile takes the
    place of the normal one: with it 94-97 % of simulated intervals cover at 60 to 1,500
    sessions, without it 86-93 %.
    """
    n = effective_n(rate)
    return wilson(rate.value * n, n, critical=rate.critical if n < rate.n else None)
