"""Bars as a chart shows them: raw as traded, or on the basis of the last bar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One session of one symbol. Prices [USD]; None where the source gave none."""

    session: date
    open: float | None
    high: float | None
    low: float | None
    close: float
    volume: float


@dataclass(frozen=True, kw_only=True)
class Split:
    """New shares per old one from ``ex_date`` on: 2.0 is 2-for-1, 0.1 is 1-for-10 reverse."""

    ex_date: date
    ratio: float

    @property
    def words(self) -> str:
        if self.ratio >= 1:
            return f"{round(self.ratio, 3):g}-for-1 split"
        return f"1-for-{round(1 / self.ratio, 3):g} reverse split"


def factors(days: Sequence[date], splits: Sequence[Split]) -> list[float]:
    """Return, for each day, the new shares that one share of that day has become.

    Args:
        days: Ascending.
        splits: Of this listing; those after the last day have no effect.
    """
    if not days:
        return []
    last = days[-1]
    counted = sorted((s for s in splits if s.ex_date <= last), key=lambda s: s.ex_date)
    found, factor = [], 1.0
    for day in reversed(days):
        while counted and counted[-1].ex_date > day:
            factor *= counted.pop().ratio
        found.append(factor)
    return found[::-1]


def adjusted(bars: Sequence[Bar], splits: Sequence[Split]) -> list[Bar]:
    """Return the bars on the share basis of the last one: price over, volume times the factor."""
    by_day = factors([bar.session for bar in bars], splits)
    return [
        replace(
            bar,
            open=_over(bar.open, factor),
            high=_over(bar.high, factor),
            low=_over(bar.low, factor),
            close=bar.close / factor,
            volume=bar.volume * factor,
        )
        for bar, factor in zip(bars, by_day, strict=True)
    ]


def _over(price: float | None, factor: float) -> float | None:
    return None if price is None else price / factor
