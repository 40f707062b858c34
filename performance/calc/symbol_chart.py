"""The data of a symbol's chart, as plain lists that a browser can draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from performance.calc.prices import Bar, Split

MARKER_GAP = 0.06  # share of the price that a signal stands below the low


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A signal to draw: who said it, and where it went.

    Attributes:
        says: "A #3, B #1".
        first_signal: Outcomes are drawn of these only.
        entry: Session after the signal, if there was an entry.
        best: Session of the best close within the horizon; None if not settled.
        best_return, last_return: At the best close, at the end of the horizon.
        last: Last session of the horizon; None if not settled.
    """

    session: date
    says: str
    first_signal: bool
    entry: date | None
    best: date | None
    best_return: float | None
    last: date | None
    last_return: float | None


def payload(
    bars: Sequence[Bar], splits: Sequence[Split], marks: Sequence[Mark], *, adjusted: bool
) -> dict[str, Any]:
    """Return what the chart draws, by the day of each bar.

    Candles are [open, close, low, high]; one without all four is null, and its close is
    drawn as a line. A mark on a day without a bar is left out.
    """
    places = {bar.session: at for at, bar in enumerate(bars)}
    signals: list[list[Any]] = []
    entries: list[list[Any]] = []
    bests: list[list[Any]] = []
    ends: list[list[Any]] = []
    for mark in marks:
        if mark.session in places:
            bar = bars[places[mark.session]]
            low = bar.low if bar.low is not None else bar.close
            signals.append([mark.session.isoformat(), low * (1 - MARKER_GAP), mark.says])
        if not mark.first_signal:
            continue
        if mark.entry in places:
            bar = bars[places[mark.entry]]
            if bar.open is not None:
                entries.append([mark.entry.isoformat(), bar.open, mark.session.isoformat()])
        for day, value, kept in (
            (mark.best, mark.best_return, bests),
            (mark.last, mark.last_return, ends),
        ):
            if day in places and value is not None:
                kept.append([day.isoformat(), bars[places[day]].close, value])
    return {
        "days": [bar.session.isoformat() for bar in bars],
        "candles": [_candle(bar) for bar in bars],
        "closes": [None if _candle(bar) else bar.close for bar in bars],
        "volumes": [bar.volume for bar in bars],
        "up": [bar.open is None or bar.close >= bar.open for bar in bars],
        "signals": signals,
        "entries": entries,
        "bests": bests,
        "ends": ends,
        "splits": [
            [_on_or_after(split.ex_date, bars), split.words]
            for split in splits
            if _on_or_after(split.ex_date, bars)
        ],
        "adjusted": adjusted,
    }


def describe(symbol: str, bars: Sequence[Bar], marks: Sequence[Mark], *, adjusted: bool) -> str:
    """Return what the chart shows, in words, for those who do not see it."""
    if not bars:
        return f"No bars of {symbol} in this range."
    highest, lowest = max(bar.close for bar in bars), min(bar.close for bar in bars)
    basis = "adjusted for splits" if adjusted else "raw as traded"
    drawn = sum(bars[0].session <= mark.session <= bars[-1].session for mark in marks)
    return (
        f"Daily candles and volume of {symbol}, {basis}, {bars[0].session} to "
        f"{bars[-1].session}: {len(bars)} sessions, closes between {lowest:.2f} and "
        f"{highest:.2f} dollars, the last at {bars[-1].close:.2f}; {drawn} sessions with a "
        f"signal. The table below has the same numbers."
    )


def _candle(bar: Bar) -> list[float] | None:
    if bar.open is None or bar.high is None or bar.low is None:
        return None
    return [bar.open, bar.close, bar.low, bar.high]


def _on_or_after(day: date, bars: Sequence[Bar]) -> str | None:
    return next((bar.session.isoformat() for bar in bars if bar.session >= day), None)
