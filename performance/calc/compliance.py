"""Which of our own rules a trade broke (design §14). Columns in, breaches out."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

CHASED = 0.10  # above the signal price, from which an entry counts as chased
STOP_BY = 1  # sessions after the entry by whose close a stop has to work at the broker
SLIPPAGE = 0.01  # of the entry price that a stop order may slip without a breach

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class Rule(StrEnum):
    """What can be broken."""

    OVERSIZE = "oversize"
    LATE_STOP = "late_stop"
    CHASED = "chased"
    BEYOND_STOP = "beyond_stop"
    NO_THESIS = "no_thesis"


@dataclass(frozen=True, kw_only=True)
class Deals:
    """Trades, column by column; NaN and -1 are not known.

    Attributes:
        side: 1 long, -1 short.
        entry, price: Average entry; exit, or the mark while it is open [USD].
        stop: Of the thesis, on the entry's share basis [USD].
        signal: Close of the signal session, on the entry's share basis [USD].
        weight: Of equity at the entry.
        has_thesis: A thesis is linked.
        is_open: Still held.
        stop_is_known: The broker tells which stops work; else nothing is said about them.
        opened: Session number of the entry.
        stopped: Session number on which the stop was first seen working; -1: it was not.
    """

    side: Floats
    entry: Floats
    price: Floats
    stop: Floats
    signal: Floats
    weight: Floats
    has_thesis: Flags
    is_open: Flags
    stop_is_known: Flags
    opened: Ints
    stopped: Ints


@dataclass(frozen=True, kw_only=True)
class Breach:
    """One rule that one trade broke.

    Attributes:
        at: Position of the trade in the columns.
        measured: What was found: fractions, or sessions for a late stop; None: yes or no.
        limit: What is allowed.
        text: One line of evidence.
    """

    rule: Rule
    at: int
    measured: float | None
    limit: float | None
    text: str


def breaches(deals: Deals, *, limit: float, as_of: int) -> list[Breach]:
    """Return every rule that a trade broke, by rule and then by position.

    Args:
        deals: The trades.
        limit: Largest weight at the entry.
        as_of: Session number up to which stops were looked for.
    """
    return [
        *_oversize(deals, limit),
        *_late_stop(deals, as_of),
        *_chased(deals),
        *_beyond_stop(deals),
        *_no_thesis(deals),
    ]


def _oversize(deals: Deals, limit: float) -> list[Breach]:
    return [
        Breach(
            rule=Rule.OVERSIZE,
            at=at,
            measured=float(deals.weight[at]),
            limit=limit,
            text=f"entered at {deals.weight[at]:.1%} of equity, {limit:.1%} are allowed",
        )
        for at in _where(deals.weight > limit * (1 + 1e-9))
    ]


def _late_stop(deals: Deals, as_of: int) -> list[Breach]:
    """Open trades whose stop is missing, or came after the close of the session after entry."""
    seen = deals.stopped >= 0
    without = np.where(seen, deals.stopped, as_of) - deals.opened
    late = deals.is_open & deals.stop_is_known & (without > STOP_BY)
    found = []
    for at in _where(late):
        told = "the stop came" if seen[at] else "no stop worked"
        found.append(
            Breach(
                rule=Rule.LATE_STOP,
                at=at,
                measured=float(without[at]),
                limit=float(STOP_BY),
                text=f"{told} {without[at]} sessions after the entry, {STOP_BY} is allowed",
            )
        )
    return found


def _chased(deals: Deals) -> list[Breach]:
    paid = deals.side * (deals.entry / deals.signal - 1)
    return [
        Breach(
            rule=Rule.CHASED,
            at=at,
            measured=float(paid[at]),
            limit=CHASED,
            text=(
                f"entered at ${deals.entry[at]:,.4g}, {paid[at]:+.1%} from the signal's "
                f"${deals.signal[at]:,.4g}"
            ),
        )
        for at in _where(paid > CHASED + 1e-9)
    ]


def _beyond_stop(deals: Deals) -> list[Breach]:
    gain = deals.side * (deals.price / deals.entry - 1)
    planned = deals.side * (deals.stop / deals.entry - 1)
    found = []
    for at in _where(gain < planned - SLIPPAGE - 1e-9):
        how = "marked" if deals.is_open[at] else "sold"
        found.append(
            Breach(
                rule=Rule.BEYOND_STOP,
                at=at,
                measured=float(gain[at]),
                limit=float(planned[at]),
                text=f"{how} at {gain[at]:+.1%}, the stop stood at {planned[at]:+.1%}",
            )
        )
    return found


def _no_thesis(deals: Deals) -> list[Breach]:
    return [
        Breach(
            rule=Rule.NO_THESIS,
            at=at,
            measured=None,
            limit=None,
            text="no thesis was written before the entry",
        )
        for at in _where(~deals.has_thesis)
    ]


def _where(mask: Flags) -> list[int]:
    """Return the positions of a mask; a comparison with NaN is no breach."""
    found: list[int] = np.flatnonzero(mask).tolist()
    return found
