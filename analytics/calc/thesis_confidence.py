"""A calibrated probability with its interval: how well is it known? (design §9, §14)

The value is :func:`thesis_calibration.calibrated`'s. The interval is that of the probability, not
of the outcome; the size rule uses its lower bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, lgamma, log, log1p, sqrt

from analytics.calc import thesis_calibration
from analytics.calc.intervals import LEVEL, normal_quantile

TINY = 1e-300


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """A probability beside what it was before.

    Attributes:
        raw: As the author said it.
        value: Calibrated.
        low, high: Interval of ``value`` at ``level``.
        n: Settled theses behind it.
        method: ``beta_binomial`` or ``platt``.
    """

    raw: float
    value: float
    low: float
    high: float
    n: int
    method: str
    level: float = LEVEL


def confidence(p: float, *, method: str, parameters: Mapping[str, float], n: int) -> Calibrated:
    """Calibrate one probability and say how well it is known.

    Args:
        p: As its author said it.
        method: See :func:`thesis_calibration.calibrated`.
        parameters: As there; ``platt`` also has ``var_intercept``, ``var_slope`` and
            ``covariance`` of the fit.
        n: Settled theses that it was fitted on.

    Raises:
        ValueError: The method is not known, or ``p`` is not a probability.
        KeyError: A parameter is missing.
    """
    value = thesis_calibration.calibrated(p, method=method, parameters=parameters)
    if method == thesis_calibration.BETA_BINOMIAL:
        low, high = _credible(parameters["alpha"], parameters["beta"])
    else:
        low, high = _confident(p, parameters)
    return Calibrated(raw=p, value=value, low=low, high=high, n=n, method=method)


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the quantile of the beta distribution, by bisection on its distribution function.

    Raises:
        ValueError: ``share`` is not between 0 and 1, or a parameter is not above 0.
    """
    if not 0 < share < 1 or a <= 0 or b <= 0:
        raise ValueError(f"no quantile at {share} of Beta({a}, {b})")
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if beta_below(middle, a, b) < share else (low, middle)
    return (low + high) / 2


def beta_below(x: float, a: float, b: float) -> float:
    """Return P(X <= x) of Beta(a, b): the regularised incomplete beta function.

    Source: Press et al. 2007, Numerical Recipes, 3rd ed., section 6.4 (Lentz's method).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Continued fraction of the incomplete beta function."""
    c, d = 1.0, _safe(1 - (a + b) * x / (a + 1))
    d = 1 / d
    h = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1 / _safe(1 + term * d)
            c = _safe(1 + term / c)
            step = d * c
            h *= step
        if abs(step - 1) < 1e-15:
            break
    return h


def _safe(value: float) -> float:
    return value if abs(value) > TINY else TINY


def _credible(alpha: float, beta: float) -> tuple[float, float]:
    """Return the central interval of the posterior of the group's rate."""
    tail = (1 - LEVEL) / 2
    return beta_quantile(tail, alpha, beta), beta_quantile(1 - tail, alpha, beta)


def _confident(p: float, parameters: Mapping[str, float]) -> tuple[float, float]:
    """Return the interval from the covariance of intercept and slope (delta method)."""
    nearest = thesis_calibration.NEAREST
    inside = min(max(p, nearest), 1 - nearest)
    x = log(inside / (1 - inside))
    middle = parameters["intercept"] + parameters["slope"] * x
    variance = (
        parameters["var_intercept"]
        + 2 * x * parameters["covariance"]
        + x * x * parameters["var_slope"]
    )
    half = normal_quantile(0.5 + LEVEL / 2) * sqrt(max(variance, 0.0))
    low, high = (1 / (1 + exp(-max(at, -700.0))) for at in (middle - half, middle + half))
    return low, high
