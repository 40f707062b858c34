"""What to do with a position now: from its thesis, what broke it, and its size (design §9, §14)."""

from dataclasses import dataclass
from enum import StrEnum

CRITICAL_LOSS = -0.25  # below it a position is to be closed, whatever the thesis says
SAME_STOP = 0.005  # of the stop's price, up to which two stops are the same


class Do(StrEnum):
    """From the strongest to the weakest."""

    LIQUIDATE = "LIQUIDATE"
    TRIM = "TRIM"
    HOLD = "HOLD"


class StopState(StrEnum):
    """Whether the stop works at the broker."""

    WORKING = "working"
    DIFFERS = "differs"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is known of a position. None is not known.

    Attributes:
        side: 1 long, -1 short.
        open_return: On cost.
        weight, limit: Of equity.
        price: Mark [USD].
        has_thesis: A thesis was written before the entry.
        stop, target: Of the entry thesis, on today's share basis [USD].
        horizon, held: Sessions.
        falsified: Falsifiers of the thesis that were triggered since.
        withdrawn: Its author took the thesis back.
        later: Recommendation of the newest thesis on the symbol after the entry, "" if none.
    """

    side: int
    open_return: float | None
    weight: float | None
    limit: float
    price: float | None
    has_thesis: bool
    stop: float | None
    target: float | None
    horizon: int | None
    held: int
    falsified: tuple[str, ...] = ()
    withdrawn: bool = False
    later: str = ""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """A recommendation and every reason for it, the strongest first."""

    do: Do
    reasons: tuple[str, ...]


def advise(seen: Situation) -> Advice:
    """Return the strongest recommendation that a rule gives, with the reasons of all of them.

    LIQUIDATE: loss beyond -25 %; stop passed; a falsifier triggered; thesis withdrawn; target
    reached; horizon over; a later thesis says so. TRIM: over the size limit; a later thesis says
    so. Else HOLD.
    """
    said = [*_thesis(seen), *_numbers(seen)]
    for do in (Do.LIQUIDATE, Do.TRIM):
        reasons = tuple(reason for each, reason in said if each is do)
        if reasons:
            rest = tuple(reason for each, reason in said if each is not do)
            return Advice(do=do, reasons=reasons + rest)
    if not seen.has_thesis:
        return Advice(
            do=Do.HOLD,
            reasons=("no thesis: only loss and size were judged, nothing speaks for the position",),
        )
    if seen.price is None:
        return Advice(do=Do.HOLD, reasons=("no mark: stop and target could not be checked",))
    return Advice(do=Do.HOLD, reasons=("the entry thesis stands",))


def _numbers(seen: Situation) -> list[tuple[Do, str]]:
    """Return what loss and size say."""
    said = []
    if seen.open_return is not None and seen.open_return < CRITICAL_LOSS:
        said.append((Do.LIQUIDATE, f"loss of {seen.open_return:.1%} is beyond {CRITICAL_LOSS:.0%}"))
    if seen.weight is not None and abs(seen.weight) > seen.limit * (1 + 1e-9):
        said.append((Do.TRIM, f"{abs(seen.weight):.1%} of equity, {seen.limit:.0%} are allowed"))
    return said


def _thesis(seen: Situation) -> list[tuple[Do, str]]:
    """Return what the thesis and its falsifiers say."""
    said = [(Do.LIQUIDATE, f"falsified: {condition}") for condition in seen.falsified]
    if seen.withdrawn:
        said.append((Do.LIQUIDATE, "its author withdrew the thesis"))
    if _beyond(seen, seen.stop, -1):
        said.append((Do.LIQUIDATE, f"the stop of ${seen.stop:,.4g} is passed"))
    if _beyond(seen, seen.target, 1):
        said.append((Do.LIQUIDATE, f"the target of ${seen.target:,.4g} is reached"))
    if seen.horizon is not None and seen.held >= seen.horizon:
        said.append((Do.LIQUIDATE, f"the horizon of {seen.horizon} sessions is over"))
    if seen.later in {"LIQUIDATE", "AVOID"}:
        said.append((Do.LIQUIDATE, f"the newest thesis says {seen.later}"))
    if seen.later == "TRIM":
        said.append((Do.TRIM, "the newest thesis says TRIM"))
    return said


def _beyond(seen: Situation, level: float | None, direction: int) -> bool:
    """Return whether the mark has reached ``level``: 1 in our favour, -1 against us."""
    if seen.price is None or level is None:
        return False
    return seen.side * direction * (seen.price - level) >= 0


def stop_state(
    *, wanted: float | None, working: float | None, confirmed: bool, broker_tells: bool
) -> tuple[StopState, str]:
    """Return whether the stop works at the broker, and a line that says so.

    Args:
        wanted: Stop of the thesis; None if there is none.
        working: Stop that the position has [USD].
        confirmed: The broker said that it works.
        broker_tells: The account is one whose orders we can read.
    """
    if not broker_tells:
        return StopState.UNKNOWN, "the broker of this account does not tell us its orders"
    if working is None or not confirmed:
        return StopState.MISSING, "no stop works at the broker"
    if wanted is not None and abs(working - wanted) > SAME_STOP * wanted:
        return (
            StopState.DIFFERS,
            f"the broker's stop is ${working:,.4g}, the thesis says ${wanted:,.4g}",
        )
    return StopState.WORKING, f"a stop of ${working:,.4g} works at the broker"
