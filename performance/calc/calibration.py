"""Fit what puts an author's probabilities right: shrinkage while young, then Platt scaling (§9)."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from analytics.calc.thesis_calibration import BETA_BINOMIAL, NEAREST, PLATT
from performance.calc import accuracy_figures
from performance.calc.accuracy_figures import Basis

FEWEST_FOR_PLATT = 50  # settled theses of a group, design §9
PRIOR_THESES = 20.0  # what the belief in the base rate weighs at most, in theses
PRIOR_SCALES = (1.0, 0.5)  # standard deviations of intercept around 0 and slope around 1
REFIT_SHARE = 0.05  # growth of a group that is worth a new fit

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A calibration of one author on one pattern, as ``analytics.PatternCalibration`` stores it.

    Attributes:
        method: ``beta_binomial`` or ``platt``.
        parameters: See ``analytics.calc.thesis_calibration``; beside what applying needs they
            hold ``hits`` and ``effect``, the design effect of theses that move together.
        n: Settled theses.
        base_rate: Share of all theses, of every author, that reached the target first.
    """

    method: str
    parameters: dict[str, float]
    n: int
    base_rate: float


def fit(p: Floats, hit: Flags, basis: Basis, *, base_hits: int, base_n: int) -> Fit:
    """Fit the calibration of one group on its settled theses.

    Args:
        p: As the author said it.
        hit: The target came first.
        basis: Signal sessions of the theses.
        base_hits, base_n: Of all theses settled by then, of every author. While they are few, so
            is what the base rate weighs, and it is held away from 0 and 1 by half a thesis.

    Raises:
        ValueError: There is no thesis.
    """
    if not p.size:
        raise ValueError("nothing to fit on")
    rate = float(hit.mean())
    effect = accuracy_figures.design_effect(np.asarray(hit - rate, dtype=np.float64), basis)
    base, weight = (base_hits + 0.5) / (base_n + 1), min(PRIOR_THESES, float(base_n))
    counted = {"hits": float(hit.sum()), "effect": effect}
    if p.size < FEWEST_FOR_PLATT:
        n = p.size / effect
        alpha, beta = rate * n + weight * base, (1 - rate) * n + weight * (1 - base)
        own = {"alpha": float(alpha), "beta": float(beta)}
        return Fit(method=BETA_BINOMIAL, parameters=own | counted, n=p.size, base_rate=base)
    own = _platt(p, hit, effect)
    return Fit(method=PLATT, parameters=own | counted, n=p.size, base_rate=base)


def due(settled: Days, known: int = 0) -> list[int]:
    """Return after how many settled theses a group is fitted again, ascending.

    A group grows by a session's worth at a time; it is fitted when it has grown by a twentieth.

    Args:
        settled: Ends of the horizons of its theses, ascending.
        known: Theses that its newest fit has seen.

    Returns:
        Numbers of theses, each the whole of those settled up to some session.
    """
    if not settled.size:
        return []
    ends = np.flatnonzero(np.append(settled[1:] != settled[:-1], True)) + 1
    found, seen = [], known
    for end in ends.tolist():
        if end >= seen + max(1, ceil(seen * REFIT_SHARE)):
            found.append(end)
            seen = end
    return found


def _platt(p: Floats, hit: Flags, effect: float) -> dict[str, float]:
    """Fit logit(P(hit)) = intercept + slope logit(p), both held near "nothing to put right".

    Newton's method on the penalised likelihood. The slope is never negative: a calibration does
    not turn an author's order round.

    Source: Platt 1999, Advances in Large Margin Classifiers, 61; the penalty is a normal prior.
    """
    inside = np.clip(p, NEAREST, 1 - NEAREST)
    x = np.column_stack([np.ones(p.size), np.log(inside / (1 - inside))])
    prior, precision = np.array([0.0, 1.0]), np.diag(1 / np.square(PRIOR_SCALES))
    found = _newton(x, hit, effect, prior, precision)
    if found[1] < 0:
        found = np.array([_newton(x[:, :1], hit, effect, prior[:1], precision[:1, :1])[0], 0.0])
    covariance = np.linalg.inv(_hessian(x, found, effect, precision))
    return {
        "intercept": float(found[0]),
        "slope": float(found[1]),
        "var_intercept": float(covariance[0, 0]),
        "var_slope": float(covariance[1, 1]),
        "covariance": float(covariance[0, 1]),
    }


def _newton(x: Floats, hit: Flags, effect: float, prior: Floats, precision: Floats) -> Floats:
    """Minimise; steps that do not help are halved, so it always converges."""

    def cost(at: Floats) -> float:
        odds = x @ at
        away = at - prior
        likelihood = float(np.sum(np.logaddexp(0, odds) - hit * odds)) / effect
        return likelihood + float(away @ precision @ away) / 2

    at = prior.copy()
    for _ in range(100):
        gradient = x.T @ (_expit(x @ at) - hit) / effect + precision @ (at - prior)
        step = np.linalg.solve(_hessian(x, at, effect, precision), gradient)
        size = 1.0
        while size > 1e-10 and cost(at - size * step) > cost(at):
            size /= 2
        at = at - size * step
        if float(np.abs(size * step).max()) < 1e-10:
            break
    return at


def _hessian(x: Floats, at: Floats, effect: float, precision: Floats) -> Floats:
    share = _expit(x @ at)
    return np.asarray((x.T * (share * (1 - share))) @ x / effect + precision)


def _expit(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -700, 700))))
