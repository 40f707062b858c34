"""Reference patterns filled from market data (design §6)."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from django.db import transaction

from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.lake.tables import Lake
from analytics.models import ReferencePattern, Security
from analytics.services import lakes

BEFORE = 40  # sessions read before the signal: the longest window is 25
PEAK_WITHIN = 14  # sessions after the signal in which the peak is looked for (design §8)


class NoBars(DomainError):
    """The lake does not hold what is asked for."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """What the price did after a signal, on the basis of the entry day.

    Attributes:
        entry: Open of the session after the signal [USD].
        peak: Highest high from the entry on [USD].
        sessions_to_peak: 1 is the entry session.
    """

    entry: float
    peak: float
    sessions_to_peak: int

    @property
    def gain(self) -> float:
        """Peak over entry, less 1."""
        return self.peak / self.entry - 1


def fill_from_bars(*, reference_id: int, session: date, source: str) -> ReferencePattern:
    """Measure a reference pattern at its signal session and store what was found.

    Entry is the open of the next session, the peak the highest high within 14 sessions of the
    signal. A figure that the data do not give becomes null; the price range is left alone.

    Args:
        reference_id: Row to fill.
        session: Session of the signal.
        source: Whose market data: "live" and "imported" are one lake, "simulated" the other.

    Raises:
        NoBars: No bar on the signal session, or none on the next one with an open.
        lakes.NoLake: ``source`` has no market data.
        ReferencePattern.DoesNotExist: No such row.
    """
    reference = ReferencePattern.objects.get(pk=reference_id)
    lake = lakes.lake_of(source)
    bars = _listing_bars(lake, reference.symbol, session, source)
    move = _move(bars, _splits(lake, reference.symbol), session, reference.symbol)
    measured = _features(lake, bars, session, reference.symbol)
    with transaction.atomic():
        reference = ReferencePattern.objects.select_for_update().get(pk=reference_id)
        reference.signal_session = session
        reference.entry_price = move.entry
        reference.peak_price = move.peak
        reference.gain = move.gain
        reference.sessions_to_peak = move.sessions_to_peak
        reference.volume_spike = measured["rel_volume"]
        reference.short_interest_pct = _above_zero(measured["short_interest_pct"])
        reference.float_shares = measured["float_shares"]
        reference.source = source
        reference.save()
    return reference


def _listing_bars(lake: Lake, symbol: str, session: date, source: str) -> pl.DataFrame:
    """Return the bars around ``session``, of the listing that traded on it."""
    first = sessions.offset(session, -BEFORE)
    last = sessions.offset(session, PEAK_WITHIN)
    bars = lake.read("bars", first=first, last=last, symbols=[symbol])
    if bars.filter(pl.col("session") == session).is_empty():
        raise NoBars(f"No bar of {symbol} on {session}.")
    listing = (
        Security.objects.filter(source__in=lakes.sources_beside(source), symbol=symbol)
        .listed_on(session)
        .first()
    )
    if listing is None:
        return bars
    return bars.filter(pl.col("session").is_between(listing.first_session, listing.last_session))


def _splits(lake: Lake, symbol: str) -> pl.DataFrame:
    return lake.read("splits", symbols=[symbol])


def _move(bars: pl.DataFrame, splits: pl.DataFrame, session: date, symbol: str) -> Move:
    """Return entry and peak; a split after the entry is undone."""
    entry_session = sessions.offset(session, 1)
    after = bars.filter(pl.col("session") > session)
    first = after.filter(pl.col("session") == entry_session)
    entry = first["open"][0] if first.height else None
    if entry is None:
        raise NoBars(f"No open of {symbol} on {entry_session}, the session after the signal.")
    later = splits.filter(pl.col("ex_date") > entry_session)
    best, best_session = 0.0, entry_session
    for day, high, close in after.select("session", "high", "close").iter_rows():
        factor = later.filter(pl.col("ex_date") <= day)["ratio"].product()
        price = (close if high is None else high) * factor
        if price > best:
            best, best_session = price, day
    number = sessions.number(best_session) - sessions.number(session)
    return Move(entry=entry, peak=best, sessions_to_peak=number)


def _features(
    lake: Lake, bars: pl.DataFrame, session: date, symbol: str
) -> dict[str, float | None]:
    """Return the features of the signal session, as a scan of it would have known them."""
    from analytics.calc import features, panel

    known = bars.filter(pl.col("session") <= session)
    built = panel.build(
        known,
        splits=_splits(lake, symbol).filter(pl.col("known_on") <= sessions.cut_off(session)),
        short_interest=lake.read("short_interest", last=session, symbols=[symbol]),
        shares=lake.read("shares", last=session, symbols=[symbol]),
    )
    last_row = np.array([built.height - 1], dtype=np.int64)
    return features.frame(built, features.of_rows(built, last_row)).row(0, named=True)


def _above_zero(value: float | None) -> float | None:
    """Return a share, or None where nothing was short: a ratio needs something to divide by."""
    return value if value and value > 0 else None
