"""The exit lab: what a position would have become under named exit rules (design §13, §16).

It looks forward: no line of the detector reaches this module. In three steps::

    entries = exits.next_open(panel, rows)                  # candidates: rows of their signals
    entries = exits.fills(panel, symbols, days, prices)     # trades: own session and price
    found = exits.replay(panel, entries, exits.NAMED, exits.Costs(), reach=reach)
    found.net[2]                                            # net returns under the third rule

How a session is traded, in this order: at the open, where it lies at or beyond a barrier; at the
stop, if the low reaches it; at the targets that the high reaches; at the close, if the time is
over. So stops fill at min(open, stop), targets at max(open, target), and where both lie inside
one day's range the stop came first. Trailing stops run from the highest close *before* the
session (the entry fill counts as one). Fractions everywhere; prices in USD.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import inf, nan

import numpy as np
import numpy.typing as npt

from analytics.calc import exits_kernels as kernels
from analytics.calc.exits_rules import (
    FREE,
    HOLD,
    NAMED,
    SCALE_OUT,
    STOP_15,
    THESIS,
    TRAIL_15,
    BadRule,
    Costs,
    Rule,
    Target,
)
from analytics.calc.panel import Flags, Floats, Ints, Longs, Panel, in_threads, row_segments

__all__ = [
    "FEWEST", "FREE", "HOLD", "NAMED", "SCALE_OUT", "STOP_15", "THESIS", "TRAIL_15", "BadRule",
    "Costs", "Entries", "Reason", "Replays", "Rule", "State", "Target", "fills", "next_open",
    "replay",
]  # fmt: skip

FEWEST = 20  # entries below which no figure of a rule is given (design §13)


class State(IntEnum):
    """How far a replay is known."""

    PENDING = kernels.PENDING
    SETTLED = kernels.SETTLED
    DELISTED = kernels.DELISTED
    NO_ENTRY = kernels.NO_ENTRY
    VOID = kernels.VOID  # rule by the entry's own barriers: none, or the fill is beyond one


class Reason(IntEnum):
    """What ended the position."""

    NONE = kernels.NO_EXIT
    HORIZON = kernels.AT_HORIZON
    STOP = kernels.AT_STOP
    TRAIL = kernels.AT_TRAIL
    TARGET = kernels.AT_TARGET
    TIME = kernels.AT_TIME
    LAST_TRADE = kernels.AT_LAST_TRADE


@dataclass(frozen=True, kw_only=True)
class Entries:
    """Positions that begin: one per candidate or trade.

    Attributes:
        rows: Row of the panel of each entry session; -1 where there is no bar.
        numbers: Session number of each entry.
        price: Fill, as traded on that session [USD]; NaN where there was none.
        at_open: Whether the whole session came after the fill. If not, only its close is
            sure to: barriers are held against the close of that session.
        stops, targets: Own barriers of each [USD], as traded on the entry session; NaN
            without. Read by rules with ``own`` only.
    """

    rows: Longs
    numbers: Ints
    price: Floats
    at_open: Flags
    stops: Floats
    targets: Floats

    @property
    def size(self) -> int:
        return int(self.rows.size)


@dataclass(frozen=True, kw_only=True)
class Replays:
    """What became of each entry under each rule: arrays of shape (rules, entries).

    Attributes:
        rules: The rules, in order.
        entries: The entries, in order.
        state: :class:`State`. A replay is pending until the rule's whole horizon is covered
            by bars, also where it was stopped out before: else early exits would be counted
            before late ones.
        reason: :class:`Reason` of the last sale.
        exit_session: Session number of the last sale; -1 where not known.
        figures: Shape (rules, entries, ``kernels.COLUMNS``); NaN where not known.
    """

    rules: tuple[Rule, ...]
    entries: Entries
    state: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    exit_session: Ints
    figures: Floats

    @property
    def known(self) -> Flags:
        """Whether the replay counts in a figure: settled or delisted."""
        found: Flags = (self.state == State.SETTLED) | (self.state == State.DELISTED)
        return found

    @property
    def price(self) -> Floats:
        """Mean fill of the sales, on the entry's split basis [USD]."""
        return self._column(kernels.EXIT)

    @property
    def gross(self) -> Floats:
        """Return before costs."""
        return self._column(kernels.GROSS)

    @property
    def net(self) -> Floats:
        """Return after the costs of both sides."""
        return self._column(kernels.NET)

    @property
    def highest_close(self) -> Floats:
        """Highest close before the session of the last sale (the entry fill counts), over the
        entry fill, less 1; NaN where the entry's session was the last.
        """
        return self._column(kernels.HIGHEST)

    @property
    def mfe(self) -> Floats:
        """Best price while held over the entry fill, less 1. Of the last session only what is
        sure to come before the sale counts.
        """
        return self._column(kernels.MFE)

    @property
    def mae(self) -> Floats:
        """Worst price while held, in the same way."""
        return self._column(kernels.MAE)

    @property
    def capacity(self) -> Floats:
        """Largest stake [USD at the entry fill] that is at most ``max_share`` of the volume of
        the entry session and, in each sale's part, of each sale's session.
        """
        return self._column(kernels.CAPACITY)

    def held(self) -> Floats:
        """Return sessions held, both ends included; NaN where not known."""
        sessions = self.exit_session - self.entries.numbers[None, :] + 1.0
        return np.where(self.exit_session >= 0, sessions, nan)

    def _column(self, at: int) -> Floats:
        column: Floats = self.figures[:, :, at]
        return column


def next_open(
    panel: Panel, rows: Longs, *, stops: Floats | None = None, targets: Floats | None = None
) -> Entries:
    """Return the entries of signals: the open of the session after each (design §8).

    Args:
        panel: Bars past the last signal.
        rows: Row of each signal.
        stops, targets: Own barriers as prices of the signal's session [USD]; a split before
            the entry is applied to them.
    """
    ends = panel.segment_start[row_segments(panel, rows) + 1]
    after = np.minimum(rows + 1, max(panel.height - 1, 0))
    numbers = (panel.session[rows] + 1).astype(np.int32)
    found = (rows + 1 < ends) & (panel.session[after] == numbers)
    opens = np.where(found, panel.open[after], nan)
    ratio = np.where(found, panel.split[after], 1.0)
    return Entries(
        rows=np.where(found, after, -1),
        numbers=numbers,
        price=np.where(opens > 0, opens, nan),
        at_open=np.ones(rows.size, np.bool_),
        stops=_or_none(stops, rows.size) / ratio,
        targets=_or_none(targets, rows.size) / ratio,
    )


def fills(
    panel: Panel,
    symbols: Sequence[str],
    numbers: Ints,
    price: Floats,
    *,
    at_open: Flags | None = None,
    stops: Floats | None = None,
    targets: Floats | None = None,
) -> Entries:
    """Return the entries of trades with their own session and fill.

    Args:
        panel: Bars.
        symbols: Ticker of each trade; one without bars has no entry.
        numbers: Session number (:func:`sessions.number`) of each.
        price: Fill, as traded on that session [USD].
        at_open: See :class:`Entries`; none of them if not given.
        stops, targets: Own barriers as prices of the entry session [USD].
    """
    place = {symbol: at for at, symbol in enumerate(panel.symbols)}
    owner = np.array([place.get(symbol, -1) for symbol in symbols], dtype=np.int64)
    rows = np.full(owner.size, -1, np.int64)
    for at in range(owner.size):  # trades of people: hundreds
        first, last = panel.symbol_start[owner[at] : owner[at] + 2] if owner[at] >= 0 else (0, 0)
        row = first + int(np.searchsorted(panel.session[first:last], numbers[at]))
        if row < last and panel.session[row] == numbers[at]:
            rows[at] = row
    return Entries(
        rows=rows,
        numbers=numbers.astype(np.int32),
        price=price.astype(np.float64),
        at_open=np.zeros(rows.size, np.bool_) if at_open is None else at_open,
        stops=_or_none(stops, rows.size),
        targets=_or_none(targets, rows.size),
    )


def replay(
    panel: Panel, entries: Entries, rules: Sequence[Rule], costs: Costs, *, reach: Ints
) -> Replays:
    """Follow each entry under each rule to its end.

    A listing that ends inside the window is sold at its last trade; a window that runs into
    a hole between data periods stays pending; a split moves prices and volumes to the
    entry's basis, and the costs look at the price as traded.

    Args:
        panel: Bars; they must reach as far as ``reach`` says.
        entries: See :func:`next_open` and :func:`fills`.
        rules: One or more.
        costs: Of each side, and how much of the volume one order may be.
        reach: See :func:`outcomes.coverage`.
    """
    shape = (len(rules), entries.size)
    state, reason = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
    exit_session = np.full(shape, -1, np.int32)
    figures = np.full((*shape, kernels.COLUMNS), nan)
    segments = row_segments(panel, np.maximum(entries.rows, 0))
    ends = panel.segment_start[segments + 1] if panel.segments else np.zeros(0, np.int64)
    plain, gains, parts = _arrays(rules)
    charges = np.array([costs.rate, costs.least_usd, costs.worst, costs.max_share])

    def work(first: int, last: int) -> None:
        kernels.replay(
            first, last, panel.session, panel.open, panel.high, panel.low, panel.close,
            panel.volume, panel.split, entries.rows, ends, entries.numbers, entries.price,
            entries.at_open, entries.stops, entries.targets, reach, plain, gains, parts, charges,
            state, reason, exit_session, figures,
        )  # fmt: skip

    if entries.size:
        in_threads(work, np.arange(entries.size + 1, dtype=np.int64))
    return Replays(
        rules=tuple(rules),
        entries=entries,
        state=state,
        reason=reason,
        exit_session=exit_session,
        figures=figures,
    )


def _arrays(rules: Sequence[Rule]) -> tuple[Floats, Floats, Floats]:
    """Return rules as numbers, gains and fractions of their targets, as the loop reads them."""
    most = max([1, *(len(rule.targets) for rule in rules)])
    plain = np.full((len(rules), kernels.RULE_COLUMNS), nan)
    gains, parts = np.full((len(rules), most), inf), np.zeros((len(rules), most))
    for at, rule in enumerate(rules):
        plain[at] = [
            rule.horizon,
            nan if rule.stop is None else rule.stop,
            nan if rule.trail is None else rule.trail,
            nan if rule.time_stop is None else rule.time_stop,
            rule.own,
        ]
        for k, target in enumerate(rule.targets):
            gains[at, k], parts[at, k] = target.gain, target.fraction
        if rule.own:
            parts[at, 0] = 1.0
    return plain, gains, parts


def _or_none(values: Floats | None, size: int) -> Floats:
    return np.full(size, nan) if values is None else values.astype(np.float64)
