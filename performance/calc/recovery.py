"""How far the recovery is, and when it might be there (design §12).

Progress compares three figures with the claimed baseline. The projection is a straight line
through the progress of weekly cohorts of entries, with a bootstrap of what it leaves over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, inf, isfinite

import numpy as np
import numpy.typing as npt

from analytics.calc.evidence import Estimate
from performance.calc.metrics import EXPLOSIVE, Trades

RECOVERED = 0.90  # progress at which the recovery is reached
FEWEST_COHORTS = 26  # entry weeks that a projection needs
BLOCK = 4  # weeks of a block of residuals
DRAWS, SEED = 2000, 12
SURE = 0.975  # share of the slopes that must rise before a date is named
QUANTILES = (0.10, 0.50, 0.90)
LATEST = date(2100, 1, 1)  # a date after it is no date

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of the figures that progress is made of. All fractions.

    Attributes:
        name: Of the figure.
        weight: In the progress.
        floor: Where progress is 0.
        baseline: Where it is 1: claimed.
    """

    name: str
    weight: float
    floor: float
    baseline: float

    def __post_init__(self) -> None:
        if not self.floor < self.baseline:
            raise ValueError(f"{self.name}: a baseline of {self.baseline} is not above the floor")

    def of(self, value: float) -> float:
        """Return progress from floor to baseline, not clipped."""
        return (value - self.floor) / (self.baseline - self.floor)


def parts(*, average_return: float, win_rate: float, explosive_rate: float) -> tuple[Part, ...]:
    """Return what progress is made of, for a baseline of these fractions."""
    return (
        Part(name="average_return", weight=0.5, floor=-1.0, baseline=average_return),
        Part(name="win_rate", weight=0.2, floor=0.0, baseline=win_rate),
        Part(name="explosive_growth_rate", weight=0.3, floor=0.0, baseline=explosive_rate),
    )


def progress(values: Mapping[str, float], of: Sequence[Part]) -> float:
    """Return the weighted progress, each part clipped to 0 to 1."""
    return sum(part.weight * min(1.0, max(0.0, part.of(values[part.name]))) for part in of)


def unclipped(values: Mapping[str, float], of: Sequence[Part]) -> float:
    """Return the weighted progress without clipping, which a trend can be laid through."""
    return sum(part.weight * part.of(values[part.name]) for part in of)


@dataclass(frozen=True, kw_only=True)
class Projection:
    """When the line through the cohorts reaches the goal.

    Attributes:
        cohorts: Entry weeks with trades.
        slope: Progress a week (Theil-Sen); None with too few cohorts.
        rising: Share of the bootstrapped slopes above 0.
        projected: Date of the middle draw; None without one that may be named.
        early, late: Of the 10 and 90 % draws; None where they never get there.
        reason: Why there is no date, or what to think of it.
    """

    cohorts: int
    slope: float | None
    rising: float | None
    projected: date | None
    early: date | None
    late: date | None
    reason: str


def weekly(trades: Trades, weeks: npt.NDArray[np.int64], of: Sequence[Part]) -> tuple[Floats, ...]:
    """Return the weeks in which trades began, ascending, and the unclipped progress of each.

    Args:
        trades: Each counts in the week of its entry only, so cohorts do not overlap.
        weeks: Number of the week of each entry.
        of: Parts of the progress.
    """
    found, place = np.unique(weeks, return_inverse=True)
    count = np.bincount(place, minlength=found.size).astype(np.float64)
    means = {
        "average_return": np.bincount(place, weights=trades.returns, minlength=found.size),
        "win_rate": np.bincount(place, weights=trades.returns > 0, minlength=found.size),
        "explosive_growth_rate": np.bincount(
            place, weights=trades.returns > EXPLOSIVE, minlength=found.size
        ),
    }
    level = np.zeros(found.size)
    for part in of:
        shares = means[part.name] / np.maximum(count, 1)
        level += part.weight * (shares - part.floor) / (part.baseline - part.floor)
    return found.astype(np.float64), level


def theil_sen(weeks: Floats, level: Floats) -> tuple[float, float]:
    """Return slope and intercept: the median of the slopes of all pairs, and of what is left.

    Source:
        Sen 1968, J. Am. Stat. Assoc. 63, 1379. At least two different weeks.
    """
    slope = float(np.median(_slopes(weeks, level[None, :])[0]))
    return slope, float(np.median(level - slope * weeks))


def project(weeks: Floats, level: Floats, *, monday: date, newest: date) -> Projection:
    """Return when the line through the cohorts reaches :data:`RECOVERED`.

    Residuals are drawn in circular blocks of :data:`BLOCK` cohorts; a draw whose slope does not
    rise never gets there, and is kept as such in the quantiles. The seed is fixed.

    Args:
        weeks: Number of each cohort's week, ascending.
        level: Unclipped progress of each.
        monday: First day of week 0.
        newest: Today's session: nothing is projected to before it.
    """
    count = int(weeks.size)
    if count < FEWEST_COHORTS:
        few = f"{count} entry weeks with trades, {FEWEST_COHORTS} are needed"
        return _without(count, None, None, few)
    slope, start = theil_sen(weeks, level)
    slopes, starts = _drawn(weeks, start + slope * weeks, level - start - slope * weeks)
    rising = float(np.mean(slopes > 0))
    if rising < SURE:
        unsure = f"{rising:.0%} of bootstrapped slopes rise, {SURE:.1%} must"
        return _without(count, slope, rising, unsure)
    with np.errstate(divide="ignore", invalid="ignore"):
        arrive = np.where(slopes > 0, (RECOVERED - starts) / slopes, inf)
    early, middle, late = (
        _day(week, monday, newest) for week in np.quantile(arrive, QUANTILES, method="higher")
    )
    if middle is None:
        return _without(count, slope, rising, "the middle draw does not arrive before 2100")
    return Projection(
        cohorts=count,
        slope=slope,
        rising=rising,
        projected=middle,
        early=early,
        late=late,
        reason="exploratory: a straight line through past cohorts, 10 to 90 % of draws",
    )


def _without(count: int, slope: float | None, rising: float | None, reason: str) -> Projection:
    return Projection(
        cohorts=count,
        slope=slope,
        rising=rising,
        projected=None,
        early=None,
        late=None,
        reason=reason,
    )


def _drawn(weeks: Floats, line: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """Return slopes and intercepts of the line with residuals drawn anew."""
    chance = np.random.default_rng(SEED)
    count = weeks.size
    begins = chance.integers(0, count, (DRAWS, ceil(count / BLOCK)))
    places = ((begins[:, :, None] + np.arange(BLOCK)) % count).reshape(DRAWS, -1)[:, :count]
    drawn = line + rest[places]
    found = np.empty(DRAWS)
    for begin in range(0, DRAWS, 100):  # bounds the memory of all pairs
        part = slice(begin, begin + 100)
        found[part] = np.median(_slopes(weeks, drawn[part]), axis=1)
    starts: Floats = np.median(drawn - found[:, None] * weeks, axis=1)
    return found, starts


def _slopes(weeks: Floats, level: Floats) -> Floats:
    """Return the slopes of all pairs of cohorts, one row per row of ``level``."""
    first, second = np.triu_indices(weeks.size, 1)
    slopes: Floats = (level[:, second] - level[:, first]) / (weeks[second] - weeks[first])
    return slopes


def _day(week: float, monday: date, newest: date) -> date | None:
    if not isfinite(week) or week * 7 > (LATEST - monday).days:
        return None
    return max(newest, monday + timedelta(days=ceil(week * 7)))


def status(progress: float | None, projected: date | None, ends: date | None) -> str:
    """Return the recovery's status (design §12).

    Args:
        progress: Clipped; None with insufficient data.
        projected: Projected date; None if none can be named.
        ends: Last day of the roadmap; None if it has not begun.
    """
    if progress is None:
        return "INSUFFICIENT_DATA"
    if progress >= RECOVERED:
        return "RECOVERED"
    on_track = projected is not None and ends is not None and projected <= ends
    return "ON_TRACK" if on_track else "BEHIND_SCHEDULE"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the alert level looks at; fractions, scores 0 to 100; None: insufficient data."""

    win_rate: float | None
    average_return: float | None
    explosive_rate: float | None
    discovery_quality: float | None
    thesis_accuracy: float | None
    timing_score: float | None
    health_score: float | None


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The mission's targets, all claimed: three from the baseline, four of system health."""

    win_rate: float
    average_return: float
    explosive_rate: float
    discovery_quality: float = 85.0
    thesis_accuracy: float = 0.73
    timing_score: float = 90.0
    health_score: float = 90.0


CRITICAL_WIN_RATE, CRITICAL_RETURN = 0.40, -0.15
WARNING_QUALITY, WARNING_ACCURACY = 70.0, 0.60


def alert_level(now: Standing, targets: Targets) -> tuple[str, list[str]]:
    """Return the alert level and the conditions behind it (design §12).

    What is known decides: one figure in the critical range is CRITICAL whatever else is
    missing. Without win rate or average return nothing else can be said: UNKNOWN.
    """
    found = _below(("win rate", now.win_rate, CRITICAL_WIN_RATE, True),
                   ("average return", now.average_return, CRITICAL_RETURN, True))  # fmt: skip
    if found:
        return "CRITICAL", found
    if now.win_rate is None or now.average_return is None:
        return "UNKNOWN", ["win rate and average return have insufficient data"]
    found = _below(("discovery quality", now.discovery_quality, WARNING_QUALITY, False),
                   ("thesis accuracy", now.thesis_accuracy, WARNING_ACCURACY, True))  # fmt: skip
    if found:
        return "WARNING", found
    missed = [
        name.replace("_", " ")
        for name in targets.__dataclass_fields__
        if not _reaches(getattr(now, name), getattr(targets, name), name)
    ]
    if missed:
        return "BELOW_TARGET", [f"not at target: {', '.join(missed)}"]
    return "GOOD", ["every target of the mission is met"]


def _below(*figures: tuple[str, float | None, float, bool]) -> list[str]:
    return [
        f"{name} {_said(value, share)} is below {_said(limit, share)}"
        for name, value, limit, share in figures
        if value is not None and value < limit
    ]


def _said(value: float, share: bool) -> str:
    return f"{value * 100:.1f} %" if share else f"{value:.1f}"


def _reaches(value: float | None, target: float, name: str) -> bool:
    """Whether a target is met: the three of the baseline are reached, the others exceeded."""
    if value is None:
        return False
    reached = name in {"win_rate", "average_return", "explosive_rate"}
    return value >= target if reached else value > target


def gap(current: Estimate, baseline: float) -> float | None:
    """Return average return less the baseline's, a fraction; None with insufficient data."""
    return None if current.value is None else current.value - baseline
