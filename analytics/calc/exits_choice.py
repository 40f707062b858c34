"""Exit rules chosen walk-forward: by what had ended before, and by nothing else (design §13)."""

import numpy as np
import numpy.typing as npt

from analytics.calc.exits import FEWEST
from analytics.calc.panel import Floats, Ints, Longs


def choose(
    net: Floats,
    number: Ints,
    horizons: Longs,
    signals: Ints,
    *,
    frozen_from: int | None = None,
) -> npt.NDArray[np.int64]:
    """Return the rule that a person would have used on each session.

    It is the one with the highest mean net return over the candidates whose whole window had
    ended by that session's close; the first of them where two are equal.

    Args:
        net: Shape (rules, candidates); NaN where not known.
        number: Session of each candidate's signal.
        horizons: Sessions that each rule may hold.
        signals: Sessions to choose for.
        frozen_from: From this session on the choice stays what it was on the one before.

    Returns:
        Position of the rule by signal; -1 where some rule has under ``FEWEST`` known returns.
    """
    asked = signals if frozen_from is None else np.minimum(signals, frozen_from - 1)
    means = np.full((net.shape[0], signals.size), np.nan)
    for rule in range(net.shape[0]):
        known = ~np.isnan(net[rule])
        ends = number[known] + horizons[rule]
        order = np.argsort(ends, kind="stable")
        count = np.searchsorted(ends[order], asked, side="right")
        total = np.concatenate([[0.0], np.cumsum(net[rule][known][order])])
        enough = count >= FEWEST
        means[rule, enough] = total[count[enough]] / count[enough]
    complete = ~np.isnan(means).any(axis=0)
    return np.where(complete, np.argmax(np.nan_to_num(means, nan=-np.inf), axis=0), -1)


def by_choice(values: Floats, number: Ints, signals: Ints, chosen: npt.NDArray[np.int64]) -> Floats:
    """Return each candidate's value under the rule chosen for its session; NaN without a choice.

    Args:
        values: Shape (rules, candidates).
        number: Session of each candidate, all of them among ``signals``.
        signals: Sessions, ascending.
        chosen: See :func:`choose`.
    """
    rule = chosen[np.searchsorted(signals, number)]
    own = values[np.maximum(rule, 0), np.arange(number.size)]
    return np.where(rule >= 0, own, np.nan)
