"""Bars and published records of many symbols as arrays, the form that the kernels read."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from os import cpu_count
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc import sessions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SCANNABLE = ("common", "adr")  # security types of design §7
COMMON = ("common",)
SECTOR_CODES = {"sector": pl.String, "code": pl.Int32}
OF_SEGMENTS = (
    "segment_start", "segment_symbol", "segment_first", "segment_after", "segment_scannable",
    "segment_common", "segment_sector", "sectors",
)  # fmt: skip
FEWEST_FOR_THREADS = 50_000  # rows that are worth starting threads

# Of each table of records: what it is about, when it was known, its figures.
SHARES = ("effective_date", "known_on", ("public_float", "shares_outstanding"))
SHORT_INTEREST = ("settlement_date", "known_on", ("shares_short", "days_to_cover"))
SHORT_VOLUME = ("session", "known_on", ("short_volume", "total_volume"))
SENTIMENT = ("published_at", "published_at", ("sentiment",))
FAILS = ("settlement_date", "known_on", ("quantity",))


class DuplicateSession(ValueError):
    """A (symbol, session) pair occurs twice."""


class NotASession(ValueError):
    """A bar is dated on a day without trading."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """Published figures of the symbols of a panel, sorted by symbol and publication.

    Attributes:
        start: Offsets per symbol id, one more than there are symbols.
        known: First session whose scan may use the record (session number).
        about: Session that the record is about (settlement, effective date).
        day: Date that the record is about, as days since 1970.
        values: One float array per figure; NaN where it is not given.
    """

    start: Longs
    known: Ints
    about: Ints
    day: Ints
    values: dict[str, Floats]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Daily bars of many listings, sorted by symbol and session.

    Attributes:
        symbols: Ticker by symbol id, ascending.
        symbol_start: Row offsets per symbol id.
        session: Position of each row's session in :func:`sessions.calendar`.
        open, high, low, close: Prices as traded [USD]; NaN where not known (never the close).
        volume: Shares as traded.
        split: New shares per old of the splits between the row before and this row; else 1.
        segment_start: Row offsets per listing period; a segment is one listing.
        segment_symbol: Symbol id of each segment.
        segment_first: First session of the listing, which may lie before the panel's.
        segment_after: Last session of the ticker's listing before this one; -1 if none.
        segment_scannable: Whether the listing is common stock or an ADR.
        segment_common: Whether the listing is common stock.
        segment_sector: Position in ``sectors``; -1 where it is not known.
        sectors: Names, ascending.
        split_start, split_session, split_ratio: Splits per symbol id.
        shares, short_interest, short_volume, sentiment, fails: Published records.
    """

    symbols: list[str]
    symbol_start: Longs
    session: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    split: Floats
    segment_start: Longs
    segment_symbol: Ints
    segment_first: Ints
    segment_after: Ints
    segment_scannable: Flags
    segment_common: Flags
    segment_sector: Ints
    sectors: list[str]
    split_start: Longs
    split_session: Ints
    split_ratio: Floats
    shares: Records
    short_interest: Records
    short_volume: Records
    sentiment: Records
    fails: Records

    @property
    def height(self) -> int:
        """Number of bars."""
        return int(self.session.size)

    @property
    def segments(self) -> int:
        """Number of listing periods that have a bar."""
        return int(self.segment_symbol.size)


def build(
    bars: pl.DataFrame,
    *,
    securities: pl.DataFrame | None = None,
    splits: pl.DataFrame | None = None,
    short_interest: pl.DataFrame | None = None,
    shares: pl.DataFrame | None = None,
    short_volume: pl.DataFrame | None = None,
    sentiment: pl.DataFrame | None = None,
    fails: pl.DataFrame | None = None,
) -> Panel:
    """Turn frames into a panel.

    Args:
        bars: ``symbol`` str, ``session`` date, ``open``, ``high``, ``low``, ``close``,
            ``volume`` float, **sorted by symbol and session**.
        securities: Listing periods: ``symbol``, ``first_session``, ``last_session`` date,
            ``kind``, and ``sector`` if known. A symbol without one is a single listing, which
            is not scanned.
        splits: ``symbol``, ``ex_date`` date, ``ratio`` float (new shares per old).
        short_interest, shares, short_volume, sentiment, fails: ``symbol`` and the columns
            that ``SHORT_INTEREST`` and so on name; ``known_on``, ``published_at`` are instants.

    Raises:
        DuplicateSession: A (symbol, session) pair occurs twice, or the order is wrong.
        NotASession: A bar is dated on a day without trading.
    """
    runs = bars["symbol"].rle().struct.unnest()
    symbols: list[str] = runs["value"].to_list()
    symbol_start = _offsets(runs["len"].to_numpy())
    session = _session_numbers(bars["session"])
    _check_order(symbols, symbol_start, session)
    ids = pl.DataFrame(
        {"symbol": symbols, "id": range(len(symbols))},
        schema={"symbol": pl.String, "id": pl.Int32},
    )
    known = _splits(splits, ids)
    listing = _listings(securities, ids, symbol_start, session)
    segments: dict[str, Any] = dict(zip(OF_SEGMENTS, listing, strict=True))
    return Panel(
        symbols=symbols,
        symbol_start=symbol_start,
        session=session,
        open=_floats(bars["open"]),
        high=_floats(bars["high"]),
        low=_floats(bars["low"]),
        close=_floats(bars["close"]),
        volume=_floats(bars["volume"]),
        split=_split_by_row(*known, symbol_start, session, listing[0]),
        **segments,
        split_start=known[0],
        split_session=known[1],
        split_ratio=known[2],
        shares=_records(shares, ids, SHARES),
        short_interest=_records(short_interest, ids, SHORT_INTEREST),
        short_volume=_records(short_volume, ids, SHORT_VOLUME),
        sentiment=_records(sentiment, ids, SENTIMENT),
        fails=_records(fails, ids, FAILS),
    )


def session_days() -> Ints:
    """Return each session of the calendar as days since 1970."""
    return sessions.calendar().astype(np.int64).astype(np.int32)


def row_segments(panel: Panel, rows: Longs) -> Ints:
    """Return the segment of each row."""
    found = np.searchsorted(panel.segment_start, rows, side="right") - 1
    return found.astype(np.int32)


def in_threads(work: Callable[[int, int], Any], weights_start: Longs) -> None:
    """Run ``work(first, last)`` over ranges of items of about equal weight, one a core.

    Args:
        work: Releases the GIL and writes only what belongs to its range.
        weights_start: Cumulative weight of the items, one more than there are items.
    """
    workers = min(cpu_count() or 1, 8)
    total = int(weights_start[-1])
    if workers == 1 or total < FEWEST_FOR_THREADS:
        work(0, weights_start.size - 1)
        return
    targets = [total * k // workers for k in range(workers + 1)]
    cuts = np.searchsorted(weights_start, targets)
    cuts[0], cuts[-1] = 0, weights_start.size - 1
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda pair: work(int(pair[0]), int(pair[1])), pairwise(cuts)))


def _offsets(lengths: npt.NDArray[Any]) -> Longs:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _floats(column: pl.Series) -> Floats:
    values: Floats = column.cast(pl.Float64).to_numpy()
    return np.ascontiguousarray(values)


def _session_numbers(column: pl.Series) -> Ints:
    """Return session numbers of dates that all must be sessions."""
    days = session_days()
    table = np.full(int(days[-1] - days[0]) + 1, -1, np.int32)
    table[days - days[0]] = np.arange(days.size, dtype=np.int32)
    at = column.to_physical().to_numpy() - days[0]
    if at.size and (at.min() < 0 or at.max() >= table.size):
        raise NotASession(f"bars lie outside the calendar {sessions.FIRST} to {sessions.LAST}")
    numbers: Ints = table[at]
    if numbers.size and numbers.min() < 0:
        raise NotASession(f"no session: {column[int(np.argmin(numbers))]}")
    return numbers


def _check_order(symbols: Sequence[str], start: Longs, session: Ints) -> None:
    if list(symbols) != sorted(set(symbols)):
        raise DuplicateSession("bars are not sorted by symbol")
    rising = np.diff(session) > 0
    rising[start[1:-1] - 1] = True
    if not rising.all():
        row = int(np.argmin(rising)) + 1
        symbol = symbols[int(np.searchsorted(start, row, side="right")) - 1]
        raise DuplicateSession(f"{symbol} {sessions.day(int(session[row]))} occurs twice")


def _number_from(column: pl.Series, *, after: bool) -> Ints:
    """Return session numbers of any dates: the session at or after, else at or before."""
    days = column.cast(pl.Date).to_physical().to_numpy()
    if after:
        return np.searchsorted(session_days(), days, side="left").astype(np.int32)
    return (np.searchsorted(session_days(), days, side="right") - 1).astype(np.int32)


def _splits(frame: pl.DataFrame | None, ids: pl.DataFrame) -> tuple[Longs, Ints, Floats]:
    if frame is None:
        return np.zeros(ids.height + 1, np.int64), np.empty(0, np.int32), np.empty(0)
    known = (
        frame.join(ids, on="symbol")
        .unique(["id", "ex_date"], keep="first", maintain_order=True)
        .sort("id", "ex_date")
    )
    start = np.searchsorted(known["id"].to_numpy(), np.arange(ids.height + 1)).astype(np.int64)
    return start, _number_from(known["ex_date"], after=True), _floats(known["ratio"])


def _split_by_row(
    split_start: Longs, at: Ints, ratio: Floats, symbol_start: Longs, session: Ints, segments: Longs
) -> Floats:
    from analytics.calc.kernels import gates

    split = np.ones(session.size)
    owner = np.repeat(np.arange(split_start.size - 1, dtype=np.int32), np.diff(split_start))
    row = gates.locate(symbol_start, session, owner, at)
    inside = row < symbol_start[owner + 1]
    np.multiply.at(split, row[inside], ratio[inside])
    split[segments[:-1]] = 1.0  # nothing lies before a listing's first bar
    return split


def _listings(
    frame: pl.DataFrame | None, ids: pl.DataFrame, symbol_start: Longs, session: Ints
) -> tuple[Longs, Ints, Ints, Ints, Flags, Flags, Ints, list[str]]:
    """Return start, symbol, first session, last before, scannable, common, sector per segment.

    And the names of the sectors.
    """
    from analytics.calc.kernels import gates

    firsts = pl.DataFrame(
        {"id": ids["id"], "row": symbol_start[:-1], "first": session[symbol_start[:-1]]}
    )
    if frame is None:
        nothing = np.zeros(ids.height, np.bool_)
        none_before = np.full(ids.height, -1, np.int32)
        owner = ids["id"].to_numpy()
        begun = firsts["first"].to_numpy()
        return symbol_start, owner, begun, none_before, nothing, nothing, none_before, []
    if "sector" not in frame.columns:
        frame = frame.with_columns(sector=pl.lit(""))
    periods = frame.join(ids, on="symbol").sort("id", "first_session")
    periods = periods.with_columns(
        first=pl.Series(_number_from(periods["first_session"], after=True)),
        last=pl.Series(_number_from(periods["last_session"], after=False)),
    ).with_columns(after=pl.col("last").shift(1).over("id").fill_null(-1))
    row = gates.locate(symbol_start, session, periods["id"].to_numpy(), periods["first"].to_numpy())
    ends = pl.Series(symbol_start[1:])
    segments = (
        pl.concat(
            [
                firsts.select(
                    "id", "row", "first", kind=pl.lit(None, pl.String), after=-1, sector=pl.lit("")
                ),
                periods.with_columns(row=pl.Series(row)).select(
                    "id", "row", "first", "kind", pl.col("after").cast(pl.Int32), "sector"
                ),
            ],
            how="vertical_relaxed",
        )
        .filter(pl.col("row") < pl.lit(ends).gather(pl.col("id")))
        .sort("row", pl.col("kind").is_not_null(), "first")
        .unique("row", keep="last", maintain_order=True)
    )
    kind = segments["kind"]
    names = sorted(set(segments["sector"].to_list()) - {"", None})
    code = pl.DataFrame({"sector": names, "code": range(len(names))}, schema=SECTOR_CODES)
    sector = segments.join(code, on="sector", how="left", maintain_order="left")["code"]
    return (
        np.concatenate([segments["row"].to_numpy(), symbol_start[-1:]]),
        segments["id"].to_numpy().astype(np.int32),
        segments["first"].to_numpy().astype(np.int32),
        segments["after"].to_numpy().astype(np.int32),
        kind.is_in(SCANNABLE).fill_null(False).to_numpy(),
        kind.is_in(COMMON).fill_null(False).to_numpy(),
        sector.fill_null(-1).to_numpy(),
        names,
    )


def _records(
    frame: pl.DataFrame | None, ids: pl.DataFrame, columns: tuple[str, str, tuple[str, ...]]
) -> Records:
    """Return published figures; none is known before the day that it is about.

    A figure published after one about a later day is left out.
    """
    about, known_on, values = columns
    if frame is None:
        nothing = np.empty(0, np.int32)
        start = np.zeros(ids.height + 1, np.int64)
        return Records(
            start=start,
            known=nothing,
            about=nothing,
            day=nothing,
            values={name: np.empty(0) for name in values},
        )
    rows = (
        frame.join(ids, on="symbol")
        .with_columns(about=_new_york_day(about))
        .with_columns(known=pl.max_horizontal(_new_york_day(known_on), "about"))
        .sort("id", "known", "about", known_on, maintain_order=True)
    )
    if columns is not SHARES:  # there a late public float still beats shares outstanding
        rows = rows.filter(pl.col("about") == pl.col("about").cum_max().over("id"))
    return Records(
        start=np.searchsorted(rows["id"].to_numpy(), np.arange(ids.height + 1)).astype(np.int64),
        known=_number_from(rows["known"], after=True),
        about=_number_from(rows["about"], after=False),
        day=rows["about"].to_physical().to_numpy().astype(np.int32),
        values={name: _floats(rows[name]) for name in values},
    )


def _new_york_day(column: str) -> pl.Expr:
    """Return the New York date of an instant; a date is one already."""
    if column in {"known_on", "published_at"}:
        # midnight is the cut-off of the day before it
        before = pl.col(column) - pl.duration(microseconds=1)
        return before.dt.convert_time_zone("America/New_York").dt.date()
    return pl.col(column)
