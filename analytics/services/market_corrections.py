"""Replace a bar or a split after the fact, and keep what was there before (design §3).

A correction is written *before* the lake: killed in between, it undoes nothing that was done,
because its "before" is what the lake still holds.
"""

from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite
from typing import Any, Final

import polars as pl
from django.contrib.auth.models import User

from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.lake.schemas import SHAPES, Shape
from analytics.lake.tables import Lake
from analytics.models import Correction, ImportRun
from analytics.services import lakes, listings

BY_PERSON: Final = "person"  # evidence of a split that a person has entered
CHUNK: Final = 1000
PRICES: Final = ("open", "high", "low", "close", "vwap")
BAR_FIELDS: Final = (*PRICES, "volume", "trades", "quality")


class InvalidCorrection(DomainError):
    """The correction cannot be entered.

    Args:
        field: The argument that is wrong.
        message: What is wrong with it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def correct_bar(
    *,
    symbol: str,
    session: date,
    values: Mapping[str, float | None] | None,
    reason: str,
    user: User | None,
    now: datetime,
    source: str,
) -> Correction:
    """Replace, add or take away a daily bar, on a person's word.

    Args:
        symbol: Ticker.
        session: Session of the bar.
        values: What changes, of ``open``, ``high``, ``low``, ``close`` [USD], ``volume``
            [shares], ``vwap``, ``trades`` and ``quality``; None takes the bar away.
        reason: Why, in a sentence.
        user: Who says so.
        now: From when on the correction counts as known.
        source: ``imported``, ``live`` or ``simulated``.

    Raises:
        InvalidCorrection: With the name of the argument that is wrong.
    """
    symbol = symbol.strip().upper()
    _check_words(symbol=symbol, reason=reason)
    _check_session(session, now)
    lake = lakes.lake_of(source)
    old = _stored(lake, "bars", symbol, session)
    if old is None and not lake.read("bars", columns=["symbol"], symbols=[symbol]).height:
        raise InvalidCorrection("symbol", f"there is no bar of {symbol}")
    new = None
    if values is not None:
        new = {"quality": 0, "source": source} | (old or {}) | dict(values)
        _check_bar(new, known=BAR_FIELDS, given=values)
        new |= {"symbol": symbol, "session": session}
    return _put_right("bars", symbol, session, old, new, reason, user, now, source)


def correct_split(
    *,
    symbol: str,
    ex_date: date,
    ratio: float | None,
    reason: str,
    user: User | None,
    now: datetime,
    source: str,
) -> Correction:
    """Replace, add or take away a split, on a person's word.

    Args:
        symbol: Ticker.
        ex_date: First session at the new share count.
        ratio: New shares per old share (2.0 is 2-for-1); None takes the split away.
        reason: Why, in a sentence.
        user: Who says so.
        now: From when on the correction counts as known.
        source: ``imported``, ``live`` or ``simulated``.

    Raises:
        InvalidCorrection: With the name of the argument that is wrong.
    """
    symbol = symbol.strip().upper()
    _check_words(symbol=symbol, reason=reason)
    _check_session(ex_date, now, field="ex_date")
    if ratio is not None and (not isfinite(ratio) or ratio <= 0 or ratio == 1):
        raise InvalidCorrection("ratio", f"must be above 0 and not 1, got {ratio:g}")
    old = _stored(lakes.lake_of(source), "splits", symbol, ex_date)
    new = None
    if ratio is not None:
        new = {
            "symbol": symbol,
            "ex_date": ex_date,
            "ratio": ratio,
            "known_on": sessions.opening(ex_date),
            "evidence": BY_PERSON,
            "source": source,
        }
    return _put_right("splits", symbol, ex_date, old, new, reason, user, now, source)


def undo_later(
    frame: pl.DataFrame,
    *,
    data_set: str,
    source: str,
    first: date | None,
    last: date | None,
    symbols: list[str] | None,
    cut_off: datetime,
) -> pl.DataFrame:
    """Return ``frame`` as it was known at ``cut_off``: later corrections are undone.

    Args:
        frame: Rows of the lake table ``data_set`` with all its columns.
        data_set: ``bars`` or ``splits``.
        source: Source whose corrections count.
        first: First date that was read, None for all.
        last: Last date that was read, None for all.
        symbols: Symbols that were read, None for all.
        cut_off: Corrections known after this instant are undone.

    Returns:
        Sorted by (symbol, time key), same columns.
    """
    shape = SHAPES[data_set]
    day = shape.time_key
    later = Correction.objects.filter(
        data_set=data_set, source__in=lakes.sources_beside(source), known_on__gt=cut_off
    )
    if first:
        later = later.filter(session__gte=first)
    if last:
        later = later.filter(session__lte=last)
    wanted = None if symbols is None else set(symbols)
    before: dict[tuple[str, date], dict[str, Any] | None] = {}
    for symbol, session, row in later.order_by("known_on", "pk").values_list(
        "symbol", "session", "before"
    ):
        if wanted is None or symbol in wanted:
            before.setdefault((symbol, session), row)  # the first one after the cut-off
    if not before:
        return frame
    keys = pl.DataFrame(list(before), schema={"symbol": pl.String, day: pl.Date}, orient="row")
    rows = [
        _typed(data_set, row) | {"symbol": symbol, day: session, "source": source}
        for (symbol, session), row in before.items()
        if row is not None
    ]
    earlier = shape.conform(pl.DataFrame(rows, schema=_schema(shape), orient="row"))
    kept = frame.join(keys, on=["symbol", day], how="anti")
    return pl.concat([kept, earlier.select(kept.columns)]).sort(shape.key)


def personal_keys(data_set: str, source: str) -> pl.DataFrame:
    """Return the ``symbol`` and time key of the rows that persons have corrected."""
    day = SHAPES[data_set].time_key
    rows = Correction.objects.filter(
        data_set=data_set, run__isnull=True, source__in=lakes.sources_beside(source)
    )
    keys = list(rows.values_list("symbol", "session").distinct())
    return pl.DataFrame(keys, schema={"symbol": pl.String, day: pl.Date}, orient="row")


def record_replaced(
    *,
    data_set: str,
    old: pl.DataFrame,
    new: pl.DataFrame,
    source: str,
    now: datetime,
    run: ImportRun,
) -> None:
    """Write a correction for each row that an import is about to change. Safe to run again.

    A row of ``old`` without a replacement is taken away; one of ``new`` that was not there is
    added to a session that was known before.

    Args:
        data_set: ``bars`` or ``splits``.
        old: The rows in the lake.
        new: Their replacements.
        source: Source of the import.
        now: When the replacement becomes known.
        run: The import.
    """
    shape = SHAPES[data_set]
    before = {_key(row, shape.key): row for row in old.iter_rows(named=True)}
    after = {_key(row, shape.key): row for row in new.iter_rows(named=True)}
    known = {
        (symbol, day)
        for symbol, day in Correction.objects.filter(run=run, data_set=data_set).values_list(
            "symbol", "session"
        )
    }
    Correction.objects.bulk_create(
        [
            Correction(
                data_set=data_set,
                symbol=key[0],
                session=key[1],
                before=values(data_set, before[key]) if key in before else None,
                after=values(data_set, after[key]) if key in after else None,
                known_on=now,
                reason=_reason(run, key in before, key in after),
                run=run,
                source=source,
            )
            for key in dict.fromkeys([*before, *after])
            if key not in known
        ],
        batch_size=CHUNK,
    )


def _reason(run: ImportRun, was_there: bool, is_there: bool) -> str:
    done = "replaced" if was_there and is_there else "added" if is_there else "withdrawn"
    return f"{done} by {run.file}"[:300]


def values(data_set: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a lake row as JSON: every column but the key, the source and the year."""
    shape = SHAPES[data_set]
    kept = [name for name in shape.columns if name not in (*shape.key, "source", "year")]
    return {
        name: row[name].isoformat() if isinstance(row[name], date | datetime) else row[name]
        for name in kept
    }


def _put_right(
    data_set: str,
    symbol: str,
    day: date,
    old: dict[str, Any] | None,
    new: dict[str, Any] | None,
    reason: str,
    user: User | None,
    now: datetime,
    source: str,
) -> Correction:
    """Record the correction, write the lake, refresh what follows from it."""
    shape = SHAPES[data_set]
    before = old and values(data_set, old)
    after = new and values(data_set, dict.fromkeys(shape.columns) | new)
    if before == after:
        field = "values" if data_set == "bars" else "ratio"
        raise InvalidCorrection(field, "this changes nothing")
    correction = Correction.objects.create(
        data_set=data_set,
        symbol=symbol,
        session=day,
        before=before,
        after=after,
        known_on=now,
        reason=reason.strip()[:300],
        entered_by=user,
        source=source,
    )
    lake = lakes.lake_of(source)
    row = pl.DataFrame([new or old], schema=_schema(shape), orient="row")
    try:
        if new is None:
            lake.delete(data_set, row)
        else:
            lake.upsert(data_set, row)
    except BaseException:
        correction.delete()
        raise
    listings.refresh_symbols(symbols=[symbol], source=source, now=now)
    return correction


def _stored(lake: Lake, data_set: str, symbol: str, day: date) -> dict[str, Any] | None:
    found = lake.read(data_set, first=day, last=day, symbols=[symbol])
    return found.row(0, named=True) if found.height else None


def _check_words(*, symbol: str, reason: str) -> None:
    if not symbol:
        raise InvalidCorrection("symbol", "is missing")
    if not reason.strip():
        raise InvalidCorrection("reason", "is missing")


def _check_session(session: date, now: datetime, field: str = "session") -> None:
    if session > sessions.last_finished(now):
        raise InvalidCorrection(field, f"{session} has not closed yet")
    try:
        trading = sessions.is_session(session)
    except sessions.OutsideCalendar as error:
        raise InvalidCorrection(field, str(error)) from error
    if not trading:
        raise InvalidCorrection(field, f"the exchange did not trade on {session}")


def _check_bar(
    bar: Mapping[str, Any], known: tuple[str, ...], given: Mapping[str, float | None]
) -> None:
    """Refuse what the quality gates would keep out, naming the field."""
    for name in given:
        if name not in known:
            raise InvalidCorrection(name, f"a bar has no {name}")
    for name in known:
        figure = bar.get(name)
        if name in ("close", "volume") and figure is None:
            raise InvalidCorrection(name, "is missing")
        if figure is None:
            continue
        if not isfinite(figure) or figure < 0 or (name in PRICES and figure == 0):
            raise InvalidCorrection(name, f"must be above 0, got {figure:g}")
    low, high = bar.get("low"), bar.get("high")
    if low is not None and high is not None and high < low:
        raise InvalidCorrection("high", f"{high:g} is below the low, {low:g}")
    for name in ("open", "close"):
        price = bar.get(name)
        if price is not None and not (low or 0) <= price <= (high or price):
            raise InvalidCorrection(name, f"{price:g} lies outside low to high")


def _schema(shape: Shape) -> dict[str, pl.DataType]:
    return {name: kind for name, kind in shape.columns.items() if name != "year"}


def _typed(data_set: str, row: dict[str, Any]) -> dict[str, Any]:
    """Turn the JSON of :func:`values` back into a row."""
    columns = SHAPES[data_set].columns
    return {
        name: datetime.fromisoformat(value)
        if value is not None and isinstance(columns.get(name), pl.Datetime)
        else value
        for name, value in row.items()
    }


def _key(row: dict[str, Any], key: list[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)
