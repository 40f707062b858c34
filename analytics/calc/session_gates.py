"""Hard gates of a session's data: what may not enter the lake as a whole (design §3)."""

from dataclasses import dataclass
from statistics import median
from typing import Final

import polars as pl

from analytics.calc.quality import FEWEST_SYMBOLS, REPEATED_SHARE

FEWEST_SHARE: Final = 0.5  # of the usual number of symbols: below it a file is cut short
USUAL_SESSIONS: Final = 20  # sessions before whose median is usual
KNOWN_SESSIONS: Final = 5  # of these must be there for anything to be usual
FAULTY_SHARE: Final = 0.2  # of the rows kept out by the row gates: above it the file is broken
WRONG_SHARE: Final = 0.1  # of the rows dated on another day
WITHDRAWN_SHARE: Final = 0.05  # of a session's stored bars that a later file may leave out


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A hard gate that failed, and what it saw."""

    gate: str
    detail: str


def find_failure(
    rows: pl.DataFrame, *, faults: pl.DataFrame, before: pl.DataFrame, counts: list[int]
) -> Failure | None:
    """Return the first hard gate that a session's data fail, None if they pass.

    Args:
        rows: The session's sound rows: ``symbol``, ``close``, ``volume``.
        faults: The rows kept out: ``gate``.
        before: Bars of the few sessions before: ``symbol``, ``session``, ``close``, ``volume``.
        counts: Symbols with a bar on each of the sessions before, the latest last.

    Source:
        Ours. A whole-market session has its usual number of symbols within a few per cent, and
        not one in a hundred stocks repeats both close and volume of an earlier session.
    """
    total = rows.height + faults.height
    wrong = faults.filter(pl.col("gate") == "wrong_session").height
    if wrong > WRONG_SHARE * total:
        return Failure(gate="wrong_session", detail=f"{wrong} of {total} rows are of another day")
    if faults.height > FAULTY_SHARE * total:
        said = f"{faults.height} of {total} rows cannot be right"
        return Failure(gate="faulty_file", detail=said)
    usual = usual_count(counts)
    if usual is not None and rows.height < FEWEST_SHARE * usual:
        said = f"{rows.height} symbols where {usual} are usual"
        return Failure(gate="too_few_symbols", detail=said)
    return _repeated(rows, before)


def find_withdrawal(gone: int, *, stored: int) -> Failure | None:
    """Return the failure of a later file that leaves out more of a session than it may.

    Args:
        gone: Stored bars that the file says nothing of.
        stored: Stored bars.

    Source:
        Ours. A vendor takes back single bars; a file that lacks one in twenty is cut short.
    """
    if gone <= max(1, WITHDRAWN_SHARE * stored):
        return None
    return Failure(gate="too_many_withdrawn", detail=f"{gone} of {stored} stored bars are missing")


def usual_count(counts: list[int]) -> int | None:
    """Return the median of the last sessions' counts; None where too few are known."""
    last = counts[-USUAL_SESSIONS:]
    if len(last) < KNOWN_SESSIONS:
        return None
    usual = int(median(last))
    return usual if usual >= FEWEST_SYMBOLS else None


def _repeated(rows: pl.DataFrame, before: pl.DataFrame) -> Failure | None:
    """Find an earlier session that these rows repeat: the feed is stuck, or its file is old."""
    c = pl.col
    traded = rows.filter(c("volume") > 0).select("symbol", "close", "volume")
    both = before.join(traded, on="symbol", suffix="_now").group_by("session")
    same = (c("close") == c("close_now")) & (c("volume") == c("volume_now"))
    found = (
        both.agg(share=same.mean(), symbols=pl.len())
        .filter((c("symbols") >= FEWEST_SYMBOLS) & (c("share") >= REPEATED_SHARE))
        .sort("share", "session", descending=True)
    )
    if found.is_empty():
        return None
    day, share, _symbols = found.row(0)
    return Failure(gate="repeated_session", detail=f"{share:.0%} of the bars are those of {day}")
