"""Time the trades that came from a candidate, and keep what was found (design §13)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc import sessions
from analytics.models import Candidate
from analytics.services import bulk, lakes, panels
from performance.calc import timing
from performance.calc.timing import Bought, Timing
from performance.models import TimingAnalysis, Trade, TradeSide
from performance.services.metrics_reading import numbers

CHUNK = 20_000  # trades timed from one reading: bounds the memory
EARLIER = "entered before its first signal could be bought"
NO_OPEN = "no open on the first executable session"
NO_BARS = "no bars of the symbol while it was held"

Floats = npt.NDArray[np.float64]
COLUMNS = {
    "id": pl.Int64,
    "symbol": pl.String,
    "side": pl.String,
    "entry_price": pl.Float64,
    "exit_price": pl.Float64,
    "mark_price": pl.Float64,
    "mark_session": pl.Date,
    "quantity": pl.Float64,
    "opened_session": pl.Date,
    "closed_session": pl.Date,
    "realised": pl.Float64,
    "unrealised": pl.Float64,
    "candidate_id": pl.Int64,
    "candidate__batch__session": pl.Date,
    "candidate__batch__variant_id": pl.Int64,
    "source": pl.String,
}


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a run did: trades timed, rows that were new or changed."""

    trades: int
    changed: int


def refresh_timing(*, source: str, now: datetime) -> Refreshed:
    """Bring the timing of every trade with a candidate up to date. Safe to run twice."""
    last = sessions.last_finished(now)
    trades = get_linked(source=source, last=last)
    changed = 0
    for part in _parts(trades):
        changed += _write(part, _measure(part, source, last), now)
    keep = trades["id"].to_list()
    gone = TimingAnalysis.objects.filter(trade__source__in=lakes.sources_beside(source))
    if gone.count() > len(keep):
        gone.exclude(trade__in=keep).delete()
    return Refreshed(trades=trades.height, changed=changed)


def get_linked(*, source: str, last: date) -> pl.DataFrame:
    """Return the trades with a candidate, and the first signal of its run beside each.

    The run's first signal is the newest one flagged so of the symbol and variant, at or before
    the candidate that the trade is linked to.

    Returns:
        ``COLUMNS``, ``first_id`` and ``signal`` (session of the first signal).
    """
    own = (
        Trade.objects.of(lakes.sources_beside(source))
        .open_between(None, last)
        .filter(candidate__isnull=False)
        .order_by("symbol", "opened_session", "pk")
    )
    trades = pl.DataFrame(
        list(own.values_list(*COLUMNS)), schema=COLUMNS, orient="row", strict=False
    )
    signals = Candidate.objects.filter(
        first_signal=True, symbol__in=own.order_by().values("symbol")
    )
    firsts = pl.DataFrame(
        list(signals.values_list("pk", "symbol", "batch__variant_id", "batch__session")),
        schema={
            "first_id": pl.Int64,
            "symbol": pl.String,
            "candidate__batch__variant_id": pl.Int64,
            "signal": pl.Date,
        },
        orient="row",
    )
    joined = trades.sort("candidate__batch__session").join_asof(
        firsts.sort("signal", "first_id"),
        left_on="candidate__batch__session",
        right_on="signal",
        by=["symbol", "candidate__batch__variant_id"],
        check_sortedness=False,
    )
    return joined.with_columns(
        pl.col("first_id").fill_null(pl.col("candidate_id")),
        pl.col("signal").fill_null(pl.col("candidate__batch__session")),
    ).sort("symbol", "opened_session", "id")


def _parts(trades: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for begin in range(0, trades.height, CHUNK):
        yield trades.slice(begin, CHUNK)


def bought(trades: pl.DataFrame, *, last: date) -> Bought:
    """Return trades as the arithmetic reads them; an open one ends at its mark."""
    is_open = trades["closed_session"].is_null()
    ended = trades["closed_session"].fill_null(trades["mark_session"]).fill_null(last)
    opened = numbers(trades["opened_session"])
    return Bought(
        symbols=trades["symbol"].to_list(),
        sign=np.where(trades["side"].to_numpy() == TradeSide.SHORT, -1.0, 1.0),
        entry=_floats(trades["entry_price"]),
        exit=_floats(trades["exit_price"].fill_null(trades["mark_price"])),
        quantity=_floats(trades["quantity"]),
        opened=opened,
        ended=np.maximum(numbers(ended), opened),
        is_open=is_open.to_numpy(),
        executable=numbers(trades["signal"]) + 1,
    )


def _measure(trades: pl.DataFrame, source: str, last: date) -> tuple[Bought, Timing]:
    own = bought(trades, last=last)
    first = sessions.day(int(min(own.opened.min(), own.executable.min())))
    panel = panels.get_panel(
        source=source, first=first, last=last, symbols=sorted(set(own.symbols))
    ).panel
    return own, timing.measure(own, panel, newest=newest_number(source, last))


def newest_number(source: str, last: date) -> int:
    """Return the newest session with bars up to ``last``, as a number; -1 without any."""
    days = [day for day in lakes.lake_of(source).sessions() if day <= last]
    return sessions.number(days[-1]) if days else -1


def _write(trades: pl.DataFrame, measured: tuple[Bought, Timing], now: datetime) -> int:
    own, found = measured
    profit = (trades["realised"] + trades["unrealised"].fill_null(0)).to_list()
    executable = [sessions.day(int(number)) for number in own.executable]
    columns: dict[str, Any] = {
        "trade": trades["id"].to_list(),
        "candidate": trades["first_id"].to_list(),
        "symbol": own.symbols,
        "signal_session": trades["signal"].to_list(),
        "executable_session": executable,
        "executable_open": found.executable_open,
        "delay": found.delay.tolist(),
        "entry_cost": found.entry_cost,
        "mfe": found.mfe,
        "mae": found.mae,
        "post_exit_mfe": found.post_exit_mfe,
        "exit_efficiency": found.exit_efficiency,
        "entry_score": found.entry_score,
        "exit_score": found.exit_score,
        "signal_value": _cents(found.executable_open * own.quantity),
        "delay_cost": _cents(found.delay_cost),
        "profit_taken": [_money(value) for value in profit],
        "left_during": _cents(found.left_during),
        "left_after": _cents(found.left_after),
        "volatility_20": found.volatility_20,
        "is_final": found.is_final.tolist(),
        "note": _notes(own, found),
        "updated_at": [now] * own.size,
        "source": trades["source"].to_list(),
    }
    return bulk.upsert(TimingAnalysis, columns, key=["trade"], stamps=["updated_at"])


def _notes(own: Bought, found: Timing) -> list[str]:
    """Return why something is not known, or what to think of it."""
    early = own.opened < own.executable
    blind, dark = np.isnan(found.executable_open), np.isnan(found.mfe)
    chosen = np.select([dark, early, blind], [NO_BARS, EARLIER, NO_OPEN], default="")
    return [str(note) for note in chosen]


def _floats(values: pl.Series) -> Floats:
    found: Floats = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return found


def _cents(values: Floats) -> list[Decimal | None]:
    return [None if np.isnan(value) else _money(value) for value in values.tolist()]


def _money(value: float) -> Decimal:
    return Decimal(repr(round(value, 2)))
