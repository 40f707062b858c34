"""Learn from settled theses what an author's probabilities are worth (design §9)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import sessions, thesis_calibration
from analytics.models import PatternCalibration
from analytics.services import bulk, lakes
from performance.calc import calibration
from performance.calc.accuracy_figures import Basis
from performance.calc.calibration import Fit
from performance.models import ThesisAccuracy

COLUMNS = (
    "settled_session", "thesis__session", "thesis__author", "thesis__pattern", "thesis__p_target",
    "target_reached",
)  # fmt: skip
BATCH = 500  # rows added in one statement

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Recalibrated:
    """What a run did: rows added, groups (author and pattern) seen, theses given a value."""

    added: int
    groups: int
    filled: int


@dataclass(frozen=True, kw_only=True)
class _Settled:
    """Settled theses that count as skill, by end of their horizon."""

    settled: npt.NDArray[np.datetime64]
    signal: npt.NDArray[np.int32]
    group: npt.NDArray[np.int64]
    p: npt.NDArray[np.float64]
    hit: npt.NDArray[np.bool_]
    keys: list[Key]


def record_calibrations(*, source: str, now: datetime) -> Recalibrated:
    """Add dated calibrations for each author and pattern that has new settled theses.

    Every row is dated the session after the last thesis it was fitted on had settled, so theses
    of a replay find the rows of their time. A stored row is never changed: it is what was known.
    Then settled theses without a calibrated probability get the one known on their session.

    Args:
        source: Theses of its realm.
        now: Written on the rows.

    Raises:
        lakes.NoLake: ``source`` has no market data.
    """
    table = _read(source)
    stored = _stored(source)
    rows = []
    for number, key in enumerate(table.keys):
        seen = {row.valid_from: row for row in stored.get(key, ())}
        for valid_from, fit in _fits(table, number, seen, source):
            rows.append(_row(key, fit, valid_from, source, now))
    PatternCalibration.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    return Recalibrated(added=len(rows), groups=len(table.keys), filled=_fill(source, now))


def _read(source: str) -> _Settled:
    found = list(
        ThesisAccuracy.objects.settled()
        .filter(source__in=lakes.sources_beside(source), counts_as_skill=True)
        .order_by("settled_session", "pk")
        .values_list(*COLUMNS)
    )
    columns: list[Iterable[Any]] = list(zip(*found, strict=True)) or [()] * len(COLUMNS)
    settled, signal, authors, patterns, p, hit = columns
    pairs = list(zip(authors, patterns, strict=True))
    keys = sorted(set(pairs))
    place = {key: at for at, key in enumerate(keys)}
    days = np.array(signal, dtype="datetime64[D]")
    return _Settled(
        settled=np.array(settled, dtype="datetime64[D]"),
        signal=np.searchsorted(sessions.calendar(), days).astype(np.int32),
        group=np.array([place[pair] for pair in pairs], dtype=np.int64),
        p=np.array(p, dtype=np.float64),
        hit=np.array(hit, dtype=np.bool_),
        keys=keys,
    )


def _stored(source: str) -> dict[Key, list[PatternCalibration]]:
    """Return the stored rows by group, ascending."""
    rows: dict[Key, list[PatternCalibration]] = {}
    for row in PatternCalibration.objects.filter(source__in=lakes.sources_beside(source)).order_by(
        "valid_from", "pk"
    ):
        rows.setdefault((row.author, row.pattern), []).append(row)
    return rows


def _fits(
    table: _Settled, number: int, seen: dict[date, PatternCalibration], source: str
) -> list[tuple[date, Fit]]:
    """Return the new fits of one group, each with the first session that may use it.

    Only sessions before the first stored row or after the last are looked at.
    """
    own = table.group == number
    settled, p, hit, signal = (
        column[own] for column in (table.settled, table.p, table.hit, table.signal)
    )
    found = []
    for count in _due(settled, seen):
        end = settled[count - 1].astype(object)
        valid_from = sessions.offset(end, 1)
        if valid_from in seen:
            continue
        before = np.searchsorted(table.settled, settled[count - 1], side="right")
        order = np.argsort(signal[:count], kind="stable")
        fit = calibration.fit(
            p[:count][order],
            hit[:count][order],
            Basis(session=signal[:count][order], source=source, as_of=end),
            base_hits=int(np.count_nonzero(table.hit[:before])),
            base_n=int(before),
        )
        found.append((valid_from, fit))
    return found


def _due(settled: npt.NDArray[np.datetime64], seen: dict[date, PatternCalibration]) -> list[int]:
    if not seen:
        return calibration.due(settled)
    first, last = min(seen), max(seen)
    early = int(np.searchsorted(settled, np.datetime64(sessions.offset(first, -1))))
    return [
        *calibration.due(settled[:early]),
        *(
            count
            for count in calibration.due(settled, known=seen[last].n)
            if sessions.offset(settled[count - 1].astype(object), 1) > last
        ),
    ]


def _row(key: Key, fit: Fit, valid_from: date, source: str, now: datetime) -> PatternCalibration:
    return PatternCalibration(
        author=key[0],
        pattern=key[1],
        method=fit.method,
        parameters=fit.parameters,
        n=fit.n,
        settled_before=valid_from,
        valid_from=valid_from,
        base_rate=fit.base_rate,
        created_at=now,
        source=source,
    )


def _fill(source: str, now: datetime) -> int:
    """Give settled theses without a calibrated probability the one known on their session."""
    rows = list(
        ThesisAccuracy.objects.settled()
        .filter(source__in=lakes.sources_beside(source), p_calibrated__isnull=True)
        .values_list("pk", "thesis__author", "thesis__pattern", "thesis__session",
                     "thesis__p_target")
    )  # fmt: skip
    stored = _stored(source) if rows else {}
    dates = {
        key: np.array([row.valid_from for row in own], dtype="datetime64[D]")
        for key, own in stored.items()
    }
    numbers, values = [], []
    for number, author, pattern, session, p in rows:
        key = (author, pattern)
        if key not in stored:
            continue
        at = int(np.searchsorted(dates[key], np.datetime64(session), side="right"))
        if at:
            known = stored[key][at - 1]
            numbers.append(number)
            values.append(
                thesis_calibration.calibrated(p, method=known.method, parameters=known.parameters)
            )
    columns: dict[str, list[Any]] = {
        "id": numbers,
        "p_calibrated": values,
        "updated_at": [now] * len(numbers),
    }
    return bulk.update(ThesisAccuracy, columns, key=["id"])
