"""What was tried for the learned variant, and what was chosen: features, forms, strengths (§17).

The choice was made on sessions settled by the end of 2022 alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from analytics.calc.kernels import learned_layout
from analytics.calc.learned_model import LOGISTIC, TREES

LOGS: Final = frozenset(
    {
        "rel_volume", "volatility_20", "volatility_60", "volatility_5", "atr_pct_14",
        "max_ret_20", "max_ret_252", "accumulation_5", "turnover_1", "turnover_20",
        "days_to_cover", "short_interest_pct", "market_move_20", "market_heat",
        "market_heat_20", "market_spikes",
    }
)  # fmt: skip
LOG_COUNTS: Final = frozenset(
    {
        "runups_252", "failed_runups_252", "spikes_252", "gaps_60", "since_runup",
        "since_reverse_split", "sessions_listed",
    }
)  # fmt: skip
LOG_RETURNS: Final = frozenset(
    {
        "ret_1", "ret_5", "ret_20", "ret_60", "ret_120", "from_high_252", "breakout_20", "gap",
        "min_ret_20",
    }
)  # fmt: skip

PLAIN: Final = (  # of §4's first table; the others are ages, or not in any data at hand
    "rel_volume", "ret_1", "ret_5", "ret_20", "gap", "close_location", "atr_pct_14",
    "breakout_20", "volatility_20", "accumulation_5", "short_interest_pct", "days_to_cover",
)  # fmt: skip
FURTHER: Final = tuple(name for name in learned_layout.EVIDENCE if name != "fails_pct")
EVERYTHING: Final = (*PLAIN, *FURTHER)
OF_THE_MARKET: Final = frozenset(
    {
        "market_ret_5", "market_ret_20", "market_heat", "market_heat_20", "market_move_20",
        "market_spikes", "sector_ret_20", "sector_heat_20",
    }
)  # fmt: skip
OF_RECORDS: Final = frozenset(
    {
        "market_cap", "turnover_1", "turnover_20", "short_change", "short_interest_pct",
        "days_to_cover", "health_care", "sector_ret_20", "sector_heat_20",
    }
)  # fmt: skip
FEW: Final = (
    "log_price", "log_dollars_20", "dollars_surge", "volatility_20", "volatility_60",
    "volatility_5", "atr_pct_14", "max_ret_20", "ret_1", "ret_5", "ret_20", "from_high_252",
    "from_low_252", "runups_252", "market_cap", "turnover_20", "market_heat_20",
    "market_ret_20", "short_interest_pct", "since_reverse_split",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Design:
    """One way to make a model.

    Attributes:
        name: In the ledger.
        kind: ``logistic`` or ``trees``.
        features: Names that it reads.
        clip: Share of the training values beyond which they are drawn in, each side.
        strength: Inverse of the ridge penalty on standardised terms (``C`` of scikit-learn).
        logs: Skewed features are taken as logarithms.
        squares: Each feature has a second, squared term.
        sessions: Of training, the newest; None takes all there are.
        trees, leaves, rate: Of the boosting.
        least_volume: Relative volume that a pick needs; 0 asks for none.
    """

    name: str
    kind: str = LOGISTIC
    features: tuple[str, ...] = EVERYTHING
    clip: float = 0.01
    strength: float = 0.01
    logs: bool = True
    squares: bool = False
    sessions: int | None = None
    trees: int = 100
    leaves: int = 12
    rate: float = 0.06
    least_volume: float = 0.0

    def described(self) -> dict[str, Any]:
        """Return every setting, as plain values."""
        return asdict(self) | {"features": list(self.features)}


def _without(left_out: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in EVERYTHING if name not in left_out)


CHOSEN: Final = Design(name="logistic")
TRIED: Final[Mapping[str, Design]] = {
    design.name: design
    for design in (
        CHOSEN,
        Design(name="logistic, volume 1.5x", least_volume=1.5),
        Design(name="logistic, unlogged", logs=False),
        Design(name="logistic, unlogged, clip 0.1 %", logs=False, clip=0.001),
        Design(name="logistic, clip 0.1 %", clip=0.001),
        Design(name="logistic, C 1e-3", clip=0.001, strength=1e-3),
        Design(name="logistic, C 1e-4", clip=0.001, strength=1e-4),
        Design(name="logistic, squares", clip=0.001, squares=True),
        Design(name="logistic, unlogged squares", logs=False, squares=True),
        Design(name="logistic, two years", clip=0.001, sessions=504),
        Design(name="logistic, no market", clip=0.001, features=_without(OF_THE_MARKET)),
        Design(name="logistic, bars only", clip=0.001, features=_without(OF_RECORDS)),
        Design(name="logistic, few", clip=0.001, features=FEW),
        Design(name="trees", kind=TREES),
        Design(name="trees, volume 1.5x", kind=TREES, least_volume=1.5),
        Design(name="more trees", kind=TREES, trees=120, leaves=15),
        Design(name="volatility alone", features=("volatility_20",)),
        Design(name="true range alone", features=("atr_pct_14",)),
        Design(name="best day alone", features=("max_ret_20",)),
    )
}
