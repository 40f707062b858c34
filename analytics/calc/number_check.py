"""Every figure in a text against what its author was given (design §9).

A figure is supported if a known value, rounded as the text rounds, gives it: "12%" stands for a
share of 0.118, "$3.1" for a price of 3.08, "4.9 million" for 4,870,000. Numbers in words are not
looked at, nor are digits inside words ("8-K", "Q2"). A date must be one of the known dates.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

UNSUPPORTED: Final = "[unsupported: {}]"
SCALES: Final = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9,
                 "billion": 1e9}  # fmt: skip
_FIGURE: Final = re.compile(
    r"(?P<date>\b\d{4}-\d{2}-\d{2}\b)"
    r"|(?<![\w.,])(?P<sign>[-+\u2212](?=[$\d.]))?(?P<usd>\$)?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:(?P<after>\s?(?:%|percent\b|x\b|times\b|thousand\b|million\b|billion\b|bn\b|[kKmMbB]\b)))?"
    r"(?!\w|-[A-Z]|\.\d)"
)
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s|$)|\n")


class Unit(StrEnum):
    """What a known value is measured in; a figure with a sign of its unit must match it."""

    USD = "usd"
    SHARE = "share"  # a fraction, which a text may write as a percentage
    TIMES = "times"
    SCORE = "score"  # 0 to 100
    NUMBER = "number"


@dataclass(frozen=True)
class Fact:
    """A value that the author was given, and its unit."""

    value: float
    unit: Unit = Unit.NUMBER


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure in a text: where it stands, how it reads, whether it is known."""

    start: int
    end: int
    text: str
    supported: bool


def check(text: str, *, facts: Sequence[Fact], dates: Iterable[str] = ()) -> list[Figure]:
    """Return the figures of ``text`` in their order.

    Args:
        text: Anything.
        facts: Known values.
        dates: Known dates, YYYY-MM-DD.
    """
    known = set(dates)
    found = []
    for match in _FIGURE.finditer(text):
        supported = match["date"] in known if match["date"] else _is_known(match, facts)
        found.append(
            Figure(start=match.start(), end=match.end(), text=match[0].strip(), supported=supported)
        )
    return found


def marked(text: str, unsupported: Iterable[tuple[int, int]]) -> str:
    """Return ``text`` with a mark behind each sentence that has unsupported figures.

    Args:
        text: As it was checked.
        unsupported: Where the figures stand, from and to.
    """
    by_end: dict[int, list[str]] = {}
    for start, end in sorted(unsupported):
        stop = _SENTENCE_END.search(text, end)
        at = (stop.end() if stop[0] != "\n" else stop.start()) if stop else len(text)
        by_end.setdefault(at, []).append(text[start:end].strip())
    for at in sorted(by_end, reverse=True):
        mark = UNSUPPORTED.format(", ".join(by_end[at]))
        text = f"{text[:at]} {mark}{text[at:]}"
    return text


def _is_known(match: re.Match[str], facts: Sequence[Fact]) -> bool:
    digits = match["digits"].replace(",", "")
    after = (match["after"] or "").strip().lower()
    shown, half = float(digits), 0.5 * 10.0 ** -len(digits.partition(".")[2])
    sign = {"-": -1, "\u2212": -1, "+": 1}.get(match["sign"] or "", 0)
    return any(
        _fits(fact, shown, half, sign, scale)
        for fact in facts
        for scale in _scales(fact.unit, after, dollars=bool(match["usd"]))
    )


def _scales(unit: Unit, after: str, *, dollars: bool) -> tuple[float, ...]:
    """Return by what a value of ``unit`` may be divided before it reads so; () if never."""
    if dollars:
        return (SCALES.get(after, 1.0),) if unit is Unit.USD else ()
    if after in {"%", "percent"}:
        return {Unit.SHARE: (0.01,), Unit.SCORE: (1.0,)}.get(unit, ())
    if after in {"x", "times"}:
        return (1.0,) if unit is Unit.TIMES else ()
    if after in SCALES:
        return (SCALES[after],) if unit in {Unit.NUMBER, Unit.USD} else ()
    return (1.0,)


def _fits(fact: Fact, shown: float, half: float, sign: int, scale: float) -> bool:
    value = fact.value / scale
    if sign and value * sign < -half:
        return False
    return abs(abs(value) - shown) <= half * (1 + 1e-9) + 1e-12 * abs(shown)


def share_supported(figures: Sequence[Figure]) -> float | None:
    """Return the share of supported figures; None if there are no figures."""
    return sum(f.supported for f in figures) / len(figures) if figures else None


def marks(where: str, figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Return the unsupported ones of ``figures`` as they are stored on a thesis."""
    return [
        {"where": where, "from": figure.start, "to": figure.end, "figure": figure.text}
        for figure in figures
        if not figure.supported
    ]
