"""Discovery replayed as of each session, and what became of what it named (design §16).

Measured stretch by stretch, so that many years fit into memory; ``backtest_report`` turns the
stretches into figures. Looks forward: no line of the detector reaches this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from analytics.calc import market, outcomes, replay, returns, sessions, strata
from analytics.calc import panel as panels
from analytics.calc.detector import Rules
from analytics.calc.market import Market, SessionCounts
from analytics.calc.outcomes import State
from analytics.calc.panel import Floats, Ints, Longs, Panel
from analytics.calc.replay import VariantReplay
from analytics.calc.similarity import Reference

AHEAD = outcomes.LONGEST + outcomes.LISTING_GAP + 5  # sessions of bars needed after the last signal


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a backtest assumes of trading.

    Attributes:
        top: Best candidates of a session that are bought.
        hold: Sessions held, the one of the entry included; at most 30.
        cost_bp: Commission and spread of each side [basis points].
        capital: To begin with [USD].
        max_share: Of the entry session's traded value that one order may be.
    """

    top: int = 10
    hold: int = 14
    cost_bp: float = 50.0
    capital: float = 100_000.0
    max_share: float = 0.05

    def __post_init__(self) -> None:
        if self.top < 1 or not 1 <= self.hold <= outcomes.LONGEST:
            raise ValueError(f"top {self.top}, hold {self.hold}")
        if not 0 <= self.cost_bp < 5_000 or not 0 < self.max_share <= 1 or not self.capital > 0:
            raise ValueError(f"{self.cost_bp} bp, share {self.max_share}, capital {self.capital}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one variant named in one stretch, and what became of it.

    Attributes:
        picks: One row per candidate, by session and rank: ``number`` (of the session),
            ``symbol``, ``rank``, ``first`` (signal), ``state``, ``return_14``, ``peak``,
            ``decile``, ``value`` (traded on the entry session, USD).
        growth: [picks, hold] close over entry, see :class:`returns.Paths`.
    """

    picks: pl.DataFrame
    growth: Floats


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Sessions measured from one reading of the market.

    Attributes:
        number: Sessions scanned, ascending.
        covered: Sessions after each that are covered by bars without a hole.
        base: Counts of the base universe by session.
        winners: Explosive stock-days: ``symbol``, ``listing`` (its first session), ``number``.
        parts: One per variant, in their order.
    """

    number: Ints
    covered: Ints
    base: SessionCounts
    winners: pl.DataFrame
    parts: list[Part]


def measure(
    panel: Panel,
    *,
    variants: Sequence[Rules],
    references: Sequence[Reference],
    first: date,
    last: date,
    reach: Ints,
    terms: Terms,
) -> Stretch:
    """Replay discovery over a stretch and look at what followed.

    Args:
        panel: Bars back to ``fingerprint.LOOKBACK`` sessions before ``first`` and up to
            ``AHEAD`` sessions after ``last``; records up to ``last``.
        variants: One or more.
        references: They break ties of the ranking.
        first, last: Sessions, both included.
        reach: See :func:`outcomes.coverage`.
        terms: Of the trading.
    """
    found = replay.run(panel, variants=variants, references=references, first=first, last=last)
    days = found.events["session"].to_numpy().astype("datetime64[D]")
    number = np.searchsorted(sessions.calendar(), days).astype(np.int32)
    named = [result.candidates["row"].to_numpy() for result in found.variants]
    extra = np.unique(np.concatenate(named)) if named else np.empty(0, np.int64)
    seen = market.view(panel, reach=reach, numbers=number, extra=extra)
    return Stretch(
        number=number,
        covered=(reach[number] - number).astype(np.int32),
        base=market.base_counts(seen),
        winners=_winners(seen),
        parts=[_part(seen, result, terms) for result in found.variants],
    )


def _winners(seen: Market) -> pl.DataFrame:
    panel, rows = seen.panel, seen.winners
    segment = panels.row_segments(panel, rows)
    symbols = pl.Series(panel.symbols, dtype=pl.String)
    return pl.DataFrame(
        {
            "symbol": symbols.gather(panel.segment_symbol[segment]),
            "listing": panel.segment_first[segment],
            "number": panel.session[rows],
        }
    )


def _part(seen: Market, result: VariantReplay, terms: Terms) -> Part:
    named = result.candidates
    rows: Longs = named["row"].to_numpy()
    settled = outcomes.settle(seen.panel, rows, reach=seen.reach)
    found = returns.paths(seen.panel, rows, hold=terms.hold)
    before = named["volatility_20_before"].fill_null(float("nan")).to_numpy()
    segment = panels.row_segments(seen.panel, rows)
    return Part(
        picks=pl.DataFrame(
            {
                "number": seen.panel.session[rows],
                "symbol": named["symbol"],
                "listing": seen.panel.segment_first[segment],
                "rank": named["rank"],
                "first": named["first_signal"],
                "state": settled.state,
                "return_14": settled.figures[:, outcomes.RETURN_14],
                "peak": settled.figures[:, outcomes.PEAK],
                "decile": strata.decile(before, seen.place(rows), seen.lower),
                "value": found.value,
            }
        ),
        growth=found.growth,
    )


@dataclass(frozen=True, kw_only=True)
class Record:
    """All stretches of one variant, joined: what the report reads.

    Attributes:
        number: Sessions, ascending.
        covered, base, winners: See :class:`Stretch`.
        picks, growth: See :class:`Part`.
    """

    number: Ints
    covered: Ints
    base: SessionCounts
    winners: pl.DataFrame
    picks: pl.DataFrame
    growth: Floats

    def place(self) -> Longs:
        """Return the place of each pick's session in ``number``."""
        return np.searchsorted(self.number, self.picks["number"].to_numpy()).astype(np.int64)

    def known(self) -> "pl.Series":
        """Return whether each pick's outcome counts in a rate."""
        return self.picks["state"].is_in([int(State.SETTLED), int(State.DELISTED)])

    def of_sessions(self, first: int, last: int) -> "Record":
        """Return the part of the sessions numbered ``first`` to ``last``."""
        kept = (self.number >= first) & (self.number <= last)
        own = self.picks["number"].is_between(first, last)
        return Record(
            number=self.number[kept],
            covered=self.covered[kept],
            base=SessionCounts(
                n=self.base.n[kept],
                explosive=self.base.explosive[kept],
                positive=self.base.positive[kept],
                by_decile=self.base.by_decile[kept],
                explosive_by_decile=self.base.explosive_by_decile[kept],
            ),
            winners=self.winners.filter(pl.col("number").is_between(first, last)),
            picks=self.picks.filter(own),
            growth=self.growth[own.to_numpy()],
        )


def join(stretches: Sequence[Stretch]) -> list[Record]:
    """Return the record of each variant over all stretches, which follow each other in time."""
    base = SessionCounts(
        n=np.concatenate([part.base.n for part in stretches]),
        explosive=np.concatenate([part.base.explosive for part in stretches]),
        positive=np.concatenate([part.base.positive for part in stretches]),
        by_decile=np.concatenate([part.base.by_decile for part in stretches]),
        explosive_by_decile=np.concatenate([part.base.explosive_by_decile for part in stretches]),
    )
    number = np.concatenate([part.number for part in stretches])
    covered = np.concatenate([part.covered for part in stretches])
    winners = pl.concat([part.winners for part in stretches])
    return [
        Record(
            number=number,
            covered=covered,
            base=base,
            winners=winners,
            picks=pl.concat([part.parts[at].picks for part in stretches]),
            growth=np.concatenate([part.parts[at].growth for part in stretches]),
        )
        for at in range(len(stretches[0].parts))
    ]


@dataclass(frozen=True, kw_only=True)
class Captures:
    """Winner episodes and explosive stock-days against what was named.

    Attributes:
        number: First session of each episode.
        captured: Whether a candidate row lies inside.
        day_number: Session of each explosive stock-day.
        day_named: Whether the symbol was a candidate on it.
    """

    number: Ints
    captured: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    day_number: Ints
    day_named: "np.ndarray[tuple[int], np.dtype[np.bool_]]"


def captures(winners: pl.DataFrame, picks: pl.DataFrame) -> Captures:
    """Join explosive stock-days to episodes and say which hold a candidate (design §8).

    Args:
        winners: ``symbol``, ``listing``, ``number`` of each explosive stock-day.
        picks: The same of each candidate.
    """
    days = winners.sort("symbol", "listing", "number")
    key = ["symbol", "listing"]
    owners = (
        pl.concat([days.select(key), picks.select(key)]).unique().sort(key).with_row_index("at")
    )
    own = days.join(owners, on=key, how="left", maintain_order="left")["at"].to_numpy()
    named = picks.join(owners, on=key, how="left", maintain_order="left")["at"].to_numpy()
    number = days["number"].to_numpy().astype(np.int32)
    width = sessions.calendar().size
    wanted = own.astype(np.int64) * width + number
    have = np.sort(named.astype(np.int64) * width + picks["number"].to_numpy())
    joined = outcomes.episodes(own.astype(np.int32), number)
    inside = np.searchsorted(have, wanted[joined.last], side="right") > np.searchsorted(
        have, wanted[joined.first], side="left"
    )
    return Captures(
        number=number[joined.first],
        captured=inside,
        day_number=number,
        day_named=np.isin(wanted, have),
    )
