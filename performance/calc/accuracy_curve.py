"""Does it come true as often as it was said? Curve, Brier decomposition, calibration error (§9)."""

from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
import numpy.typing as npt

from analytics.calc import evidence, intervals
from analytics.calc.evidence import Estimate
from analytics.calc.intervals import LEVEL
from performance.calc.accuracy_figures import INDEPENDENT, Basis

BINS = 10  # of equal width
EDGES = np.linspace(0.0, 1.0, BINS + 1)
DRAWS, SEED = 2000, 20240828  # of the sampling distribution of the calibration error
FEWEST_FOR_ERROR = 30  # theses below which the calibration error is nothing but noise

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Theses whose probability lies in one tenth.

    Attributes:
        low, high: Edges; a probability on an edge lies in the bin below it.
        n: Theses.
        said: Mean of their probabilities.
        came_true: Share that did, with its interval.
    """

    low: float
    high: float
    n: int
    said: float
    came_true: Estimate


@dataclass(frozen=True, kw_only=True)
class Decomposition:
    """Brier score = reliability - resolution + uncertainty + within_bins.

    The first three are those of the bins' mean probabilities, whose score they make exactly;
    ``within_bins`` is what the probabilities differ by inside their bins.

    Source: Murphy 1973, J. Appl. Meteorol. 12, 595; Stephenson et al. 2008 for the last term.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float


@dataclass(frozen=True, kw_only=True)
class Binned:
    """Sums by bin, of the bins that hold a thesis."""

    at: npt.NDArray[np.int64]
    n: Floats
    said: Floats
    true: Floats
    place: npt.NDArray[np.int64]


def binned(p: Floats, hit: Flags) -> Binned:
    """Sort theses into bins; the same bins as scikit-learn's ``calibration_curve``."""
    bins = np.searchsorted(EDGES[1:-1], p, side="left")
    at, place = np.unique(bins, return_inverse=True)
    n = np.bincount(place).astype(np.float64)
    return Binned(
        at=at,
        n=n,
        said=np.bincount(place, weights=p) / n,
        true=np.bincount(place, weights=hit.astype(np.float64)) / n,
        place=place,
    )


def curve(found: Binned, effect: float, basis: Basis) -> list[Bin]:
    """Return the reliability diagram; intervals are Wilson's at n over the design effect."""
    method = f"Wilson, {INDEPENDENT}" if effect == 1 else f"Wilson at n / {effect:.1f} (EWC)"
    return [
        Bin(
            low=float(EDGES[at]),
            high=float(EDGES[at + 1]),
            n=int(n),
            said=float(said),
            came_true=evidence.measured(
                value=float(true),
                n=int(n),
                source=basis.source,
                as_of=basis.as_of,
                method=method,
                bounds=intervals.wilson(true * n / effect, n / effect),
            ),
        )
        for at, n, said, true in zip(found.at, found.n, found.said, found.true, strict=True)
    ]


def decompose(p: Floats, hit: Flags, found: Binned) -> Decomposition:
    """Split the Brier score.

    Raises:
        ArithmeticError: The parts do not make the score of the bins' means: a bug.
    """
    base = float(hit.mean())
    weight = found.n / p.size
    reliability = float(weight @ (found.said - found.true) ** 2)
    resolution = float(weight @ (found.true - base) ** 2)
    uncertainty = base * (1 - base)
    coarse = float(np.mean((found.said[found.place] - hit) ** 2))
    if abs(coarse - (reliability - resolution + uncertainty)) > 1e-9:
        raise ArithmeticError("the Brier score is not the sum of its parts")
    return Decomposition(
        reliability=reliability,
        resolution=resolution,
        uncertainty=uncertainty,
        within_bins=float(np.mean((p - hit) ** 2)) - coarse,
    )


def calibration_error(found: Binned, effect: float, basis: Basis) -> Estimate:
    """Give the expected calibration error: the mean gap between said and come true.

    The error is a sum of absolute values, so noise alone makes it positive: an interval around it
    would miss 0 when nothing is wrong. The lower bound therefore inverts its sampling distribution:
    the gaps are taken to be a multiple of those seen, and the bound is that of the multiple under
    which what was seen lies in the upper 2.5 %. Noise never makes the error smaller on average, so
    the upper bound is the usual one: 1.96 standard errors above.

    Source: Naeini, Cooper and Hauskrecht 2015, AAAI 29, 2901 (the error). The interval is ours;
    simulation says that it covers 96 to 99 %.
    """
    if basis.n < FEWEST_FOR_ERROR:
        reason = f"{basis.n} settled theses, {FEWEST_FOR_ERROR} are needed"
        return basis.insufficient(reason)
    weight, gap = found.n / basis.n, found.said - found.true
    seen, scale = float(weight @ np.abs(gap)), _scale(found, effect)
    noise = _normals(found) * scale
    half = intervals.normal_quantile(0.5 + LEVEL / 2) * sqrt(float(weight**2 @ scale**2))
    return evidence.measured(
        value=seen,
        n=basis.n,
        source=basis.source,
        as_of=basis.as_of,
        method="inverted sampling distribution"
        + (f", {INDEPENDENT}" if effect == 1 else f" at n / {effect:.1f} (EWC)"),
        bounds=(seen * _multiple(seen, weight, gap, noise), min(1.0, seen + half)),
    )


def error_by_chance(found: Binned, effect: float) -> float:
    """Return the error that 95 % of perfectly calibrated forecasters of these p stay within."""
    rate = np.clip(found.said, 1e-9, 1 - 1e-9)
    scale = np.sqrt(rate * (1 - rate) / found.n * effect)
    weight = found.n / found.n.sum()
    return float(np.quantile(np.abs(_normals(found) * scale) @ weight, LEVEL))


def _scale(found: Binned, effect: float) -> Floats:
    """Return the standard error of each bin's share; never 0, for no share is certain."""
    rate = (found.true * found.n + 0.5) / (found.n + 1)
    return np.asarray(np.sqrt(rate * (1 - rate) / found.n * effect))


def _normals(found: Binned) -> Floats:
    return _draws(found.n.size)


@cache
def _draws(bins: int) -> Floats:
    drawn: Floats = np.random.default_rng(SEED).standard_normal((DRAWS, bins))
    drawn.flags.writeable = False
    return drawn


def _multiple(seen: float, weight: Floats, gap: Floats, noise: Floats) -> float:
    """Return the multiple of the gaps under which ``seen`` is the upper 2.5 % point; 0 at least.

    The error grows with the multiple, so bisection finds it; at 1 it has passed ``seen``.
    """
    at = round((0.5 + LEVEL / 2) * DRAWS)

    def point(multiple: float) -> float:
        errors = np.abs(gap * multiple + noise) @ weight
        return float(np.partition(errors, at)[at])

    low, high = 0.0, 1.0
    if point(low) >= seen:
        return 0.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if point(middle) < seen else (low, middle)
    return (low + high) / 2
