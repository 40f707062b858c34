"""The look-ahead certificate: what a scan of D says must not depend on what came after D (§16).

A session is scanned twice, from everything the data hold and from what was known that evening,
and every feature, gate, score, rank, label and member of every list is compared bit by bit, in
both directions. Planted leaks (``lookahead_leaks``) show that the comparison would notice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc import features, fingerprint, panel, replay, sessions
from analytics.calc.detector import Rules
from analytics.calc.panel import Panel
from analytics.calc.replay import Replay
from analytics.calc.similarity import Reference

EXAMPLES = 20  # differences that are kept in words
ROW = "row"  # position in a panel: differs by how far back the panel reaches


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything that ``panel.build`` takes, bars sorted by symbol and session."""

    bars: pl.DataFrame
    securities: pl.DataFrame
    splits: pl.DataFrame
    short_interest: pl.DataFrame
    shares: pl.DataFrame
    short_volume: pl.DataFrame
    sentiment: pl.DataFrame | None = None
    fails: pl.DataFrame | None = None

    def panel(self) -> Panel:
        return panel.build(
            self.bars,
            securities=self.securities,
            splits=self.splits,
            short_interest=self.short_interest,
            shares=self.shares,
            short_volume=self.short_volume,
            sentiment=self.sentiment,
            fails=self.fails,
        )

    def known_on(self, session: date) -> "Inputs":
        """Return what was known on the evening of a session, and nothing else.

        The end of a listing that goes on is not known, so it is cut to the session.
        """
        known = pl.col("known_on") <= sessions.cut_off(session)
        listed = self.securities.filter(pl.col("first_session") <= session)
        mood = self.sentiment
        if mood is not None:
            mood = mood.filter(pl.col("published_at") <= sessions.cut_off(session))
        return Inputs(
            bars=self.bars.filter(pl.col("session") <= session),
            securities=listed.with_columns(pl.col("last_session").clip(upper_bound=session)),
            splits=self.splits.filter(pl.col("ex_date") <= session),
            short_interest=self.short_interest.filter(known),
            shares=self.shares.filter(known),
            short_volume=self.short_volume.filter(known),
            sentiment=mood,
            fails=None if self.fails is None else self.fails.filter(known),
        )

    def bars_between(self, first: date, last: date) -> "Inputs":
        """Return a copy with the bars of some sessions only."""
        return replace(self, bars=self.bars.filter(pl.col("session").is_between(first, last)))


@dataclass(frozen=True, kw_only=True)
class Detector:
    """What is certified: the variants and what they are compared with."""

    variants: Sequence[Rules]
    references: Sequence[Reference]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What scans said of one session: frames whose first column names the row."""

    session: date
    rows: pl.DataFrame
    lists: dict[str, pl.DataFrame]


@dataclass(kw_only=True)
class Tally:
    """Differences found so far."""

    stock_days: int = 0
    values: int = 0
    differences: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, count: int, example: str) -> None:
        self.differences += count
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)


def scan(inputs: Inputs, detector: Detector, wanted: Iterable[date]) -> list[Seen]:
    """Return what scans of some sessions say, with all of ``inputs`` at hand."""
    days = sorted(wanted)
    whole = inputs.panel()
    found = replay.run(
        whole,
        variants=detector.variants,
        references=detector.references,
        first=days[0],
        last=days[-1],
    )
    return [_seen(whole, found, day) for day in days]


def _seen(whole: Panel, found: Replay, session: date) -> Seen:
    rows = np.flatnonzero(whole.session == sessions.number(session))
    table = features.of_rows(whole, rows)
    values = features.frame(whole, table).drop("session")
    pool = found.pool.table.rows
    at = np.searchsorted(pool, rows)
    inside = np.append(pool, -1)[at] == rows
    columns: dict[str, npt.NDArray[Any]] = {"rel_volume_gate": found.rel_volume[rows]}
    lists = {}
    for result in found.variants:
        name = result.rules.name
        scores = np.append(result.scores.score, np.nan)[np.where(inside, at, -1)]
        columns[f"gate {name}"] = result.code[rows]
        columns[f"score {name}"] = scores
        lists[f"candidates {name}"] = _of(result.candidates, session)
        lists[f"shadow {name}"] = _of(result.shadow, session)
        lists[f"batch {name}"] = _of(result.batches, session)
    lists["event"] = _of(found.events, session)
    return Seen(session=session, rows=values.with_columns(**columns), lists=lists)


def _of(frame: pl.DataFrame, session: date) -> pl.DataFrame:
    """Return the rows of a session, by symbol if they have one."""
    own = frame.filter(pl.col("session") == session)
    own = own.drop([name for name in (ROW, "session") if name in own.columns])
    if "symbol" in own.columns:
        return own.select("symbol", pl.exclude("symbol")).sort("symbol")
    return own.select(pl.lit("the session").alias("symbol"), pl.all())


def compare(full: Seen, cut: Seen, tally: Tally) -> None:
    """Add to ``tally`` every value and member in which two views of a session differ."""
    tally.stock_days += full.rows.height
    for name in ("stock-days", *full.lists):
        one = full.rows if name == "stock-days" else full.lists[name]
        other = cut.rows if name == "stock-days" else cut.lists[name]
        _compare(name, full.session, one, other, tally)


def _compare(name: str, session: date, full: pl.DataFrame, cut: pl.DataFrame, tally: Tally) -> None:
    for gone, where, word in (
        (full.join(cut, on="symbol", how="anti"), "later data", "added"),
        (cut.join(full, on="symbol", how="anti"), "that evening", "lost"),
    ):
        if gone.height:
            symbol = gone["symbol"][0]
            tally.note(gone.height, f"{session} {name}: {symbol} only with {where} ({word})")
    both = full.join(cut, on="symbol", how="inner", suffix=" then", maintain_order="left")
    for column in full.columns[1:]:
        one, other = both[column], both[f"{column} then"]
        tally.values += both.height
        same = _same(one, other)
        wrong = int((~same).sum())
        if wrong:
            at = int(np.flatnonzero(~same.to_numpy())[0])
            tally.note(
                wrong,
                f"{session} {name}: {both['symbol'][at]} {column} is {one[at]} with later data, "
                f"{other[at]} that evening",
            )


def _same(one: pl.Series, other: pl.Series) -> pl.Series:
    """Return where two columns hold the same; null is the same as null, NaN as NaN."""
    if one.dtype == pl.Float64 and other.dtype == pl.Float64:
        bits = one.fill_null(float("nan")).to_numpy().view(np.uint64) == other.fill_null(
            float("nan")
        ).to_numpy().view(np.uint64)
        return pl.Series(bits & (one.is_null() == other.is_null()).to_numpy())
    return one.eq_missing(other)


def sample(
    covered: Sequence[date], symbols: Sequence[int], *, stock_days: int, seed: int
) -> list[date]:
    """Return sessions spread over the data that hold at least so many stock-days.

    One session is drawn from each of equally long stretches.

    Args:
        covered: Sessions with bars, ascending.
        symbols: Bars of each.
        stock_days: Wanted; all sessions if there are fewer.
        seed: Of the draw.
    """
    random = np.random.default_rng(seed)
    size = np.asarray(symbols, dtype=np.int64)
    wanted = min(max(int(stock_days // max(size.mean(), 1)), 1), len(covered))
    while True:
        edges = np.linspace(0, len(covered), wanted + 1).astype(int)
        chosen = [int(random.integers(low, high)) for low, high in pairwise(edges)]
        if size[chosen].sum() >= stock_days or wanted == len(covered):
            return [covered[at] for at in chosen]
        wanted += 1


def certify(
    inputs: Inputs,
    detector: Detector,
    wanted: Sequence[date],
    *,
    on_session: Callable[[int], None] = lambda _done: None,
) -> Tally:
    """Compare scans from everything with scans from what was known that evening.

    Args:
        inputs: All data.
        detector: What is certified.
        wanted: Sessions, ascending.
        on_session: Told how many sessions are compared.
    """
    tally = Tally()
    for done, full in enumerate(scan(inputs, detector, wanted), 1):
        session = full.session
        oldest = sessions.day(max(sessions.number(session) + 1 - fingerprint.LOOKBACK, 0))
        cut = inputs.known_on(session).bars_between(oldest, session)
        compare(full, scan(cut, detector, [session])[0], tally)
        on_session(done)
    return tally
