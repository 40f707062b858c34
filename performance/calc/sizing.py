"""How big a position should be, and whether the sizes chosen so far helped (design §14)."""

from dataclasses import dataclass
from datetime import date
from math import atanh, floor, isnan, sqrt, tanh

import numpy as np
import numpy.typing as npt

from analytics.calc import intervals
from analytics.calc.evidence import Estimate, insufficient, measured

FEWEST_TRADES = 10  # under it a rank correlation says nothing
FEWEST_CLUSTERS = 5
FEWEST_LOSSES = 60  # settled candidates behind the 95th percentile of |mae|
EXIT_SESSIONS = 1.0  # in which a suggested position can be sold
EXIT_SHARE = 0.10  # of the daily dollar volume
NO_EDGE = "no measured edge"

Floats = npt.NDArray[np.float64]


def half_kelly(*, p_low: float, loss: float, gain: float) -> float:
    """Return f = 1/2 max(0, p_lo / a - (1 - p_lo) / b), a fraction of equity.

    Args:
        p_low: Lower bound of the calibrated probability that the target comes first, 0 to 1.
        loss: a, what is lost if it does not, a fraction above 0.
        gain: b, the target's gain net of costs, a fraction; 0 or less leaves nothing to win.

    Raises:
        ValueError: ``p_low`` is no probability, or ``loss`` is not above 0.

    Source: Kelly 1956 for a bet that wins b with p and loses a else; half of it, at the lower
    bound, because the probability is estimated (design §14).
    """
    if not 0 <= p_low <= 1 or not loss > 0:
        raise ValueError(f"no size at p={p_low}, loss={loss}")
    if gain <= 0:
        return 0.0
    return max(0.0, p_low / loss - (1 - p_low) / gain) / 2


def loss_at_stop(stop_distance: float, mae: Floats) -> float | None:
    """Return a = max(stop distance, 95th percentile of |mae|); None with too few candidates.

    A stop does not hold in a gap, so what candidates have really fallen counts as well.
    """
    known = mae[~np.isnan(mae)]
    if known.size < FEWEST_LOSSES:
        return None
    return max(stop_distance, float(np.quantile(np.abs(known), 0.95)))


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A size and why it is not bigger.

    Attributes:
        fraction: Of equity; 0 means no measured edge; None: cannot be given.
        shares: Whole shares at ``price``; None without a fraction or equity.
        binding: Which limit decides: "half Kelly", "size limit", "liquidity limit",
            "no measured edge", or "" if nothing can be said.
        reason: Why there is none.
    """

    fraction: float | None
    shares: int | None = None
    binding: str = ""
    reason: str = ""


def suggest(
    *,
    p_low: float | None,
    loss: float | None,
    gain: float,
    equity: float | None,
    price: float,
    dollar_volume: float | None,
    size_limit: float,
) -> Suggestion:
    """Return min(size limit, liquidity limit, half Kelly); missing input gives no size."""
    for value, reason in (
        (p_low, "no calibrated probability"),
        (loss, f"fewer than {FEWEST_LOSSES} settled candidates to judge the loss by"),
        (equity, "equity is not known"),
        (dollar_volume, "dollar volume is not known"),
    ):
        if value is None or isnan(value):
            return Suggestion(fraction=None, reason=reason)
    assert p_low is not None and loss is not None  # noqa: S101, PT018  # for the type checker
    assert equity is not None and dollar_volume is not None  # noqa: S101, PT018
    if not equity > 0 or not price > 0:
        return Suggestion(fraction=None, reason="equity and price must be above 0")
    wanted = half_kelly(p_low=p_low, loss=loss, gain=gain)
    if wanted == 0:
        return Suggestion(fraction=0.0, shares=0, binding=NO_EDGE)
    liquid = EXIT_SESSIONS * EXIT_SHARE * dollar_volume / equity
    limits = {"half Kelly": wanted, "size limit": size_limit, "liquidity limit": liquid}
    binding = min(limits, key=lambda name: limits[name])
    fraction = limits[binding]
    return Suggestion(fraction=fraction, shares=floor(fraction * equity / price), binding=binding)


def ranks(values: Floats) -> Floats:
    """Return ranks from 1, ties shared."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: Floats = (ends - (counts - 1) / 2)[place].astype(np.float64)
    return found


def rank_correlation(
    weight: Floats, result: Floats, *, source: str, as_of: date | None
) -> Estimate:
    """Return Spearman's correlation of entry weight with return, with its interval.

    Source: Bonett and Wright 2000, Psychometrika 65, 23: standard error of atanh(rho)
    sqrt((1 + rho^2 / 2) / (n - 3)); independence assumed.
    """
    n = int(weight.size)
    if n < FEWEST_TRADES:
        reason = f"{n} trades with an entry weight, {FEWEST_TRADES} are needed"
        return insufficient(n=n, reason=reason, source=source, as_of=as_of)
    one, other = ranks(weight), ranks(result)
    if one.std() == 0 or other.std() == 0:
        reason = "all weights, or all returns, are alike"
        return insufficient(n=n, reason=reason, source=source, as_of=as_of)
    rho = float(np.corrcoef(one, other)[0, 1])
    inner = min(max(rho, -1 + 1e-12), 1 - 1e-12)
    half = intervals.normal_quantile(0.975) * sqrt((1 + inner**2 / 2) / (n - 3))
    bounds = (min(tanh(atanh(inner) - half), rho), max(tanh(atanh(inner) + half), rho))
    return measured(
        value=rho,
        n=n,
        source=source,
        as_of=as_of,
        method="Spearman; Bonett-Wright, independence assumed",
        bounds=bounds,
    )


def capital_less_equal(
    capital: Floats,
    result: Floats,
    group: npt.NDArray[np.int64],
    *,
    source: str,
    as_of: date | None,
) -> Estimate:
    """Return the capital-weighted mean return less the equal-weighted one, with its interval.

    Above 0, bigger positions did better. Student t over clusters of overlapping holding windows
    (``metrics.clusters``) on influence values (design §1).
    """
    n = int(result.size)
    count = int(group.max()) + 1 if n else 0
    if count < FEWEST_CLUSTERS or n < FEWEST_TRADES:
        reason = (
            f"{n} trades in {count} clusters of overlapping holding windows; "
            f"{FEWEST_TRADES} in {FEWEST_CLUSTERS} are needed"
        )
        return insufficient(n=n, reason=reason, source=source, as_of=as_of)
    total = float(capital.sum())
    by_capital, alike = float(capital @ result) / total, float(result.mean())
    influence = capital * (result - by_capital) / total - (result - alike) / n
    sums = np.bincount(group, weights=influence, minlength=count)
    error = sqrt(count / (count - 1) * float(np.sum(sums**2)))
    half = intervals.t_quantile(0.975, count - 1) * error
    value = by_capital - alike
    return measured(
        value=value,
        n=n,
        source=source,
        as_of=as_of,
        method=f"t over {count} clusters of overlapping holding windows",
        bounds=(value - half, value + half),
    )
