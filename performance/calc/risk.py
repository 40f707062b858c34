"""What a portfolio could lose, from the returns of what it holds now (design §14).

Returns are daily and simple, fractions; weights are fractions of equity, short positions below 0.
What is not in a holding is cash and earns nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import intervals, ratios
from analytics.calc.evidence import Estimate, insufficient, measured
from performance.calc import metrics_tails, risk_figures
from performance.calc.risk_holdings import Floats, Holdings

SESSIONS = 250  # of the historical simulation
FEWEST = 60  # sessions under which not even a labelled proxy is given
TAIL = metrics_tails.TAIL  # VaR and CVaR at 95 %
LEAST_COVERED = 0.9  # share of gross holdings whose returns are known, for a labelled proxy
BLOCK, DRAWS, SEED = 28, 500, 20240628  # of the bootstrap (design §1)


@dataclass(frozen=True, kw_only=True)
class Past:
    """Daily returns of what is held now; the newest ``SESSIONS`` complete ones are used.

    Attributes:
        returns: [sessions, holdings]; NaN where a session has no return.
        benchmark: [sessions]; NaN where SPY has none.
        last: Last session.
    """

    returns: Floats
    benchmark: Floats
    last: date | None


@dataclass(frozen=True, kw_only=True)
class Usable:
    """The sessions on which every counted holding has a return.

    Attributes:
        returns: Of the portfolio with today's weights.
        columns: Of the counted holdings.
        rows: Which sessions of the past.
        label: "" if nothing was left out, else what the proxy leaves out.
        reason: Why nothing can be said; "" if something can.
    """

    returns: Floats
    columns: Floats
    rows: npt.NDArray[np.bool_]
    label: str = ""
    reason: str = ""


def usable(held: Holdings, past: Past) -> Usable:
    """Return the portfolio's past with today's weights, or why there is none (design §14).

    A holding with fewer than ``FEWEST`` returns is left out if the others carry 90 % of the
    gross value; the label names it. Under ``SESSIONS`` complete sessions the label says so.
    """
    weight = held.weight
    nothing = Usable(
        returns=np.empty(0), columns=np.empty((0, 0)), rows=np.zeros(past.benchmark.size, bool)
    )
    if not weight.size:
        return _why(nothing, "no holdings")
    if np.isnan(weight).any():
        return _why(nothing, "equity or a mark is not known")
    counts = np.count_nonzero(~np.isnan(past.returns), axis=0)
    kept = counts >= FEWEST
    gross = np.abs(weight)
    lacking = [name for name, keep in zip(held.symbols, kept, strict=True) if not keep]
    if gross[kept].sum() < LEAST_COVERED * gross.sum():
        said = f"under {FEWEST} sessions of returns: {_named(lacking)}"
        return _why(nothing, said)
    rows: npt.NDArray[np.bool_] = np.asarray(~np.isnan(past.returns[:, kept]).any(axis=1))
    rows[np.flatnonzero(rows)[:-SESSIONS]] = False  # the newest ones only
    complete = int(np.count_nonzero(rows))
    if complete < FEWEST:
        return _why(nothing, f"{complete} sessions with every holding, {FEWEST} are needed")
    label = f"proxy without {_named(lacking)}" if lacking else ""
    if complete < SESSIONS:
        short = f"proxy over {complete} sessions, {SESSIONS} are needed"
        label = f"{label}; {short}" if label else short
    columns = past.returns[rows][:, kept]
    return Usable(returns=columns @ weight[kept], columns=columns, rows=rows, label=label)


def portfolio(
    held: Holdings, past: Past, *, source: str, as_of: date | None, equity_returns: Floats
) -> dict[str, Estimate]:
    """Return every figure of an account with its evidence (design §14).

    Args:
        held: What it holds.
        past: Returns of that.
        source: Of the rows.
        as_of: Session of the marks.
        equity_returns: Daily time-weighted returns of the account itself, for its drawdown.

    Returns:
        By name: var_95, cvar_95, volatility, beta, max_drawdown, name_hhi, sector_hhi, heat,
        mean_correlation, gross_exposure. Losses are below 0.
    """
    seen = usable(held, past)
    about = {"source": source, "as_of": as_of}
    return {
        **_simulated(seen, past, about),
        "max_drawdown": _drawdown(equity_returns, about),
        **_shape(held, about),
        "mean_correlation": _correlation(seen, about),
    }


def _simulated(seen: Usable, past: Past, about: dict[str, Any]) -> dict[str, Estimate]:
    """Return VaR, CVaR, volatility and beta by historical simulation."""
    names = ("var_95", "cvar_95", "volatility", "beta")
    if seen.reason:
        none = insufficient(n=0, reason=seen.reason, **about)
        return dict.fromkeys(names, none)
    own, n = seen.returns, int(seen.returns.size)
    drawn = own[_blocks(n)]
    method = "historical simulation, today's weights"
    tail = intervals.wilson(TAIL * n, n)
    quantiles = np.quantile(own, tail)
    var = metrics_tails.value_at_risk(own)
    shortfall, spread = metrics_tails.expected_shortfall(own), risk_figures.annual_volatility(own)
    assert var is not None and shortfall is not None and spread is not None  # noqa: S101, PT018
    found = {
        "var_95": _given(
            var, n, (quantiles[0], quantiles[1]), f"{method}; bounds: Woodruff", seen, about
        ),
        "cvar_95": _given(
            shortfall, n, _quantiles(_shortfalls(drawn)), f"{method}; {BOOT}", seen, about
        ),
    }
    spreads = drawn.std(axis=1, ddof=1) * sqrt(ratios.SESSIONS_A_YEAR)
    found["volatility"] = _given(
        spread, n, _quantiles(spreads), f"annual, {method}; {BOOT}", seen, about
    )
    found["beta"] = _beta(seen, past.benchmark[seen.rows], method, about)
    return found


def _beta(seen: Usable, benchmark: Floats, method: str, about: dict[str, Any]) -> Estimate:
    both = ~np.isnan(benchmark)
    n = int(np.count_nonzero(both))
    if n < FEWEST:
        reason = f"{n} sessions beside SPY, {FEWEST} are needed"
        return insufficient(n=n, reason=reason, **about)
    own, market = seen.returns[both], benchmark[both]
    found = risk_figures.beta(own, market)
    if found is None:
        return insufficient(n=n, reason="SPY never moved", **about)
    chosen = _blocks(n)
    away = market[chosen] - market[chosen].mean(axis=1, keepdims=True)
    ours = own[chosen] - own[chosen].mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = (away * ours).mean(axis=1) / (away**2).mean(axis=1)
    bounds = _quantiles(drawn[np.isfinite(drawn)])
    return _given(found, n, bounds, f"to SPY, {method}; {BOOT}", seen, about)


def _drawdown(equity_returns: Floats, about: dict[str, Any]) -> Estimate:
    n = int(equity_returns.size)
    if n < 2:
        return insufficient(n=n, reason=f"{n} days of equity, 2 are needed", **about)
    return measured(
        value=ratios.max_drawdown(equity_returns),
        n=n,
        method="mark-to-market equity, flows taken out",
        reason="the depth of one path has no interval",
        **about,
    )


def _shape(held: Holdings, about: dict[str, Any]) -> dict[str, Estimate]:
    """Return what today's holdings alone tell: concentration, heat, exposure."""
    n = len(held.symbols)
    counted = "counted from the holdings, no sampling"
    sectors = [sector or "unknown" for sector in held.sectors]
    risk = held.money_at_risk
    figures: Mapping[str, tuple[float | None, str]] = {
        "name_hhi": (risk_figures.concentration(held.value), "no holdings"),
        "sector_hhi": (
            risk_figures.concentration(
                np.array(list(risk_figures.by_group(held.value, sectors).values()))
            ),
            "no holdings",
        ),
        "heat": (
            float(risk.sum() / held.equity) if held.equity > 0 else None,
            "equity is not known"
            if not held.equity > 0
            else f"no bound to the loss of {_named(_unbounded(held))}",
        ),
        "gross_exposure": (
            float(np.abs(held.weight).sum()) if held.equity > 0 else None,
            "equity is not known",
        ),
    }
    return {
        name: measured(value=value, n=n, method=METHODS[name], reason=counted, **about)
        if value is not None and np.isfinite(value)
        else insufficient(n=n, reason=reason, **about)
        for name, (value, reason) in figures.items()
    }


METHODS = {
    "name_hhi": "Herfindahl index of gross value by symbol",
    "sector_hhi": "Herfindahl index of gross value by sector; unknown counts as one sector",
    "heat": "money at risk to stops over equity; without a stop the whole value",
    "gross_exposure": "gross value over equity",
}
BOOT = f"bounds: circular blocks of {BLOCK}, seeded, approximate"


def _correlation(seen: Usable, about: dict[str, Any]) -> Estimate:
    if seen.reason:
        return insufficient(n=0, reason=seen.reason, **about)
    found = risk_figures.mean_correlation(seen.columns)
    if found is None:
        return insufficient(n=0, reason="fewer than two holdings that move", **about)
    value, pairs = found
    said = "pairs share holdings: no interval" + (f"; {seen.label}" if seen.label else "")
    return measured(
        value=value, n=pairs, method=f"{len(seen.returns)} sessions", reason=said, **about
    )


def _given(
    value: float,
    n: int,
    bounds: tuple[float, float],
    method: str,
    seen: Usable,
    about: dict[str, Any],
) -> Estimate:
    low, high = min(bounds[0], value), max(bounds[1], value)
    return measured(value=value, n=n, bounds=(low, high), method=method, reason=seen.label, **about)


def _blocks(n: int) -> npt.NDArray[np.int64]:
    """Return row numbers of circular block draws, [draws, n], the same every time."""
    rng = np.random.default_rng(SEED)
    starts = rng.integers(0, n, (DRAWS, -(-n // BLOCK)))
    rows = (starts[:, :, None] + np.arange(BLOCK)).reshape(DRAWS, -1)[:, :n] % n
    found: npt.NDArray[np.int64] = rows
    return found


def _shortfalls(drawn: Floats) -> Floats:
    """Return the mean of the worst 5 % of each row."""
    count = int((drawn.shape[1] - 1) * TAIL) + 1
    worst = np.partition(drawn, count - 1, axis=1)[:, :count]
    found: Floats = worst.mean(axis=1)
    return found


def _quantiles(drawn: Floats) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - intervals.LEVEL) / 2, (1 + intervals.LEVEL) / 2])
    return float(low), float(high)


def _why(nothing: Usable, reason: str) -> Usable:
    return Usable(
        returns=nothing.returns, columns=nothing.columns, rows=nothing.rows, reason=reason
    )


def _unbounded(held: Holdings) -> list[str]:
    return [
        name for name, risk in zip(held.symbols, held.money_at_risk, strict=True) if np.isnan(risk)
    ]


def _named(symbols: Sequence[str]) -> str:
    shown = ", ".join(symbols[:5])
    return shown + (f" and {len(symbols) - 5} more" if len(symbols) > 5 else "")
