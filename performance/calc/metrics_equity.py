"""Figures of the mark-to-market equity curve: return, risk, skill against SPY (design §11)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from math import sqrt

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc import evidence, intervals, ratios
from analytics.calc.evidence import Estimate
from analytics.calc.intervals import Pooled
from performance.calc import metrics_draws, metrics_tails
from performance.calc.metrics_draws import BLOCK

FEWEST_RETURNS = 20  # daily returns under which no figure is scaled to a year
NORMAL_95 = intervals.normal_quantile(0.5 + intervals.LEVEL / 2)
NAMES = (
    "time_weighted_return", "max_drawdown", "volatility", "sharpe", "sortino", "calmar",
    "probabilistic_sharpe", "value_at_risk_95", "expected_shortfall_95", "alpha", "beta",
    "spy_return",
)  # fmt: skip

Floats = npt.NDArray[np.float64]
Figure = Callable[[Floats], float | None]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Daily returns of an account, and SPY's over the same sessions.

    Attributes:
        sessions: Ascending.
        returns: Fractions, flows taken out.
        market: SPY's, NaN where it is not known.
    """

    sessions: list[date]
    returns: Floats
    market: Floats


def portfolio_returns(days: pl.DataFrame) -> pl.DataFrame:
    """Return the daily returns of accounts taken as one, with money in and out taken out.

    What comes in counts from the day's start, what goes out until its end, so that the first
    deposit and the last withdrawal both leave a return behind. An account takes part from the
    second of its days on, or from the first if money came in on it: one that begins or ends is
    neither a gain nor a loss.

    Args:
        days: ``account`` any, ``session`` date, ``equity`` and ``flow`` float [USD], one row
            per account and session, sorted by both.

    Returns:
        ``session``, ``value`` (a fraction), ascending; sessions without anything invested
        have no row.

    Source:
        Time-weighted return with daily valuation: GIPS Standards 2020, 2.A.
    """
    before = pl.col("equity").shift(1).over("account").fill_null(0.0)
    moved = days.with_columns(
        start=before + pl.col("flow").clip(lower_bound=0),
        end=pl.col("equity") - pl.col("flow").clip(upper_bound=0),
    ).filter(pl.col("start") > 0)
    together = moved.group_by("session").agg(pl.col("start", "end").sum()).sort("session")
    return together.select("session", value=pl.col("end") / pl.col("start") - 1)


def figures(curve: Curve, *, source: str) -> dict[str, Estimate]:
    """Return the figures of :data:`NAMES`; one that cannot be given says why.

    Returns and losses are fractions; Sharpe, Sortino, Calmar and alpha are per year at a
    riskless rate of 0, volatility too. Value at risk and shortfall are of one session.
    """
    give = _Giver(
        returns=curve.returns, source=source, as_of=curve.sessions[-1] if curve.sessions else None
    )
    found = {
        "time_weighted_return": give.plain(_growth, "product of daily returns", fewest=1),
        "sharpe": give.sharpe(),
        "probabilistic_sharpe": give.probability(),
    }
    drawn = metrics_draws.bounds(curve.returns)
    for name, (figure, method, fewest) in DRAWN.items():
        found[name] = give.drawn(figure, method, drawn.get(name), fewest=fewest)
    return found | give.against(curve.market)


def deflated(document: Mapping[str, object], *, source: str, as_of: date | None) -> Estimate:
    """Return the deflated Sharpe ratio of ``trials.get_deflation`` as an estimate."""
    value, n = document.get("value"), document.get("trials")
    count = n if isinstance(n, int) else 0
    if not isinstance(value, float):
        reason = str(document.get("reason") or "no trial is recorded")
        return evidence.insufficient(n=count, reason=reason, source=source, as_of=as_of)
    return evidence.measured(
        value=value,
        n=count,
        source=source,
        as_of=as_of,
        method=str(document.get("method", ""))[:160],
        reason="a probability has no interval of its own",
    )


@dataclass(frozen=True, kw_only=True)
class _Giver:
    """Turns a curve into estimates."""

    returns: Floats
    source: str
    as_of: date | None

    def plain(self, figure: Figure, method: str, *, fewest: int = FEWEST_RETURNS) -> Estimate:
        """Give a fact about the curve, without an interval."""
        value = figure(self.returns) if self.returns.size >= fewest else None
        if value is None:
            return self._none(fewest)
        return self._given(value, method, reason="a fact about this curve, not an estimate")

    def drawn(
        self, figure: Figure, method: str, bounds: tuple[float, float] | None, *, fewest: int
    ) -> Estimate:
        """Give a figure with its bootstrap interval, where the curve is long enough for one."""
        value = figure(self.returns) if self.returns.size >= fewest else None
        if value is None:
            return self._none(fewest, self.returns.size >= fewest)
        if bounds is None:
            few = f"{self.returns.size} sessions, {2 * BLOCK} are needed for an interval"
            return self._given(value, method, reason=few)
        wide = (min(bounds[0], value), max(bounds[1], value))
        return self._given(value, f"{method}; circular blocks of {BLOCK}, approximate", wide)

    def sharpe(self) -> Estimate:
        seen = self._moments()
        if seen is None:
            return self._none(FEWEST_RETURNS, self.returns.size >= FEWEST_RETURNS)
        half = NORMAL_95 * seen.standard_error * sqrt(ratios.SESSIONS_A_YEAR)
        value = seen.annual_sharpe
        return self._given(
            value, "Mertens, daily returns taken as independent", (value - half, value + half)
        )

    def probability(self) -> Estimate:
        seen = self._moments()
        if seen is None:
            return self._none(FEWEST_RETURNS, self.returns.size >= FEWEST_RETURNS)
        return self._given(
            seen.probability_above(0.0),
            "P(Sharpe > 0), raw kurtosis, Bailey and Lopez de Prado",
            reason="a probability has no interval of its own",
        )

    def against(self, market: Floats) -> dict[str, Estimate]:
        """Give alpha, beta and SPY's own return, over the sessions that both have."""
        both = ~np.isnan(market)
        own, other = self.returns[both], market[both]
        part = _Giver(returns=own, source=self.source, as_of=self.as_of)
        spy = _Giver(returns=other, source=self.source, as_of=self.as_of)
        found = {"spy_return": spy.plain(_growth, "SPY over the same sessions", fewest=1)}
        fit = regress(own, other)
        if own.size < FEWEST_RETURNS or fit is None:
            none = part._none(FEWEST_RETURNS, own.size >= FEWEST_RETURNS)
            return found | {"alpha": none, "beta": none}
        alpha, beta = fit
        half_a, half_b = (each.critical * each.standard_error for each in fit)
        rise = (_a_year(alpha.value - half_a), _a_year(alpha.value + half_a))
        method = f"least squares on SPY, t on influence values (EWC, nu {alpha.degrees})"
        return found | {
            "alpha": part._given(_a_year(alpha.value), method, rise),
            "beta": part._given(beta.value, method, (beta.value - half_b, beta.value + half_b)),
        }

    def _moments(self) -> ratios.Moments | None:
        return ratios.moments(self.returns) if self.returns.size >= FEWEST_RETURNS else None

    def _none(self, fewest: int, long_enough: bool = False) -> Estimate:
        n = int(self.returns.size)
        reason = f"{n} sessions of equity, {fewest} are needed"
        if long_enough:
            reason = f"not defined: nothing to divide by in {n} sessions of equity"
        return evidence.insufficient(n=n, reason=reason, source=self.source, as_of=self.as_of)

    def _given(
        self,
        value: float,
        method: str,
        bounds: tuple[float, float] | None = None,
        reason: str = "",
    ) -> Estimate:
        return evidence.measured(
            value=value,
            n=int(self.returns.size),
            source=self.source,
            as_of=self.as_of,
            method=method,
            bounds=bounds,
            reason=reason,
        )


def regress(own: Floats, market: Floats) -> tuple[Pooled, Pooled] | None:
    """Return alpha (per session) and beta of least squares, with what each session adds to them.

    None where the market does not move or there are fewer than 4 sessions.
    """
    if own.size < 4 or not float(np.var(market)) > 1e-24:
        return None
    centred = market - market.mean()
    beta = float(centred @ own / (centred @ centred))
    alpha = float(own.mean() - beta * market.mean())
    rest = own - alpha - beta * market
    of_beta = centred * rest / float(np.mean(centred**2))
    pooled = [
        Pooled(value=value, n=own.size, influence=influence, settled_sessions=own.size)
        for value, influence in ((alpha, rest - market.mean() * of_beta), (beta, of_beta))
    ]
    return pooled[0], pooled[1]


def _growth(returns: Floats) -> float:
    return float(np.prod(1 + returns)) - 1


def _volatility(returns: Floats) -> float:
    return float(returns.std(ddof=1)) * sqrt(ratios.SESSIONS_A_YEAR)


def _a_year(daily: float) -> float:
    return float((1 + daily) ** ratios.SESSIONS_A_YEAR - 1)


# What a bootstrap gives an interval: the figure, how it is told, and the fewest returns for it.
DRAWN: Mapping[str, tuple[Figure, str, int]] = {
    "max_drawdown": (ratios.max_drawdown, "deepest fall from a peak", 1),
    "volatility": (_volatility, "sample deviation x sqrt(252)", FEWEST_RETURNS),
    "sortino": (ratios.sortino, "mean over downside deviation", FEWEST_RETURNS),
    "calmar": (ratios.calmar, "yearly growth over the deepest fall", FEWEST_RETURNS),
    "value_at_risk_95": (
        metrics_tails.value_at_risk,
        "historical, one session",
        FEWEST_RETURNS,
    ),
    "expected_shortfall_95": (
        metrics_tails.expected_shortfall,
        "historical, one session",
        FEWEST_RETURNS,
    ),
}
