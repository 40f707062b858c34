"""Claimed performances against arithmetic, sampling and the market (design §2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isnan
from typing import Any

import polars as pl

from analytics.calc import intervals, sessions

VERIFIED, PLAUSIBLE = "verified", "plausible"
IMPOSSIBLE, UNVERIFIABLE = "impossible", "unverifiable"

# The mission's claims about historical winners: similarity in percent, mean gain as a fraction.
SIMILARITIES: Mapping[str, float] = {"VIGL": 100.0, "CRWV": 95.0, "AEVA": 87.0}
WINNERS_AVERAGE = 3.94

ROUNDING = 0.006  # half a cent and a little: prices are claimed in cents [USD]
POINT = 0.01  # returns are claimed in whole percent
SELLABLE = 0.05  # of a session's volume that can be sold in it
PEAK_WITHIN = 30  # sessions after the entry in which an undated peak is looked for


@dataclass(frozen=True, kw_only=True)
class Item:
    """One checked claim.

    Attributes:
        kind: ``arithmetic``, ``sampling`` or ``market``.
        subject: What it is about.
        claim: What was said.
        verdict: ``verified``, ``plausible``, ``impossible`` or ``unverifiable``.
        evidence: Why.
    """

    kind: str
    subject: str
    claim: str
    verdict: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Pick:
    """One claimed trade. Prices are as traded [USD]; ``gain`` is a fraction.

    Attributes:
        symbol: Ticker.
        entry_session: None if it was not said.
        entry: None if it was not said.
        exit_session, exit: The sale, or the peak it is measured by.
        is_peak: Whether ``exit`` is a peak rather than a sale.
        gain: Claimed return, if it was said.
        shares: Position, if it was said.
    """

    symbol: str
    entry_session: date | None = None
    entry: float | None = None
    exit_session: date | None = None
    exit: float | None = None
    is_peak: bool = False
    gain: float | None = None
    shares: float | None = None

    def __post_init__(self) -> None:
        for name in ("entry", "exit", "shares"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{self.symbol}: {name} must be above 0, got {value:g}")
        if self.entry_session and self.exit_session and self.exit_session < self.entry_session:
            raise ValueError(f"{self.symbol}: sold on {self.exit_session}, before it was bought")

    @property
    def said(self) -> str:
        """The claim in words."""
        bought = f"bought {self.entry_session or '?'} at {_usd(self.entry)}"
        word = "peak" if self.is_peak else "sold"
        end = f", {word} {self.exit_session or '?'} at {_usd(self.exit)}" if self.exit else ""
        gain = f", {self.gain:+.0%}" if self.gain is not None else ""
        return f"{bought}{end}{gain}"


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What is claimed of a whole record. Returns are fractions, money is USD."""

    picks: int
    winners: int
    explosive: int
    average_return: float
    profit: float
    invested: float


def check_totals(totals: Totals, stars: Sequence[Mapping[str, Any]]) -> list[Item]:
    """Check a record's totals against each other and against their own sample size.

    Args:
        totals: As claimed.
        stars: Best performers: ``symbol``, ``return``, and ``entry`` and ``peak`` if given.
    """
    on_capital = totals.profit / totals.invested
    agrees = abs(on_capital - totals.average_return) <= POINT
    said = f"average return {totals.average_return:+.0%} and ${totals.profit:,.2f} profit"
    found = [
        Item(
            kind="arithmetic",
            subject="average return",
            claim=f"{said} on ${totals.invested:,.0f}",
            verdict=PLAUSIBLE if agrees else IMPOSSIBLE,
            evidence=(
                f"${totals.profit:,.2f} on ${totals.invested:,.0f} is {on_capital:+.1%}"
                + ("." if agrees else ", so both cannot hold for equal stakes.")
            ),
        ),
        _sampled("win rate", totals.winners, totals.picks),
        _sampled("explosive growth rate", totals.explosive, totals.picks),
    ]
    return found + [_gain(star) for star in stars if star.get("entry") and star.get("peak")]


def check_winners_average(gains: Sequence[float], claimed: float = WINNERS_AVERAGE) -> Item:
    """Check the claimed mean gain of the historical winners against the gains claimed of each."""
    mean = sum(gains) / len(gains)
    listed = ", ".join(f"{gain:+.0%}" for gain in gains)
    agrees = abs(mean - claimed) <= POINT
    return Item(
        kind="arithmetic",
        subject="historical winners",
        claim=f"{claimed:+.0%} on average",
        verdict=PLAUSIBLE if agrees else IMPOSSIBLE,
        evidence=f"The mean of {listed} is {mean:+.0%}.",
    )


def check_similarity(symbol: str, said: float) -> Item:
    """Check a claimed similarity of a past winner to the pattern, in percent.

    Nothing that could reproduce it was given with the claim.
    """
    own = (
        "A pattern made from it is like it by construction, and that proves nothing."
        if said >= 100
        else "Neither its volume, short interest nor float on the signal day was given."
    )
    return Item(
        kind="market",
        subject=symbol,
        claim=f"{said:.0f} % similar to the pattern",
        verdict=UNVERIFIABLE,
        evidence=own,
    )


def _sampled(subject: str, hits: int, n: int) -> Item:
    low, high = intervals.wilson(hits, n)
    return Item(
        kind="sampling",
        subject=subject,
        claim=f"{hits} of {n} ({hits / n:.1%})",
        verdict=PLAUSIBLE,
        evidence=(
            f"At n = {n} the 95 % interval is {low:.0%} to {high:.0%} (Wilson, independence "
            "assumed); the period was chosen by who reports it."
        ),
    )


def _gain(star: Mapping[str, Any]) -> Item:
    gain = star["peak"] / star["entry"] - 1
    agrees = abs(gain - star["return"]) <= POINT
    return Item(
        kind="arithmetic",
        subject=str(star["symbol"]),
        claim=f"{star['entry']:.2f} to {star['peak']:.2f} is {star['return']:+.0%}",
        verdict=PLAUSIBLE if agrees else IMPOSSIBLE,
        evidence=f"{star['entry']:.2f} to {star['peak']:.2f} is {gain:+.1%}.",
    )


def check_pick(
    pick: Pick, bars: pl.DataFrame, splits: pl.DataFrame, covered: frozenset[date]
) -> list[Item]:
    """Check one claimed trade against the market.

    Args:
        pick: As claimed.
        bars: All bars of the symbol, raw: ``session``, ``high``, ``low``, ``close``, ``volume``.
        splits: Of the symbol: ``ex_date``, ``ratio``.
        covered: Sessions with bars of any symbol.
    """
    verdict, lines = UNVERIFIABLE, []
    if pick.gain is not None and pick.entry and pick.exit:
        factor = _factor(splits, pick.entry_session, pick.exit_session)
        made = pick.exit * factor / pick.entry - 1
        if abs(made - pick.gain) > POINT:
            return [_item(pick, "arithmetic", IMPOSSIBLE, f"The prices make {made:+.1%}.")]
    if bars.is_empty():
        lines.append(f"The data have no bars of {pick.symbol}.")
    elif pick.entry_session is None:
        lines.append("No entry session was said.")
    elif pick.entry_session not in covered:
        lines.append(f"The data have no bars of any stock on {pick.entry_session}.")
    else:
        verdict, lines = _traded(pick, bars, splits, covered)
    return [_item(pick, "market", verdict, " ".join(lines))]


def _traded(
    pick: Pick, bars: pl.DataFrame, splits: pl.DataFrame, covered: frozenset[date]
) -> tuple[str, list[str]]:
    day = pick.entry_session
    own = bars.filter(pl.col("session") == day)
    if own.is_empty():
        first, last = bars["session"].min(), bars["session"].max()
        span = f"its bars reach from {first!s} to {last!s}"
        return IMPOSSIBLE, [f"It did not trade on {day}; {span}."]
    bought, line = _within(pick.entry, own.row(0, named=True), "entry")
    if bought == IMPOSSIBLE or pick.exit is None:
        return bought, [line]
    sold, said = _exit(pick, bars, splits, covered)
    return _weaker(bought, sold), [line, said]


def _within(price: float | None, bar: Mapping[str, Any], word: str) -> tuple[str, str]:
    """Return whether a price was traded on the day of a bar, and why."""
    if price is None:
        return PLAUSIBLE, f"It traded on {bar['session']}; no {word} price was said."
    low, high = bar["low"], bar["high"]
    if low is None or high is None or isnan(low) or isnan(high):
        return PLAUSIBLE, f"On {bar['session']} only the close ({bar['close']:.4g}) is known."
    inside = low - ROUNDING <= price <= high + ROUNDING
    where = f"{price:.4g} lies {'inside' if inside else 'outside'} {low:.4g} to {high:.4g}"
    return (VERIFIED if inside else IMPOSSIBLE), f"{word.capitalize()}: {where}, {bar['session']}."


def _exit(
    pick: Pick, bars: pl.DataFrame, splits: pl.DataFrame, covered: frozenset[date]
) -> tuple[str, str]:
    assert pick.exit is not None and pick.entry_session is not None  # noqa: PT018, S101
    word = "peak" if pick.is_peak else "exit"
    if pick.exit_session is None:
        return _undated(pick, bars, splits, covered)
    if pick.exit_session not in covered:
        return UNVERIFIABLE, f"The data have no bars of any stock on {pick.exit_session}."
    own = bars.filter(pl.col("session") == pick.exit_session)
    if own.is_empty():
        return IMPOSSIBLE, f"It did not trade on {pick.exit_session}."
    bar = own.row(0, named=True)
    verdict, line = _within(pick.exit, bar, word)
    if verdict != VERIFIED:
        return verdict, line
    factor = _factor(splits, pick.entry_session, pick.exit_session)
    sellable, said = _sellable(pick.shares, factor, bar["volume"])
    return sellable, f"{line} {said}"


def _sellable(shares: float | None, factor: float, volume: float | None) -> tuple[str, str]:
    """Return whether a position could be sold within one session's volume, and why."""
    if shares is None:
        return PLAUSIBLE, "No size was said, so it is open whether it could be sold."
    share = shares * factor / volume if volume else float("inf")
    if share > 1:
        return IMPOSSIBLE, f"The position is {share:.1f} times what traded that day."
    said = f"Selling it takes {share:.2%} of that day's volume."
    return (PLAUSIBLE if share > SELLABLE else VERIFIED), said


def _undated(
    pick: Pick, bars: pl.DataFrame, splits: pl.DataFrame, covered: frozenset[date]
) -> tuple[str, str]:
    """Look for an undated exit or peak in the sessions after the entry."""
    assert pick.exit is not None and pick.entry_session is not None  # noqa: PT018, S101
    end = sessions.offset(pick.entry_session, PEAK_WITHIN)
    later = bars.filter(pl.col("session").is_between(pick.entry_session, end))
    highest = max(
        (close if high is None else high) * _factor(splits, pick.entry_session, day)
        for day, high, close in later.select("session", "high", "close").iter_rows()
    )
    reached = f"The highest price within {PEAK_WITHIN} sessions is {highest:.4g}"
    if pick.exit <= highest + ROUNDING:
        return PLAUSIBLE, f"{reached}, so {pick.exit:.4g} was reached; no day was said."
    missing = [day for day in sessions.between(pick.entry_session, end) if day not in covered]
    if missing:
        return UNVERIFIABLE, f"{reached}, but the data have no bars from {missing[0]} on."
    return IMPOSSIBLE, f"{reached}, below {pick.exit:.4g}."


def _factor(splits: pl.DataFrame, after: date | None, until: date | None) -> float:
    """Return new shares per old between two days."""
    if after is None or until is None or splits.is_empty():
        return 1.0
    inside = splits.filter((pl.col("ex_date") > after) & (pl.col("ex_date") <= until))
    return float(inside["ratio"].product()) if inside.height else 1.0


def _weaker(one: str, other: str) -> str:
    """Return the verdict of two claims together."""
    order = (IMPOSSIBLE, UNVERIFIABLE, PLAUSIBLE, VERIFIED)
    return min(one, other, key=order.index)


def _item(pick: Pick, kind: str, verdict: str, evidence: str) -> Item:
    return Item(kind=kind, subject=pick.symbol, claim=pick.said, verdict=verdict, evidence=evidence)


def _usd(price: float | None) -> str:
    return "?" if price is None else f"${price:.4g}"
