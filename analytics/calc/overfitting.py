"""How likely it is that the best of many was best by luck (design §16)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

DAILY_BLOCKS = 16  # for profits of one session
WINDOW_BLOCKS = 8  # for 14-session labels
WINDOW_PURGE = 14  # sessions dropped at each edge of a block, so that no label spans two

Floats = npt.NDArray[np.float64]


class TooShort(ValueError):
    """A block would have nothing left."""


@dataclass(frozen=True, kw_only=True)
class Overfitting:
    """What combinatorially symmetric cross-validation says.

    Attributes:
        share: Share of logits <= 0: how often the best of one half was no better than the
            median of the other.
        logits: One per combination.
    """

    share: float
    logits: Floats


def blocks_of(sessions: int, *, blocks: int, purge: int) -> list[range]:
    """Cut sessions into contiguous blocks without their edges.

    Raises:
        TooShort: A block would have no session left.
    """
    edges = [sessions * k // blocks for k in range(blocks + 1)]
    kept = [range(first + purge, last - purge) for first, last in pairwise(edges)]
    if min(map(len, kept)) < 1:
        raise TooShort(f"{sessions} sessions are too few for {blocks} blocks less {purge} a side")
    return kept


def halves(blocks: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield every choice of half of the blocks, and the other half."""
    for chosen in combinations(range(blocks), blocks // 2):
        yield chosen, tuple(k for k in range(blocks) if k not in chosen)


def overfitting(
    profit: Floats, *, blocks: int = WINDOW_BLOCKS, purge: int = WINDOW_PURGE
) -> Overfitting:
    """Return the probability of backtest overfitting of "take the highest mean".

    Args:
        profit: Shape (sessions, trials), in order of time; NaN where a trial has no pick.
        blocks: S, even.
        purge: Sessions dropped at each edge of a block.

    Raises:
        TooShort: See :func:`blocks_of`.

    Source:
        Bailey, Borwein, Lopez de Prado and Zhu 2017, J. Comput. Finance 20, 39; with the mean
        as the performance, because that is what the sweep is sorted by.
    """
    spans = blocks_of(len(profit), blocks=blocks, purge=purge)
    total = np.stack([np.nansum(profit[span.start : span.stop], axis=0) for span in spans])
    count = np.stack([(~np.isnan(profit[s.start : s.stop])).sum(axis=0) for s in spans])
    choices = list(halves(blocks))
    inside = np.zeros((len(choices), blocks))
    for row, (chosen, _) in enumerate(choices):
        inside[row, list(chosen)] = 1.0
    best = np.argmax(_means(inside, total, count), axis=1)
    outside = _means(1 - inside, total, count)
    own = outside[np.arange(len(choices)), best][:, None]
    below, same = (outside < own).sum(axis=1), (outside == own).sum(axis=1)
    rank = (below + (same + 1) / 2) / (profit.shape[1] + 1)
    logits = np.log(rank / (1 - rank))
    return Overfitting(share=float(np.mean(logits <= 0)), logits=logits)


def _means(chosen: Floats, total: Floats, count: npt.NDArray[np.int64]) -> Floats:
    """Return the mean of each trial over the chosen blocks; one without a pick is last."""
    known = chosen @ count
    found: Floats = np.divide(
        chosen @ total, known, out=np.full(known.shape, -np.inf), where=known > 0
    )
    return found
