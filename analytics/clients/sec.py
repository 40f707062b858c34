"""SEC EDGAR: shares outstanding by filing date, and filings that announce new shares.

Public domain. The SEC asks every program to say who runs it (``User-Agent``), and for at most 10
requests a second.

Source: SEC, "EDGAR Application Programming Interfaces" and "Accessing EDGAR Data".
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

import polars as pl

from analytics.calc import sessions
from analytics.clients import rows
from analytics.clients.answers import Unauthorized
from analytics.clients.http import JsonClient
from analytics.clients.pace import Pace
from analytics.errors import BadAnswer, Unavailable, UpstreamError
from analytics.lake import shares

BASE_URL: Final = "https://www.sec.gov"
DATA_BASE_URL: Final = "https://data.sec.gov"
BLOCKED_S: Final = 600.0  # the SEC shuts out for ten minutes whoever asks too often
ORIGIN: Final = "sec"
KINDS: Final = ("424B", "S-1", "S-3", "F-3", "8-K")
FORM: Final = re.compile(
    r"(?P<kind>424B(?=\d)|S-1|S-3|F-3|8-K)((?<=B)\d{1,2}|12B|12G3|15D5)?(ASR|DPOS|D|MEF)*(/A)?"
)
POSTED: Final = time(6)  # what is filed for a day is public by 06:00 New York at the latest
COLUMNS: Final = ("accessionNumber", "form", "filingDate", "acceptanceDateTime")


@dataclass(frozen=True, kw_only=True)
class Filing:
    """One filing of a company.

    Args:
        symbol: In our spelling.
        cik: Ten digits.
        kind: One of ``KINDS``: 424B (prospectus of an offering), S-1, S-3, F-3
            (registrations), 8-K (event).
        form: As filed, e.g. ``424B5`` or ``S-3/A``.
        accession: The SEC's number; unique.
        filed_on: The official date.
        known_on: From when it may be used: never earlier than it was public.
        items: Of an 8-K, e.g. ``("1.01", "3.02")`` (3.02: unregistered sale of shares).
        url: The main document.
    """

    symbol: str
    cik: str
    kind: str
    form: str
    accession: str
    filed_on: date
    known_on: datetime
    items: tuple[str, ...]
    url: str


def refusal(status: int, told: str) -> UpstreamError | None:
    """Tell a 403 for asking too often from one for not saying who asks."""
    if status == 403:
        words = told.lower()
        if "threshold" in words or "too many" in words:
            return Unavailable(told, retry_after=BLOCKED_S)
        return Unauthorized(told)
    return None


class Sec:
    """EDGAR. Raises as :meth:`JsonClient.get` does.

    Args:
        user_agent: ``Name contact@example.com``.
        base_url: Of the lists of companies.
        data_base_url: Of facts and submissions.
        pace: At most 10 requests a second by all workers.
        options: Passed on to :class:`JsonClient`.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        base_url: str = BASE_URL,
        data_base_url: str = DATA_BASE_URL,
        pace: Pace | None = None,
        **options: Any,
    ) -> None:
        said = {"User-Agent": user_agent}
        shared: dict[str, Any] = {"headers": said, "pace": pace, "refusal": refusal, **options}
        self._web = JsonClient(base_url, provider="SEC", **shared)
        self._data = JsonClient(data_base_url, provider="SEC", **shared)

    def close(self) -> None:
        """Close the connections."""
        self._web.close()
        self._data.close()

    def __enter__(self) -> "Sec":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def ciks(self) -> dict[str, str]:
        """Return the CIK (ten digits) of each symbol listed now, in our spelling."""
        path = "/files/company_tickers.json"
        found: dict[str, str] = {}
        for row in self._web.get(path).values():
            if not isinstance(row, dict) or not row.get("ticker"):
                raise BadAnswer(f"SEC {path}: a row without a ticker")
            found.setdefault(str(row["ticker"]).replace("-", "."), _ten(row.get("cik_str")))
        return found

    def shares_outstanding(self, *, cik: str, symbol: str) -> pl.DataFrame:
        """Return what a company has stated of its shares outstanding, by filing date.

        Returns:
            The lake's ``shares`` columns, one row per date that a figure is about, as it was
            filed first; share classes filed together are added up. Known one session after
            the filing date.

        Raises:
            NotFound: The company has filed no such facts.

        Source:
            Shares outstanding, not float. Rows about a day after their filing date are typing
            errors and left out.
        """
        concept = "EntityCommonStockSharesOutstanding"
        path = f"/api/xbrl/companyconcept/CIK{_ten(cik)}/dei/{concept}.json"
        units = self._data.get(path).get("units") or {}
        if not isinstance(units, dict):
            raise BadAnswer(f"SEC {path}: 'units' is not an object")
        stated = rows.objects(units, "shares", f"SEC {path}")
        return facts_to_shares(stated, symbol=symbol)

    def filings(self, *, cik: str, symbol: str, since: date) -> list[Filing]:
        """Return the filings of ``KINDS`` filed on ``since`` or later, newest first.

        Raises:
            NotFound: There is no such company.
        """
        path = f"/submissions/CIK{_ten(cik)}.json"
        filed = self._data.get(path).get("filings")
        if not isinstance(filed, dict) or not isinstance(filed.get("recent"), dict):
            raise BadAnswer(f"SEC {path}: no 'filings.recent'")
        found = _filings(filed["recent"], cik=cik, symbol=symbol, where=path)
        for older in rows.objects(filed, "files", f"SEC {path}"):
            until, name = rows.day_of(older.get("filingTo")), str(older.get("name", ""))
            if until and until >= since and re.fullmatch(r"CIK[\w.-]+\.json", name):
                more = self._data.get(f"/submissions/{name}")
                found += _filings(more, cik=cik, symbol=symbol, where=name)
        unique = {filing.accession: filing for filing in found if filing.filed_on >= since}
        return sorted(unique.values(), key=lambda f: (f.known_on, f.accession), reverse=True)


def facts_to_shares(stated: list[dict[str, Any]], *, symbol: str) -> pl.DataFrame:
    """Turn the ``shares`` rows of a company fact into the lake's ``shares`` columns.

    Args:
        stated: Rows with ``end``, ``val``, ``accn`` and ``filed``.
        symbol: Whose they are.
    """
    frame = rows.table(
        stated,
        {
            "effective_date": ("end", pl.Date()),
            "filed": ("filed", pl.Date()),
            "accn": ("accn", pl.String()),
            "value": ("val", pl.Float64()),
        },
    )
    first = (
        frame.drop_nulls(["effective_date", "filed", "accn", "value"])
        .filter(
            pl.col("effective_date") <= pl.col("filed"), pl.col("value") > 0, ~rows.outside("filed")
        )
        .group_by("effective_date", "accn")
        .agg(pl.col("filed").min(), shares_outstanding=pl.col("value").sum())
        .sort("effective_date", "filed", "accn")
        .unique("effective_date", keep="first", maintain_order=True)
        .with_columns(symbol=pl.lit(symbol), origin=pl.lit(ORIGIN))
    )
    known = rows.known(first, "filed", rows.next_opening)
    return rows.complete(known, shares.COLUMNS, "effective_date")


def kind_of(form: str) -> str | None:
    """Return which of ``KINDS`` a form is; None for any other (S-11 is no S-1)."""
    found = FORM.fullmatch(form.strip().upper())
    return found["kind"] if found else None


def known_from(accepted: str, filed_on: date) -> datetime:
    """Return the instant from which a filing was public for certain.

    The acceptance time ends in Z, but of many filers it is the clock of New York: read as UTC
    it would be hours before the fact. Read as New York time it is never too early. What is
    accepted after 17:30 is filed, and shown, on the next business day.

    Source:
        Comparisons of the field with the header of the filings, which is New York time (e.g.
        github.com/theOGognf/finagg, issue 64: 181 of 808 companies).
    """
    posted = datetime.combine(filed_on, POSTED, tzinfo=sessions.NEW_YORK)
    try:
        clock = datetime.fromisoformat(accepted).replace(tzinfo=sessions.NEW_YORK)
    except ValueError:  # the time is missing: at the end of the day it is known
        clock = datetime.combine(filed_on, time(22), tzinfo=sessions.NEW_YORK)
    return max(posted, clock).astimezone(UTC)


def _filings(columns: dict[str, Any], *, cik: str, symbol: str, where: str) -> list[Filing]:
    """Read the columns of a submissions file: the n-th of each is one filing."""
    lists = [columns.get(name) for name in COLUMNS]
    if not all(isinstance(found, list) for found in lists):
        raise BadAnswer(f"SEC {where}: a column of {', '.join(COLUMNS)} is missing")
    numbers, forms, dates, times = (rows.texts(found or []) for found in lists)
    if not len(numbers) == len(forms) == len(dates) == len(times):
        raise BadAnswer(f"SEC {where}: columns of different lengths")
    items = rows.texts(columns.get("items") or [""] * len(numbers))
    documents = rows.texts(columns.get("primaryDocument") or [""] * len(numbers))
    made = []
    for number, form, day, accepted, item, document in zip(
        numbers, forms, dates, times, items, documents, strict=False
    ):
        kind, filed_on = kind_of(form), rows.day_of(day)
        if kind is None or filed_on is None:
            continue
        folder = f"{BASE_URL}/Archives/edgar/data/{int(_ten(cik))}/{number.replace('-', '')}"
        made.append(
            Filing(
                symbol=symbol,
                cik=_ten(cik),
                kind=kind,
                form=form,
                accession=number,
                filed_on=filed_on,
                known_on=known_from(accepted, filed_on),
                items=tuple(part.strip() for part in item.split(",") if part.strip()),
                url=f"{folder}/{document}" if document else folder,
            )
        )
    return made


def _ten(cik: object) -> str:
    """Return a CIK with ten digits."""
    digits = str(cik).strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 10:
        raise BadAnswer(f"SEC: {digits[:20]!r} is no CIK")
    return digits.zfill(10)
