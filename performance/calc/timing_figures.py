"""What timing came to over a period: scores, the dollar bridge, terciles, the exit lab (§13)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import evidence
from analytics.calc.evidence import Estimate
from analytics.calc.intervals import wilson
from performance.calc.metrics import ASSUMED, FEWEST_TRADES, mean_estimate

FEWEST_REPLAYED = 20  # trades under which no exit rule is compared, design §13
TARGET = 90.0  # the mission's, claimed: VIGL was bought at once
TERCILES = ("calm", "middle", "wild")

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Timed trades of a period as columns; NaN where it is not known. Fractions and USD.

    Attributes:
        opened, closed: Session numbers; an open trade ends at the last session.
        delay: Sessions.
        others: As in :class:`performance.calc.timing.Timing`; ``profit`` is realised and
            unrealised, ``signal_value`` the cost at the first executable open.
    """

    opened: Longs
    closed: Longs
    delay: Floats
    entry_cost: Floats
    entry_score: Floats
    exit_score: Floats
    exit_efficiency: Floats
    mfe: Floats
    mae: Floats
    post_exit_mfe: Floats
    signal_value: Floats
    delay_cost: Floats
    profit: Floats
    left_during: Floats
    left_after: Floats
    volatility_20: Floats

    @property
    def n(self) -> int:
        return int(self.opened.size)


MEANS = {
    "market_timing_score": "entry_score",
    "exit_score": "exit_score",
    "mean_delay": "delay",
    "mean_entry_cost": "entry_cost",
    "mean_exit_efficiency": "exit_efficiency",
    "mean_mfe": "mfe",
    "mean_mae": "mae",
    "mean_post_exit_mfe": "post_exit_mfe",
}  # fmt: skip


def figures(timed: Timed, *, source: str, as_of: date | None) -> dict[str, Estimate]:
    """Return the means over trades with a candidate, and the share bought at once."""
    found = {
        name: _bounded(
            mean_estimate(
                getattr(timed, column), timed.opened, timed.closed, source=source, as_of=as_of
            ),
            column,
        )
        for name, column in MEANS.items()
    }
    n = timed.n
    if n < FEWEST_TRADES:
        reason = f"{n} trades, {FEWEST_TRADES} are needed"
        at_once = evidence.insufficient(n=n, reason=reason, source=source, as_of=as_of)
    else:
        hits = int((timed.delay == 0).sum())
        at_once = evidence.measured(
            value=hits / n, n=n, source=source, as_of=as_of, method=ASSUMED, bounds=wilson(hits, n)
        )
    return found | {"bought_at_once": at_once}


def _bounded(estimate: Estimate, column: str) -> Estimate:
    """Keep the interval of a score within 0 to 100."""
    if not column.endswith("_score") or estimate.low is None or estimate.high is None:
        return estimate
    return replace(estimate, low=max(0.0, estimate.low), high=min(100.0, estimate.high))


def bridge(timed: Timed) -> list[dict[str, Any]]:
    """Return where the dollars went, over the trades for which every step is known.

    From what the positions would have cost at the first executable open, over what waiting
    cost and what the trades brought, to what was left on the table.

    Returns:
        Steps with ``key``, ``usd``, ``n`` and ``about``. What was left while held and after
        are two readings of the same exit: never added up.
    """
    known = ~np.isnan(timed.delay_cost)
    over = known & ~np.isnan(timed.left_after)

    def step(key: str, values: Floats, of: npt.NDArray[np.bool_], about: str) -> dict[str, Any]:
        own = of & ~np.isnan(values)
        return {"key": key, "usd": float(values[own].sum()), "n": int(own.sum()), "about": about}

    return [
        step("signal", timed.signal_value, known, "cost at the first executable open"),
        step("delay", timed.delay_cost, known, "cost of waiting; below 0: waiting saved"),
        step("fill", timed.signal_value + timed.delay_cost, known, "cost at the fill"),
        step("profit", timed.profit, known, "profit taken, open trades at mark"),
        step("left_during", timed.left_during, known,
             "more was sellable at a close while held, at 5 % of its volume"),
        step("left_after", timed.left_after, over,
             "more was sellable at a close of the 14 sessions after the exit"),
    ]  # fmt: skip


def terciles(timed: Timed, *, source: str, as_of: date | None) -> list[dict[str, Any]]:
    """Return cost and efficiency by tercile of volatility at the entry; none under 15 trades.

    Edges are of the trades themselves, so each third has five at least.
    """
    known = ~np.isnan(timed.volatility_20)
    if int(known.sum()) < 3 * FEWEST_TRADES:
        return []
    edges = np.quantile(timed.volatility_20[known], [1 / 3, 2 / 3])
    place = np.where(known, np.searchsorted(edges, timed.volatility_20, side="left"), -1)
    found = []
    for at, name in enumerate(TERCILES):
        own = place == at
        when = timed.opened[own], timed.closed[own]
        found.append(
            {
                "name": name,
                "n": int(own.sum()),
                "from": None if at == 0 else float(edges[at - 1]),
                "to": None if at == 2 else float(edges[at]),
                "delay_cost_usd": float(np.nansum(timed.delay_cost[own])),
                **{
                    key: mean_estimate(values[own], *when, source=source, as_of=as_of)
                    for key, values in (
                        ("entry_cost", timed.entry_cost),
                        ("delay", timed.delay),
                        ("exit_efficiency", timed.exit_efficiency),
                    )
                },
            }
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """Closed long trades and what each rule would have made of them.

    Attributes:
        names: Of the rules.
        results: Net return of each trade under each rule, [rules, trades]; NaN where not known.
        actual: Return on cost as it was.
        opened, closed: Session numbers.
    """

    names: Sequence[str]
    results: Floats
    actual: Floats
    opened: Longs
    closed: Longs


def exit_lab(replayed: Replayed, *, source: str, as_of: date | None) -> list[dict[str, Any]]:
    """Return each rule against what was done: means over the same trades, paired differences.

    Under :data:`FEWEST_REPLAYED` trades of a rule nothing is compared: every figure says so.
    """

    def mean(values: Floats) -> Estimate:
        return mean_estimate(
            values,
            replayed.opened,
            replayed.closed,
            source=source,
            as_of=as_of,
            fewest=FEWEST_REPLAYED,
        )

    found = []
    for name, result in zip(replayed.names, replayed.results, strict=True):
        paired = result - replayed.actual
        known = ~np.isnan(paired)
        difference = mean(paired)
        found.append(
            {
                "rule": name,
                "n": int(known.sum()),
                "mean": mean(np.where(known, result, np.nan)),
                "actual": mean(np.where(known, replayed.actual, np.nan)),
                "difference": difference,
                "better": float(np.mean(paired[known] > 0))
                if difference.value is not None
                else None,
                "verdict": _verdict(difference),
            }
        )
    return found


def _verdict(difference: Estimate) -> str:
    """Return what the difference says: better, worse, or that it cannot be told."""
    if difference.value is None:
        return "refused"
    if difference.low is None or difference.high is None:
        return "no interval"
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "cannot be told apart"
