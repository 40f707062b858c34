"""How bad the bad days are: historical value at risk and expected shortfall (design §11, §14)."""

import numpy as np
import numpy.typing as npt

TAIL = 0.05  # share of the days that are called bad

Floats = npt.NDArray[np.float64]


def value_at_risk(returns: Floats, *, tail: float = TAIL) -> float | None:
    """Return the return that the worst ``tail`` of days stay at or below.

    Args:
        returns: Daily, fractions.
        tail: Between 0 and 1.

    Returns:
        A return, so a loss is negative; interpolated between days. None without a day.

    Raises:
        ValueError: ``tail`` is not between 0 and 1.

    Source:
        Historical simulation, as ``empyrical.value_at_risk``.
    """
    _check(tail)
    return float(np.percentile(returns, 100 * tail)) if returns.size else None


def expected_shortfall(returns: Floats, *, tail: float = TAIL) -> float | None:
    """Return the mean of the worst ``tail`` of days (CVaR), a loss negative; None without a day.

    At least one day is averaged: of 20 days at 5 % the worst one.

    Raises:
        ValueError: ``tail`` is not between 0 and 1.

    Source:
        Rockafellar and Uryasev 2000, J. of Risk 2(3), 21; as
        ``empyrical.conditional_value_at_risk``.
    """
    _check(tail)
    if not returns.size:
        return None
    last = int((returns.size - 1) * tail)
    return float(np.partition(returns, last)[: last + 1].mean())


def _check(tail: float) -> None:
    if not 0 < tail < 1:
        raise ValueError(f"the tail is a share between 0 and 1, not {tail}")
