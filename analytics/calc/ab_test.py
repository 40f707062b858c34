"""Two variants compared by session, read as often as one likes (design §17).

Paired differences of sessions are averaged over consecutive blocks of 28 sessions, so that
overlapping 14-session windows leave hardly any dependence between blocks. The confidence
sequence over the block means holds at every reading at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import log, log1p, sqrt

import numpy as np
import numpy.typing as npt

from analytics.calc.intervals import LEVEL, long_run_variance

BLOCK = 28  # sessions averaged into one value
FEWEST_IN_BLOCK = 14  # sessions of a block with a known difference; a block with fewer is left out
PRIOR = 1.0  # c2 of design §17: weight of the mixing distribution, in observations

PRIMARY = "explosive_rate"
GUARDRAIL = "return_14"
SECONDARY = ("win_rate", "recall")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


class Verdict(StrEnum):
    """What a reading allows to say."""

    A_BETTER = "A_BETTER"
    B_BETTER = "B_BETTER"
    FUTILE = "FUTILE"
    NO_DIFFERENCE_YET = "NO_DIFFERENCE_YET"


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Block means of a paired difference (B minus A).

    Attributes:
        mean: One per block, in order of time.
        last: Last session (number) of each block.
    """

    mean: Floats
    last: Ints


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """Confidence sequence of the mean difference (B minus A), one entry per block.

    Attributes:
        effect: Mean of the blocks so far.
        low, high: Running intersection of the confidence sets; infinite while nothing is
            excluded. ``low`` above ``high`` says that the blocks do not have one mean.
        log_e: Logarithm of the evidence against "no difference".
    """

    effect: Floats
    low: Floats
    high: Floats
    log_e: Floats

    @property
    def n(self) -> int:
        """Blocks read."""
        return int(self.effect.size)

    @property
    def decided(self) -> int:
        """Sign of the difference at the first reading that excluded 0; 0 if none did."""
        out = np.flatnonzero((self.low > 0) | (self.high < 0))
        if not out.size:
            return 0
        return 1 if self.low[out[0]] > 0 else -1


def block_means(session: Ints, difference: Floats, *, first: int, settled: int) -> Blocks:
    """Average paired differences over blocks of 28 sessions of the calendar.

    A block is read when the windows of its last session have settled; one with fewer than
    14 known differences is left out (a hole in the data, nights that were missed).

    Args:
        session: Session number of each difference.
        difference: B minus A; NaN where not known.
        first: First session of the experiment: where the first block begins.
        settled: Last session whose window has settled.
    """
    known = ~np.isnan(difference) & (session >= first)
    number, values = session[known], difference[known]
    complete = max((settled - first + 1) // BLOCK, 0)
    block = (number - first) // BLOCK
    inside = block < complete
    count = np.bincount(block[inside], minlength=complete)
    total = np.bincount(block[inside], weights=values[inside], minlength=complete)
    kept = np.flatnonzero(count >= FEWEST_IN_BLOCK)
    return Blocks(
        mean=total[kept] / count[kept],
        last=(first + (kept + 1) * BLOCK - 1).astype(np.int32),
    )


def log_evidence(blocks: Floats, mean: float = 0.0) -> Floats:
    """Return ln E_n(m) after each block: the evidence against a mean of ``mean``.

    ``E_n(m) = sqrt(c2 / (n + c2)) [1 - S^2 / ((n + c2) V)]^(-n/2)`` with S the sum and V the
    sum of squares of D_b - m. Under a mean of m, E ever reaching 20 has a chance of 1 in 20.

    Args:
        blocks: Shape (..., blocks).
        mean: m.

    Source: design §17; Wang and Ramdas 2024, "Anytime-valid t-tests and confidence sequences
        for Gaussian means with unknown variance".
    """
    n = np.arange(1, blocks.shape[-1] + 1)
    total = np.cumsum(blocks - mean, axis=-1)
    squares = np.cumsum((blocks - mean) ** 2, axis=-1)
    share = np.divide(
        total**2, (n + PRIOR) * squares, out=np.zeros_like(squares), where=squares > 0
    )
    found: Floats = 0.5 * np.log(PRIOR / (n + PRIOR)) - n / 2 * np.log1p(-share)
    return found


def sequence(blocks: Floats, *, level: float = LEVEL) -> Sequence:
    """Return the confidence sequence {m: E_n(m) < 1 / (1 - level)}, intersected as it runs.

    Args:
        blocks: Block means in order of time.
        level: Chance that the true mean is never excluded.
    """
    n = np.arange(1, blocks.size + 1)
    effect = np.cumsum(blocks) / n
    squares = np.maximum(np.cumsum(blocks**2) - n * effect**2, 0.0)
    half = np.array(
        [_half_width(int(k), float(v), level) for k, v in zip(n, squares, strict=True)]
    ).reshape(n.shape)
    return Sequence(
        effect=effect,
        low=np.maximum.accumulate(effect - half),
        high=np.minimum.accumulate(effect + half),
        log_e=log_evidence(blocks),
    )


def _half_width(n: int, squares: float, level: float) -> float:
    """Solve E_n(m) = 1 / (1 - level) for the distance of m from the mean of n blocks."""
    bound = 2 / n * (-log1p(-level) + 0.5 * log((n + PRIOR) / PRIOR))
    share = -np.expm1(-bound) * (n + PRIOR)
    if share >= n:
        return float("inf")
    return sqrt(share * squares / (n * (n - share)))


def verdict(primary: Sequence, *, minimal_effect: float, guardrail: Sequence) -> Verdict:
    """Return what the reading says.

    The winner is the one ahead when 0 was first excluded; no winner is named whose mean
    ``return_14`` is significantly worse.

    Args:
        primary: Of the primary metric.
        minimal_effect: Differences below it do not matter.
        guardrail: Of the mean ``return_14``.
    """
    ahead = primary.decided
    if ahead and guardrail.decided != -ahead:
        return Verdict.B_BETTER if ahead > 0 else Verdict.A_BETTER
    if primary.n and not ahead and _inside(primary, minimal_effect):
        return Verdict.FUTILE
    return Verdict.NO_DIFFERENCE_YET


def guardrail_breached(primary: Sequence, guardrail: Sequence) -> bool:
    """Whether the variant that is ahead has a significantly worse mean ``return_14``."""
    return primary.decided != 0 and guardrail.decided == -primary.decided


def _inside(found: Sequence, minimal_effect: float) -> bool:
    return bool(found.low[-1] >= -minimal_effect and found.high[-1] <= minimal_effect)


def e_bh(log_e: Mapping[str, float], *, level: float = LEVEL) -> set[str]:
    """Return the metrics whose evidence stands when all are looked at together.

    Args:
        log_e: Logarithm of the evidence by metric.
        level: 1 minus the false-discovery rate.

    Source: Wang and Ramdas 2022, J. R. Stat. Soc. B 84, 822 (e-BH).
    """
    ordered = sorted(log_e, key=lambda name: log_e[name], reverse=True)
    total = len(ordered)
    passed = 0
    for place, name in enumerate(ordered, start=1):
        if log_e[name] >= log(total / (place * (1 - level))):
            passed = place
    return set(ordered[:passed])


def effective_n(difference: Floats) -> float | None:
    """Return how many independent sessions would carry as much evidence.

    Args:
        difference: Paired session differences in order of time, NaN left out.

    Returns:
        Variance of one session over the squared standard error (EWC, design §1), at most
        the number of sessions; None under 28 sessions or without any spread.
    """
    known = difference[~np.isnan(difference)]
    if known.size < BLOCK:
        return None
    spread = float(known.var(ddof=1))
    long_run = long_run_variance(known - known.mean())
    if spread <= 0 or long_run <= 0:
        return None
    return float(min(known.size, known.size * spread / long_run))
