"""Dated records from Polygon: splits, short interest, short volume, float, news.

Each row says when it was known, which is never the date that it is about.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import polars as pl

from analytics.clients import files, rows
from analytics.clients.files import Reading
from analytics.clients.polygon import Polygon
from analytics.clients.reference_files import NO_VOLUME_DAYS, with_split_knowledge
from analytics.lake import bars, shares, shorts

NUMBER: Final = pl.Float64()
TEXT: Final = pl.String()
ORIGIN: Final = "polygon"
SAME_SPLIT: Final = timedelta(days=5)  # the vendor lists some splits twice, some days apart
ALIKE: Final = 1e-6  # relative difference of two ratios that are one
TONES: Final = {"positive": 1.0, "neutral": 0.0, "negative": -1.0}

NEWS: Final[dict[str, pl.DataType]] = {
    "symbol": TEXT,
    "published_at": rows.INSTANT,
    "known_on": rows.INSTANT,
    "sentiment": NUMBER,  # 1 positive, 0 neutral, -1 negative; null where the plan has none
    "reasoning": TEXT,
    "title": TEXT,
    "url": TEXT,
    "publisher": TEXT,
    "article": TEXT,  # the provider's id
}


def splits(polygon: Polygon, *, first: date, last: date) -> Reading:
    """Return the splits executed from ``first`` to ``last``, both included.

    Returns:
        A reading with the lake's columns; ``ratio`` is new shares per old, ``evidence`` what
        the provider calls the split. A split listed again, on its day or within 5 days with
        the same ratio, is left out and reported: it must not adjust twice. Two different
        ratios on one day are an error; the first by the provider's id is kept, so that the
        answer does not depend on its order.
    """
    found = polygon.all_rows(
        "/stocks/v1/splits",
        **{"execution_date.gte": str(first), "execution_date.lte": str(last)},
        limit="5000",
        sort="execution_date.asc",
    )
    frame = rows.table(
        found,
        {
            "symbol": ("ticker", TEXT),
            "ex_date": ("execution_date", pl.Date()),
            "old": ("split_from", NUMBER),
            "new": ("split_to", NUMBER),
            "evidence": ("adjustment_type", TEXT),
            "id": ("id", TEXT),
        },
    )
    frame = frame.with_columns(ratio=pl.col("new") / pl.col("old"))
    usable = pl.col("ratio").is_finite() & (pl.col("ratio") > 0) & (pl.col("ratio") != 1)
    wrong = [("bad_figure", ~usable.fill_null(value=False)), ("bad_date", rows.outside("ex_date"))]
    ordered = frame.sort("symbol", "ex_date", "id", nulls_last=True)
    distinct = ["symbol", "ratio", "ex_date"]
    kept, faults = rows.sound(ordered, wrong, key=distinct, data_set="splits")
    kept, again = _without_echoes(kept)
    made = rows.complete(with_split_knowledge(kept), bars.SPLIT_COLUMNS, "ex_date")
    return Reading(frame=made, faults=pl.concat([faults, again]).sort("line"))


def short_interest(polygon: Polygon, *, first: date, last: date) -> Reading:
    """Return the short interest settled from ``first`` to ``last``, in the lake's columns.

    The provider gives no publication date, so it is computed (design §3).
    """
    found = polygon.all_rows(
        "/stocks/v1/short-interest",
        **{"settlement_date.gte": str(first), "settlement_date.lte": str(last)},
        limit="50000",
        sort="settlement_date.asc",
    )
    frame = rows.table(
        found,
        {
            "symbol": ("ticker", TEXT),
            "settlement_date": ("settlement_date", pl.Date()),
            "shares_short": ("short_interest", NUMBER),
            "avg_daily_volume": ("avg_daily_volume", NUMBER),
            "days_to_cover": ("days_to_cover", NUMBER),
        },
    ).with_columns(
        days_to_cover=pl.when(pl.col("days_to_cover") != NO_VOLUME_DAYS).then("days_to_cover")
    )
    wrong = [
        ("bad_date", rows.outside("settlement_date")),
        ("bad_figure", ~(pl.col("shares_short") >= 0).fill_null(value=False)),
    ]
    key = ["symbol", "settlement_date"]
    kept, faults = rows.sound(frame, wrong, key=key, data_set="short interest")
    kept = rows.known(kept, "settlement_date", rows.short_interest_known)
    made = rows.complete(kept, shorts.INTEREST_COLUMNS, "settlement_date")
    return Reading(frame=made, faults=faults)


def short_volume(polygon: Polygon, *, first: date, last: date) -> Reading:
    """Return the off-exchange short volume of the sessions from ``first`` to ``last``."""
    found = polygon.all_rows(
        "/stocks/v1/short-volume",
        **{"date.gte": str(first), "date.lte": str(last)},
        limit="50000",
        sort="date.asc",
    )
    frame = rows.table(
        found,
        {
            "symbol": ("ticker", TEXT),
            "session": ("date", pl.Date()),
            "short_volume": ("short_volume", NUMBER),
            "total_volume": ("total_volume", NUMBER),
        },
    )
    usable = (pl.col("short_volume") >= 0) & (pl.col("total_volume") >= pl.col("short_volume"))
    wrong = [
        ("bad_date", rows.outside("session")),
        ("bad_figure", ~usable.fill_null(value=False)),
    ]
    kept, faults = rows.sound(frame, wrong, key=["symbol", "session"], data_set="short volume")
    kept = rows.known(kept, "session", rows.evening)
    made = rows.complete(kept, shorts.VOLUME_COLUMNS, "session")
    return Reading(frame=made, faults=faults)


def floats(polygon: Polygon, *, now: datetime) -> Reading:
    """Return the newest public float of every stock, known from ``now`` on.

    The provider keeps no history: each fetch is stored with its time, and makes one.
    """
    found = polygon.all_rows("/stocks/vX/float", limit="5000", sort="ticker.asc")
    frame = rows.table(
        found,
        {
            "symbol": ("ticker", TEXT),
            "effective_date": ("effective_date", pl.Date()),
            "public_float": ("free_float", NUMBER),
        },
    ).with_columns(known_on=pl.lit(now.astimezone(UTC), rows.INSTANT), origin=pl.lit(ORIGIN))
    wrong = [
        ("bad_date", rows.outside("effective_date")),
        ("bad_figure", ~(pl.col("public_float") > 0).fill_null(value=False)),
    ]
    key = ["symbol", "effective_date"]
    kept, faults = rows.sound(frame, wrong, key=key, data_set="float")
    return Reading(frame=rows.complete(kept, shares.COLUMNS, "effective_date"), faults=faults)


def news(
    polygon: Polygon, *, since: datetime, until: datetime, symbol: str | None = None
) -> pl.DataFrame:
    """Return the news published from ``since`` (included) to ``until`` (not included).

    Returns:
        One row per article and symbol that it names, oldest first; columns as in ``NEWS``.

    Raises:
        NotInPlan: The plan has no news.
    """
    found = polygon.all_rows(
        "/v2/reference/news",
        **{"published_utc.gte": _utc(since), "published_utc.lt": _utc(until)},
        **({"ticker": symbol} if symbol else {}),
        limit="1000",
        sort="published_utc",
        order="asc",
    )
    flat = [line for article in found for line in _by_symbol(article, symbol)]
    columns = {name: (name, dtype) for name, dtype in NEWS.items() if name != "known_on"}
    frame = rows.table(flat, columns).with_columns(known_on=pl.col("published_at"))
    frame = frame.drop_nulls(["symbol", "published_at"]).select(
        pl.col(name).cast(dtype) for name, dtype in NEWS.items()
    )
    key = ["published_at", "symbol", "article"]
    return frame.unique(["symbol", "article"], keep="first", maintain_order=True).sort(key)


def _without_echoes(kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop splits of the same ratio within 5 days of one before, and second ratios of a day."""
    before: dict[str, list[tuple[date, float]]] = {}
    left, echoes = [], []
    for symbol, day, ratio, line in kept.select("symbol", "ex_date", "ratio", "line").iter_rows():
        earlier = before.setdefault(symbol, [])
        alike = [d for d, r in earlier if day - d <= SAME_SPLIT and abs(r / ratio - 1) < ALIKE]
        clash = any(d == day for d, _ in earlier)
        if alike or clash:
            told = f"same as the split of {alike[0]}" if alike else "another ratio on that day"
            echoes.append(_echo(symbol, day, line, f"ratio {ratio:g}: {told}", bool(alike)))
            continue
        earlier.append((day, ratio))
        left.append(line)
    return kept.filter(pl.col("line").is_in(left)), pl.DataFrame(echoes, schema=files.FAULT)


def _echo(symbol: str, day: date, line: int, detail: str, harmless: bool) -> dict[str, Any]:
    return {
        "gate": "duplicate_key" if harmless else "conflicting_split",
        "severity": "warning" if harmless else "error",
        "symbol": symbol[:16],
        "session": day,
        "line": line,
        "detail": detail,
    }


def _by_symbol(article: dict[str, Any], only: str | None) -> list[dict[str, Any]]:
    """Return a flat row for each symbol that an article names, with what it says of it."""
    key = "news"
    insights = {i.get("ticker"): i for i in rows.objects(article, "insights", key)}
    publisher = article.get("publisher")
    tickers = article.get("tickers")
    named = [t for t in tickers if isinstance(t, str)] if isinstance(tickers, list) else []
    return [
        {
            "symbol": symbol,
            "published_at": article.get("published_utc"),
            "sentiment": TONES.get(str(insights.get(symbol, {}).get("sentiment"))),
            "reasoning": insights.get(symbol, {}).get("sentiment_reasoning"),
            "title": article.get("title"),
            "url": article.get("article_url"),
            "publisher": publisher.get("name") if isinstance(publisher, dict) else None,
            "article": article.get("id"),
        }
        for symbol in named
        if only is None or symbol == only
    ]


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
