"""The money-weighted return: the rate at which what went in grew to what came out (design §11)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import isnan

DAYS_A_YEAR = 365.0
LOWEST, HIGHEST = -0.999999, 1e9  # yearly rates between which a root is looked for
STEPS = 400  # of the search for a change of sign, even in log(1 + rate)

Worth = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Money on a day, as the owner sees it: paid in is negative, taken out positive [USD]."""

    day: date
    amount: float


def xirr(flows: Sequence[Flow]) -> float | None:
    """Return the yearly rate at which the flows are worth nothing together, a fraction.

    Days over 365, from the first flow on. None without a gain and a loss among them, or where
    no rate between -99.9999 % and a billion solves it; where several do, the one nearest to 0.

    Args:
        flows: In any order; the value left at the end is the last of them, positive.

    Source:
        Excel's XIRR; the root is bracketed and bisected, so that it is found where Newton's
        method runs away.
    """
    amounts = [flow.amount for flow in flows]
    if not any(amount > 0 for amount in amounts) or not any(amount < 0 for amount in amounts):
        return None
    first = min(flow.day for flow in flows)
    years = [(flow.day - first).days / DAYS_A_YEAR for flow in flows]
    if max(years) == 0:
        return None

    def worth(rate: float) -> float:
        terms = (a * (1 + rate) ** -year for a, year in zip(amounts, years, strict=True))
        return float(sum(terms))

    brackets = _brackets(worth)
    return min((_bisect(worth, *each) for each in brackets), key=abs, default=None)


def over(rate: float, days: int) -> float:
    """Return a yearly rate as the return over ``days`` days."""
    return float((1 + rate) ** (days / DAYS_A_YEAR) - 1)


def _brackets(worth: Worth) -> list[tuple[float, float]]:
    """Return neighbouring rates between which the worth changes its sign."""
    span = (1 + HIGHEST) / (1 + LOWEST)
    rates = [(1 + LOWEST) * span ** (at / STEPS) - 1 for at in range(STEPS + 1)]
    values = []
    for rate in rates:
        try:
            values.append(worth(rate))
        except OverflowError:
            values.append(float("nan"))
    return [
        (low, high)
        for low, high, left, right in zip(rates, rates[1:], values, values[1:], strict=False)
        if not isnan(left + right) and (left <= 0 < right or right <= 0 < left)
    ]


def _bisect(worth: Worth, low: float, high: float) -> float:
    """Return the root between two rates of different sign, to 1e-13 of its size."""
    rising = worth(low) <= 0
    for _ in range(200):
        middle = (low + high) / 2
        if high - low <= 1e-13 * max(1.0, abs(middle)):
            break
        if (worth(middle) <= 0) == rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2
