"""Settle theses on the bars that there are: nightly, and again where bars were corrected."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from django.db.models import Max, Q

from analytics.calc import market, outcomes, sessions, thesis_settlement
from analytics.calc.panel import Panel, build
from analytics.calc.thesis_settlement import Questions
from analytics.models import Security, Thesis
from analytics.services import bulk, lakes, panels
from performance.calc import accuracy_rows
from performance.calc.accuracy_rows import Said
from performance.models import ThesisAccuracy

CHUNK = 500  # sessions settled from one reading; bounds the memory of a long history
APART = 60  # sessions between theses that are better read separately
TELLING = outcomes.LISTING_GAP + 1  # sessions after a horizon that tell a halt from an end
COLUMNS = (
    "pk", "symbol", "session", "horizon", "target_price", "stop_price", "p_target",
    "recommendation", "author_kind", "training_cutoff", "is_late", "source",
    "accuracy__p_calibrated", "p_calibrated",
)  # fmt: skip

LISTING = ("symbol", "first_session", "last_session", "kind", "sector")

Progress = Callable[[int, int], None]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class SettledTheses:
    """What a run did.

    Attributes:
        looked_at: Theses that may have had news.
        settled, pending, void, no_entry: How they stand now.
        changed: Rows written because something in them was new.
        seconds: Wall time.
    """

    looked_at: int
    settled: int
    pending: int
    void: int
    no_entry: int
    changed: int
    seconds: float


def settle_theses(
    *,
    source: str,
    now: datetime,
    corrected: Sequence[date] = (),
    again: bool = False,
    on_progress: Progress | None = None,
) -> SettledTheses:
    """Bring the accuracy of all theses up to date that are new, open or touched by a correction.

    Safe to run twice: with no new bars, nothing changes.

    Args:
        source: Theses of its realm: live and imported stand together, simulated alone.
        now: Written on rows that change.
        corrected: Sessions whose bars or splits are other than they were: theses that read them
            are settled once more, final or not.
        again: Settle every thesis once more.
        on_progress: Told the sessions done and in all.

    Raises:
        lakes.NoLake: ``source`` has no market data.
    """
    started = perf_counter()
    lake = lakes.lake_of(source)
    version = lake.versions().get("bars", 0)
    due = _due(source, version, corrected, again)
    reach, newest = _coverage(lake.sessions() if due else [])
    counts: Counter[str] = Counter()
    changed, done = 0, 0
    for part in _chunks(due):
        columns = _settled(part, source, reach, newest)
        counts.update(columns["settlement"])
        stamp = {"updated_at": now, "lake_version": version}
        shared = {name: [value] * len(part) for name, value in stamp.items()}
        changed += bulk.upsert(
            ThesisAccuracy, columns | shared, key=["thesis"], stamps=["updated_at"]
        )
        done += len(part)
        if on_progress:
            on_progress(done, len(due))
    return SettledTheses(
        looked_at=len(due),
        settled=counts["target"] + counts["stop"] + counts["neither"],
        pending=counts["pending"],
        void=counts["void"],
        no_entry=counts["no_entry"],
        changed=changed,
        seconds=perf_counter() - started,
    )


def _due(source: str, version: int, corrected: Sequence[date], again: bool) -> list[dict[str, Any]]:
    """Return the theses that may have news, by signal session."""
    theses = Thesis.objects.filter(source__in=lakes.sources_beside(source))
    if not again:
        waiting = Q(accuracy__is_final=False) & ~Q(accuracy__lake_version=version)
        wanted = Q(accuracy__isnull=True) | waiting
        longest = theses.aggregate(most=Max("horizon"))["most"] or 0
        for day in corrected:
            reads = max(longest, outcomes.WINDOW)
            wanted |= Q(session__range=(sessions.offset(day, -reads), day))
        theses = theses.filter(wanted)
    rows = theses.order_by("session", "pk").values_list(*COLUMNS)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _coverage(days: Sequence[date]) -> tuple[Ints, int]:
    covered = np.array([sessions.number(day) for day in days], dtype=np.int32)
    newest = int(covered[-1]) if covered.size else -1
    return outcomes.coverage(covered, size=sessions.calendar().size), newest


def _chunks(due: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Cut where many sessions lie between two theses, and where there are too many."""
    chunks: list[list[dict[str, Any]]] = []
    first = last = 0
    for thesis in due:
        number = sessions.number(thesis["session"])
        if chunks and number - last <= APART and number - first < CHUNK:
            chunks[-1].append(thesis)
        else:
            chunks.append([thesis])
            first = number
        last = number
    return chunks


def _settled(part: list[dict[str, Any]], source: str, reach: Ints, newest: int) -> dict[str, Any]:
    """Return the columns of the rows of one chunk."""
    symbols = sorted({thesis["symbol"] for thesis in part})
    horizon = np.array([thesis["horizon"] for thesis in part], dtype=np.int32)
    ahead = max(int(horizon.max()), outcomes.WINDOW) + TELLING
    first, last = part[0]["session"], part[-1]["session"]
    listings = _listings(source, symbols)
    panel = _panel(source, first, sessions.offset(last, ahead), symbols, listings)
    asked = _questions(part, horizon, panel)
    said = Said(
        asked=asked,
        p=np.array([thesis["p_target"] for thesis in part], dtype=np.float64),
        recommendation=[thesis["recommendation"] for thesis in part],
    )
    found = thesis_settlement.settle(panel, asked, reach=reach)
    explosive, known = _explosive(panel, asked, reach)
    skill = [
        accuracy_rows.skill_reason(
            author_kind=thesis["author_kind"],
            training_cutoff=thesis["training_cutoff"],
            session=thesis["session"],
            is_late=thesis["is_late"],
        )
        for thesis in part
    ]
    return {
        "thesis": [thesis["pk"] for thesis in part],
        **accuracy_rows.columns(said, found, reach=reach, newest=newest),
        "is_final": found.final & (reach[asked.session] >= asked.session + outcomes.WINDOW),
        "explosive": [
            one if there else None
            for one, there in zip(explosive.tolist(), known.tolist(), strict=True)
        ],
        "p_calibrated": [_calibrated(thesis) for thesis in part],
        "counts_as_skill": [not reason for reason in skill],
        "no_skill_reason": skill,
        "sector": _sectors(part, listings),
        "source": [thesis["source"] for thesis in part],
    }


def _questions(part: list[dict[str, Any]], horizon: Ints, panel: Panel) -> Questions:
    place = {symbol: at for at, symbol in enumerate(panel.symbols)}
    days = np.array([thesis["session"] for thesis in part], dtype="datetime64[D]")
    at = np.searchsorted(sessions.calendar(), days, side="right") - 1
    return Questions(
        symbol=np.array([place.get(thesis["symbol"], -1) for thesis in part], dtype=np.int64),
        session=at.astype(np.int32),
        horizon=horizon,
        target=np.array([float(thesis["target_price"]) for thesis in part]),
        stop=np.array([float(thesis["stop_price"]) for thesis in part]),
    )


def _explosive(
    panel: Panel, asked: Questions, reach: Ints
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return whether each symbol rose 50 % within 14 sessions, and where that is known."""
    explosive = np.zeros(asked.symbol.size, np.bool_)
    known = np.zeros(asked.symbol.size, np.bool_)
    rows = market.find_rows(panel, asked.symbol, asked.session.astype(np.int64))
    there = rows >= 0
    if there.any():
        found = outcomes.settle(panel, rows[there], reach=reach)
        known[there] = found.known
        explosive[there] = found.known & (found.figures[:, outcomes.PEAK] >= outcomes.EXPLOSIVE)
    return explosive, known


def _calibrated(thesis: dict[str, Any]) -> float | None:
    """Return the probability that was frozen with the thesis, else what stands on its row."""
    said: float | None = thesis["p_calibrated"]
    stored: float | None = thesis["accuracy__p_calibrated"]
    return said if said is not None else stored


def _listings(source: str, symbols: list[str]) -> pl.DataFrame:
    """Return the listing periods of symbols: symbol, first_session, last_session, kind, sector."""
    rows = Security.objects.filter(
        source__in=lakes.sources_beside(source), symbol__in=symbols
    ).values_list(*LISTING)
    kinds = (pl.String, pl.Date, pl.Date, pl.String, pl.String)
    return pl.DataFrame(list(rows), schema=dict(zip(LISTING, kinds, strict=True)), orient="row")


def _panel(
    source: str, first: date, end: date, symbols: list[str], listings: pl.DataFrame
) -> Panel:
    """Read the bars that theses need: from a halt before the first one on."""
    lake = lakes.lake_of(source)
    oldest = sessions.offset(first, -outcomes.LISTING_GAP)
    bars = lake.read("bars", first=oldest, last=end, columns=panels.BAR_COLUMNS, symbols=symbols)
    splits = lake.read("splits", last=end, symbols=symbols)
    return build(bars, securities=listings.drop("sector"), splits=splits)


def _sectors(part: list[dict[str, Any]], listings: pl.DataFrame) -> list[str]:
    """Return the sector of each thesis' listing; "" where it is not known."""
    listed: dict[str, list[tuple[date, date, str]]] = {}
    for symbol, first, last, _kind, sector in listings.iter_rows():
        listed.setdefault(symbol, []).append((first, last, sector))
    return [
        next(
            (
                sector
                for first, last, sector in listed.get(thesis["symbol"], [])
                if first <= thesis["session"] <= last
            ),
            "",
        )
        for thesis in part
    ]
