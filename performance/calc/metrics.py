"""Figures over trades, each with its evidence: equal- and capital-weighted (design §1, §11)."""

from dataclasses import dataclass, replace
from datetime import date
from math import exp, sqrt

import numpy as np
import numpy.typing as npt

from analytics.calc import evidence, intervals
from analytics.calc.evidence import Estimate

EXPLOSIVE = 0.50  # return of a trade above which it counts as explosive, design §11
FEWEST_TRADES = 5  # under which a figure over trades is not given
FEWEST_CLUSTERS = 5  # of overlapping holding windows, under which there is no interval
EVEN = 1e-9  # a return nearer to 0 is neither a gain nor a loss
BLOCK = 14  # sessions of entries after which a chain of overlapping windows is cut

ASSUMED = "Wilson, independence assumed"

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
NAMES = (
    "win_rate", "average_return", "median_return", "explosive_growth_rate", "profit_factor",
    "expectancy", "payoff_ratio",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Trades:
    """Trades open at any time in a window: closed ones at their result, open ones at mark.

    Attributes:
        returns: Result over cost, fractions.
        at_zero: The same with holdings of a frozen quote valued at 0.
        invested: Cost of all shares entered, above 0 [USD].
        opened, closed: Session numbers; an open trade ends at the last session of the window.
    """

    returns: Floats
    at_zero: Floats
    invested: Floats
    opened: Longs
    closed: Longs

    def __post_init__(self) -> None:
        sizes = {self.at_zero.size, self.invested.size, self.opened.size, self.closed.size}
        if sizes != {self.returns.size}:
            raise ValueError("the columns of trades differ in length")
        if (self.invested <= 0).any() or (self.closed < self.opened).any():
            raise ValueError("a trade costs more than nothing and ends after it begins")

    @property
    def n(self) -> int:
        return int(self.returns.size)

    @property
    def profits(self) -> Floats:
        """Result of each trade [USD]."""
        return self.returns * self.invested

    def frozen_at_zero(self) -> "Trades":
        """Return the same trades, those of a frozen quote at 0."""
        return replace(self, returns=self.at_zero)


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """Returns with weights that add up to 1, and the cluster of each."""

    returns: Floats
    weights: Floats
    cluster: Longs

    @property
    def clusters(self) -> int:
        return int(self.cluster.max(initial=-1)) + 1

    @property
    def mean(self) -> float:
        return float(self.weights @ self.returns)

    @property
    def effective(self) -> float:
        """Kish's effective number of trades."""
        return 1 / float(self.weights @ self.weights)

    def half_width(self, influence: Floats) -> float | None:
        """Return half the interval of a figure whose trades add ``influence``; None if too few."""
        count = self.clusters
        if count < FEWEST_CLUSTERS:
            return None
        sums = np.bincount(self.cluster, weights=influence, minlength=count)
        error = sqrt(count / (count - 1) * float(np.sum((sums - sums.mean()) ** 2)))
        return intervals.t_quantile(0.5 + intervals.LEVEL / 2, count - 1) * error


def figures(
    trades: Trades, *, by_capital: bool, source: str, as_of: date | None
) -> dict[str, Estimate]:
    """Return the figures of :data:`NAMES`; one that cannot be given says why.

    Args:
        trades: Of the window.
        by_capital: Each trade counts by what it cost; otherwise all alike.
        source: Of the rows.
        as_of: Last session that they reach.

    Returns:
        Rates and returns as fractions, ratios as multiples. ``expectancy`` is win rate times
        mean win less loss rate times mean loss, which is the average return.
    """
    if trades.n < FEWEST_TRADES:
        reason = f"{trades.n} trades, {FEWEST_TRADES} are needed"
        none = evidence.insufficient(n=trades.n, reason=reason, source=source, as_of=as_of)
        return dict.fromkeys(NAMES, none)
    raw = trades.invested if by_capital else np.ones(trades.n)
    sample = _Sample(
        returns=trades.returns,
        weights=raw / raw.sum(),
        cluster=clusters(trades.opened, trades.closed),
    )
    give = _Giver(sample=sample, source=source, as_of=as_of)
    return {
        "win_rate": give.rate(trades.returns > 0),
        "average_return": give.mean(),
        "median_return": give.median(),
        "explosive_growth_rate": give.rate(trades.returns > EXPLOSIVE),
        "profit_factor": give.ratio("profit factor", per_trade=False),
        "expectancy": give.expectancy(),
        "payoff_ratio": give.ratio("payoff ratio", per_trade=True),
    }


def mean_estimate(
    values: Floats,
    opened: Longs,
    closed: Longs,
    *,
    source: str,
    as_of: date | None,
    fewest: int = FEWEST_TRADES,
) -> Estimate:
    """Return a mean over trades with its clustered interval (design §1).

    Args:
        values: One per trade; NaN where it is not known, which is left out.
        opened, closed: Session numbers of each trade.
        source: Of the rows.
        as_of: Last session that they reach.
        fewest: Known values under which no mean is given.
    """
    known = ~np.isnan(values)
    n = int(known.sum())
    if n < fewest:
        reason = f"{n} trades, {fewest} are needed"
        return evidence.insufficient(n=n, reason=reason, source=source, as_of=as_of)
    sample = _Sample(
        returns=values[known],
        weights=np.full(n, 1 / n),
        cluster=clusters(opened[known], closed[known]),
    )
    found = _Giver(sample=sample, source=source, as_of=as_of).mean()
    return replace(found, value=float(values[known].mean()))  # not 0.999... where it is 1


def clusters(opened: Longs, closed: Longs) -> Longs:
    """Return the cluster of each trade, numbered from 0 in order of time.

    Trades whose holding windows overlap, directly or through others, are one cluster. An
    account that is always invested would be a single one, so a chain is cut after every
    :data:`BLOCK` sessions of entries (design §1).

    Args:
        opened, closed: Session numbers of each trade, both included.
    """
    order = np.argsort(opened, kind="stable")
    begin = opened[order]
    reach = np.maximum.accumulate(closed[order]) if begin.size else closed
    fresh = np.ones(begin.size, np.bool_)
    fresh[1:] = begin[1:] > reach[:-1]
    chain = np.cumsum(fresh) - 1
    block = (begin - begin[fresh][chain]) // BLOCK if begin.size else begin
    found = np.empty(begin.size, np.int64)
    pairs = np.stack([chain, block], axis=1) if begin.size else np.empty((0, 2), np.int64)
    found[order] = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1)
    return found


@dataclass(frozen=True, kw_only=True)
class _Giver:
    """Turns a sample into estimates."""

    sample: _Sample
    source: str
    as_of: date | None

    def rate(self, hits: npt.NDArray[np.bool_]) -> Estimate:
        share = min(1.0, float(self.sample.weights @ hits))
        effective = self.sample.effective
        alike = abs(effective - hits.size) < 1e-6
        return self._given(
            share,
            ASSUMED if alike else f"Wilson at n_eff {effective:.1f}, independence assumed",
            intervals.wilson(share * effective, effective),
        )

    def mean(self) -> Estimate:
        own = self.sample
        half = own.half_width(own.weights * (own.returns - own.mean))
        return self._clustered(own.mean, half)

    def expectancy(self) -> Estimate:
        """Return win rate times mean win less loss rate times mean loss."""
        won = self.sample.returns > 0
        weights, returns = self.sample.weights, self.sample.returns
        gain, loss = float(weights[won] @ returns[won]), float(-weights[~won] @ returns[~won])
        found, value = self.mean(), gain - loss
        if found.low is None or found.high is None:
            return replace(found, value=value)
        return replace(found, value=value, low=min(found.low, value), high=max(found.high, value))

    def median(self) -> Estimate:
        """Return the weighted median; Woodruff's bounds from the share below it."""
        own = self.sample
        order = np.argsort(own.returns, kind="stable")
        values, up_to = own.returns[order], np.cumsum(own.weights[order])
        median = _quantile(values, up_to, 0.5)
        below = np.where(own.returns < median, 1.0, np.where(own.returns == median, 0.5, 0.0))
        half = own.half_width(own.weights * (below - float(own.weights @ below)))
        if half is None:
            return self._clustered(median, None)
        edges = [_quantile(values, up_to, p) for p in (max(0.0, 0.5 - half), min(1.0, 0.5 + half))]
        bounds = (min(edges[0], median), max(edges[1], median))
        return self._given(median, f"Woodruff, {self._method()}", bounds)

    def ratio(self, name: str, *, per_trade: bool) -> Estimate:
        """Return gains over losses: of sums, or of means over those that won and lost."""
        own = self.sample
        won, lost = own.returns > EVEN, own.returns < -EVEN
        if not won.any() or not lost.any():
            what = "loss" if won.any() else "gain"
            return evidence.insufficient(
                n=own.returns.size,
                reason=f"a {name} needs gains and losses; there is no {what}",
                source=self.source,
                as_of=self.as_of,
            )
        gain, up = self._part(won, per_trade)
        loss, down = self._part(lost, per_trade)
        half = own.half_width(up / gain - down / loss)
        value = gain / loss
        bounds = (value / exp(half), value * exp(half)) if half is not None else None
        return self._given(value, f"log ratio, {self._method()}", bounds)

    def _part(self, of: npt.NDArray[np.bool_], per_trade: bool) -> tuple[float, Floats]:
        """Return size of gains or losses, and what each trade adds to it."""
        weights, sizes = self.sample.weights * of, np.abs(self.sample.returns)
        total = float(weights @ sizes)
        if not per_trade:
            return total, weights * sizes
        share = float(weights.sum())
        mean = total / share
        return mean, weights * (sizes - mean) / share

    def _method(self) -> str:
        return f"t over {self.sample.clusters} clusters of overlapping windows"

    def _clustered(self, value: float, half: float | None) -> Estimate:
        bounds = (value - half, value + half) if half is not None else None
        return self._given(value, self._method(), bounds)

    def _given(self, value: float, method: str, bounds: tuple[float, float] | None) -> Estimate:
        few = (
            f"{self.sample.clusters} clusters of overlapping windows, {FEWEST_CLUSTERS} are needed"
        )
        return evidence.measured(
            value=value,
            n=self.sample.returns.size,
            source=self.source,
            as_of=self.as_of,
            method=method,
            bounds=bounds,
            reason="" if bounds else f"no interval: {few}",
        )


def _quantile(values: Floats, up_to: Floats, p: float) -> float:
    """Return the weighted quantile of sorted values; at a step, the middle of both sides."""
    at = min(int(np.searchsorted(up_to, p - 1e-12)), values.size - 1)
    exact = abs(up_to[at] - p) < 1e-12 and at + 1 < values.size
    return float((values[at] + values[at + 1]) / 2) if exact else float(values[at])
