"""The exit lab for trades: each one replayed from its own fill under every rule (design §13)."""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc import exits, outcomes, sessions
from analytics.calc.exits import Rule
from analytics.services import exits as exit_rules
from analytics.services import lakes, panels
from performance.calc import timing
from performance.calc.timing_figures import Replayed
from performance.models import Trade, TradeSide
from performance.services.metrics_reading import numbers

CHUNK = 20_000  # trades replayed from one reading: bounds the memory
COLUMNS = {
    "symbol": pl.String,
    "entry_price": pl.Float64,
    "opened_session": pl.Date,
    "closed_session": pl.Date,
    "return_on_cost": pl.Float64,
    "thesis__stop_price": pl.Float64,
    "thesis__target_price": pl.Float64,
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Lab:
    """Every closed long trade under every rule.

    Attributes:
        replayed: In order of closing.
        closed: Day of each exit, ascending.
    """

    replayed: Replayed
    closed: list[date]

    def since(self, first: date | None) -> Replayed:
        """Return the trades closed on ``first`` or later; all of them for None."""
        keep = np.array([first is None or day >= first for day in self.closed], dtype=np.bool_)
        return Replayed(
            names=self.replayed.names,
            results=self.replayed.results[:, keep],
            actual=self.replayed.actual[keep],
            opened=self.replayed.opened[keep],
            closed=self.replayed.closed[keep],
        )


def get_lab(*, source: str, now: datetime) -> Lab:
    """Replay the closed long trades of ``source`` under the named rules, those of people and the
    thesis's own barriers; shorts and open trades are left out.

    The fill is the trade's own, so only the exit pays the lab's costs. A thesis's barriers are
    read as of the session of the entry.
    """
    last, rules = sessions.last_finished(now), (*exit_rules.get_rules(), exits.THESIS)
    rows = (
        Trade.objects.of(lakes.sources_beside(source))
        .filter(
            side=TradeSide.LONG, closed_session__lte=last, return_on_cost__isnull=False,
            entry_price__gt=0,
        )
        .order_by("closed_session", "pk")
        .values_list(*COLUMNS)
    )  # fmt: skip
    trades = pl.DataFrame(list(rows), schema=COLUMNS, orient="row", strict=False)
    parts = [
        _replay(trades.slice(begin, CHUNK), source, last, rules)
        for begin in range(0, trades.height, CHUNK)
    ]
    empty = np.empty((len(rules), 0))
    return Lab(
        replayed=Replayed(
            names=[rule.name for rule in rules],
            results=np.concatenate(parts, axis=1) if parts else empty,
            actual=trades["return_on_cost"].to_numpy().astype(np.float64),
            opened=numbers(trades["opened_session"]),
            closed=numbers(trades["closed_session"]),
        ),
        closed=trades["closed_session"].to_list(),
    )


def _replay(trades: pl.DataFrame, source: str, last: date, rules: tuple[Rule, ...]) -> Floats:
    """Return the net return of each trade under each rule, [rules, trades]; NaN: not known."""
    symbols = trades["symbol"].to_list()
    opened = numbers(trades["opened_session"])
    first = sessions.day(int(opened.min()))
    panel = panels.get_panel(
        source=source, first=first, last=last, symbols=sorted(set(symbols))
    ).panel
    days = [sessions.number(day) for day in lakes.lake_of(source).sessions() if day <= last]
    reach = outcomes.coverage(np.array(days, dtype=np.int32), size=sessions.calendar().size)
    entries = exits.fills(
        panel,
        symbols,
        opened.astype(np.int32),
        timing.as_traded(
            _floats(trades["entry_price"]),
            panel,
            timing.Places(panel, symbols),
            opened=opened,
            ended=numbers(trades["closed_session"]),
        ),
        stops=_floats(trades["thesis__stop_price"]),
        targets=_floats(trades["thesis__target_price"]),
    )
    costs = exits.Costs()
    found = exits.replay(panel, entries, rules, costs, reach=reach)
    sold = (1 + found.gross) * (1 - costs.of(found.price)) - 1
    return np.where(found.known, sold, np.nan)


def _floats(values: pl.Series) -> Floats:
    found: Floats = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return found
