"""The index of all past stock-days: built each night, looked into from screens (design §6).

It holds outcomes, so the detector and discovery know nothing of it. A build is a folder of
arrays that are mapped into memory; its row says from which lake and up to when it was built.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from analytics.calc import sessions, similarity_index
from analytics.calc.similarity import FIELDS, Reference
from analytics.errors import DomainError
from analytics.models import HistoryIndex
from analytics.services import lakes, panels
from analytics.services.job_registry import Report

if TYPE_CHECKING:
    from analytics.calc.market import Market
    from analytics.calc.shapes import History

KEPT = 2  # builds of a realm: the newest, and the one that others may still read
AHEAD = 15  # sessions of bars that settle the last one

Arrays = Mapping[str, npt.NDArray[np.generic]]


class NoIndex(DomainError):
    """The index of past stock-days has not been built yet."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A build as it is looked into.

    Attributes:
        arrays: See ``similarity_index.build``; those of shapes begin with "shape.".
        numbers: Session number by slot.
        symbols: Ticker by the symbol id of shapes.
    """

    arrays: Arrays
    numbers: npt.NDArray[np.int32]
    symbols: list[str]


def get_newest(*, source: str) -> HistoryIndex:
    """Return the newest build of the source's realm.

    Raises:
        NoIndex: There is none.
    """
    beside = HistoryIndex.objects.filter(source__in=lakes.sources_beside(source))
    found = beside.order_by("-built_at", "-pk").first()
    if found is None or not (_folder() / found.name).is_dir():
        raise NoIndex("The index of past stock-days is not built yet; the nightly job builds it.")
    return found


def load(*, name: str) -> Loaded:
    """Map a build into memory; asked again, it is there."""
    return _load(_folder() / name)


@lru_cache(maxsize=2)
def _load(folder: Path) -> Loaded:
    told = json.loads((folder / "index.json").read_text())
    return Loaded(
        arrays={path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")},
        numbers=np.load(folder / "numbers.npy"),
        symbols=told["symbols"],
    )


def record_index(*, source: str, now: datetime, report: Report) -> HistoryIndex:
    """Build the index from the whole lake, unless the newest was built from the same.

    Raises:
        NoIndex: There are no bars.
    """
    from analytics.services import discovery

    references = discovery.get_references()
    told = [asdict(reference) for reference in references]
    versions = lakes.lake_of(source).versions()
    newest = HistoryIndex.objects.filter(source=source).order_by("-built_at", "-pk").first()
    same = newest and newest.lake_versions == versions and newest.references == told
    if newest and same and (_folder() / newest.name).is_dir():
        return newest
    started = perf_counter()
    days = lakes.lake_of(source).sessions()
    if not days:
        raise NoIndex(f"There are no {source} bars.")
    arrays, symbols, counts, versions = _arrays(source, days, references, report)
    name = f"{lakes.realm_of(source)}-{days[-1]}-{now:%Y%m%dT%H%M%S}"
    _write(name, arrays, {"symbols": symbols})
    stored = HistoryIndex.objects.create(
        name=name,
        as_of=days[-1],
        settled=days[max(len(days) - 1 - similarity_index.WINDOW, 0)],
        stock_days=counts[0],
        shapes=counts[1],
        references=told,
        lake_versions=versions,
        built_at=now,
        seconds=perf_counter() - started,
        source=source,
    )
    _forget(source)
    return stored


def _arrays(
    source: str, days: list[date], references: list[Reference], report: Report
) -> tuple[dict[str, Any], list[str], tuple[int, int], dict[str, int]]:
    """Return arrays by name, symbols, numbers of stock-days and shapes, versions read."""
    from analytics.calc import market, outcomes, shapes

    report.progress(0, 4, "reading bars")
    reading = panels.get_panel(source=source, first=days[0], last=days[-1], ahead=AHEAD)
    numbers = np.array([sessions.number(day) for day in days], np.int32)
    reach = outcomes.coverage(numbers, size=sessions.calendar().size)
    panel = reading.panel
    report.progress(1, 4, "outcomes of every stock-day")
    scanned = np.flatnonzero(np.repeat(panel.segment_scannable, np.diff(panel.segment_start)))
    seen = market.view(panel, reach=reach, numbers=numbers, extra=scanned)
    report.progress(2, 4, "similarity to the references")
    known = seen.base[seen.lean.known[seen.base]]
    arrays = dict(
        similarity_index.build(_stock_days(seen, known), references, sessions=numbers.size)
    )
    report.progress(3, 4, "shapes")
    past = shapes.history(panel, peak=seen.lean.peak_close_return, held=seen.lean.return_14)
    arrays |= {f"shape.{name}": values for name, values in vars(past).items()}
    searched = int((past.run >= shapes.LENGTH).sum())
    report.progress(4, 4, "writing")
    arrays["numbers"] = numbers
    return arrays, list(panel.symbols), (known.size, searched), reading.versions


def _stock_days(seen: "Market", rows: npt.NDArray[np.int64]) -> similarity_index.StockDays:
    """Return the base universe; its deciles are of every stock-day, settled or not."""
    from analytics.calc import features, strata

    table = features.of_rows(seen.panel, seen.base)
    everywhere = table["volatility_20"]
    lower = strata.edges(everywhere, seen.place(seen.base), seen.numbers.size)
    at = np.searchsorted(seen.base, rows)
    columns = {"close": seen.panel.close[rows]}
    columns |= {name: table[name][at] for name in FIELDS if name != "close"}
    tickers = np.array(seen.panel.symbols)
    segment = table.segment[at]
    return similarity_index.StockDays(
        fields=np.stack([columns[name] for name in FIELDS]),
        symbol=tickers[seen.panel.segment_symbol[segment]],
        slot=seen.place(rows),
        volatility=everywhere[at],
        hit=seen.lean.explosive[rows],
        lower=lower,
    )


def shapes_of(loaded: Loaded) -> "History":
    """Return the stock-days whose shape can be searched."""
    from analytics.calc import shapes

    columns: dict[str, Any] = {
        name: loaded.arrays[f"shape.{name}"] for name in shapes.History.__dataclass_fields__
    }
    return shapes.History(**columns)


def _write(name: str, arrays: Arrays, told: dict[str, Any]) -> None:
    """Write the folder under another name and give it its own when it is whole."""
    folder = _folder()
    part = folder / f"{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for key, values in arrays.items():
        np.save(part / f"{key}.npy", values)
    (part / "index.json").write_text(json.dumps(told))
    shutil.rmtree(folder / name, ignore_errors=True)
    part.rename(folder / name)


def _forget(source: str) -> None:
    """Remove builds beyond the newest two; whoever has mapped one keeps it until the end."""
    old = HistoryIndex.objects.filter(source=source).order_by("-built_at", "-pk")[KEPT:]
    for index in list(old):
        shutil.rmtree(_folder() / index.name, ignore_errors=True)
        index.delete()


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "history"
