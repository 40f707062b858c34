"""What candidates were worth, pooled over sessions: rates, lifts, capture, quality (design §8).

Everything is computed from counts of complete sessions (those whose 14 sessions after are
covered), so that no rate mixes sessions that have settled with sessions that have not.
"""

from dataclasses import dataclass
from datetime import date
from math import log

import numpy as np
import numpy.typing as npt

from analytics.calc import evidence, intervals
from analytics.calc.evidence import Estimate
from analytics.calc.intervals import Pooled

LIFT_POINTS, POSITIVE_POINTS, CAPTURE_POINTS, COVERAGE_POINTS = 40.0, 30.0, 20.0, 10.0
FULL_LIFT = 5.0  # times the base that earns all points; 1x earns none
POSITIVE_RANGE = (0.30, 0.73)  # share of picks up after 14 sessions
FULL_CAPTURE = 0.50  # share of winner episodes
QUALITY_TARGET = 85.0  # the mission's; hindsight scored 81 in 2022-23

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Picked:
    """Counts of one way of picking, one value per session, in order of time.

    Attributes:
        settled: Picks with a known outcome.
        explosive, positive: Of them.
        covered: Sum of the coverage of all picks.
        picks: All picks that ``covered`` sums over.
        episodes_captured: Winner episodes that began in the session and were captured.
    """

    settled: Floats
    explosive: Floats
    positive: Floats
    covered: Floats
    picks: Floats
    episodes_captured: Floats


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts of the complete sessions of one variant, in order of time.

    Attributes:
        ranked: The candidates, all of them.
        drawn: A random draw from the gate.
        best: The best three of hindsight.
        returns: Sum of ``return_14`` of the candidates.
        first_settled, first_explosive, first_positive, first_returns: First signals only.
        base_n, base_explosive, base_positive: The base universe.
        by_decile: Shape (sessions, 10, 6): settled, explosive, first settled, first explosive,
            base, base explosive.
        episodes: Winner episodes that began.
        winner_days, winner_days_captured: Explosive stock-days.
    """

    ranked: Picked
    drawn: Picked
    best: Picked
    returns: Floats
    explosive_held: Floats
    first_settled: Floats
    first_explosive: Floats
    first_positive: Floats
    first_returns: Floats
    base_n: Floats
    base_explosive: Floats
    base_positive: Floats
    by_decile: Floats
    episodes: Floats
    winner_days: Floats
    winner_days_captured: Floats


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What became of a set of candidates."""

    explosive: Estimate
    positive_14: Estimate
    mean_return_14: Estimate
    lift: Estimate
    matched_lift: Estimate


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The discovery quality score, 0-100, with its parts in points (design §8)."""

    score: Estimate
    lift_points: Estimate
    positive_points: Estimate
    capture_points: Estimate
    coverage_points: Estimate
    random: Estimate
    hindsight: Estimate
    skill: Estimate


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All pooled figures of one variant over one window."""

    sessions: int
    first_signals: Rates
    all_rows: Rates
    explosive_held: Estimate
    base_explosive: Estimate
    base_positive_14: Estimate
    capture: Estimate
    stock_day_recall: Estimate
    quality: Quality


def figures(tally: Tally, *, source: str, as_of: date | None) -> Figures:
    """Return every figure of one variant; those that the data do not carry say why."""
    ranked, decile = tally.ranked, tally.by_decile
    base = intervals.ratio(tally.base_explosive, tally.base_n)
    return Figures(
        sessions=int(np.count_nonzero(ranked.settled)),
        first_signals=_rates(
            tally.first_settled,
            tally.first_explosive,
            tally.first_positive,
            tally.first_returns,
            base,
            (decile[:, :, 2], decile[:, :, 3], decile[:, :, 4], decile[:, :, 5]),
            source,
            as_of,
        ),
        all_rows=_rates(
            ranked.settled,
            ranked.explosive,
            ranked.positive,
            tally.returns,
            base,
            (decile[:, :, 0], decile[:, :, 1], decile[:, :, 4], decile[:, :, 5]),
            source,
            as_of,
        ),
        explosive_held=evidence.rate_estimate(
            intervals.ratio(tally.explosive_held, ranked.settled), source=source, as_of=as_of
        ),
        base_explosive=evidence.rate_estimate(base, source=source, as_of=as_of),
        base_positive_14=evidence.rate_estimate(
            intervals.ratio(tally.base_positive, tally.base_n), source=source, as_of=as_of
        ),
        capture=_capture_estimate(ranked.episodes_captured, tally.episodes, tally, source, as_of),
        stock_day_recall=_capture_estimate(
            tally.winner_days_captured, tally.winner_days, tally, source, as_of
        ),
        quality=quality(tally, source=source, as_of=as_of),
    )


def _rates(
    settled: Floats,
    explosive: Floats,
    positive: Floats,
    returns: Floats,
    base: Pooled | None,
    deciles: tuple[Floats, Floats, Floats, Floats],
    source: str,
    as_of: date | None,
) -> Rates:
    rate = intervals.ratio(explosive, settled)
    in_decile, hits, base_n, base_hits = deciles
    matched_rate = intervals.ratio(hits.sum(axis=1), in_decile.sum(axis=1))
    matched = intervals.matched_base(in_decile, base_n, base_hits)
    return Rates(
        explosive=evidence.rate_estimate(rate, source=source, as_of=as_of),
        positive_14=evidence.rate_estimate(
            intervals.ratio(positive, settled), source=source, as_of=as_of
        ),
        mean_return_14=evidence.mean_estimate(
            intervals.ratio(returns, settled), source=source, as_of=as_of
        ),
        lift=evidence.lift_estimate(rate, base, source=source, as_of=as_of),
        matched_lift=evidence.lift_estimate(matched_rate, matched, source=source, as_of=as_of),
    )


def _capture_estimate(
    captured: Floats, whole: Floats, tally: Tally, source: str, as_of: date | None
) -> Estimate:
    """Give a share of winners; refused by settled sessions, not by sessions with a winner."""
    pooled = _of_settled(intervals.ratio(captured, whole), tally)
    return evidence.rate_estimate(pooled, source=source, as_of=as_of)


def _of_settled(pooled: Pooled | None, tally: Tally) -> Pooled | None:
    if pooled is None:
        return None
    return Pooled(
        value=pooled.value,
        n=pooled.n,
        influence=pooled.influence,
        settled_sessions=int(np.count_nonzero(tally.ranked.settled)),
    )


def quality(tally: Tally, *, source: str, as_of: date | None) -> Quality:
    """Return the quality score with its parts, and what chance and hindsight would score.

    All three are taken over the same sessions and over all rows of a session, for a random
    draw has no first signals.

    Source: design §8, "Discovery quality score".
    """
    parts = _parts(tally.ranked, tally)
    own, drawn, best = (
        _sum(_parts(picked, tally)) for picked in (tally.ranked, tally.drawn, tally.best)
    )
    lift, positive, captured, coverage = (
        evidence.mean_estimate(part, source=source, as_of=as_of)
        for part in parts or (None, None, None, None)
    )
    return Quality(
        score=evidence.mean_estimate(own, source=source, as_of=as_of),
        lift_points=lift,
        positive_points=positive,
        capture_points=captured,
        coverage_points=coverage,
        random=evidence.mean_estimate(drawn, source=source, as_of=as_of),
        hindsight=evidence.mean_estimate(best, source=source, as_of=as_of),
        skill=_skill(own, drawn, best, source, as_of),
    )


def _parts(picked: Picked, tally: Tally) -> tuple[Pooled, Pooled, Pooled, Pooled] | None:
    """Return the points of lift, positive share, capture and coverage; None without data."""
    rate = intervals.ratio(picked.explosive, picked.settled)
    base = intervals.ratio(tally.base_explosive, tally.base_n)
    positive = intervals.ratio(picked.positive, picked.settled)
    captured = _of_settled(intervals.ratio(picked.episodes_captured, tally.episodes), tally)
    coverage = intervals.ratio(picked.covered, picked.picks)
    if rate is None or base is None or base.value <= 0:
        return None
    if positive is None or captured is None or coverage is None:
        return None
    lift = intervals.log_lift(rate, base) or _fixed(float("-inf"), rate)
    low, high = POSITIVE_RANGE
    return (
        _points(lift, LIFT_POINTS / log(FULL_LIFT), 0.0, LIFT_POINTS),
        _points(positive, POSITIVE_POINTS / (high - low), low, POSITIVE_POINTS),
        _points(captured, CAPTURE_POINTS / FULL_CAPTURE, 0.0, CAPTURE_POINTS),
        _points(coverage, COVERAGE_POINTS, 0.0, COVERAGE_POINTS),
    )


def _points(part: Pooled, slope: float, zero: float, most: float) -> Pooled:
    """Return slope times (part - zero), kept between 0 and ``most``."""
    points = slope * (part.value - zero)
    if points <= 0 or points >= most:
        return _fixed(min(max(points, 0.0), most), part)
    return intervals.combine([(slope, part)], constant=-slope * zero)


def _fixed(value: float, like: Pooled) -> Pooled:
    return Pooled(
        value=value,
        n=like.n,
        influence=np.zeros_like(like.influence),
        settled_sessions=like.settled_sessions,
    )


def _sum(parts: tuple[Pooled, ...] | None) -> Pooled | None:
    return intervals.combine([(1.0, part) for part in parts]) if parts else None


def _skill(
    own: Pooled | None, drawn: Pooled | None, best: Pooled | None, source: str, as_of: date | None
) -> Estimate:
    """Give (Q - Q_random) / (Q_hindsight - Q_random)."""
    if own is None or drawn is None or best is None:
        return evidence.insufficient(n=0, reason="nothing has settled", source=source, as_of=as_of)
    room = best.value - drawn.value
    if room <= 0:
        return evidence.insufficient(
            n=own.n, reason="hindsight is no better than chance", source=source, as_of=as_of
        )
    skill = (own.value - drawn.value) / room
    pooled = intervals.combine(
        [(1 / room, own), ((skill - 1) / room, drawn), (-skill / room, best)]
    )
    pooled = Pooled(
        value=skill,
        n=own.n,
        influence=pooled.influence,
        settled_sessions=pooled.settled_sessions,
    )
    return evidence.mean_estimate(pooled, source=source, as_of=as_of)
