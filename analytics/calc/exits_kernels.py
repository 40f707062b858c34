"""The compiled loop of the exit lab (design §13, §16). It looks forward; see ``exits``.

All prices inside a walk are on the entry's split basis; ``factor`` is what turns a price as
traded into one of that basis.
"""

# mypy: disable-error-code="no-untyped-def"

from math import isnan
from typing import Any

import numpy as np
from numba import njit

jit: Any = njit(cache=True, nogil=True, error_model="numpy")

# Columns of a rule. NaN: the rule has none.
(HORIZON, STOP, TRAIL, TIME_STOP, OWN) = range(5)
RULE_COLUMNS = 5
# Columns of the costs.
(RATE, LEAST_USD, WORST, MAX_SHARE) = range(4)
# Columns of the figures of one replay.
(EXIT, GROSS, NET, HIGHEST, MFE, MAE, CAPACITY) = range(7)
COLUMNS = 7
# States and reasons; ``exits`` names them.
(PENDING, SETTLED, DELISTED, NO_ENTRY, VOID) = range(5)
(NO_EXIT, AT_HORIZON, AT_STOP, AT_TRAIL, AT_TARGET, AT_TIME, AT_LAST_TRADE) = range(7)
# What is carried through one walk.
(LEFT, PROCEEDS, AFTER_COSTS, SHARES, BEST_CLOSE, HIGH, LOW) = range(7)
CARRIED = 7


@jit
def cost_rate(price, costs):
    """Return the cost of one side as a share of ``price``, the price as traded [USD]."""
    return min(max(costs[RATE], costs[LEAST_USD] / price), costs[WORST])


@jit
def _sell(now, share, price, factor, volume, costs):
    """Sell ``share`` of the original position, or what is left of it."""
    share = min(share, now[LEFT])
    now[LEFT] = now[LEFT] - share if now[LEFT] - share > 1e-9 else 0.0
    now[PROCEEDS] += share * price
    now[AFTER_COSTS] += share * price * (1 - cost_rate(price / factor, costs))
    traded = volume / factor if volume > 0 else 0.0
    now[SHARES] = min(now[SHARES], traded / share)
    now[HIGH] = max(now[HIGH], price)
    now[LOW] = min(now[LOW], price)


@jit
def _take_targets(now, sold, price, gains, parts, target, at, floor, factor, volume, costs):
    """Sell every target not yet sold that ``at`` reaches; at ``floor`` if that is better.

    ``floor`` is the open where the open is already beyond a target, else 0.
    """
    for k in range(gains.size):
        level = target if not isnan(target) else price * (1 + gains[k])
        if not sold[k] and parts[k] > 0 and at >= level and now[LEFT] > 0:
            sold[k] = True
            _sell(now, parts[k], max(level, floor), factor, volume, costs)


@jit
def _day(now, sold, rule, gains, parts, price, stop, target, prices, factor, volume, costs):
    """Trade one session; return why it ended, or NO_EXIT.

    The open comes first, then the stop, then the targets: with both barriers inside one
    day's range nobody knows which came first, and the stop is the worse one.
    """
    open_, high, low, close = prices
    trail = now[BEST_CLOSE] * (1 - rule[TRAIL])
    level, why = stop, AT_STOP
    if not isnan(trail) and not level >= trail:
        level, why = trail, AT_TRAIL
    if not isnan(open_):
        if open_ <= level:
            _sell(now, now[LEFT], open_, factor, volume, costs)
            return why
        now[HIGH], now[LOW] = max(now[HIGH], open_), min(now[LOW], open_)
        _take_targets(now, sold, price, gains, parts, target, open_, open_, factor, volume, costs)
        if now[LEFT] == 0:
            return AT_TARGET
    if low <= level:
        fill = level if not isnan(open_) else min(level, close)
        _sell(now, now[LEFT], fill, factor, volume, costs)
        return why
    _take_targets(now, sold, price, gains, parts, target, high, 0.0, factor, volume, costs)
    if now[LEFT] == 0:
        return AT_TARGET
    now[HIGH], now[LOW] = max(now[HIGH], high), min(now[LOW], low)
    return NO_EXIT


@jit
def _prices(at, row, at_open, price, factor, open_, high, low, close):
    """Return open, high, low, close of a session as far as they lie after the entry.

    An unknown high or low counts as the close. Of the session of a fill that was not at the
    open, only the close is sure to come after it.
    """
    last = close[at] * factor
    if at == row and not at_open:
        return last, last, last, last
    top = last if isnan(high[at]) else high[at] * factor
    bottom = last if isnan(low[at]) else low[at] * factor
    first = price if at == row else open_[at] * factor
    if not isnan(first):
        top, bottom = max(top, first), min(bottom, first)
    return first, top, bottom, last


@jit
def _walk(
    session, open_, high, low, close, volume, split, row, end, price, at_open, stop, target,
    rule, gains, parts, costs, now, sold,
):  # fmt: skip
    """Follow one position to its end; return the reason and the row of the last sale."""
    now[:] = (1.0, 0.0, 0.0, np.inf, price, price, price)
    sold[:] = False
    limit = session[row] + rule[HORIZON] - 1
    factor, at = 1.0, row
    while True:
        if at > row:
            factor *= split[at]
        prices = _prices(at, row, at_open, price, factor, open_, high, low, close)
        why = _day(
            now, sold, rule, gains, parts, price, stop, target, prices, factor, volume[at], costs
        )
        if why != NO_EXIT:
            return why, at
        last = at + 1 >= end or session[at + 1] > limit
        late = session[at] - session[row] + 1 >= rule[TIME_STOP] and prices[3] <= price
        if last or late:
            _sell(now, now[LEFT], prices[3], factor, volume[at], costs)
            if last and session[end - 1] < limit:
                return AT_LAST_TRADE, at
            return AT_HORIZON if last else AT_TIME, at
        now[BEST_CLOSE] = max(now[BEST_CLOSE], prices[3])
        at += 1


@jit
def _barriers(price, rule, stop, target):
    """Return the price of the fixed stop and of the single own target; NaN without."""
    if rule[OWN] > 0:
        return stop, target
    return price * (1 - rule[STOP]), np.nan


@jit
def replay(
    first, last, session, open_, high, low, close, volume, split, rows, ends, numbers, price,
    at_open, stops, targets, reach, rules, gains, parts, costs, state, reason, exit_session,
    figures,
):  # fmt: skip
    """Fill ``[rule, first:last]`` of state, reason, exit_session and figures."""
    now, sold = np.empty(CARRIED), np.zeros(gains.shape[1], np.bool_)
    for k in range(first, last):
        row = rows[k]
        covered = reach[numbers[k]]
        for r in range(rules.shape[0]):
            if covered < numbers[k]:
                continue
            if row < 0 or not price[k] > 0:
                state[r, k] = NO_ENTRY
                continue
            if covered < numbers[k] + rules[r, HORIZON] - 1:
                continue
            stop, target = _barriers(price[k], rules[r], stops[k], targets[k])
            if rules[r, OWN] > 0 and (
                (isnan(stop) and isnan(target)) or stop >= price[k] or target <= price[k]
            ):
                state[r, k] = VOID
                continue
            why, at = _walk(
                session, open_, high, low, close, volume, split, row, ends[k], price[k],
                at_open[k], stop, target, rules[r], gains[r], parts[r], costs, now, sold,
            )  # fmt: skip
            state[r, k] = DELISTED if why == AT_LAST_TRADE else SETTLED
            reason[r, k] = why
            exit_session[r, k] = session[at]
            bought = volume[row] if volume[row] > 0 else 0.0
            out = figures[r, k]
            out[EXIT] = now[PROCEEDS]
            out[GROSS] = now[PROCEEDS] / price[k] - 1
            out[NET] = now[AFTER_COSTS] / (price[k] * (1 + cost_rate(price[k], costs))) - 1
            if at > row:
                out[HIGHEST] = now[BEST_CLOSE] / price[k] - 1
            out[MFE] = now[HIGH] / price[k] - 1
            out[MAE] = now[LOW] / price[k] - 1
            out[CAPACITY] = costs[MAX_SHARE] * min(bought, now[SHARES]) * price[k]
