"""What an author says, before it is issued, and what may not be said (design §9)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from analytics.calc import falsifiers
from analytics.calc.falsifiers import BadCondition

BUY: Final = "BUY"
BEARISH: Final = ("TRIM", "LIQUIDATE", "AVOID")
RECOMMENDATIONS: Final = (BUY, "HOLD", *BEARISH)
LONGEST_HORIZON: Final = 30  # sessions; what is tracked (design §8)
LONGEST_TEXT, LONGEST_REASON, MOST_REASONS = 2000, 400, 8
NEAR: Final = 0.25  # the entry lies within this of the close
PLACES: Final = 4  # decimals of a price
LARGEST: Final = 10.0  # a target is at most this many times the entry


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A thesis as its author wrote it. Prices in USD on the basis of the signal session.

    Attributes:
        recommendation: One of ``RECOMMENDATIONS``.
        entry, target, stop: Prices; the target above the entry and the stop below it. A
            person's bearish thesis may have them the other way round.
        max_entry: Price above which the entry is not to be chased.
        horizon: Sessions after the signal.
        p_target: Probability that the target comes before the stop within the horizon.
        p_explosive: Probability of a best close 50 % up within 14 sessions, if the author says.
        text: In a few sentences.
        reasons: One sentence each.
        falsifiers: See :mod:`falsifiers`.
    """

    recommendation: str
    entry: float
    target: float
    stop: float
    max_entry: float
    horizon: int
    p_target: float
    p_explosive: float | None = None
    text: str = ""
    reasons: list[str] = field(default_factory=list)
    falsifiers: list[str] = field(default_factory=list)


def problems(draft: Draft, *, close: float | None) -> list[str]:
    """Return what is wrong with a draft, each naming its field; [] if it can be issued.

    Args:
        draft: As the author wrote it.
        close: Of the signal session [USD]; None if it is not known.
    """
    return [*_of_prices(draft, close), *_of_figures(draft), *_of_words(draft)]


def _of_prices(draft: Draft, close: float | None) -> Iterator[str]:
    named = {name: getattr(draft, name) for name in ("entry", "target", "stop", "max_entry")}
    wrong = [name for name, value in named.items() if not isfinite(value) or value < 0]
    if wrong or min(draft.entry, draft.target, draft.max_entry) <= 0:
        yield f"{', '.join(wrong) or 'entry, target, max_entry'}: a price must be above 0"
        return
    entry, target, stop = (
        round(value, PLACES) for value in (draft.entry, draft.target, draft.stop)
    )
    upward, downward = stop < entry < target, target < entry < stop
    if not upward and not (downward and draft.recommendation in BEARISH):
        yield f"target, stop: {stop} < {entry} < {target} does not hold (stop < entry < target)"
    if target > LARGEST * entry:
        yield f"target: {target} is more than {LARGEST:.0f} times the entry"
    most = round(draft.max_entry, PLACES)
    if draft.recommendation == BUY and not entry <= most < target:
        yield f"max_entry: {most} must lie from the entry {entry} up to below the target {target}"
    if close is not None and abs(entry / close - 1) > NEAR:
        yield f"entry: {entry} is more than {NEAR:.0%} away from the close {close}"


def _of_figures(draft: Draft) -> Iterator[str]:
    if draft.recommendation not in RECOMMENDATIONS:
        yield f"recommendation: {draft.recommendation!r} is none of {', '.join(RECOMMENDATIONS)}"
    if not 1 <= draft.horizon <= LONGEST_HORIZON:
        yield f"horizon: 1 to {LONGEST_HORIZON} sessions, not {draft.horizon}"
    for name in ("p_target", "p_explosive"):
        value = getattr(draft, name)
        if value is not None and not 0 <= value <= 1:
            yield f"{name}: a probability lies in 0 to 1, not {value}"


def _of_words(draft: Draft) -> Iterator[str]:
    if not draft.text.strip():
        yield "text: it is empty"
    if len(draft.text) > LONGEST_TEXT:
        yield f"text: {len(draft.text)} characters, {LONGEST_TEXT} are allowed"
    if len(draft.reasons) > MOST_REASONS:
        yield f"reasons: {len(draft.reasons)}, {MOST_REASONS} are allowed"
    if any(len(reason) > LONGEST_REASON for reason in draft.reasons):
        yield f"reasons: {LONGEST_REASON} characters each are allowed"
    if not 1 <= len(draft.falsifiers) <= falsifiers.MOST:
        yield f"falsifiers: 1 to {falsifiers.MOST} are needed, not {len(draft.falsifiers)}"
    for condition in draft.falsifiers:
        try:
            falsifiers.parse(condition)
        except BadCondition as error:
            yield f"falsifiers: {error}"
