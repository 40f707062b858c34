"""Leaks that people really make, planted to show that the certificate would notice (design §16).

Each turns the inputs of a scan into what a careless scan would read. Given everything, it reads
the future; given what was known that evening, it cannot. The difference is what must be caught.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import polars as pl

from analytics.calc import lookahead, sessions
from analytics.calc.lookahead import Detector, Inputs, Tally

Leak = Callable[[Inputs], Inputs]

AROUND = 60  # sessions before and after a session that a planted leak reads
AHEAD = 14  # sessions that the future filters look ahead
LONG_AGO = datetime(1995, 1, 3, tzinfo=UTC)
TRIES = 6  # sessions on which a leak is tried


def future_filter(inputs: Inputs) -> Inputs:
    """Leave out stock-days after which the price fell by half: "bad data"."""
    later = pl.col("close").shift(-AHEAD).over("symbol")
    kept = (later / pl.col("close") > 0.9).fill_null(value=True)
    return replace(inputs, bars=inputs.bars.filter(kept))


def adjusted_price(inputs: Inputs) -> Inputs:
    """Judge the price band by prices adjusted for splits that came later."""
    later = inputs.splits.select("symbol", "ex_date", "ratio").sort("ex_date")
    steps = later.with_columns(
        factor=pl.col("ratio").cum_prod(reverse=True).over("symbol", order_by="ex_date")
    ).select("symbol", "factor", session=pl.col("ex_date") - pl.duration(days=1))
    bars = inputs.bars.sort("session").join_asof(
        steps.sort("session"), on="session", by="symbol", strategy="forward", check_sortedness=False
    )
    factor = pl.col("factor").fill_null(1.0)
    prices = [pl.col(name) / factor for name in ("open", "high", "low", "close")]
    adjusted = bars.with_columns(*prices, volume=pl.col("volume") * factor).drop("factor")
    return replace(inputs, bars=adjusted.sort("symbol", "session"), splits=inputs.splits.clear())


def settlement_short_interest(inputs: Inputs) -> Inputs:
    """Use short interest from its settlement on, weeks before it was published."""
    told = pl.col("settlement_date").cast(pl.Datetime("us", "UTC"))
    return replace(inputs, short_interest=inputs.short_interest.with_columns(known_on=told))


def survivors_only(inputs: Inputs) -> Inputs:
    """Take the universe from a list of what trades at the end of the data."""
    last = inputs.bars["session"].max()
    alive = inputs.bars.filter(pl.col("session") == pl.lit(last)).select("symbol").unique()
    kept = inputs.bars.join(alive, on="symbol", how="semi", maintain_order="left")
    return replace(inputs, bars=kept)


def full_sample_normaliser(inputs: Inputs) -> Inputs:
    """Clip volumes at a multiple of the mean of the whole sample."""
    most = 5 * pl.col("volume").mean().over("symbol")
    return replace(inputs, bars=inputs.bars.with_columns(volume=pl.min_horizontal("volume", most)))


def todays_float(inputs: Inputs) -> Inputs:
    """Use the newest share count for every session of the past."""
    newest = inputs.shares.sort("symbol", "known_on").unique("symbol", keep="last")
    first = inputs.bars["session"].min()
    return replace(
        inputs,
        shares=newest.with_columns(
            effective_date=pl.lit(first, pl.Date),
            known_on=pl.lit(LONG_AGO).cast(pl.Datetime("us", "UTC")),
        ),
    )


def next_bar_window(inputs: Inputs) -> Inputs:
    """Let the window end one bar too late."""
    following = pl.col("volume").shift(-1).over("symbol")
    smooth = (pl.col("volume") + following.fill_null(pl.col("volume"))) / 2
    return replace(inputs, bars=inputs.bars.with_columns(volume=smooth))


def known_delisting(inputs: Inputs) -> Inputs:
    """Leave out stocks that are about to be delisted, by the listing's last session."""
    end = inputs.bars["session"].max()
    ends = inputs.securities.filter(pl.col("last_session") < pl.lit(end)).select(
        "symbol",
        last_session="last_session",
        warned=pl.col("last_session") - pl.duration(days=20),
    )
    doomed = inputs.bars.join(ends, on="symbol").filter(
        pl.col("session").is_between("warned", "last_session")
    )
    kept = inputs.bars.join(doomed, on=["symbol", "session"], how="anti", maintain_order="left")
    return replace(inputs, bars=kept)


LEAKS: dict[str, Leak] = {
    "future filter": future_filter,
    "adjusted price in the price band": adjusted_price,
    "settlement-date short interest": settlement_short_interest,
    "survivor-only universe": survivors_only,
    "full-sample normaliser": full_sample_normaliser,
    "today's float": todays_float,
    "window including the next bar": next_bar_window,
    "listing's end known before": known_delisting,
}


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What became of one planted leak.

    Attributes:
        name: Of ``LEAKS``.
        differences: Found on the session that showed the most; 0 was not caught.
        example: The first of them in words.
    """

    name: str
    differences: int
    example: str

    @property
    def found(self) -> dict[str, int | str]:
        """Return what is kept of it."""
        return {"differences": self.differences, "example": self.example}


def plant(inputs: Inputs, detector: Detector, days: Sequence[date]) -> list[Planted]:
    """Plant every leak that the data have something for, and say what was noticed.

    Each is tried on one session after the other, up to ``TRIES``, until it is caught. A leak
    about data that ``inputs`` do not hold is left out.
    """
    return [
        _try(name, leak, inputs, detector, days[:TRIES])
        for name, leak in LEAKS.items()
        if _has_food(name, inputs)
    ]


def _has_food(name: str, inputs: Inputs) -> bool:
    needed = {
        "adjusted price in the price band": inputs.splits,
        "settlement-date short interest": inputs.short_interest,
        "today's float": inputs.shares,
    }
    return name not in needed or not needed[name].is_empty()


def _try(
    name: str, leak: Leak, inputs: Inputs, detector: Detector, days: Sequence[date]
) -> Planted:
    for day in days:
        tally = Tally()
        number = sessions.number(day)
        near = inputs.bars_between(
            sessions.day(max(number - AROUND, 0)), sessions.offset(day, AROUND)
        )
        full = lookahead.scan(leak(near), detector, [day])[0]
        cut = lookahead.scan(leak(near.known_on(day)), detector, [day])[0]
        lookahead.compare(full, cut, tally)
        if tally.differences:
            return Planted(name=name, differences=tally.differences, example=tally.examples[0])
    return Planted(name=name, differences=0, example="")
