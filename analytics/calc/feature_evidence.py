"""What one feature alone says: the rate of explosive stock-days by its deciles (design §4, §8).

Looks at outcomes: no line of the detector reaches this module.
"""

from dataclasses import dataclass

import numpy as np

from analytics.calc import intervals, learned_features, sessions
from analytics.calc.panel import Flags, Floats, Ints, Longs
from analytics.calc.walk_forward import Samples

DECILES = 10
FEWEST = 1_000  # settled stock-days with the feature known, below which there is no sheet
FEWEST_SESSIONS = 60  # for an interval


@dataclass(frozen=True, kw_only=True)
class Decile:
    """Stock-days of one tenth of a feature's values.

    Attributes:
        above: Lowest value in it.
        n: Settled stock-days.
        rate: Explosive among them; None without any.
        low, high: Interval that counts sessions, not stock-days (design §1); None under 60.
    """

    above: float | None
    n: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One feature in one period.

    Attributes:
        period: A year, or ``all``: then the deciles are still those of each year.
        n: Settled stock-days on which the feature was known.
        unknown: Share of the settled stock-days on which it was not.
        deciles: Lowest values first; empty where there is too little.
        reason: Why there are none.
    """

    feature: str
    period: str
    n: int
    unknown: float | None
    deciles: list[Decile]
    reason: str

    @property
    def spread(self) -> float | None:
        """Highest rate of a decile over the lowest; None without deciles or at 0."""
        rates = [one.rate for one in self.deciles if one.rate is not None]
        return max(rates) / min(rates) if rates and min(rates) > 0 else None


def sheets(rows: Samples, feature: str) -> list[Sheet]:
    """Return the sheet of each year and of all years together."""
    values = rows.values[learned_features.NAMES.index(feature)]
    year = sessions.calendar()[rows.number].astype("datetime64[Y]").astype(int) + 1970
    decile = np.full(values.size, -1, np.int64)
    found = []
    for one in np.unique(year):
        inside = (year == one) & rows.known
        decile[inside] = _deciles(values[inside])
        found.append(_sheet(rows, feature, str(one), values, inside, decile))
    return [*found, _sheet(rows, feature, "all", values, rows.known, decile)]


def _deciles(values: Floats) -> Longs:
    """Return the tenth of each value, 0 to 9; -1 where it is null. Equal values share one."""
    known = ~np.isnan(values)
    out = np.full(values.size, -1, np.int64)
    if known.any():
        edges = np.quantile(values[known], np.arange(1, DECILES) / DECILES)
        out[known] = np.searchsorted(edges, values[known], side="right")
    return out


def _sheet(
    rows: Samples, feature: str, period: str, values: Floats, inside: Flags, decile: Longs
) -> Sheet:
    settled = int(inside.sum())
    known = inside & (decile >= 0)
    n = int(known.sum())
    unknown = 1 - n / settled if settled else None
    if n < FEWEST:
        return Sheet(
            feature=feature, period=period, n=n, unknown=unknown, deciles=[],
            reason=f"known on {n:,} settled stock-days, {FEWEST:,} are needed",
        )  # fmt: skip
    days = np.unique(rows.number[inside])
    made = [_decile(rows, values, known & (decile == k), days) for k in range(DECILES)]
    return Sheet(feature=feature, period=period, n=n, unknown=unknown, deciles=made, reason="")


def _decile(rows: Samples, values: Floats, inside: Flags, days: Ints) -> Decile:
    n = int(inside.sum())
    if not n:
        return Decile(above=None, n=0, rate=None, low=None, high=None)
    place = np.searchsorted(days, rows.number[inside])
    hits: Floats = np.bincount(
        place, weights=rows.explosive[inside].astype(np.float64), minlength=days.size
    ).astype(np.float64)
    counts = np.bincount(place, minlength=days.size).astype(np.float64)
    pooled = intervals.ratio(hits, counts)
    low, high = None, None
    if pooled is not None and pooled.settled_sessions >= FEWEST_SESSIONS:
        low, high = intervals.rate_bounds(pooled)
    rate = float(hits.sum() / n)
    return Decile(above=float(values[inside].min()), n=n, rate=rate, low=low, high=high)
