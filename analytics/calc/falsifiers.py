"""Conditions that prove a thesis wrong, in a form that a machine checks (design §9).

    condition  = measure comparison number ["%"] ["for" count "sessions"]
    comparison = "<" | "<=" | ">" | ">="

such as ``close < 3.10``, ``rel_volume < 2 for 3 sessions``, ``ret_1 <= -15%``. Prices are those of
the signal session's share basis.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

PRICES: Final = ("open", "high", "low", "close")
MEASURES: Final = (
    *PRICES, "volume", "rel_volume", "gap", "ret_1", "ret_5", "ret_20", "close_location",
    "atr_pct_14", "breakout_20", "volatility_20", "accumulation_5",
)  # fmt: skip
COMPARISONS: Final = ("<=", ">=", "<", ">")
LONGEST: Final = 30  # sessions that a condition may have to hold
MOST: Final = 8  # falsifiers of one thesis
_FORM: Final = re.compile(
    r"^\s*(?P<measure>[a-z_0-9]+)\s*(?P<comparison><=|>=|<|>)\s*"
    r"(?P<number>[-+]?\d+(?:\.\d+)?)\s*(?P<percent>%)?"
    r"(?:\s+for\s+(?P<sessions>\d+)\s+sessions?)?\s*$",
    re.IGNORECASE,
)


class BadCondition(ValueError):
    """The text is no condition; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One falsifier.

    Attributes:
        measure: One of ``MEASURES``.
        comparison: One of ``COMPARISONS``.
        number: Compared with: USD, shares, or a plain ratio (0.15 for 15 %).
        sessions: In a row that it must hold.
    """

    measure: str
    comparison: str
    number: float
    sessions: int = 1

    def __str__(self) -> str:
        held = f" for {self.sessions} sessions" if self.sessions > 1 else ""
        return f"{self.measure} {self.comparison} {self.number:.10g}{held}"


def parse(text: str) -> Condition:
    """Return the condition that ``text`` states.

    Raises:
        BadCondition: It states none.
    """
    found = _FORM.match(text)
    if found is None:
        raise BadCondition(
            f"{text!r} is no condition such as 'close < 3.10' or 'rel_volume < 2 for 3 sessions'"
        )
    measure = found["measure"].lower()
    if measure not in MEASURES:
        raise BadCondition(f"{measure!r} is not measured; {', '.join(MEASURES)} are")
    sessions = int(found["sessions"] or 1)
    if not 1 <= sessions <= LONGEST:
        raise BadCondition(f"{text!r}: 1 to {LONGEST} sessions, not {sessions}")
    if measure in PRICES and found["percent"]:
        raise BadCondition(f"{text!r}: {measure} is a price, not a percentage")
    number = float(found["number"]) / (100 if found["percent"] else 1)
    return Condition(
        measure=measure, comparison=found["comparison"], number=number, sessions=sessions
    )


def first_triggers(asked: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    """Return the first session in which each condition had held as long as it must.

    A session without a value, or without a bar, ends a run. All conditions are checked at once.

    Args:
        asked: One row per condition: ``id`` int, ``symbol``, ``measure``, ``comparison``,
            ``number`` float, ``sessions`` int, ``after`` int (number of the signal session:
            only later ones count), ``until`` int (last one that counts), ``scale`` float
            (shares of the signal session per share of today: prices are divided, volumes
            multiplied by nothing else).
        measured: One row per (symbol, session): ``symbol``, ``number_of_session`` int, ``basis``
            float (product of split ratios up to the session, new shares per old), and the
            columns of ``MEASURES``; null is not known.

    Returns:
        ``id``, ``number_of_session``, ``value`` (on the basis of the signal session); only the
        conditions that were met.
    """
    held = (
        asked.rename({"sessions": "needed"})
        .join(measured, on="symbol")
        .filter(
            pl.col("number_of_session") > pl.col("after"),
            pl.col("number_of_session") <= pl.col("until"),
        )
        .with_columns(value=_chosen(MEASURES))
        .with_columns(value=_on_basis())
        .sort("id", "number_of_session")
        .with_columns(met=_met().fill_null(value=False))
    )
    new_run = ~pl.col("met") | (pl.col("number_of_session").diff() != 1)
    runs = held.with_columns(run=new_run.fill_null(value=True).cum_sum().over("id"))
    lengths = runs.with_columns(length=pl.col("met").cum_sum().over("id", "run"))
    return (
        lengths.filter(pl.col("met"), pl.col("length") >= pl.col("needed"))
        .group_by("id", maintain_order=True)
        .agg(pl.col("number_of_session").first(), pl.col("value").first())
        .sort("id")
    )


def _chosen(names: Sequence[str]) -> pl.Expr:
    """Return the column that ``measure`` names, row by row."""
    return pl.coalesce(pl.when(pl.col("measure") == name).then(pl.col(name)) for name in names)


def _on_basis() -> pl.Expr:
    """Return prices and volumes in shares of the signal session."""
    since = pl.col("basis") / pl.col("scale")  # new shares per share of the signal session
    return (
        pl.when(pl.col("measure").is_in(PRICES))
        .then(pl.col("value") * since)
        .when(pl.col("measure") == "volume")
        .then(pl.col("value") / since)
        .otherwise(pl.col("value"))
    )


def _met() -> pl.Expr:
    value, number = pl.col("value"), pl.col("number")
    return (
        pl.when(pl.col("comparison") == "<")
        .then(value < number)
        .when(pl.col("comparison") == "<=")
        .then(value <= number)
        .when(pl.col("comparison") == ">")
        .then(value > number)
        .otherwise(value >= number)
    )
