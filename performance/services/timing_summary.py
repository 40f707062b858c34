"""What timing came to over each period, as summaries hold it (design §13)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc.evidence import Estimate
from analytics.models import Source
from analytics.services import lakes
from performance.calc import figure_json, timing_figures
from performance.calc.timing_figures import Timed
from performance.models import TimingAnalysis
from performance.services import summary_reading
from performance.services.metrics_reading import numbers
from performance.services.timing_lab import Lab

Document = dict[str, Any]
COLUMNS = {
    "trade__opened_session": pl.Date,
    "trade__closed_session": pl.Date,
    "delay": pl.Float64,
    "entry_cost": pl.Float64,
    "entry_score": pl.Float64,
    "exit_score": pl.Float64,
    "exit_efficiency": pl.Float64,
    "mfe": pl.Float64,
    "mae": pl.Float64,
    "post_exit_mfe": pl.Float64,
    "signal_value": pl.Float64,
    "delay_cost": pl.Float64,
    "profit_taken": pl.Float64,
    "left_during": pl.Float64,
    "left_after": pl.Float64,
    "volatility_20": pl.Float64,
}
RENAMED = {"profit_taken": "profit"}


@dataclass(frozen=True, kw_only=True)
class Analyses:
    """All timed trades of a source, read once for every period."""

    source: str
    as_of: date
    rows: pl.DataFrame

    def since(self, first: date | None) -> Timed:
        """Return the trades open at any time from ``first`` on; all of them for None."""
        closed = pl.col("trade__closed_session")
        own = self.rows if first is None else self.rows.filter(closed.is_null() | (closed >= first))
        opened = numbers(own["trade__opened_session"])
        ended = numbers(own["trade__closed_session"].fill_null(self.as_of))
        return Timed(
            opened=opened,
            closed=np.maximum(ended, opened),
            **{
                RENAMED.get(name, name): _floats(own[name])
                for name in COLUMNS
                if not name.startswith("trade__")
            },
        )


def read(*, source: str, as_of: date) -> Analyses:
    """Read the timed trades of a source: one query."""
    rows = TimingAnalysis.objects.filter(
        source__in=lakes.sources_beside(source), trade__opened_session__lte=as_of
    ).values_list(*COLUMNS)
    frame = pl.DataFrame(list(rows), schema=COLUMNS, orient="row", strict=False)
    return Analyses(source=source, as_of=as_of, rows=frame)


def describe(analyses: Analyses, lab: Lab, *, days: int) -> tuple[Document, dict[str, Estimate]]:
    """Return timing over a period as a summary holds it, and its figures."""
    first = analyses.as_of - timedelta(days=days - 1) if days else None
    timed = analyses.since(first)
    source, as_of = analyses.source, analyses.as_of
    found = timing_figures.figures(timed, source=source, as_of=as_of)
    terciles = timing_figures.terciles(timed, source=source, as_of=as_of)
    compared = timing_figures.exit_lab(lab.since(first), source=source, as_of=as_of)
    return {
        "trades": timed.n,
        "figures": {name: figure_json.to_json(each) for name, each in found.items()},
        "bridge": timing_figures.bridge(timed),
        "terciles": [_plain(each) for each in terciles],
        "exit_lab": [_plain(each) for each in compared],
        "reference": _reference(),
    }, found


def get_timing(*, source: str, now: datetime, period_days: int = 30) -> Document:
    """Return timing as the newest summary has it: one query. Empty without a summary."""
    found = summary_reading.get_summary(source=source, now=now, period_days=period_days)
    return found.section("timing")


def _reference() -> Document | None:
    """Return the claimed reference: VIGL, bought at once."""
    row = TimingAnalysis.objects.filter(source=Source.CLAIMED).order_by("pk").first()
    if row is None:
        return None
    return {"symbol": row.symbol, "delay": row.delay, "status": "claimed", "note": row.note}


def _plain(row: Document) -> Document:
    return {
        name: figure_json.to_json(value) if isinstance(value, Estimate) else value
        for name, value in row.items()
    }


def _floats(values: pl.Series) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return found
