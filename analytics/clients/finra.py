"""FINRA's files: short interest twice a month, off-exchange short volume each evening.

The parsers take text, so that a file a person downloaded reads like one we fetched. FINRA's
terms forbid republishing: files are fetched when they are needed and never shipped.

Source: FINRA, "Short Interest Files" and "Daily Short Sale Volume Files".
"""

from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from analytics.calc import sessions
from analytics.clients import files, rows
from analytics.clients.answers import NotPublishedYet
from analytics.clients.files import Reading
from analytics.clients.http import JsonClient
from analytics.clients.pace import Pace
from analytics.clients.reference_files import NO_VOLUME_DAYS
from analytics.errors import BadAnswer, UpstreamError
from analytics.lake import shorts

BASE_URL: Final = "https://cdn.finra.org"
MID_MONTH: Final = 15
VOLUME_HEADER: Final = ("Date", "Symbol", "ShortVolume", "ShortExemptVolume", "TotalVolume")
INTEREST_HEADER: Final = (
    "accountingYearMonthNumber",
    "symbolCode",
    "issueName",
    "issuerServicesGroupExchangeCode",
    "marketClassCode",
    "currentShortPositionQuantity",
)


def refusal(status: int, told: str) -> UpstreamError | None:
    """A file that is not there yet is answered with 403, at times with 404."""
    return NotPublishedYet(told) if status in {403, 404} else None


class Finra:
    """FINRA's public files; no key. Raises as :meth:`JsonClient.get` does.

    Args:
        base_url: The only host that is asked.
        pace: The rate limit shared by all workers.
        options: Passed on to :class:`JsonClient`.
    """

    def __init__(
        self, *, base_url: str = BASE_URL, pace: Pace | None = None, **options: Any
    ) -> None:
        self.http = JsonClient(base_url, provider="FINRA", pace=pace, refusal=refusal, **options)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __enter__(self) -> "Finra":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def short_volume(self, session: date) -> Reading:
        """Return the off-exchange short volume of ``session``; see :func:`read_short_volume`.

        Raises:
            NotPublishedYet: There is no such file (yet).
        """
        path = f"/equity/regsho/daily/CNMSshvol{session:%Y%m%d}.txt"
        return read_short_volume(self.http.get_text(path), session=session)

    def short_interest(self, settlement: date) -> Reading:
        """Return the short interest settled on ``settlement``; see :func:`read_short_interest`.

        Raises:
            NotPublishedYet: There is no such file (yet).
        """
        path = f"/equity/otcmarket/biweekly/shrt{settlement:%Y%m%d}.csv"
        return read_short_interest(self.http.get_text(path), settlement=settlement)


def settlement_dates(first: date, last: date) -> list[date]:
    """Return the days from ``first`` to ``last`` on which short interest is settled.

    The 15th and the last day of each month, moved back to a session.
    """
    found = set()
    month = first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=32)).replace(day=1)
        for day in (month.replace(day=MID_MONTH), following - timedelta(days=1)):
            found.add(sessions.day(sessions.number(day)))
        month = following
    return sorted(day for day in found if first <= day <= last)


def read_short_volume(text: str, *, session: date | None = None) -> Reading:
    """Read a daily short sale volume file.

    Args:
        text: ``Date|Symbol|ShortVolume|ShortExemptVolume|TotalVolume|Market``; volumes are
            decimals (fractional shares) or whole; a count of rows may end the file.
        session: The day it should be about; rows of another day are faults.

    Returns:
        A reading in the lake's columns. Known on the evening of the session.

    Raises:
        BadAnswer: It does not start with its header.
    """
    cells, count = _cells(text, VOLUME_HEADER, "short volume")
    number = pl.Float64()
    frame = cells.select(
        "line",
        symbol=_symbol("Symbol"),
        session=pl.col("Date").str.to_date("%Y%m%d", strict=False),
        short_volume=pl.col("ShortVolume").cast(number, strict=False),
        total_volume=pl.col("TotalVolume").cast(number, strict=False),
    )
    usable = (pl.col("short_volume") >= 0) & (pl.col("total_volume") >= pl.col("short_volume"))
    wrong = [
        ("wrong_session", pl.col("session") != (session or pl.col("session"))),
        ("bad_date", rows.outside("session")),
        ("bad_figure", ~usable.fill_null(value=False)),
    ]
    kept, faults = rows.sound(frame, wrong, key=["symbol", "session"], data_set="short volume")
    kept = rows.known(kept, "session", rows.evening)
    made = rows.complete(kept, shorts.VOLUME_COLUMNS, "session")
    return Reading(frame=made, faults=faults, note=_note(count, cells.height))


def read_short_interest(text: str, *, settlement: date | None = None) -> Reading:
    """Read a short interest file; pipes divide its cells in spite of its name.

    Args:
        text: With a header that starts as in ``INTEREST_HEADER``.
        settlement: The day it should be about; rows of another day are faults.

    Returns:
        A reading in the lake's columns. Known 7 sessions after settlement, and one of margin
        (design §3). ``days_to_cover`` is null where FINRA has none or writes 999.99. A row
        that FINRA marks as revised stands for the one it revises.

    Raises:
        BadAnswer: It does not start with its header.
    """
    cells, count = _cells(text, INTEREST_HEADER, "short interest")
    number = pl.Float64()
    days = pl.col("daysToCoverQuantity").cast(number, strict=False)
    frame = cells.select(
        "line",
        symbol=_symbol("symbolCode"),
        settlement_date=pl.col("settlementDate").str.to_date("%Y-%m-%d", strict=False),
        shares_short=pl.col("currentShortPositionQuantity").cast(number, strict=False),
        avg_daily_volume=pl.col("averageDailyVolumeQuantity").cast(number, strict=False),
        days_to_cover=pl.when(days != NO_VOLUME_DAYS).then(days),
        revised=pl.col("revisionFlag").eq("R").fill_null(value=False),
    ).sort("revised", descending=True, maintain_order=True)
    day = "settlement_date"
    wrong = [
        ("wrong_session", pl.col(day) != (settlement or pl.col(day))),
        ("bad_date", rows.outside(day)),
        ("bad_figure", ~(pl.col("shares_short") >= 0).fill_null(value=False)),
    ]
    kept, faults = rows.sound(frame, wrong, key=["symbol", day], data_set="short interest")
    kept = rows.known(kept.sort("line"), day, rows.short_interest_known)
    made = rows.complete(kept, shorts.INTEREST_COLUMNS, day)
    return Reading(frame=made, faults=faults.sort("line"), note=_note(count, cells.height))


def _cells(text: str, header: tuple[str, ...], name: str) -> tuple[pl.DataFrame, int | None]:
    """Return the cells as text with their ``line``, and the count that ends the file, if any.

    Every cell stays text, so that the ticker NA stays one. Empty cells are null.
    """
    lines = [line.strip() for line in text.splitlines()]
    found = lines[0].lstrip("\ufeff").split("|") if lines else []
    if tuple(found[: len(header)]) != header:
        raise BadAnswer(f"FINRA {name}: expected {'|'.join(header)}..., found {lines[:1]!r:.120}")
    split = [(number, line.split("|")) for number, line in enumerate(lines[1:], 2) if line]
    whole = [(number, cells) for number, cells in split if len(cells) == len(found)]
    counts = [cells[0] for _, cells in split if len(cells) == 1 and cells[0].isdigit()]
    columns = {
        column: [cells[place].strip() or None for _, cells in whole]
        for place, column in enumerate(found)
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(found, pl.String()))
    numbers = pl.Series("line", [number for number, _ in whole], dtype=files.LINE)
    return frame.insert_column(0, numbers), int(counts[-1]) if counts else None


def _symbol(column: str) -> pl.Expr:
    """Return our spelling: FINRA writes class shares with a slash or a blank at times."""
    return pl.col(column).str.replace(r"[/ ]", ".")


def _note(count: int | None, found: int) -> str:
    if count is None or count == found:
        return ""
    return f"the file says that it has {count} rows, and {found} could be read"
