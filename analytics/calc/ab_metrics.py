"""What two lists of one session came to, side by side (design §17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analytics.calc.ab_test import GUARDRAIL, PRIMARY, SECONDARY

if TYPE_CHECKING:  # loads compiled loops, which screens do without
    from analytics.calc.market import Market

METRICS = (PRIMARY, GUARDRAIL, *SECONDARY)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Metrics of A and B by session; NaN where a list has no settled pick that session.

    Attributes:
        session: Session numbers, ascending.
        values: By metric, shape (2, sessions): A, then B. Fractions.
        picks: Settled picks, shape (2, sessions).
    """

    session: Ints
    values: dict[str, Floats]
    picks: Longs

    def difference(self, metric: str) -> Floats:
        """Return B minus A by session."""
        a, b = self.values[metric]
        found: Floats = b - a
        return found

    def pooled(self, metric: str, side: int) -> float | None:
        """Return the mean over sessions of one variant; None without a session."""
        values = self.values[metric][side]
        known = ~np.isnan(values)
        return float(values[known].mean()) if known.any() else None


def pair(market: "Market", lists: Sequence[Longs]) -> Paired:
    """Compare the lists of two variants.

    Explosive rate, share with a positive ``return_14`` and mean ``return_14`` are over picks
    with a known outcome; recall is the share of the session's explosive stock-days of the
    base universe that are on the list.

    Args:
        market: Seen with its picks as extra rows.
        lists: Rows of the panel of A and of B.
    """
    size = market.numbers.size
    values = {name: np.full((len(lists), size), np.nan) for name in METRICS}
    picks = np.zeros((len(lists), size), np.int64)
    hits = market.base[market.lean.explosive[market.base]]
    winners = np.bincount(market.place(hits), minlength=size)
    for side, rows in enumerate(lists):
        known = rows[market.lean.known[rows]]
        place, held = market.place(known), market.lean.return_14[known]
        picks[side] = np.bincount(place, minlength=size)
        explosive = market.lean.explosive[known]
        for name, weight in (
            (PRIMARY, explosive),
            (GUARDRAIL, held),
            ("win_rate", held > 0),
        ):
            values[name][side] = _share(place, weight, picks[side])
        caught = np.intersect1d(known, hits)
        values["recall"][side] = _share(
            market.place(caught), np.ones(caught.size), np.where(picks[side] > 0, winners, 0)
        )
    return Paired(session=market.numbers, values=values, picks=picks)


def join(parts: Sequence[Paired]) -> Paired:
    """Return stretches, one after the other, as one."""
    return Paired(
        session=np.concatenate([part.session for part in parts]),
        values={
            name: np.concatenate([part.values[name] for part in parts], axis=1) for name in METRICS
        },
        picks=np.concatenate([part.picks for part in parts], axis=1),
    )


def _share(place: Longs, weight: npt.NDArray[np.generic], count: Longs) -> Floats:
    total = np.bincount(place, weights=weight.astype(np.float64), minlength=count.size)
    found: Floats = np.divide(total, count, out=np.full(count.size, np.nan), where=count > 0)
    return found
