"""How big an entry the evidence carries: the size that a proposal suggests (design §14)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from django.conf import settings

from analytics.calc import sessions
from analytics.models import Thesis
from analytics.services import lakes, thesis_calibrations
from performance.calc import sizing
from performance.calc.sizing import Suggestion
from performance.models import CandidateTracking

COST = 0.005  # each side, of the price (design §16)
LOOK_BACK = 504  # sessions of settled candidates behind the 95th percentile of |mae|


@dataclass(frozen=True, kw_only=True)
class SuggestedSize:
    """A size with everything it rests on.

    Attributes:
        size: The size, what limits it, or why there is none.
        p_low: Lower bound of the calibrated probability of the target.
        p_n: Settled theses behind the calibration.
        loss, gain: a and b of the rule, fractions.
        entry: Price that was reckoned with [USD].
    """

    size: Suggestion
    p_low: float | None
    p_n: int
    loss: float | None
    gain: float
    entry: float
    equity: float | None

    def evidence(self) -> dict[str, float | int | str | None]:
        """Return the figures as JSON holds them."""
        return {
            "fraction": self.size.fraction,
            "binding": self.size.binding,
            "reason": self.size.reason,
            "p_low": self.p_low,
            "p_n": self.p_n,
            "loss": self.loss,
            "gain": self.gain,
            "entry": self.entry,
            "equity": self.equity,
        }


def get_losses(
    *, source: str, patterns: Iterable[str], until: date
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the worst lows of settled candidates by pattern, 504 sessions back: one query."""
    first = sessions.day(max(sessions.number(until) - LOOK_BACK, 0))
    wanted = sorted(set(patterns))
    rows = CandidateTracking.objects.known().filter(
        source__in=lakes.sources_beside(source),
        candidate__pattern__in=wanted,
        candidate__batch__session__range=(first, until),
        mae__isnull=False,
    )
    found: dict[str, list[float]] = {pattern: [] for pattern in wanted}
    for pattern, mae in rows.values_list("candidate__pattern", "mae"):
        if mae is not None:
            found[pattern].append(mae)
    return {pattern: np.array(values, np.float64) for pattern, values in found.items()}


def get_suggested_size(
    *,
    thesis: Thesis,
    equity: float | None,
    dollar_volume: float | None,
    losses: npt.NDArray[np.float64],
) -> SuggestedSize:
    """Return min(size limit, liquidity limit, half Kelly at the lower bound) for an entry.

    Args:
        thesis: With its calibration; the one known when it was issued.
        equity: Of the account [USD].
        dollar_volume: Mean of 20 sessions [USD].
        losses: Worst lows of settled candidates of its pattern, fractions.
    """
    entry = float(thesis.max_entry_price)
    gain = float(thesis.target_price) / entry - 1 - 2 * COST
    loss = sizing.loss_at_stop(1 - float(thesis.stop_price) / entry, losses)
    known = thesis.calibration
    calibrated = thesis_calibrations.apply_to(known, p=thesis.p_target) if known else None
    p_low = calibrated.low if calibrated else None
    size = sizing.suggest(
        p_low=p_low,
        loss=loss,
        gain=gain,
        equity=equity,
        price=entry,
        dollar_volume=dollar_volume,
        size_limit=settings.POSITION_SIZE_LIMIT,
    )
    return SuggestedSize(
        size=size,
        p_low=p_low,
        p_n=calibrated.n if calibrated else 0,
        loss=loss,
        gain=gain,
        entry=entry,
        equity=equity,
    )
