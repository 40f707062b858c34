"""Purged, embargoed walk-forward of the learned variant over stock-days with outcomes (§17).

Looks at outcomes: no line of the detector reaches this module.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from analytics.calc import intervals, learned_features, learned_fit, learned_model, market, sessions
from analytics.calc import panel as panels
from analytics.calc.learned_designs import Design
from analytics.calc.learned_fit import TooLittle
from analytics.calc.learned_model import Model
from analytics.calc.panel import Flags, Floats, Ints, Longs, Panel

WINDOW = 14  # sessions after which a stock-day has settled
EMBARGO = 5  # sessions more between the last outcome fitted on and the first session scored
THIN = 4  # of the stock-days that were not explosive, one in so many is fitted on
RECENT = 504  # sessions whose answers calibrate the next model
TOP = 10
BINS = 10  # of a calibration curve, equally many stock-days in each


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The base universe (§8) with its evidence and what became of it.

    Attributes:
        number: Session of each stock-day.
        symbol: Ticker of each, as a position in ``symbols``.
        symbols: Ascending.
        values: [``learned_features.NAMES``, n]; NaN is null.
        known: Whether the outcome counts in a rate.
        explosive: Where known.
        return_14: NaN where not known.
    """

    number: Ints
    symbol: Ints
    symbols: list[str]
    values: Floats
    known: Flags
    explosive: Flags
    return_14: Floats

    def read(self, names: Sequence[str], at: Longs) -> Floats:
        """Return the values of some features on the stock-days ``at``."""
        named = np.array([learned_features.NAMES.index(name) for name in names], np.int64)
        return self.values[np.ix_(named, at)]

    def until(self, last: int) -> "Samples":
        """Return the stock-days whose windows end by session ``last``: nothing later is seen."""
        kept = self.number + WINDOW <= last
        return Samples(
            number=self.number[kept],
            symbol=self.symbol[kept],
            symbols=self.symbols,
            values=self.values[:, kept],
            known=self.known[kept],
            explosive=self.explosive[kept],
            return_14=self.return_14[kept],
        )


def samples(panel: Panel, *, numbers: Ints, reach: Ints) -> Samples:
    """Return the base universe of sessions ``numbers``.

    Args:
        panel: Reaching ``fingerprint.LOOKBACK`` sessions back and 14 past the last, where
            there are bars.
        numbers: Sessions, ascending.
        reach: See ``outcomes.coverage``.
    """
    seen = market.view(panel, reach=reach, numbers=numbers, extra=np.empty(0, np.int64))
    rows = seen.base
    return Samples(
        number=panel.session[rows],
        symbol=panel.segment_symbol[panels.row_segments(panel, rows)],
        symbols=list(panel.symbols),
        values=learned_features.of_rows(panel, rows),
        known=seen.lean.known[rows],
        explosive=seen.lean.explosive[rows],
        return_14=seen.lean.return_14[rows],
    )


def refits(covered: Ints) -> list[int]:
    """Return the first covered session of each month but the first: when a model is renewed."""
    months = sessions.calendar()[covered].astype("datetime64[M]")
    first = np.concatenate([[False], months[1:] != months[:-1]])
    return [int(number) for number in covered[first]]


def settled_before(rows: Samples, first_scored: int) -> Flags:
    """Return the stock-days that a model scoring from ``first_scored`` on may have seen.

    Their windows ended ``EMBARGO`` sessions and more before it.
    """
    seen: Flags = rows.known & (rows.number + WINDOW + EMBARGO < first_scored)
    return seen


def thinned(rows: Samples) -> Flags:
    """Return all explosive stock-days and one in ``THIN`` of the others, the same ever after."""
    code = np.array([crc32(symbol.encode()) for symbol in rows.symbols], np.int64)
    drawn: Flags = (code[rows.symbol] + rows.number) % THIN == 0
    return drawn | rows.explosive


@dataclass(frozen=True, kw_only=True)
class Step:
    """One model of a walk-forward.

    Attributes:
        fit: As stored.
        calibration: ``slope`` and ``intercept``, from answers given before.
        first, last: Sessions fitted on.
        rows, explosive: Their stock-days, before thinning.
        calibrated_on: Stock-days that the calibration was made of.
    """

    usable_from: int
    fit: learned_fit.Fit
    calibration: dict[str, float]
    first: int
    last: int
    rows: int
    explosive: int
    calibrated_on: int

    def model(self) -> Model:
        return learned_model.load(
            kind=self.fit.kind,
            usable_from=self.usable_from,
            features=self.fit.features,
            parameters=self.fit.parameters,
            calibration=self.calibration,
        )


def step(rows: Samples, raw: Floats, design: Design, usable_from: int) -> Step:
    """Fit the model that scores from session ``usable_from`` on.

    Args:
        rows: All stock-days; those not settled by then are not looked at.
        raw: Log-odds that earlier models gave out of sample; NaN where none did.

    Raises:
        TooLittle: Too few settled stock-days.
    """
    may_see = settled_before(rows, usable_from)
    if design.sessions is not None:
        may_see &= rows.number >= usable_from - design.sessions
    used = may_see & thinned(rows)
    explosive = rows.explosive[used]
    fit = learned_fit.fit(
        rows.read(design.features, np.flatnonzero(used)),
        explosive,
        np.where(explosive, 1.0, float(THIN)),
        design,
    )
    answered = settled_before(rows, usable_from) & ~np.isnan(raw)
    answered &= rows.number >= usable_from - RECENT
    calibration = (
        learned_fit.calibration(raw[answered], rows.explosive[answered])
        if answered.any()
        else {"slope": 1.0, "intercept": 0.0}
    )
    seen = rows.number[may_see]
    return Step(
        usable_from=usable_from,
        fit=fit,
        calibration=calibration,
        first=int(seen.min()),
        last=int(seen.max()),
        rows=int(may_see.sum()),
        explosive=int(rows.explosive[may_see].sum()),
        calibrated_on=int(answered.sum()),
    )


def answer(rows: Samples, model: Model, until: int, raw: Floats, probability: Floats) -> None:
    """Fill ``raw`` and ``probability`` of the sessions from the model's first up to ``until``."""
    at = np.flatnonzero((rows.number >= model.usable_from) & (rows.number < until))
    raw[at] = learned_fit.raw(model, rows.read(model.features, at))
    probability[at] = learned_model.probability(model, raw[at])


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A whole walk-forward.

    Attributes:
        steps: By session, those that could be made.
        raw, probability: Of each stock-day by the model usable on its day; NaN without one.
    """

    steps: list[Step]
    raw: Floats
    probability: Floats


def run(
    rows: Samples,
    design: Design,
    *,
    when: Sequence[int],
    on_step: Callable[[int], None] = lambda _done: None,
) -> Walk:
    """Fit at each of the sessions ``when`` and score up to the next one.

    Args:
        when: Sessions on which a new model comes into use, ascending.
        on_step: Told how many are done.
    """
    raw, probability = np.full(rows.number.size, np.nan), np.full(rows.number.size, np.nan)
    steps: list[Step] = []
    for done, (first, until) in enumerate(zip(when, [*when[1:], 2**30], strict=True), 1):
        try:
            made = step(rows, raw, design, first)
        except TooLittle:
            if steps:
                answer(rows, steps[-1].model(), until, raw, probability)
            continue
        answer(rows, made.model(), until, raw, probability)
        steps.append(made)
        on_step(done)
    return Walk(steps=steps, raw=raw, probability=probability)


def best(rows: Samples, score: Floats, *, top: int, least_volume: float = 0.0) -> Longs:
    """Return the ``top`` stock-days of each session by score, then symbol; NaN is left out."""
    taking = ~np.isnan(score)
    if least_volume > 0:
        taking &= rows.values[learned_features.NAMES.index("rel_volume")] >= least_volume
    at = np.flatnonzero(taking)
    at = at[np.lexsort((rows.symbol[at], -score[at], rows.number[at]))]
    number = rows.number[at]
    start = np.searchsorted(number, number, side="left")
    chosen: Longs = at[np.arange(at.size) - start < top]
    return chosen


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What picks came to: rates, and the session means that intervals need.

    Attributes:
        n: Settled picks.
        precision: Explosive among them; None without one.
        base: Explosive among the base universe of the same sessions.
        mean_return: Mean ``return_14``, before costs.
        low, high: Interval of the precision (design §1); None under 60 sessions.
    """

    n: int
    precision: float | None
    base: float | None
    mean_return: float | None
    low: float | None
    high: float | None


def figures(rows: Samples, picks: Longs, *, among: Flags) -> Figures:
    """Return what the picks inside ``among`` came to, beside the base universe inside it."""
    chosen = picks[among[picks] & rows.known[picks]]
    base = among & rows.known
    if not chosen.size:
        return Figures(n=0, precision=None, base=None, mean_return=None, low=None, high=None)
    days = np.unique(rows.number[base])
    place = np.searchsorted(days, rows.number[chosen])
    counts = np.bincount(place, minlength=days.size).astype(np.float64)
    hits: Floats = np.bincount(
        place, weights=rows.explosive[chosen].astype(np.float64), minlength=days.size
    ).astype(np.float64)
    pooled = intervals.ratio(hits, counts)
    bounds: tuple[float | None, float | None] = (None, None)
    if pooled is not None and pooled.settled_sessions >= 60:
        bounds = intervals.rate_bounds(pooled)
    return Figures(
        n=int(chosen.size),
        precision=float(rows.explosive[chosen].mean()),
        base=float(rows.explosive[base].mean()),
        mean_return=float(rows.return_14[chosen].mean()),
        low=bounds[0],
        high=bounds[1],
    )


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Calibration by bins of equally many stock-days, and its weighted mean error."""

    said: list[float]
    came: list[float]
    n: list[int]
    error: float | None


def curve(probability: Floats, explosive: Flags) -> Curve:
    """Return the calibration curve of settled stock-days; empty under ``BINS`` of them."""
    if probability.size < BINS:
        return Curve(said=[], came=[], n=[], error=None)
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, BINS)
    said = [float(probability[part].mean()) for part in parts]
    came = [float(explosive[part].mean()) for part in parts]
    size = [int(part.size) for part in parts]
    gaps = np.abs(np.array(said) - np.array(came))
    return Curve(said=said, came=came, n=size, error=float(gaps @ size / sum(size)))


def described(rows: Samples, walk_probability: Floats, *, among: Flags) -> dict[str, Any]:
    """Return the out-of-sample figures of a stretch as plain values for a model card."""
    scored = among & ~np.isnan(walk_probability)
    settled = scored & rows.known
    picks = best(rows, np.where(scored, walk_probability, np.nan), top=TOP)
    found = figures(rows, picks, among=scored)
    drawn = curve(walk_probability[settled], rows.explosive[settled])
    numbers: npt.NDArray[np.int32] = rows.number[settled]
    span: list[date] = (
        [sessions.day(int(at)) for at in (numbers.min(), numbers.max())] if (numbers.size) else []
    )
    return {
        "sessions": [day.isoformat() for day in span],
        "stock_days": int(settled.sum()),
        "top": TOP,
        "picks": found.n,
        "precision": found.precision,
        "precision_low": found.low,
        "precision_high": found.high,
        "base_rate": found.base,
        "mean_return_14": found.mean_return,
        "calibration_error": drawn.error,
        "calibration": {"said": drawn.said, "came": drawn.came, "n": drawn.n},
    }
