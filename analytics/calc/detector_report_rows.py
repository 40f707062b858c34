"""What became of everything that each variant listed: the rows of the detector report.

Measured stretch by stretch, so that many years fit into memory. Looks forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.calc import exits, market, outcomes
from analytics.calc import panel as panels
from analytics.calc.exits import Costs, Rule
from analytics.calc.market import Market, SessionCounts
from analytics.calc.panel import Floats, Ints, Longs, Panel

AHEAD = outcomes.LONGEST + outcomes.LISTING_GAP + 5  # sessions of bars needed after the last signal
DOUBLED = 1.0  # best close of an episode of +100 %
OF_RULE = ("net", "gross", "capacity", "held")  # columns of each rule: net_0, net_1, ...


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Listed stock-days with their outcomes, and the market around them.

    Attributes:
        number: Sessions looked at, ascending.
        base: Counts of the base universe by session.
        winners: Explosive stock-days of listed common stock: ``symbol``, ``listing`` (its first
            session), ``number``, ``peak``.
        picks: One row per listed stock-day: ``variant``, ``number``, ``symbol``, ``listing``,
            ``rank``, ``p``, ``known``, ``peak``, ``return_14``, ``decile``, and per rule the
            columns of ``OF_RULE``.
        lost: Listed stock-days whose bar is gone since.
    """

    number: Ints
    base: SessionCounts
    winners: pl.DataFrame
    picks: pl.DataFrame
    lost: int


def measure(
    panel: Panel,
    lists: pl.DataFrame,
    *,
    numbers: Ints,
    reach: Ints,
    rules: Sequence[Rule],
    costs: Costs,
) -> Rows:
    """Look at what followed the lists of some sessions.

    Args:
        panel: Bars back far enough for features, and ``AHEAD`` sessions past the last.
        lists: ``variant``, ``number`` (of the session), ``symbol``, ``rank``, ``p``.
        numbers: Sessions of the stretch, ascending; those of the lists are among them.
        reach: See :func:`outcomes.coverage`.
        rules: Replayed for every row.
        costs: Of trading.
    """
    place = {symbol: at for at, symbol in enumerate(panel.symbols)}
    ids = np.array([place.get(symbol, -1) for symbol in lists["symbol"]], np.int64)
    rows = market.find_rows(panel, ids, lists["number"].to_numpy().astype(np.int64))
    there = rows >= 0
    found, kept = rows[there], lists.filter(pl.Series(there, dtype=pl.Boolean))
    seen = market.view(panel, reach=reach, numbers=numbers, extra=np.unique(found))
    return Rows(
        number=numbers,
        base=market.base_counts(seen),
        winners=_winners(seen),
        picks=_picks(seen, kept, found, rules, costs),
        lost=int(np.count_nonzero(~there)),
    )


def join(parts: Sequence[Rows]) -> Rows:
    """Return the rows of stretches that follow each other in time."""
    counts = {
        name: np.concatenate([getattr(part.base, name) for part in parts])
        for name in SessionCounts.__dataclass_fields__
    }
    return Rows(
        number=np.concatenate([part.number for part in parts]),
        base=SessionCounts(**counts),
        winners=pl.concat([part.winners for part in parts]),
        picks=pl.concat([part.picks for part in parts]),
        lost=sum(part.lost for part in parts),
    )


def _winners(seen: Market) -> pl.DataFrame:
    return _where(seen.panel, seen.winners).with_columns(
        peak=pl.Series(seen.lean.peak_close_return[seen.winners])
    )


def _where(panel: Panel, rows: Longs) -> pl.DataFrame:
    segment = panels.row_segments(panel, rows)
    symbols = pl.Series(panel.symbols, dtype=pl.String)
    return pl.DataFrame(
        {
            "symbol": symbols.gather(panel.segment_symbol[segment]),
            "listing": panel.segment_first[segment],
            "number": panel.session[rows],
        }
    )


def _picks(
    seen: Market, lists: pl.DataFrame, rows: Longs, rules: Sequence[Rule], costs: Costs
) -> pl.DataFrame:
    settled = outcomes.settle(seen.panel, rows, reach=seen.reach)
    entries = exits.next_open(seen.panel, rows)
    replayed = exits.replay(seen.panel, entries, rules, costs, reach=seen.reach)
    each: dict[str, Floats] = {}
    for at in range(len(rules)):
        each |= {
            f"net_{at}": replayed.net[at],
            f"gross_{at}": replayed.gross[at],
            f"capacity_{at}": replayed.capacity[at],
            f"held_{at}": replayed.held()[at],
        }
    unique, back = np.unique(rows, return_inverse=True)
    return _where(seen.panel, rows).with_columns(
        lists["variant"],
        lists["rank"].cast(pl.Int32),
        lists["p"].cast(pl.Float64),
        known=pl.Series(settled.known),
        peak=pl.Series(settled.figures[:, outcomes.PEAK]),
        return_14=pl.Series(settled.figures[:, outcomes.RETURN_14]),
        decile=pl.Series(seen.decile(unique)[back]),
        **{name: pl.Series(values) for name, values in each.items()},
    )
