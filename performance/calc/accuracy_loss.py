"""What one probability cost, thesis by thesis: Brier score and log loss (design §9)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEAREST = float(np.finfo(np.float64).eps)  # to 0 and 1, as scikit-learn's log_loss has it


@dataclass(frozen=True, kw_only=True)
class Losses:
    """One value per thesis.

    Attributes:
        brier: (p - outcome) squared, 0 to 1.
        log_loss: -ln of the probability given to what happened [nats]; at most 36.04.
    """

    brier: Floats
    log_loss: Floats


def losses(p: Floats | Sequence[float], hit: Flags | Sequence[bool]) -> Losses:
    """Score probabilities.

    Args:
        p: 0 to 1. For the log loss they are kept 2.2e-16 away from 0 and 1, so that a certainty
            that was wrong costs much but not everything.
        hit: What happened.

    Source: Brier 1950, Mon. Weather Rev. 78, 1; Good 1952, J. R. Stat. Soc. B 14, 107.
    """
    said, outcome = np.asarray(p, dtype=np.float64), np.asarray(hit, dtype=np.bool_)
    kept = np.clip(said, NEAREST, 1 - NEAREST)
    return Losses(
        brier=np.asarray((said - outcome) ** 2, dtype=np.float64),
        log_loss=np.asarray(-np.log(np.where(outcome, kept, 1 - kept)), dtype=np.float64),
    )
