"""Print what all discovery so far came to, as Markdown tables."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.calc import figures
from analytics.calc.evidence import Estimate
from analytics.models import Source
from analytics.services import lakes
from performance.services import results
from performance.services.results import Pick, Results, Slice


class Command(BaseCommand):
    help = "Print what became of every candidate, by year and variant, as Markdown tables."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED])

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"] or lakes.get_active_source()
        found = results.get_results(source=source)
        if found is None:
            raise CommandError(f"no {source} batch is recorded; run `manage.py discover --all`")
        for lines in (_head(found), _rates(found), _returns(found), _quality(found)):
            self.stdout.write("\n".join(lines) + "\n")
        for variant in found.best:
            self.stdout.write("\n".join(_picks(variant, found)) + "\n")


def _head(found: Results) -> list[str]:
    label = " SIMULATED, not a market." if found.source == Source.SIMULATED else ""
    return [f"Source: {found.source}.{label} Sessions {found.first} to {found.last}.", ""]


EXPLOSIVE = """\
Explosive: the best close of 14 sessions lies at least 50 % over the next open. In brackets the
95 % interval. Lift: against the base universe of the same sessions; matched: of the same decile
of volatility.
"""
EXPLOSIVE_COLUMNS = (
    "year", "variant", "batches", "volume events", "candidates", "no entry", "pending",
    "explosive, all rows", "first signals", "top 10", "volume >= 15x", "base", "lift",
    "matched lift",
)  # fmt: skip
RETURNS = "Return from the next open, held 14 sessions, before costs.\n"
RETURN_COLUMNS = (
    "year", "variant", "mean, all rows", "mean, first signals", "median, all rows",
    "median, first signals", "above zero", "base above zero",
)  # fmt: skip
RECALL = """\
Recall: episodes of listed common stock that rose 50 % within 14 sessions, whatever their price,
which hold a candidate. Quality is 0 to 100; skill is 0 for a random draw from the gate and 1 for
the best three of hindsight.
"""
RECALL_COLUMNS = (
    "year", "variant", "episodes", "recall, episodes", "recall, stock-days", "quality",
    "random draw", "hindsight", "skill",
)  # fmt: skip
PICK_COLUMNS = (
    "signal", "symbol", "rank", "score", "close", "entry", "best close", "after 14 sessions",
    "status",
)  # fmt: skip


def _table(columns: tuple[str, ...], rows: list[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns), *rows]


def _rates(found: Results) -> list[str]:
    rows = [_rate_row(part) for part in found.slices]
    return [EXPLOSIVE, *_table(EXPLOSIVE_COLUMNS, rows), ""]


def _rate_row(part: Slice) -> str:
    window, counts = part.analysis.window, part.analysis.counts
    cells = [
        str(part.year or "all"),
        part.analysis.variant,
        str(counts.batches),
        str(part.volume_events),
        f"{counts.candidates:,}",
        f"{counts.no_entry:,}",
        f"{counts.pending:,}",
        _rate(window.all_rows.explosive),
        _rate(window.first_signals.explosive),
        _rate(part.top),
        _rate(part.alert),
        _rate(part.base),
        _times(window.all_rows.lift),
        _times(window.all_rows.matched_lift),
    ]
    return "| " + " | ".join(cells) + " |"


def _returns(found: Results) -> list[str]:
    return [RETURNS, *_table(RETURN_COLUMNS, [_return_row(part) for part in found.slices]), ""]


def _return_row(part: Slice) -> str:
    window = part.analysis.window
    cells = [
        str(part.year or "all"),
        part.analysis.variant,
        _rate(window.all_rows.mean_return_14),
        _rate(window.first_signals.mean_return_14),
        _rate(part.analysis.median_all),
        _rate(part.analysis.median_first),
        _rate(window.all_rows.positive_14),
        _rate(window.base_positive_14),
    ]
    return "| " + " | ".join(cells) + " |"


def _quality(found: Results) -> list[str]:
    return [RECALL, *_table(RECALL_COLUMNS, [_quality_row(part) for part in found.slices]), ""]


def _quality_row(part: Slice) -> str:
    window = part.analysis.window
    cells = [
        str(part.year or "all"),
        part.analysis.variant,
        f"{part.analysis.counts.episodes:,}",
        _rate(window.capture),
        _rate(window.stock_day_recall),
        _points(window.quality.score),
        _points(window.quality.random),
        _points(window.quality.hindsight),
        _times(window.quality.skill, unit=""),
    ]
    return "| " + " | ".join(cells) + " |"


def _picks(variant: str, found: Results) -> list[str]:
    shown = [*found.best[variant], *reversed(found.worst[variant])]
    title = f"{variant}: the five best and the five worst first signals after 14 sessions.\n"
    return [title, *_table(PICK_COLUMNS, [_pick_row(pick) for pick in shown]), ""]


def _pick_row(pick: Pick) -> str:
    return (
        f"| {pick.session} | {pick.symbol} | {pick.rank} | {pick.score:.1f} "
        f"| {figures.money(pick.close)} | {figures.money(pick.entry_price)} "
        f"| {figures.change(pick.peak_close_return)} | {figures.change(pick.return_14)} "
        f"| {pick.status} |"
    )


def _rate(found: Estimate) -> str:
    return _shown(found, scale=100.0, unit=" %", digits=1)


def _points(found: Estimate) -> str:
    return _shown(found, scale=1.0, unit="", digits=1)


def _times(found: Estimate, unit: str = "x") -> str:
    return _shown(found, scale=1.0, unit=unit, digits=2)


def _shown(found: Estimate, *, scale: float, unit: str, digits: int) -> str:
    if found.value is None:
        return f"insufficient data ({found.reason})"
    text = f"{found.value * scale:.{digits}f}{unit}"
    if found.low is None or found.high is None:
        return f"{text}, n {found.n:,}"
    return (
        f"{text} [{found.low * scale:.{digits}f}, {found.high * scale:.{digits}f}], n {found.n:,}"
    )
