"""What an account holds, column by column, and what each holding risks (design §14).

Weights are fractions of equity, short positions below 0.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

EXIT_SHARE = 0.10  # of the daily dollar volume that a sale may be
SIZE_LIMIT = 0.10  # of equity, unless the setting says otherwise

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What an account holds, column by column; NaN is not known.

    Attributes:
        symbols: One per holding.
        value: Market value, below 0 if short [USD].
        cost: What was paid (for a short: received), of the sign of ``value`` [USD].
        price: Last mark [USD].
        stop: Stop that protects the holding [USD].
        dollar_volume: Mean of close times volume, 20 sessions [USD].
        sectors: "" is not known.
        equity: Of the account [USD]; NaN if not known.
        limit: Largest weight that is allowed.
    """

    symbols: tuple[str, ...]
    value: Floats
    cost: Floats
    price: Floats
    stop: Floats
    dollar_volume: Floats
    sectors: tuple[str, ...]
    equity: float
    limit: float = SIZE_LIMIT

    @property
    def weight(self) -> Floats:
        """Value over equity; NaN where either is not known or there is no equity."""
        return self.value / self.equity if self.equity > 0 else np.full(self.value.size, np.nan)

    @property
    def open_return(self) -> Floats:
        """Gain over what was put in: a short gains when its value falls."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(
                self.cost != 0, (self.value - self.cost) / np.abs(self.cost), np.nan
            ).astype(np.float64)

    @property
    def stop_distance(self) -> Floats:
        """Way from the mark to the stop, a fraction of the mark; below 0 if it is passed."""
        side = np.where(self.value < 0, -1.0, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return (side * (self.price - self.stop) / self.price).astype(np.float64)

    @property
    def money_at_risk(self) -> Floats:
        """What is lost from the mark to the stop [USD]; the whole value of a long without one.

        A short without a stop can lose without bound: NaN. A stop that is passed leaves
        nothing between mark and stop: 0 (the breach is told by the compliance ledger).
        """
        to_stop = np.abs(self.value) * np.maximum(self.stop_distance, 0)
        whole = np.where(self.value > 0, self.value, np.nan)
        return np.where(np.isnan(self.stop), whole, to_stop).astype(np.float64)

    @property
    def days_to_exit(self) -> Floats:
        """Sessions to sell everything at 10 % of the daily dollar volume."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.abs(self.value) / (EXIT_SHARE * self.dollar_volume)
        return np.where(np.isfinite(found), found, np.nan).astype(np.float64)
