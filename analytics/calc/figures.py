"""Figures as a person reads them. Fractions go in, percent signs come out, at the edge only."""

from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Protocol

MISSING = "–"  # shown where a value is not known; never 0
REASONS = {
    "insufficient_data": "insufficient data",
    "claimed": "claimed, not measured here",
    "simulated": "SIMULATED",
}
STEPS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


class Figure(Protocol):
    """What is read of an estimate (design §1)."""

    @property
    def value(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def level(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str | None: ...


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as a percentage: 0.467 is "46.7 %"."""
    if value is None or not isfinite(value):
        return MISSING
    return f"{value * 100:,.{digits}f} %"


def change(value: float | None, digits: int = 1) -> str:
    """Return a return or a difference with its sign: 3.24 is "+324.0 %"."""
    if value is None or not isfinite(value):
        return MISSING
    return f"{value * 100:+,.{digits}f} %"


def money(value: float | Decimal | None) -> str:
    """Return US dollars: cents from 1 dollar up, four decimals below."""
    if value is None or not isfinite(value):
        return MISSING
    amount = Decimal(value)
    digits = 4 if 0 < abs(amount) < 1 else 2
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{digits}f}"


def large(value: float | None) -> str:
    """Return a big count in thousands, millions or billions: 1234567 is "1.23 M"."""
    if value is None or not isfinite(value):
        return MISSING
    for size, letter in STEPS:
        if abs(value) >= size:
            return f"{value / size:,.2f} {letter}"
    return f"{value:,.0f}"


def large_money(value: float | None) -> str:
    """Return big dollar amounts: 1234567 is "$1.23 M"."""
    text = large(value)
    return text if text == MISSING else f"${text}"


def times(value: float | None) -> str:
    """Return a multiple: 20.9 is "20.9x"."""
    text = number(value)
    return text if text == MISSING else f"{text}x"


def number(value: float | None, digits: int = 1) -> str:
    """Return a plain figure with its decimals."""
    if value is None or not isfinite(value):
        return MISSING
    return f"{value:,.{digits}f}"


def count(value: int | None) -> str:
    """Return a count with thousands separated."""
    return f"{value:,}" if value is not None else MISSING


def day(value: date | None) -> str:
    """Return a session as it is written everywhere: 2024-06-28."""
    return value.isoformat() if value is not None else MISSING


def estimate(figure: Figure | None) -> str:
    """Return a share with its n and interval, or say why there is none.

    Returns:
        "12.3 % (n = 840; 95 %: 9.8 to 15.1 %)", or "insufficient data (n = 12): too few
        sessions" where no value can be given (design §1).
    """
    if figure is None:
        return "not known"
    if figure.value is None:
        said = REASONS.get(figure.status, figure.status)
        return f"{said} (n = {figure.n:,})" + (f": {figure.reason}" if figure.reason else "")
    text = f"{percent(figure.value)} (n = {figure.n:,}"
    if figure.low is not None and figure.high is not None:
        text += f"; {percent(figure.level, 0)}: {figure.low * 100:,.1f} to {percent(figure.high)}"
    else:
        text += "; no interval"
    labelled = figure.status in ("claimed", "simulated")
    return text + (f") {REASONS[figure.status]}" if labelled else ")")
