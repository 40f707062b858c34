"""How alike a stock-day is to a past winner (design §6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, nan

import numpy as np

from analytics.calc.panel import Floats

FIELDS = ("rel_volume", "short_interest_pct", "float_shares", "close")
WEIGHTS = np.array([0.40, 0.30, 0.20, 0.10])
WIDTHS = np.array([log(2), log(1.8), log(2.5), log(1.5)])  # one width apart is z = 1
PARTIAL_BELOW = 0.7  # coverage under which a similarity is labelled partial


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A past winner on its signal day. None is not known, and is not compared.

    Attributes:
        symbol: Ticker.
        rel_volume: Volume over its 20-session mean.
        short_interest_pct: Fraction of the float.
        float_shares: Shares.
        close: Entry price [USD].
    """

    symbol: str
    rel_volume: float | None = None
    short_interest_pct: float | None = None
    float_shares: float | None = None
    close: float | None = None

    def __post_init__(self) -> None:
        for name in FIELDS:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{self.symbol}: {name} must be positive, got {value}")

    @property
    def fields(self) -> Floats:
        """The values in the order of ``FIELDS``, NaN for not known."""
        known = [getattr(self, name) for name in FIELDS]
        return np.array([nan if value is None else value for value in known])


@dataclass(frozen=True, kw_only=True)
class Similarities:
    """Similarity of n rows to r references.

    Attributes:
        value: [r, n] in 0-100; NaN where no field is known on both sides.
        coverage: [r, n], share of the weights that was compared.
        best: [n] the highest value; NaN if all are.
        best_reference: [n] its position among the references; -1 if none.
    """

    value: Floats
    coverage: Floats
    best: Floats
    best_reference: np.ndarray[tuple[int], np.dtype[np.int64]]


def compare(fields: Floats, references: Sequence[Reference]) -> Similarities:
    """Compare rows with references.

    ``100 exp(-1/2 sum(w z^2) / sum(w))`` with ``z = ln(x / ref) / h`` over the fields known on
    both sides; two-sided, so too much is as unlike as too little.

    Args:
        fields: [4, n] in the order of ``FIELDS``; NaN for not known.
        references: Any number; without one every similarity is null.

    Source: design §6.
    """
    from analytics.calc.kernels import ranking

    rows = fields.shape[1]
    value = np.full((len(references), rows), np.nan)
    coverage = np.zeros((len(references), rows))
    for at, reference in enumerate(references):
        ranking.similarity(fields, reference.fields, WEIGHTS, WIDTHS, value[at], coverage[at])
    if not references:
        empty = np.full(rows, np.nan)
        return Similarities(
            value=value, coverage=coverage, best=empty, best_reference=np.full(rows, -1)
        )
    filled = np.where(np.isnan(value), -1.0, value)
    first = filled.argmax(axis=0)
    best = filled[first, np.arange(rows)]
    return Similarities(
        value=value,
        coverage=coverage,
        best=np.where(best < 0, np.nan, best),
        best_reference=np.where(best < 0, -1, first),
    )
