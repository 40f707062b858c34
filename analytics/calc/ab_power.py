"""How long an A/B test has to run, and what it can find (design §17)."""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import numpy.typing as npt

from analytics.calc.ab_test import BLOCK, log_evidence
from analytics.calc.intervals import LEVEL

POWER = 0.80
MOST_BLOCKS = 180  # 20 years of sessions; a question that needs more is not answerable
PATHS = 4000  # simulated experiments; the chance of one is then known to 0.8 points
SEED = 20240628
RUN = 4  # blocks of history drawn together: what carries from one into the next stays
FEWEST_BLOCKS = 10  # of history, below which it says too little of the noise
WINDOW = 14  # sessions until the last outcome is known

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Noise:
    """How block means scattered in history.

    Attributes:
        blocks: Their distance from their mean, in order of time, scaled to be unbiased.
    """

    blocks: Floats

    @property
    def deviation(self) -> float:
        """Standard deviation of block means."""
        return float(sqrt(np.mean(self.blocks**2)))


def noise(blocks: Floats) -> Noise | None:
    """Return the noise of a history of block means.

    Returns:
        None with fewer than 10 blocks, or without any spread.
    """
    size = blocks.size
    if size < FEWEST_BLOCKS or not float(blocks.std()) > 0:
        return None
    return Noise(blocks=(blocks - blocks.mean()) * sqrt(size / (size - 1)))


def power_by_block(
    *,
    effect: float,
    noise: Noise,
    blocks: int = MOST_BLOCKS,
    level: float = LEVEL,
    paths: int = PATHS,
) -> Floats:
    """Return the chance that "no difference" has been excluded, by number of blocks.

    The rule has no closed form: experiments are simulated, each read after every block,
    always with the same draws. Their noise is history's own, in runs of 4 consecutive
    blocks: normal noise of the same size promises 3 to 5 points too little, because blocks
    are heavy-tailed and neighbours are alike.

    Args:
        effect: True difference [fraction].
        noise: Of history.
        blocks: Blocks followed.
        level: Of the confidence sequence.
        paths: Simulated experiments.

    Returns:
        Shape (blocks,), not falling. Exclusions in the wrong direction do not count.
    """
    random = np.random.default_rng(SEED)
    runs, most = -(-blocks // RUN), -(-MOST_BLOCKS // RUN)
    begin = random.integers(0, noise.blocks.size, (paths, most, 1))[:, :runs]
    at = (begin + np.arange(RUN)) % noise.blocks.size
    drawn = noise.blocks[at].reshape(paths, runs * RUN)[:, :blocks] + effect
    out = log_evidence(drawn) >= -log(1 - level)
    first = np.where(out.any(axis=1), out.argmax(axis=1), blocks)
    reached = np.minimum(first, blocks - 1)
    ahead = np.cumsum(drawn, axis=1)[np.arange(paths), reached]
    right = (ahead > 0) if effect >= 0 else (ahead < 0)
    found = np.bincount(first[(first < blocks) & right], minlength=blocks)
    share: Floats = np.cumsum(found) / paths
    return share


def planned_blocks(
    *, effect: float, noise: Noise, power: float = POWER, level: float = LEVEL
) -> int | None:
    """Return the blocks after which a true difference of ``effect`` is found.

    Args:
        effect: Smallest difference that matters.
        noise: Of block means, from history.
        power: Wanted chance of finding it.
        level: Of the confidence sequence.

    Returns:
        Blocks of 28 sessions; None if more than :data:`MOST_BLOCKS` are needed.

    Raises:
        ValueError: ``effect`` is not above 0.
    """
    if effect <= 0:
        raise ValueError(f"no plan for an effect of {effect}")
    found = power_by_block(effect=effect, noise=noise, level=level)
    reached = np.flatnonzero(found >= power)
    return int(reached[0]) + 1 if reached.size else None


def smallest_effect(
    *, blocks: int, noise: Noise, power: float = POWER, level: float = LEVEL
) -> float | None:
    """Return the true difference that ``blocks`` blocks find with a chance of ``power``.

    None if no difference is found that soon: fewer than 5 blocks exclude nothing.
    """

    def enough(effect: float) -> bool:
        found = power_by_block(effect=effect, noise=noise, blocks=blocks, level=level)
        return bool(found[-1] >= power)

    low, high = 0.0, 64 * noise.deviation
    if not enough(high):
        return None
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def sessions_needed(blocks: int) -> int:
    """Return the sessions from the first signal until ``blocks`` blocks can be read."""
    return blocks * BLOCK + WINDOW
