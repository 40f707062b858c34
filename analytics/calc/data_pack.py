"""The data pack: all that the author of a thesis is given, point in time (design §9).

Every author gets the same pack, it is stored with the thesis, and the figures of the text are
checked against it. It is at most ``MOST_BYTES`` long as JSON: a token of a byte-level tokeniser is
at least one byte, so no such tokeniser makes more than 6,000 tokens of it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from math import isfinite, log10
from typing import Any, Final

from analytics.calc.number_check import Fact, Unit

VERSION: Final = "1"
MOST_BYTES: Final = 6000
DIGITS: Final = 4  # significant ones of a figure
TITLE_LENGTH: Final = 140
# What every author knows without being given it: the windows and thresholds of the definitions.
DEFINITIONS: Final = (
    *(Fact(float(sessions)) for sessions in (1, 3, 5, 7, 14, 20, 30)),
    Fact(0.5, Unit.SHARE),  # explosive, design §8
    Fact(15.0, Unit.TIMES),  # volume alert, design §7
    Fact(20.9, Unit.TIMES),  # VIGL pattern, design §7
)
TRIMMED: Final = ("news", "notices", "neighbours.nearest", "portfolio.positions")  # in this order

_UNITS: Final[dict[str, Unit]] = {
    **dict.fromkeys(
        ("close", "dollar_volume_20", "equity", "cash", "price", "value", "average_cost",
         "position_value", "open", "high", "low", "entry", "target", "stop", "max_entry"),
        Unit.USD,
    ),
    **dict.fromkeys(
        ("ret_1", "ret_5", "ret_20", "gap", "close_location", "atr_pct_14", "breakout_20",
         "volatility_20", "short_interest_pct", "short_volume_ratio", "coverage", "share", "low_95",
         "high_95", "peak_close_return", "return_14", "weight", "limit", "history_share",
         "q05", "q25", "q50", "q75", "q95", "heat", "spike_share", "p_target", "p_explosive",
         "unrealised", "explosive_gain", "size_limit", "heat_limit", "loss_limit"),
        Unit.SHARE,
    ),
    **dict.fromkeys(("rel_volume", "accumulation_5"), Unit.TIMES),
    **dict.fromkeys(("score", "similarity"), Unit.SCORE),
}  # fmt: skip


class TooLarge(ValueError):
    """The pack does not fit, even without the lists that may be cut."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a pack is made of. All of it was known at the cut-off of ``session``.

    Attributes:
        symbol, session, source: Of the candidate.
        candidate: Rank, score, label, pattern and flags.
        features: By name (design §4); returns and shares are fractions. None is not known.
        ages: In sessions, of the float and the short interest.
        similarity: One entry per reference, with its denominator.
        base: Share of explosive stock-days in the matched base, or why it is not known.
        neighbours: What the nearest shapes came to, or why that is not known.
        news: Titles from the outside; None if there is no provider of them.
        notices: Filings and halts.
        calendar: Entry session, end of the horizon, half days.
        portfolio: Positions and limits; None if the caller gave none.
    """

    symbol: str
    session: date
    source: str
    candidate: Mapping[str, Any]
    features: Mapping[str, float | None]
    ages: Mapping[str, int | None]
    similarity: Sequence[Mapping[str, Any]]
    base: Mapping[str, Any]
    neighbours: Mapping[str, Any]
    calendar: Mapping[str, Any]
    news: Sequence[Mapping[str, str]] | None = None
    notices: Sequence[Mapping[str, str]] = field(default_factory=list)
    portfolio: Mapping[str, Any] | None = None


def build(given: Inputs) -> dict[str, Any]:
    """Return the pack as plain JSON values, cut to ``MOST_BYTES``.

    Figures have four significant digits. Lists are cut from their end, in the order of
    ``TRIMMED``, and ``left_out`` says how many entries each lost.

    Raises:
        TooLarge: It does not fit.
    """
    pack: dict[str, Any] = {
        "pack": VERSION,
        "symbol": given.symbol,
        "session": given.session,
        "source": given.source,
        "candidate": given.candidate,
        "features": given.features,
        "age_in_sessions": given.ages,
        "similarity": given.similarity,
        "matched_base": given.base,
        "neighbours": given.neighbours,
        "calendar": given.calendar,
        "notices": given.notices,
        "news": (
            [{"at": one["at"], "title": clean(one["title"], TITLE_LENGTH)} for one in given.news]
            if given.news is not None
            else "not available: no provider of news titles"
        ),
        "portfolio": given.portfolio or "not given",
    }
    return _cut(_plain(pack))


def render(pack: Mapping[str, Any]) -> str:
    """Return the pack as one line of JSON; "<" and ">" are escaped, so it can close no tag."""
    text = json.dumps(pack, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def size(pack: Mapping[str, Any]) -> int:
    """Return the bytes of the pack as it is sent: an upper bound of its tokens."""
    return len(render(pack).encode())


def clean(text: str, longest: int) -> str:
    """Return text from the outside on one line, without control characters, cut if need be."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.encode("utf-8", "replace").decode().split())[:longest]


def facts(pack: Mapping[str, Any]) -> list[Fact]:
    """Return every figure of a pack with its unit, as far as its name tells it."""
    given = [Fact(value, _UNITS.get(name, Unit.NUMBER)) for name, value in _numbers(pack, "")]
    return [*given, *DEFINITIONS]


def dates(pack: Mapping[str, Any]) -> set[str]:
    """Return every date of a pack, YYYY-MM-DD."""
    return {text[:10] for text in _texts(pack) if _is_day(text[:10])}


def _numbers(value: Any, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield name, float(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key != "news":  # what a title says is no figure of ours
                yield from _numbers(part, key)
    elif isinstance(value, list):
        yield name, float(len(value))
        for part in value:
            yield from _numbers(part, name)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON values; figures are rounded, what is not finite is null."""
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return clean(value, 200) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%MZ}"
    if isinstance(value, date):
        return value.isoformat()
    return significant(float(value))


def significant(value: float) -> float | None:
    """Return ``value`` with four significant digits; None if it is not finite."""
    if not isfinite(value):
        return None
    if value == 0:
        return 0.0
    return round(value, DIGITS - 1 - int(log10(abs(value)) // 1))


def _cut(pack: dict[str, Any]) -> dict[str, Any]:
    left_out: dict[str, int] = {}
    for path in TRIMMED:
        entries = _list_at(pack, path)
        while entries and size(pack) > MOST_BYTES:
            entries.pop()
            left_out[path] = left_out.get(path, 0) + 1
            pack["left_out"] = left_out
    if size(pack) > MOST_BYTES:
        raise TooLarge(f"the data pack has {size(pack)} bytes, {MOST_BYTES} are allowed")
    return pack


def _list_at(pack: dict[str, Any], path: str) -> list[Any]:
    found: Any = pack
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, list) else []
