"""Figures with their evidence: a value, its interval, or the reason for having none (design §1)."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from math import exp, isfinite

import numpy as np
import numpy.typing as npt

from analytics.calc.intervals import (
    LEVEL,
    FloatArray,
    Pooled,
    effective_n,
    log_lift,
    rate_bounds,
    ratio,
)

FEWEST_SESSIONS = 60  # settled sessions below which candidate metrics have no interval


class Status(StrEnum):
    """What a figure may be taken for."""

    OK = "ok"
    INSUFFICIENT = "insufficient_data"
    CLAIMED = "claimed"
    SIMULATED = "simulated"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One figure and all that is needed to judge it.

    ``value`` and the bounds are None when the data do not carry them; ``reason``
    then says why. Rates and returns are fractions.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    level: float = LEVEL
    method: str = ""
    as_of: date | None = None
    source: str
    status: Status
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != (self.status is Status.INSUFFICIENT):
            raise ValueError(f"status {self.status} does not fit value {self.value}")
        if self.value is None and not self.reason:
            raise ValueError("a figure that is missing needs a reason")
        if self.value is not None and not isfinite(self.value):
            raise ValueError(f"value must be finite, got {self.value}")
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two bounds")


def insufficient(*, n: int, reason: str, source: str, as_of: date | None = None) -> Estimate:
    """Return a figure that cannot be given, with the reason."""
    return Estimate(
        value=None, n=n, reason=reason, source=source, as_of=as_of, status=Status.INSUFFICIENT
    )


def measured(
    *,
    value: float,
    n: int,
    source: str,
    as_of: date | None,
    method: str,
    bounds: tuple[float, float] | None = None,
    reason: str = "",
) -> Estimate:
    """Return a figure computed from rows of ``source``; the sample market's say simulated.

    Without ``bounds``, ``reason`` says why there is no interval.
    """
    low, high = bounds or (None, None)
    status = Status.SIMULATED if source == "simulated" else Status.OK
    return Estimate(
        value=value,
        n=n,
        low=low,
        high=high,
        method=method,
        as_of=as_of,
        source=source,
        status=status,
        reason=reason,
    )


def claimed(*, value: float, n: int, as_of: date | None = None, reason: str = "") -> Estimate:
    """Return a figure that somebody stated and that the data here do not reproduce."""
    return Estimate(
        value=value, n=n, as_of=as_of, source="claimed", status=Status.CLAIMED, reason=reason
    )


def rate_estimate(rate: Pooled | None, *, source: str, as_of: date | None) -> Estimate:
    """Give a candidate rate: Wilson at the effective number of candidates (design §1)."""
    short = _too_short(rate, source=source, as_of=as_of)
    if rate is None or short is not None:
        return short or _nothing(source, as_of)
    return measured(
        value=rate.value,
        n=rate.n,
        source=source,
        as_of=as_of,
        method=f"Wilson at n_eff {effective_n(rate):.0f} (EWC, nu {rate.degrees})",
        bounds=rate_bounds(rate),
    )


def mean_estimate(mean: Pooled | None, *, source: str, as_of: date | None) -> Estimate:
    """Give a mean over candidates: Student t on the EWC standard error (design §1)."""
    short = _too_short(mean, source=source, as_of=as_of)
    if mean is None or short is not None:
        return short or _nothing(source, as_of)
    half = mean.critical * mean.standard_error
    return measured(
        value=mean.value,
        n=mean.n,
        source=source,
        as_of=as_of,
        method=f"t on influence values (EWC, nu {mean.degrees})",
        bounds=(mean.value - half, mean.value + half),
    )


def lift_estimate(
    rate: Pooled | None, base: Pooled | None, *, source: str, as_of: date | None
) -> Estimate:
    """Give rate over base, with an interval from the logarithm of the ratio."""
    short = _too_short(rate, source=source, as_of=as_of)
    if rate is None or base is None or short is not None:
        return short or _nothing(source, as_of)
    lift = log_lift(rate, base)
    if lift is None:
        return insufficient(n=rate.n, reason="a rate of 0 has no lift", source=source, as_of=as_of)
    logs = mean_estimate(lift, source=source, as_of=as_of)
    low, high = logs.low, logs.high
    bounds = (exp(low), exp(high)) if low is not None and high is not None else None
    return measured(
        value=exp(lift.value),
        n=rate.n,
        source=source,
        as_of=as_of,
        method=f"log ratio, t on influence values (EWC, nu {lift.degrees})",
        bounds=bounds,
    )


def median_estimate(
    values: FloatArray,
    positions: npt.NDArray[np.int64],
    sessions: int,
    *,
    source: str,
    as_of: date | None,
) -> Estimate:
    """Give the median over candidates.

    The bounds are the quantiles at one half plus and minus what the share of
    candidates below the median is uncertain by.

    Args:
        values: One per candidate.
        positions: Session of each, 0 to ``sessions`` - 1, in order of time.
        sessions: Sessions of the window.
        source: Source of the rows.
        as_of: Last session that they reach.

    Source:
        Woodruff 1952, J. Am. Stat. Assoc. 47, 635.
    """
    if len(values) == 0:
        return _nothing(source, as_of)
    median = float(np.median(values))
    half = np.where(values < median, 1.0, np.where(values == median, 0.5, 0.0))
    below = np.bincount(positions, weights=half, minlength=sessions).astype(np.float64)
    share = ratio(below, np.bincount(positions, minlength=sessions).astype(np.float64))
    estimate = mean_estimate(share, source=source, as_of=as_of)
    if estimate.low is None or estimate.high is None:
        return estimate
    edges = np.quantile(values, np.clip([estimate.low, estimate.high], 0, 1))
    bounds = (min(float(edges[0]), median), max(float(edges[1]), median))
    return replace(
        estimate, value=median, low=bounds[0], high=bounds[1], method=f"Woodruff, {estimate.method}"
    )


def _too_short(pooled: Pooled | None, *, source: str, as_of: date | None) -> Estimate | None:
    if pooled is None or pooled.settled_sessions >= FEWEST_SESSIONS:
        return None
    reason = f"{pooled.settled_sessions} settled sessions, {FEWEST_SESSIONS} are needed"
    return insufficient(n=pooled.n, reason=reason, source=source, as_of=as_of)


def _nothing(source: str, as_of: date | None) -> Estimate:
    return insufficient(n=0, reason="nothing has settled", source=source, as_of=as_of)
