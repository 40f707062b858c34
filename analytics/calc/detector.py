"""The squeeze score: components, weights, gates, flags (design §5, §7)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from math import isclose
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc.features import FeatureTable
from analytics.calc.kernels import layout
from analytics.calc.learned_model import Model
from analytics.calc.panel import Flags, Floats, Panel

COMPONENTS = ("volume", "momentum", "float", "short_interest", "technical", "sentiment")
GATES = layout.GATES
VIGL_VOLUME = 20.9  # VIGL's volume on its signal day [x its average]
VIGL_BAND_USD = (2.94, 4.66)  # where VIGL-like entries lay
ALERT_VOLUME = 15.0  # [x average]
SQUEEZE_PRICE_USD = (1.0, 8.0)
SMALL_FLOAT = 100e6  # shares
SHORT_FUEL = 0.10  # short interest as a fraction of the float
COVERAGE_TOLERANCE = 1e-9
LABELS = ((0.01, "top 1 %"), (0.05, "top 5 %"), (0.20, "top 20 %"), (1.0, "rest"))

Codes = npt.NDArray[np.int8]
Limits = tuple[int, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Weights and limits of one variant.

    Attributes:
        name: Filed under this name and version.
        weights: By component; not negative, at least one positive. They need not add up to 1.
        min_close, max_close: Raw close [USD], both included.
        min_dollar_volume: Mean of close x volume over the 20 sessions before [USD].
        min_rel_volume: Volume over its 20-session mean.
        max_float: Float must be below, when it is known [shares].
        min_sessions: Sessions since the listing began, the first one included.
        min_coverage: Share of the weights that must have data for a rank.
        top: Candidates kept per session.
        learned: Whether fitted models rank, and the weights mean nothing (design §17).
        models: Those models, whichever sessions they are for.
    """

    name: str
    weights: dict[str, float] = field(hash=False)
    min_close: float = 1.0
    max_close: float = 8.0
    min_dollar_volume: float = 500_000.0
    min_rel_volume: float = 1.5
    max_float: float = SMALL_FLOAT
    min_sessions: int = 21
    min_coverage: float = 0.55
    top: int = 50
    learned: bool = False
    models: Sequence[Model] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        unknown = set(self.weights) - set(COMPONENTS)
        if unknown:
            raise ValueError(f"{self.name}: unknown components {sorted(unknown)}")
        some = self.learned or sum(self.weights.values()) > 0
        if min(self.weights.values(), default=0) < 0 or not some:
            raise ValueError(f"{self.name}: weights must not be negative, and one must be positive")
        if not 0 < self.min_close <= self.max_close:
            raise ValueError(f"{self.name}: price band {self.min_close}-{self.max_close}")
        if self.top < 1:
            raise ValueError(f"{self.name}: top must be 1 or more, got {self.top}")

    @property
    def weight_vector(self) -> Floats:
        """Weights in the order of ``COMPONENTS``."""
        return np.array([self.weights.get(name, 0.0) for name in COMPONENTS])

    def described(self) -> dict[str, Any]:
        """Return the settings as plain values; the digests of the models stand for them."""
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        learned, models = told.pop("learned"), told.pop("models")
        if learned:
            told["models"] = [model.digest for model in models]
        return told

    @property
    def bar_limits(self) -> Limits:
        """The limits of gates 2, 5 and 6, which need bars alone."""
        return self.min_sessions, self.min_close, self.max_close, self.min_dollar_volume


ORIGINAL = Rules(
    name="A", weights={"volume": 0.30, "momentum": 0.25, "sentiment": 0.25, "technical": 0.20}
)
SQUEEZE = Rules(
    name="B", weights={"volume": 0.40, "momentum": 0.30, "float": 0.15, "short_interest": 0.15}
)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of n rows under one variant.

    Attributes:
        parts: Components [6, n] in [0, 1]; NaN is null.
        score: [n] 0-100 over the components with data; NaN without any.
        coverage: [n] share of the weights that has data.
        code: [n] first gate of 7-9 that the row fails, or 0 (gates 1-6 are the caller's).
    """

    parts: Floats
    score: Floats
    coverage: Floats
    code: Codes


def components(table: FeatureTable) -> Floats:
    """Return the components [6, n] of design §5, in the order of ``COMPONENTS``; NaN is null."""
    from analytics.calc.kernels import ranking

    parts = np.empty((len(COMPONENTS), table.rows.size))
    ranking.components(table.values, parts)
    return parts


def score(table: FeatureTable, parts: Floats, rules: Rules) -> Scores:
    """Score rows by weights and name the first of the gates 7-9 that each fails.

    Rules that are learned have no weights: no score and no coverage, see ``learned.score``.

    Args:
        table: Features of rows that passed gates 1-6.
        parts: Their :func:`components`.
        rules: The variant.

    Source: design §5, §7.
    """
    from analytics.calc.kernels import ranking

    value, coverage = np.empty(table.rows.size), np.empty(table.rows.size)
    ranking.scores(parts, rules.weight_vector, value, coverage)
    if rules.learned:
        coverage[:] = 0.0
    code = np.zeros(table.rows.size, np.int8)
    code[coverage < rules.min_coverage - COVERAGE_TOLERANCE] = layout.GATE_COVERAGE
    code[table["float_shares"] >= rules.max_float] = layout.GATE_FLOAT
    code[~(table["rel_volume"] >= rules.min_rel_volume)] = layout.GATE_REL_VOLUME
    return Scores(parts=parts, score=value, coverage=coverage, code=code)


@dataclass(frozen=True, kw_only=True)
class SignalFlags:
    """Flags of n rows (design §7)."""

    volume_alert: Flags
    vigl_pattern: Flags
    short_fuel: Floats
    squeeze: Flags


def flags(panel: Panel, table: FeatureTable) -> SignalFlags:
    """Return the flags of rows.

    ``short_fuel`` is 1 or 0, NaN where short interest is not known. ``squeeze`` marks the
    pattern type VIGL_SQUEEZE: volume alert, price 1-8, float < 100 M and short interest > 10 %,
    at least one of the last two known and none known to fail.

    Source: design §7.
    """
    close, times = panel.close[table.rows], table["rel_volume"]
    shares, short = table["float_shares"], table["short_interest_pct"]
    alert = times >= ALERT_VOLUME
    in_band = (close >= VIGL_BAND_USD[0]) & (close <= VIGL_BAND_USD[1])
    squeeze = (
        alert
        & (close >= SQUEEZE_PRICE_USD[0])
        & (close <= SQUEEZE_PRICE_USD[1])
        & ~(shares >= SMALL_FLOAT)
        & ~(short <= SHORT_FUEL)
        & ~(np.isnan(shares) & np.isnan(short))
    )
    return SignalFlags(
        volume_alert=alert,
        vigl_pattern=(times >= VIGL_VOLUME) & in_band,
        short_fuel=np.where(np.isnan(short), np.nan, (short > SHORT_FUEL).astype(float)),
        squeeze=squeeze,
    )


def contributions(parts: dict[str, float | None], weights: dict[str, float]) -> dict[str, float]:
    """Return the points of 100 that each component with data adds to the score.

    The points add up to the score.
    """
    known = {
        name: weight
        for name, weight in weights.items()
        if weight > 0 and parts.get(name) is not None
    }
    total = sum(known.values())
    if isclose(total, 0):
        return {}
    return {name: 100 * weight * (parts[name] or 0.0) / total for name, weight in known.items()}
