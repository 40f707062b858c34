"""Reference data from a provider into the lake: who is listed, splits, shorts, float, moods.

Each function asks, writes, and says how many rows were new or changed. Safe to run again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Final

import polars as pl

from analytics.calc import sessions
from analytics.clients import polygon_records, polygon_tickers
from analytics.clients.files import Reading
from analytics.clients.polygon import Polygon
from analytics.clients.sec import Sec
from analytics.errors import BadAnswer
from analytics.lake.changes import Written
from analytics.lake.schemas import SHAPES
from analytics.models import DataFinding, ImportRun, Source
from analytics.services import findings, lakes, market_corrections, session_sync

LIVE: Final = Source.LIVE.value
MOST_NAMED: Final = 500  # symbols whose earlier findings are looked up
BEFORE_DELISTING: Final = timedelta(days=7)  # the last bar lies within these days
SAME_SPLIT: Final = timedelta(days=5)
ALIKE: Final = 1e-6


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What storing reference data did.

    Attributes:
        new, changed: Rows.
        rejected: Rows kept out, each a finding.
        newest: Newest day that a row is about; None if there is none.
        symbols: Whose rows are new or changed.
        days: What these rows are about.
    """

    new: int
    changed: int
    rejected: int
    newest: date | None
    symbols: tuple[str, ...] = ()
    days: tuple[date, ...] = ()

    @property
    def moved(self) -> int:
        """Rows that the lake did not hold like this before."""
        return self.new + self.changed


def sync_listed(*, polygon: Polygon, as_of: date, now: datetime) -> Stored:
    """Store who was listed on a day, and who delisted before it.

    Every list is kept with its day: the universe of a past session is the one that the lists
    around it name, whatever delisted since. Test issues have kind ``other`` and are not
    scanned.
    """
    seen = polygon_tickers.listed(polygon, as_of=as_of)
    gone = polygon_tickers.listed(polygon, as_of=as_of, active=False)
    rows = pl.concat([_seen(seen.frame, as_of), _gone(gone.frame)])
    faults = pl.concat([seen.faults, gone.faults])
    return _store("symbols", Reading(frame=rows, faults=faults), f"polygon securities {as_of}", now)


def _described(listed: pl.DataFrame) -> pl.DataFrame:
    test = pl.col("is_test").fill_null(value=False)
    return listed.with_columns(
        kind=pl.when(test).then(pl.lit("other")).otherwise("kind"),
        figi=pl.coalesce("share_class_figi", "composite_figi"),
        assumed=pl.lit(value=False),
        source=pl.lit(LIVE),
        name=pl.col("name").str.slice(0, 200),
    )


def _seen(listed: pl.DataFrame, as_of: date) -> pl.DataFrame:
    rows = _described(listed).with_columns(
        first_date=pl.lit(as_of, pl.Date),
        last_date=pl.lit(as_of, pl.Date),
        origin=pl.lit("polygon"),
        delisted_on=pl.lit(None, pl.Date),
    )
    return _conformed(rows)


def _gone(listed: pl.DataFrame) -> pl.DataFrame:
    """A delisted company is known to have borne its symbol in its last week."""
    known = _described(listed.filter(pl.col("delisted_on").is_not_null()))
    rows = known.with_columns(
        first_date=pl.col("delisted_on") - BEFORE_DELISTING,
        last_date=pl.col("delisted_on"),
        origin=pl.lit("polygon-delisted"),
    )
    return _conformed(rows)


def _conformed(rows: pl.DataFrame) -> pl.DataFrame:
    shape = SHAPES["symbols"]
    unique = rows.sort("symbol", "first_date").unique(shape.key, keep="last", maintain_order=True)
    return unique.select(
        pl.col(name).cast(dtype) if name in unique.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in shape.columns.items()
        if name != "year"
    )


def sync_splits(*, polygon: Polygon, first: date, last: date, now: datetime) -> Stored:
    """Store splits; one that the lake has already, a few days apart, does not enter again.

    What a person entered stands.
    """
    reading = polygon_records.splits(polygon, first=first, last=last)
    known = lakes.lake_of(LIVE).read("splits", columns=["symbol", "ex_date", "ratio"])
    echoes = _echoes(reading.frame, known)
    kept = reading.frame.join(echoes, on=["symbol", "ex_date"], how="anti", maintain_order="left")
    again = echoes.select(
        gate=pl.lit("duplicate_key"),
        severity=pl.lit("warning"),
        symbol=pl.col("symbol").str.slice(0, 16),
        session=pl.col("ex_date"),
        line=pl.lit(None, pl.UInt32),
        detail=pl.lit("the split is stored some days apart: it does not adjust twice"),
    )
    faults = pl.concat([reading.faults, again.select(reading.faults.columns)])
    return _store(
        "splits", Reading(frame=kept, faults=faults), f"polygon splits {first} to {last}", now
    )


def _echoes(coming: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the coming splits that the lake has on another day close by."""
    both = coming.select("symbol", "ex_date", "ratio").join(known, on="symbol", suffix="_known")
    apart = (pl.col("ex_date") - pl.col("ex_date_known")).abs()
    same = (pl.col("ratio") / pl.col("ratio_known") - 1).abs() < ALIKE
    near = (apart > timedelta()) & (apart <= SAME_SPLIT)
    return both.filter(same & near).select("symbol", "ex_date").unique(maintain_order=True)


def sync_short_interest(*, polygon: Polygon, first: date, last: date, now: datetime) -> Stored:
    """Store the short interest settled from ``first`` to ``last``."""
    reading = polygon_records.short_interest(polygon, first=first, last=last)
    return _store("short_interest", reading, f"polygon short interest {first} to {last}", now)


def sync_short_volume(*, polygon: Polygon, first: date, last: date, now: datetime) -> Stored:
    """Store the off-exchange short volume of the sessions from ``first`` to ``last``."""
    reading = polygon_records.short_volume(polygon, first=first, last=last)
    return _store("short_volume", reading, f"polygon short volume {first} to {last}", now)


def sync_floats(*, polygon: Polygon, now: datetime) -> Stored:
    """Store today's public floats, known from ``now`` on; one that did not move stays as it was.

    The provider keeps no history. What was known on an earlier day is never replaced: another
    figure about the same date is filed under the day it was fetched.
    """
    reading = polygon_records.floats(polygon, now=now)
    known = lakes.lake_of(LIVE).read("shares")
    frame = _moved_floats(reading.frame, known, now.astimezone(sessions.NEW_YORK).date())
    day = now.astimezone(sessions.NEW_YORK).date()
    return _store(
        "shares", Reading(frame=frame, faults=reading.faults), f"polygon float {day}", now
    )


def _moved_floats(coming: pl.DataFrame, known: pl.DataFrame, today: date) -> pl.DataFrame:
    ours = known.filter(pl.col("origin") == polygon_records.ORIGIN)
    last = ours.sort("symbol", "known_on").group_by("symbol", maintain_order=True).last()
    taken = known.select("symbol", "effective_date", taken=pl.lit(value=True))
    both = coming.join(
        last.select("symbol", "effective_date", "public_float"),
        on="symbol",
        how="left",
        suffix="_old",
        maintain_order="left",
    )
    same = pl.col("public_float") == pl.col("public_float_old")
    older = pl.col("effective_date") <= pl.col("effective_date_old")
    standing = (same & older).fill_null(value=False)
    late = older.fill_null(value=False) | pl.col("taken").is_not_null()
    return (
        both.filter(~standing)
        .join(taken, on=["symbol", "effective_date"], how="left", maintain_order="left")
        .with_columns(effective_date=pl.when(late).then(pl.lit(today)).otherwise("effective_date"))
        .select(coming.columns)
    )


def sync_sentiment(*, polygon: Polygon, first: date, last: date, now: datetime) -> Stored:
    """Store what the news of each New York day say of each symbol they name.

    Raises:
        NotInPlan: The plan has no news.
    """
    since = _midnight(first)
    until = min(_midnight(last + timedelta(days=1)), now.astimezone(UTC))
    articles = polygon_records.news(polygon, since=since, until=until)
    day = pl.col("published_at").dt.convert_time_zone("America/New_York").dt.date()
    told = (
        articles.filter(pl.col("sentiment").is_not_null())
        .group_by("symbol", day=day)
        .agg(pl.col("published_at").max(), pl.col("sentiment").mean(), articles=pl.len())
        .with_columns(source=pl.lit(LIVE))
        .sort("symbol", "day")
    )
    return _store("sentiment", Reading(frame=told), f"polygon news {first} to {last}", now)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=sessions.NEW_YORK).astimezone(UTC)


def sync_shares(*, sec: Sec, ciks: Mapping[str, str], now: datetime) -> Stored:
    """Store what companies told the SEC of their shares outstanding, by filing date.

    A company that has told nothing, or nothing readable, stops no other. What is known of
    the same date from elsewhere stands.

    Args:
        sec: The client.
        ciks: Number by symbol: whom to ask about.
        now: The present.
    """
    parts = []
    for symbol, cik in ciks.items():
        try:
            parts.append(sec.shares_outstanding(cik=cik, symbol=symbol))
        except BadAnswer:
            continue
    frame = pl.concat(parts) if parts else pl.DataFrame(schema=SHAPES["shares"].columns)
    key = ["symbol", "effective_date"]
    known = lakes.lake_of(LIVE).read("shares", columns=key)
    fresh = frame.join(known, on=key, how="anti", maintain_order="left")
    day = now.astimezone(sessions.NEW_YORK).date()
    return _store("shares", Reading(frame=fresh), f"sec shares {day}", now)


def store_reading(*, table: str, reading: Reading, name: str, now: datetime) -> Stored:
    """Store rows of a reference table that come from a client of its own (FINRA, the SEC)."""
    return _store(table, reading, name, now)


def _store(table: str, reading: Reading, name: str, now: datetime) -> Stored:
    """Write rows, findings and the run that stands for them."""
    shape = SHAPES[table]
    frame = reading.frame.with_columns(source=pl.lit(LIVE))
    digest = sha256(f"{name} {now.isoformat()}".encode()).hexdigest()
    run = ImportRun.objects.create(
        file=name, digest=digest, data_set=table, started_at=now, source=LIVE, message=reading.note
    )
    findings.record_faults(run=run, faults=_news_of(reading.faults, table))
    written = _written(table, frame, run, now)
    run.rows = frame.height + reading.faults.height
    run.symbols = frame["symbol"].n_unique()
    run.sessions = frame[shape.time_key].n_unique()
    run.new, run.changed, run.unchanged = written.new, written.changed, written.unchanged
    run.lake_version, run.state, run.finished_at = written.version, ImportRun.State.DONE, now
    run.save()
    moved = written.status.filter(pl.col("status") > 0)
    newest = frame[shape.time_key].max()
    return Stored(
        new=written.new,
        changed=written.changed,
        rejected=run.rejected,
        newest=newest if isinstance(newest, date) else None,
        symbols=tuple(moved["symbol"].unique().sort().to_list()),
        days=tuple(moved[shape.time_key].unique().sort().to_list()),
    )


def _written(table: str, frame: pl.DataFrame, run: ImportRun, now: datetime) -> Written:
    """Upsert; a replaced split is recorded, the other tables carry their own ``known_on``."""
    lake = lakes.lake_of(LIVE)
    if table != "splits":
        return lake.upsert(table, frame)
    return lake.upsert(
        table,
        frame,
        keeping=pl.col("evidence") == market_corrections.BY_PERSON,
        before_replacing=session_sync.recorder(run, table, now),
    )


def _news_of(faults: pl.DataFrame, table: str) -> pl.DataFrame:
    """Leave out what an earlier reading of the same data set found already."""
    symbols = faults["symbol"].unique().to_list()[:MOST_NAMED]
    known = DataFinding.objects.filter(run__data_set=table, source=LIVE, symbol__in=symbols)
    keys = list(known.values_list("gate", "symbol", "session").distinct())
    seen = pl.DataFrame(
        keys, schema={"gate": pl.String, "symbol": pl.String, "session": pl.Date}, orient="row"
    )
    return faults.join(
        seen, on=["gate", "symbol", "session"], how="anti", nulls_equal=True, maintain_order="left"
    )
