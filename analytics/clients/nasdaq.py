"""Nasdaq Trader: what is listed now, and trading halts on all US exchanges.

No key. The terms of the halt feed allow display and non-commercial use; nothing is republished.

Source: nasdaqtrader.com, "Symbol Directory Definitions" and "Trade Halt RSS"; the shape of an
item was checked against records of the feed that others published.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from xml.etree import ElementTree

import polars as pl

from analytics.calc import sessions
from analytics.clients import rows
from analytics.clients.http import JsonClient
from analytics.clients.pace import Pace
from analytics.errors import BadAnswer

BASE_URL: Final = "https://www.nasdaqtrader.com"
NAMESPACE: Final = "{http://www.nasdaqtrader.com/}"
CREATED: Final = "File Creation Time:"
NASDAQ_HEADER: Final = (
    "Symbol|Security Name|Market Category|Test Issue|Financial Status|Round Lot Size|ETF|NextShares"
)
OTHER_HEADER: Final = (
    "ACT Symbol|Security Name|Exchange|CQS Symbol|ETF|Round Lot Size|Test Issue|NASDAQ Symbol"
)
EXCHANGES: Final = {"A": "amex", "N": "nyse", "P": "arca", "Z": "cboe", "V": "iex"}
TROUBLE: Final = {
    "D": "deficient",
    "E": "delinquent",
    "Q": "bankrupt",
    "G": "deficient and bankrupt",
    "H": "deficient and delinquent",
    "J": "delinquent and bankrupt",
    "K": "deficient, delinquent and bankrupt",
}
DIRECTORY: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),  # our spelling (the tape's): KIMpL, BRK.B
    "name": pl.String(),
    "exchange": pl.String(),
    "is_etf": pl.Boolean(),
    "trouble": pl.String(),  # Nasdaq's financial status in words; null if normal or not given
    "known_on": rows.INSTANT,  # when the file was made
}


@dataclass(frozen=True, kw_only=True)
class Halt:
    """Trading in a stock was stopped.

    Args:
        symbol: As the exchange writes it.
        name: Of the security; "" if not given.
        market: Of listing, as the feed says it.
        reason: The exchange's code: T1 news pending, T12 more information asked for, LUDP
            volatility pause, H10 halted by the SEC, ...
        halted_at: When; known from then on.
        resumes_at: When trading goes on; None if that is not known.
    """

    symbol: str
    name: str
    market: str
    reason: str
    halted_at: datetime
    resumes_at: datetime | None


class Nasdaq:
    """Nasdaq Trader's public files. Raises as :meth:`JsonClient.get` does.

    Args:
        base_url: The only host that is asked.
        pace: The rate limit shared by all workers.
        options: Passed on to :class:`JsonClient`.
    """

    def __init__(
        self, *, base_url: str = BASE_URL, pace: Pace | None = None, **options: Any
    ) -> None:
        self.http = JsonClient(base_url, provider="Nasdaq Trader", pace=pace, **options)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __enter__(self) -> "Nasdaq":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def directory(self) -> pl.DataFrame:
        """Return what is listed now on all US exchanges, without test issues.

        Returns:
            Columns as in ``DIRECTORY``, sorted by symbol. No delisted names, no history.
        """
        folder = "/dynamic/SymDir"
        nasdaq = read_directory(self.http.get_text(f"{folder}/nasdaqlisted.txt"))
        other = read_directory(self.http.get_text(f"{folder}/otherlisted.txt"))
        both = pl.concat([nasdaq, other])
        return both.unique("symbol", keep="first", maintain_order=True).sort("symbol")

    def halts(self, day: date | None = None) -> list[Halt]:
        """Return the halts of ``day``, or those the feed holds now, oldest first."""
        params = {"feed": "tradehalts", **({"haltdate": f"{day:%m%d%Y}"} if day else {})}
        return read_halts(self.http.get_text("/rss.aspx", **params))


def read_directory(text: str) -> pl.DataFrame:
    """Read ``nasdaqlisted.txt`` or ``otherlisted.txt``.

    Raises:
        BadAnswer: It starts with neither header, or does not end with its creation time (it was
            cut short).
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    header = lines[0] if lines else ""
    if header not in (NASDAQ_HEADER, OTHER_HEADER):
        raise BadAnswer(f"Nasdaq directory: expected its header, found {header[:100]!r}")
    if not lines[-1].startswith(CREATED):
        raise BadAnswer("Nasdaq directory: the file was cut short")
    names = header.split("|")
    cells = [line.split("|") for line in lines[1:-1]]
    listed = [dict(zip(names, row, strict=True)) for row in cells if len(row) == len(names)]
    made = _created(lines[-1])
    flat = [
        {
            "symbol": row.get("CQS Symbol") or row.get("ACT Symbol") or row["Symbol"],
            "name": row["Security Name"],
            "exchange": EXCHANGES.get(row["Exchange"]) if "Exchange" in row else "nasdaq",
            "is_etf": row["ETF"] == "Y",
            "trouble": TROUBLE.get(row.get("Financial Status", "")),
        }
        for row in listed
        if row["Test Issue"] != "Y"
    ]
    columns = {name: (name, dtype) for name, dtype in DIRECTORY.items() if name != "known_on"}
    frame = rows.table(flat, columns).with_columns(known_on=pl.lit(made, rows.INSTANT))
    return frame.select(list(DIRECTORY)).drop_nulls("symbol")


def read_halts(text: str) -> list[Halt]:
    """Read the feed of trading halts; its times are those of New York.

    Raises:
        BadAnswer: It is no such feed.
    """
    if "<!DOCTYPE" in text[:2000].upper() or "<!ENTITY" in text.upper():
        raise BadAnswer("Nasdaq halts: expected a feed, found a document with a type of its own")
    try:
        tree = ElementTree.fromstring(text)  # noqa: S314 - no entities, see above
    except ElementTree.ParseError as error:
        raise BadAnswer(f"Nasdaq halts: {error}") from error
    if tree.tag != "rss":
        raise BadAnswer(f"Nasdaq halts: expected rss, found {tree.tag[:40]!r}")
    found = [halt for item in tree.iter("item") if (halt := _halt(item))]
    return sorted(found, key=lambda halt: (halt.halted_at, halt.symbol))


def _halt(item: ElementTree.Element) -> Halt | None:
    def cell(*names: str) -> str:
        texts = (item.findtext(f"{NAMESPACE}{name}") or "" for name in names)
        return next((text.strip() for text in texts if text.strip()), "")

    symbol, halted_at = cell("IssueSymbol"), _clock(cell("HaltDate"), cell("HaltTime"))
    if not symbol or halted_at is None:
        return None
    resumes = _clock(cell("ResumptionDate") or cell("HaltDate"), cell("ResumptionTradeTime"))
    return Halt(
        symbol=symbol,
        name=cell("IssueName"),
        market=cell("Market", "Mkt"),
        reason=cell("ReasonCode"),
        halted_at=halted_at,
        resumes_at=resumes,
    )


def _clock(day: str, clock: str) -> datetime | None:
    """Return New York's ``06/16/2023`` and ``19:50:01`` (or ``07:32:12 .540``) in UTC."""
    at = re.match(r"(\d{1,2}):(\d\d):(\d\d)", clock)
    on = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", day)
    if not at or not on:
        return None
    try:
        local = datetime.combine(
            date(int(on[3]), int(on[1]), int(on[2])), time(int(at[1]), int(at[2]), int(at[3]))
        )
    except ValueError:
        return None
    return local.replace(tzinfo=sessions.NEW_YORK).astimezone(UTC)


def _created(line: str) -> datetime:
    """Return when a directory file was made: ``File Creation Time: 1123202621:33|||``."""
    stamp = re.search(r"(\d{8})(\d\d):(\d\d)", line)
    if stamp is None:
        raise BadAnswer("Nasdaq directory: its creation time cannot be read")
    try:
        local = datetime.strptime("".join(stamp.groups()), "%m%d%Y%H%M")  # noqa: DTZ007 - next line
    except ValueError as error:
        raise BadAnswer("Nasdaq directory: its creation time cannot be read") from error
    return local.replace(tzinfo=sessions.NEW_YORK).astimezone(UTC)
