"""Outcomes of candidates as the columns of ``discovery_candidate_tracking``."""

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import outcomes, sessions
from analytics.calc.market import Market
from analytics.calc.outcomes import Outcomes, State

STATUSES = np.array(["pending", "settled", "delisted", "no_entry"], dtype=object)
CLASSES = np.array([*outcomes.CLASSES, ""], dtype=object)  # the last one: not known yet
INDEX = "SPY"
GONE = "the bar of the signal session is no longer there"

Longs = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]


def columns(
    market: Market, rows: Longs, signal: Longs
) -> tuple[dict[str, Any], npt.NDArray[np.int8]]:
    """Return the outcome columns of candidates, and the state of each.

    Args:
        market: What happened.
        rows: Row of each candidate's signal; -1 if its bar is no longer there.
        signal: Session number of each signal.
    """
    there = rows >= 0
    found = outcomes.settle(market.panel, rows[there], reach=market.reach)
    figures = np.full((rows.size, outcomes.COLUMNS), np.nan)
    figures[there] = found.figures
    state = np.full(rows.size, int(State.NO_ENTRY), np.int8)
    state[there] = found.state
    final = np.zeros(rows.size, np.bool_)
    final[there] = found.final
    last_trade = np.full(rows.size, -1, np.int64)
    last_trade[there] = found.last_trade
    decile = np.zeros(rows.size, np.int64)
    order = np.argsort(rows[there], kind="stable")
    decile[np.flatnonzero(there)[order]] = market.decile(rows[there][order])
    peak = figures[:, outcomes.PEAK]
    known = np.isin(state, (State.SETTLED, State.DELISTED))
    made: dict[str, Any] = {
        "status": STATUSES[state],
        "reason": _reasons(market, found, there, state, signal),
        "is_final": final,
        "entry_session": _days(np.where(np.isnan(figures[:, outcomes.ENTRY]), -1, signal + 1)),
        "entry_price": figures[:, outcomes.ENTRY],
        "entry_gap": figures[:, outcomes.GAP],
        "mfe": figures[:, outcomes.MFE],
        "mae": figures[:, outcomes.MAE],
        "peak_close_return": peak,
        "sessions_to_peak": _whole(figures[:, outcomes.TO_PEAK]),
        "explosive": _flags(peak >= outcomes.EXPLOSIVE, known),
        "explosive_high": _flags(figures[:, outcomes.MFE] >= outcomes.EXPLOSIVE, known),
        "explosive_held": _flags(figures[:, outcomes.RETURN_14] >= outcomes.EXPLOSIVE, known),
        "outcome": CLASSES[outcomes.outcome_classes(peak)],
        "proxy_return_14": figures[:, outcomes.PROXY_14],
        "proxy_peak_close_return": figures[:, outcomes.PROXY_PEAK],
        "last_trade": _days(last_trade),
        "volatility_decile": [value or None for value in decile.tolist()],
    }
    return made | _returns(market, figures, signal), state


def _returns(market: Market, figures: npt.NDArray[np.float64], signal: Longs) -> dict[str, Any]:
    """Return the candidate's and the index's return at each horizon, where both are due."""
    opens, closes = outcomes.by_session(market.panel, INDEX, size=market.reach.size)
    made: dict[str, Any] = {}
    for column, horizon in enumerate(outcomes.HORIZONS, start=outcomes.RETURN_1):
        own = figures[:, column]
        index = outcomes.window_returns(opens, closes, signal.astype(np.int32), horizon)
        made[f"return_{horizon}"] = own
        made[f"spy_return_{horizon}"] = np.where(np.isnan(own), np.nan, index)
    made["excess_14"] = made["return_14"] - made["spy_return_14"]
    return made


def _reasons(
    market: Market,
    found: Outcomes,
    there: npt.NDArray[np.bool_],
    state: npt.NDArray[np.int8],
    signal: Longs,
) -> list[str]:
    """Say why each outcome is pending or had no entry; blank for the others."""
    entered = np.zeros(there.size, np.bool_)
    nexts = np.minimum(found.rows + 1, market.panel.height - 1)
    entered[there] = market.panel.session[nexts] == market.panel.session[found.rows] + 1
    cache: dict[int, str] = {}
    reasons = []
    for at, number in enumerate(signal.tolist()):
        if state[at] == State.PENDING:
            reason = cache.get(number) or cache.setdefault(number, _waiting(market, number))
        elif state[at] == State.NO_ENTRY:
            missing = "open" if entered[at] else "bar"
            reason = f"no {missing} on {sessions.day(number + 1)}" if there[at] else GONE
        else:
            reason = ""
        reasons.append(reason)
    return reasons


def _waiting(market: Market, number: int) -> str:
    covered = int(market.reach[number])
    due = sessions.day(number + outcomes.WINDOW)
    if covered < 0:
        return f"no bars of {sessions.day(number)}"
    return f"bars reach {sessions.day(covered)} without a hole; due {due}"


def _days(numbers: Longs) -> list[date | None]:
    """Return the dates of session numbers; None for -1."""
    calendar = sessions.calendar()
    days = calendar[np.maximum(numbers, 0)].astype(object)
    days[numbers < 0] = None
    result: list[date | None] = days.tolist()
    return result


def _flags(values: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]) -> Objects:
    flags: Objects = values.astype(object)
    flags[~known] = None
    return flags


def _whole(values: npt.NDArray[np.float64]) -> list[int | None]:
    return [None if np.isnan(value) else int(value) for value in values]
