"""What Polygon lists: securities as of a day, their types, and renames.

A list as of a past day holds the names that have delisted since, under that day's symbols: this
is the universe without survivorship.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import quote

import polars as pl

from analytics.clients import rows
from analytics.clients.files import Reading
from analytics.clients.polygon import Polygon
from analytics.errors import BadAnswer

TICKERS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),  # case-sensitive
    "name": pl.String(),
    "kind": pl.String(),  # a value of analytics.models.Kind
    "vendor_type": pl.String(),  # as the provider says it; null on some old rows
    "exchange": pl.String(),  # nyse, nasdaq, amex, arca, cboe, iex, else the MIC; null on old rows
    "active": pl.Boolean(),  # on the day asked about
    "delisted_on": pl.Date(),
    "cik": pl.String(),  # ten digits
    "composite_figi": pl.String(),
    "share_class_figi": pl.String(),  # what stays when the symbol changes
    "is_test": pl.Boolean(),
    "as_of": pl.Date(),
}
KINDS: Final = {
    "CS": "common",
    "OS": "common",
    "ADRC": "adr",
    "ADRP": "preferred",
    "ADRW": "warrant",
    "ADRR": "right",
    "PFD": "preferred",
    "WARRANT": "warrant",
    "RIGHT": "right",
    "UNIT": "unit",
    "FUND": "fund",
    "ETF": "etf",
    "ETN": "etf",
    "ETS": "etf",
    "ETV": "etf",
    "SP": "other",
}
EXCHANGES: Final = {
    "XNYS": "nyse",
    "XNAS": "nasdaq",
    "XASE": "amex",
    "ARCX": "arca",
    "BATS": "cboe",
    "IEXG": "iex",
}
BLANK_CHECK: Final = (
    r"(?i)\bspac\b|\bblank check\b|\bmerger corp\b|\bacquisitions? "
    r"(corp|corporation|co|company|inc|ltd|limited|holdings?|group|plc|partners?|[ivx]+|\d)\b"
)
TEST_SYMBOL: Final = r"^(Z[A-Z]ZZT|[A-Z]TEST|ZXYZ|ZTST|ZEXIT|ZIEXT|ZBZX|CBO|CBX|IBO|IGZ)([. ].*)?$"
TEST_NAME: Final = r"(?i)\btest (stock|security|issue|symbol|one|two)\b|\bnasdaq.* test\b"


@dataclass(frozen=True, kw_only=True)
class TickerType:
    """A security type of the provider, and what it is to us."""

    code: str
    description: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Rename:
    """From ``since`` on the security was called ``symbol``."""

    symbol: str
    since: date
    name: str


def listed(polygon: Polygon, *, as_of: date, active: bool = True) -> Reading:
    """Return the stocks listed on ``as_of``, or (``active=False``) those delisted by then.

    No filter on type or exchange is sent: it would silently drop old rows that lack them.

    Returns:
        A reading whose frame has the columns in ``TICKERS``, sorted by symbol; one row per
        symbol, or per symbol and day of delisting of those delisted. A blank-check company
        (told by its name, as the provider files it under common stock) has kind ``spac``. A
        missing type is ``unknown``.
    """
    found = polygon.all_rows(
        "/v3/reference/tickers",
        market="stocks",
        active="true" if active else "false",
        date=str(as_of),
        limit="1000",
        sort="ticker",
        order="asc",
    )
    text = pl.String()
    frame = rows.table(
        found,
        {
            "symbol": ("ticker", text),
            "name": ("name", text),
            "vendor_type": ("type", text),
            "mic": ("primary_exchange", text),
            "active": ("active", pl.Boolean()),
            "delisted_on": ("delisted_utc", pl.Date()),
            "cik": ("cik", text),
            "composite_figi": ("composite_figi", text),
            "share_class_figi": ("share_class_figi", text),
        },
    )
    frame = frame.with_columns(
        pl.col("active").fill_null(active),
        cik=pl.col("cik").str.zfill(10),
        kind=_kind(),
        exchange=pl.col("mic").replace(EXCHANGES),
        is_test=pl.col("symbol").str.contains(TEST_SYMBOL)
        | pl.col("name").str.contains(TEST_NAME).fill_null(value=False),
        as_of=pl.lit(as_of, pl.Date),
        # of those delisted, the same symbol comes once per company that bore it
        ended=pl.col("delisted_on").fill_null(as_of),
    )
    kept, faults = rows.sound(frame, [], key=["symbol", "ended"], data_set="tickers")
    kept = kept.select(pl.col(name).cast(dtype) for name, dtype in TICKERS.items())
    return Reading(frame=kept.sort("symbol", "delisted_on"), faults=faults)


def types(polygon: Polygon) -> list[TickerType]:
    """Return the provider's security types for US stocks."""
    path = "/v3/reference/tickers/types"
    body = polygon.http.get(path, asset_class="stocks", locale="us")
    return [
        TickerType(
            code=str(row["code"]),
            description=str(row.get("description", "")),
            kind=KINDS.get(str(row["code"]), "other"),
        )
        for row in rows.objects(body, "results", path)
        if row.get("code")
    ]


def renames(polygon: Polygon, *, of: str) -> list[Rename]:
    """Return the symbols a security has borne, oldest first.

    Args:
        polygon: The client.
        of: A symbol, CUSIP or composite FIGI; the FIGI is safe against reuse of a symbol.

    Raises:
        NotFound: The provider does not know it.
    """
    path = f"/vX/reference/tickers/{quote(of, safe='')}/events"
    body = polygon.http.get(path, types="ticker_change")
    results = body.get("results") or {}
    if not isinstance(results, dict):
        raise BadAnswer(f"Polygon {path}: 'results' is not an object")
    found = [
        Rename(symbol=symbol, since=since, name=str(results.get("name", "")))
        for event in rows.objects(results, "events", path)
        if (since := rows.day_of(event.get("date"))) and (symbol := _new_symbol(event))
    ]
    return sorted(found, key=lambda rename: (rename.since, rename.symbol))


def _new_symbol(event: dict[str, Any]) -> str:
    change = event.get("ticker_change")
    return str(change.get("ticker") or "") if isinstance(change, dict) else ""


def _kind() -> pl.Expr:
    code = pl.col("vendor_type")
    kind = (
        pl.when(code.is_null())
        .then(pl.lit("unknown"))
        .otherwise(code.replace_strict(KINDS, default="other", return_dtype=pl.String))
    )
    blank = pl.col("name").str.contains(BLANK_CHECK).fill_null(value=False)
    return pl.when(kind.is_in(["common", "adr"]) & blank).then(pl.lit("spac")).otherwise(kind)
