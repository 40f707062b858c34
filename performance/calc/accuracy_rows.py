"""Settled theses as the columns of ``thesis_accuracy_tracking`` (design §9)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import sessions
from analytics.calc.thesis_calls import CALLS, DOWN, FLAT, UP
from analytics.calc.thesis_settlement import (
    ENTRY,
    EXIT,
    RETURN,
    Questions,
    Settlements,
    State,
    calls_right,
)
from performance.calc import accuracy_loss

STATUS = {
    State.PENDING: "pending",
    State.TARGET: "target",
    State.STOP: "stop",
    State.NEITHER: "neither",
    State.VOID: "void",
    State.NO_ENTRY: "no_entry",
}

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the theses said, one value each.

    Attributes:
        asked: Symbols, sessions, horizons and barriers.
        p: ``p_target``.
        recommendation: As on the thesis.
    """

    asked: Questions
    p: Floats
    recommendation: list[str]


def columns(said: Said, found: Settlements, *, reach: Ints, newest: int) -> dict[str, Any]:
    """Return the columns that follow from bars, one value per thesis.

    Args:
        said: The theses.
        found: Their settlement.
        reach: See :func:`outcomes.coverage`.
        newest: Number of the newest session with bars; -1 without one.
    """
    settled, horizon_end = found.settled, said.asked.session + said.asked.horizon
    entry, exit_price = found.figures[:, ENTRY], found.figures[:, EXIT]
    in_play = (found.exit >= 0) & (found.state != State.VOID)
    closed = ~(found.state == State.PENDING)
    returns = found.figures[:, RETURN]
    right = calls_right(found.state, returns)
    calls = np.array([CALLS[name] for name in said.recommendation], dtype=np.int8)
    own = np.select([calls == UP, calls == DOWN], [right[UP], right[DOWN]], right[FLAT])
    losses = accuracy_loss.losses(said.p, found.hit)
    held = np.where(in_play, found.exit - said.asked.session, 0)
    return {
        "settlement": [STATUS[State(state)] for state in found.state],
        "reason": _reasons(said, found, reach, newest),
        "entry_session": _days(said.asked.session + 1, ~np.isnan(entry)),
        "exit_session": _days(found.exit, in_play),
        "settled_session": _days(horizon_end, closed),
        "sessions_held": _where(in_play, held),
        "entry_price": entry,
        "exit_price": np.where(in_play, exit_price, np.nan),
        "return_horizon": np.where(settled, returns, np.nan),
        "return_exit": np.where(in_play, exit_price / entry - 1, np.nan),
        "direction_right": _where(settled, own),
        "right_if_up": _where(settled, right[UP]),
        "right_if_down": _where(settled, right[DOWN]),
        "right_if_flat": _where(settled, right[FLAT]),
        "target_reached": _where(settled, found.hit),
        "brier": np.where(settled, losses.brier, np.nan),
        "log_loss": np.where(settled, losses.log_loss, np.nan),
        "last_trade": _days(found.last_trade, settled & (found.last_trade >= 0)),
    }


def skill_reason(
    *, author_kind: str, training_cutoff: date | None, session: date, is_late: bool
) -> str:
    """Return why a thesis never counts as skill; "" if it does.

    A model may have read how its case ended; a person who writes after the next session has
    opened may have seen it. Rules neither read nor see: a replay of them is as good as the day's.

    Source: design §9, "Calibrated confidence".
    """
    if author_kind == "claude" and training_cutoff is None:
        return "the training cut-off of the model is not known"
    if training_cutoff is not None and session <= training_cutoff:
        return f"signal session not after the training cut-off {training_cutoff}"
    if author_kind == "person" and is_late:
        return "written after the next session had opened"
    return ""


def _reasons(said: Said, found: Settlements, reach: Ints, newest: int) -> list[str]:
    """Say why each thesis is pending, void or without entry, or that its listing ended."""
    written = []
    for k, state in enumerate(found.state):
        signal = int(said.asked.session[k])
        end = signal + int(said.asked.horizon[k])
        if state == State.PENDING:
            written.append(_waiting(found, k, signal, end, int(reach[signal]), newest))
        elif state == State.VOID:
            written.append(_beyond(said, found, k))
        elif state == State.NO_ENTRY:
            written.append(f"no bar or no open on {_day(signal + 1)}")
        elif found.last_trade[k] >= 0:
            written.append(f"stopped trading: last bar {_day(int(found.last_trade[k]))}")
        else:
            written.append("")
    return written


def _beyond(said: Said, found: Settlements, at: int) -> str:
    price = float(found.figures[at, ENTRY])
    target, stop = float(said.asked.target[at]), float(said.asked.stop[at])
    past_target = price >= target if target > stop else price <= target
    return f"opened at {price:.10g}, beyond the {'target' if past_target else 'stop'}"


def _waiting(found: Settlements, at: int, signal: int, end: int, covered: int, newest: int) -> str:
    if covered < 0:
        why = "no bars on its signal session" if signal <= newest else "its signal has no bars yet"
    elif covered < newest:
        why = f"the data have a hole after {_day(covered)}"
    else:
        why = f"the horizon ends on {_day(end)}, bars end on {_day(covered)}"
    touched = int(found.touched[at])
    if touched:
        first = "target" if touched == State.TARGET else "stop"
        return f"{first} first on {_day(int(found.exit[at]))}; {why}"
    return why


def _where(known: npt.NDArray[np.bool_], values: npt.NDArray[Any]) -> list[Any]:
    """Return values, None where not known."""
    return [
        value if there else None
        for value, there in zip(values.tolist(), known.tolist(), strict=True)
    ]


def _days(numbers: Ints, known: npt.NDArray[np.bool_]) -> list[date | None]:
    """Return the dates of session numbers, None where not known."""
    calendar = sessions.calendar()
    days = calendar[np.where(known, np.minimum(numbers, calendar.size - 1), 0)].astype(object)
    return _where(known, days)


def _day(number: int) -> date:
    return sessions.day(min(number, sessions.calendar().size - 1))
