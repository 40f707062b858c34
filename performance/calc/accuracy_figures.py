"""Figures over theses, with intervals (design §1).

From 60 settled sessions on, the intervals know that theses of one session move together and that
windows overlap; below that they are Wilson's or Student's and say "independence assumed".
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from math import sqrt

import numpy as np
import numpy.typing as npt

from analytics.calc import evidence, intervals
from analytics.calc.evidence import FEWEST_SESSIONS, Estimate
from analytics.calc.intervals import LEVEL, Pooled

FEWEST_THESES = 10  # settled theses below which no figure is given
INDEPENDENT = "independence assumed"

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a set of theses rests on: one session number per thesis, source and age."""

    session: Ints
    source: str
    as_of: date | None

    @property
    def n(self) -> int:
        return int(self.session.size)

    @cached_property
    def by_session(self) -> tuple[int, npt.NDArray[np.int64]]:
        """How many sessions there are, and the place of each thesis among them."""
        days, place = np.unique(self.session, return_inverse=True)
        return int(days.size), place

    def chosen(self, rows: Flags) -> "Basis":
        return Basis(session=self.session[rows], source=self.source, as_of=self.as_of)

    def refused(self) -> Estimate | None:
        """Return why no figure can be given, or None if one can."""
        if self.n >= FEWEST_THESES:
            return None
        what = "no thesis has settled" if not self.n else f"{self.n} settled theses"
        return self.insufficient(f"{what}, {FEWEST_THESES} are needed")

    def insufficient(self, reason: str) -> Estimate:
        return evidence.insufficient(n=self.n, reason=reason, source=self.source, as_of=self.as_of)


def rate(successes: Flags, basis: Basis) -> Estimate:
    """Give the share of theses for which something is so."""
    refused = basis.refused()
    if refused is not None:
        return refused
    value = float(successes.mean())
    pooled = _pooled(value, np.asarray(successes - value, dtype=np.float64), basis)
    if pooled is not None:
        return evidence.rate_estimate(pooled, source=basis.source, as_of=basis.as_of)
    return evidence.measured(
        value=value,
        n=basis.n,
        source=basis.source,
        as_of=basis.as_of,
        method=f"Wilson, {INDEPENDENT}",
        bounds=intervals.wilson(float(successes.sum()), basis.n),
    )


def figure(value: float, influence: Floats, basis: Basis) -> Estimate:
    """Give a smooth figure of theses: a mean, a ratio, a skill.

    Args:
        value: The figure.
        influence: What each thesis moves it by, times n; its mean is 0.
        basis: The theses.
    """
    refused = basis.refused()
    if refused is not None:
        return refused
    pooled = _pooled(value, influence, basis)
    if pooled is not None:
        return evidence.mean_estimate(pooled, source=basis.source, as_of=basis.as_of)
    error = float(np.std(influence, ddof=1)) / sqrt(basis.n)
    half = intervals.t_quantile(0.5 + LEVEL / 2, basis.n - 1) * error
    return evidence.measured(
        value=value,
        n=basis.n,
        source=basis.source,
        as_of=basis.as_of,
        method=f"t on influence values, {INDEPENDENT}",
        bounds=(value - half, value + half),
    )


def mean(values: Floats, basis: Basis) -> Estimate:
    """Give the mean of one value per thesis."""
    if not basis.n:
        return basis.insufficient("no thesis has settled")
    middle = float(values.mean())
    return figure(middle, values - middle, basis)


def design_effect(residual: Floats, basis: Basis) -> float:
    """Return how many theses carry the evidence of one independent one, at least 1.

    1 with fewer than 60 settled sessions, where it cannot be told.

    Args:
        residual: What happened less what was expected, by thesis.
        basis: The theses.
    """
    pooled = _pooled(0.0, residual - residual.mean(), basis) if basis.n else None
    independent = float(np.var(residual)) / basis.n if basis.n else 0.0
    if pooled is None or independent <= 0:
        return 1.0
    return max(1.0, pooled.standard_error**2 / independent)


def _pooled(value: float, influence: Floats, basis: Basis) -> Pooled | None:
    """Return the figure with what each session moves it by; None with too few sessions."""
    size, place = basis.by_session
    if size < FEWEST_SESSIONS:
        return None
    by_session = np.bincount(place, weights=influence, minlength=size).astype(np.float64)
    return Pooled(
        value=value,
        n=basis.n,
        influence=by_session * (size / basis.n),
        settled_sessions=size,
    )
