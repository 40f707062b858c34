"""Exit rules as data, and what trading costs (design §13, §16). All shares are fractions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HORIZON = 14  # sessions held at most, unless a rule says otherwise (``outcomes.WINDOW``)
LONGEST = 30  # sessions that a rule may hold (``outcomes.LONGEST``)

Floats = npt.NDArray[np.float64]


class BadRule(ValueError):
    """An exit rule makes no sense."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A gain over the entry fill at which a fraction of the original position is sold."""

    gain: float
    fraction: float

    def __post_init__(self) -> None:
        if not self.gain > 0:
            raise BadRule(f"a target of {self.gain:g} is no gain")
        if not 0 < self.fraction <= 1:
            raise BadRule(f"a target sells more than 0 and at most 1, not {self.fraction:g}")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When to sell. What no barrier sold is sold at the close of the horizon.

    Attributes:
        name: Results are filed under it.
        horizon: Sessions held at most, the entry's included: sold at that close.
        stop: Loss from the entry fill at which everything is sold; 0.15 is -15 %.
        trail: The same from the highest close before the session.
        targets: Ascending; their fractions add up to at most 1.
        time_stop: From this session on (the entry's is 1), a close at or below the entry
            fill ends it.
        own: Sell at the entry's own stop and target prices (a thesis) instead.
    """

    name: str
    horizon: int = HORIZON
    stop: float | None = None
    trail: float | None = None
    targets: tuple[Target, ...] = ()
    time_stop: int | None = None
    own: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.horizon <= LONGEST:
            raise BadRule(f"horizon: 1 to {LONGEST} sessions, not {self.horizon}")
        for name in ("stop", "trail"):
            share = getattr(self, name)
            if share is not None and not 0 < share < 1:
                raise BadRule(f"{name}: between 0 and 1, not {share:g}")
        if self.time_stop is not None and not 1 <= self.time_stop < self.horizon:
            raise BadRule(f"time_stop: 1 to below the horizon, not {self.time_stop}")
        gains = [target.gain for target in self.targets]
        if gains != sorted(set(gains)):
            raise BadRule("targets: each above the one before")
        if sum(target.fraction for target in self.targets) > 1 + 1e-9:
            raise BadRule("targets: their fractions add up to more than 1")
        if self.own and (self.stop is not None or self.targets):
            raise BadRule("own: the entry's stop and target stand instead of the rule's")


HOLD = Rule(name="hold to horizon")
STOP_15 = Rule(name="stop -15 %", stop=0.15)
TRAIL_15 = Rule(name="trailing 15 %", trail=0.15)
SCALE_OUT = Rule(
    name="half at +30 %, rest at +50 %",
    targets=(Target(gain=0.30, fraction=0.5), Target(gain=0.50, fraction=0.5)),
)
THESIS = Rule(name="target and stop of the thesis", own=True)
NAMED = (HOLD, STOP_15, TRAIL_15, SCALE_OUT)  # of design §13, for entries without a thesis


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What trading costs: of each side max(rate, least_usd / price), at most ``worst``.

    ``price`` is the price as traded. With the defaults a side costs 50 bp from $2 up, and one
    cent a share below it (1 % at $1, 2 % at $0.50): half of a spread of two ticks, which
    does not shrink with the price.

    Attributes:
        rate: Of the price.
        least_usd: A share, at least.
        worst: Of the price, at most.
        max_share: Of a session's volume that one order may be.
    """

    rate: float = 0.005
    least_usd: float = 0.01
    worst: float = 0.5
    max_share: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= self.worst < 1 or self.least_usd < 0:
            raise ValueError(f"costs of {self.rate}, {self.least_usd} USD, at most {self.worst}")
        if not 0 < self.max_share <= 1:
            raise ValueError(f"an order of {self.max_share} of the volume")

    def of(self, price: Floats) -> Floats:
        """Return the cost of one side as a share of each price as traded [USD]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.minimum(np.maximum(self.rate, self.least_usd / price), self.worst)


FREE = Costs(rate=0.0, least_usd=0.0)
