"""The candidates as a screener: filtered, sorted, a page at a time, or all of them as CSV."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from typing import Any

from django.db.models import F, Max, Q, QuerySet

from analytics.models import Candidate, Source, Variant
from analytics.services import lakes, predictions
from performance.calc import freshness
from performance.calc.freshness import Freshness
from performance.calc.spans import DEFAULT, Span
from performance.models import OutcomeStatus
from performance.models.tracking import KNOWN_OUTCOMES

PAGE_SIZE = 50
FLAGS = ("volume_alert", "vigl_pattern", "short_fuel", "first_signal")
NOT_SETTLED = "open"
SETTLED = "settled"
NO_ENTRY = "no_entry"
DEFAULT_SORT = "-session"
SORTS = {
    "session": "batch__session",
    "variant": "batch__variant__name",
    "symbol": "symbol",
    "rank": "rank",
    "score": "score",
    "coverage": "coverage",
    "close": "close",
    "volume": "rel_volume",
    "ret_1": "ret_1",
    "short": "short_interest_pct",
    "float": "float_shares",
    "similarity": "similarity",
    "return_14": "tracking__return_14",
    "peak": "tracking__peak_close_return",
}
CSV_COLUMNS = {
    "session": "batch__session",
    "variant": "batch__variant__name",
    "variant_version": "batch__variant__version",
    "rank": "rank",
    "symbol": "symbol",
    "pattern": "pattern",
    "score_0_100": "score",
    "coverage_fraction": "coverage",
    "label": "label",
    "volume_alert": "volume_alert",
    "vigl_pattern": "vigl_pattern",
    "short_fuel": "short_fuel",
    "first_signal": "first_signal",
    "close_usd": "close",
    "rel_volume_x": "rel_volume",
    "dollar_volume_20_usd": "dollar_volume_20",
    "ret_1_fraction": "ret_1",
    "short_interest_fraction_of_float": "short_interest_pct",
    "short_interest_age_sessions": "short_interest_age",
    "float_shares": "float_shares",
    "float_basis": "float_basis",
    "float_age_sessions": "float_age",
    "similarity_0_100": "similarity",
    "similar_to": "similarity_to",
    "outcome_status": "tracking__status",
    "outcome_class": "tracking__outcome",
    "entry_session": "tracking__entry_session",
    "entry_usd": "tracking__entry_price",
    "return_14_fraction": "tracking__return_14",
    "best_close_14_fraction": "tracking__peak_close_return",
    "worst_low_14_fraction": "tracking__mae",
    "source": "batch__source",
}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What was asked for. Blank or None filters nothing."""

    span: Span = DEFAULT
    variant: str = ""
    pattern: str = ""
    flags: tuple[str, ...] = ()
    outcome: str = ""
    min_score: float | None = None
    symbol: str = ""
    sort: str = DEFAULT_SORT
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class ScreenerRow:
    """One candidate. Returns are fractions; None is not known (yet)."""

    candidate_id: int
    session: date
    variant: str
    rank: int
    symbol: str
    pattern: str
    flags: list[str]
    score: float
    coverage: float
    close: float
    rel_volume: float
    ret_1: float | None
    short_interest_pct: float | None
    float_shares: float | None
    float_basis: str
    similarity: float | None
    status: str
    outcome: str
    return_14: float | None
    peak: float | None


@dataclass(frozen=True, kw_only=True)
class ScreenerPage:
    """One page of the table.

    Attributes:
        first, last: Days that were looked at; None without any data.
        total: Rows that pass the filters, on all pages.
        variants: Names that can be asked for.
    """

    source: str
    first: date | None
    last: date | None
    total: int
    page: int
    pages: int
    rows: list[ScreenerRow]
    variants: list[str] = field(default_factory=list)
    freshness: Freshness | None = None

    @property
    def numbers(self) -> tuple[int, int]:
        """Number of the first and the last row shown."""
        first = (self.page - 1) * PAGE_SIZE + 1 if self.rows else 0
        return first, first + len(self.rows) - 1 if self.rows else 0


def get_page(*, source: str, screen: Screen) -> ScreenerPage:
    """Return one page of the candidates that ``screen`` asks for: four queries."""
    newest = _newest(source)
    found, days = _found(source, screen, newest)
    total = found.count()
    pages = max(1, ceil(total / PAGE_SIZE))
    page = min(max(1, screen.page), pages)
    ordered = found.order_by(*_ordering(screen.sort))
    part = ordered.select_related("batch__variant", "tracking")[
        (page - 1) * PAGE_SIZE : page * PAGE_SIZE
    ]
    names = Variant.objects.order_by("name", "version")
    return ScreenerPage(
        source=source,
        first=days[0],
        last=days[1],
        total=total,
        page=page,
        pages=pages,
        rows=[_row(candidate) for candidate in part],
        variants=[str(variant) for variant in names],
        freshness=freshness.of_session(newest) if newest else None,
    )


def get_csv_rows(*, source: str, screen: Screen) -> Iterator[list[str]]:
    """Yield the header and every row that ``screen`` asks for, on all pages, read bit by bit.

    The first line says SIMULATED where the rows are. Texts that a spreadsheet would take for
    a formula are quoted; an unknown value is an empty cell.
    """
    found, _ = _found(source, screen, _newest(source))
    if source == Source.SIMULATED:
        yield ["SIMULATED: rows of the sample market, not of real stocks"]
    yield list(CSV_COLUMNS)
    rows = found.order_by(*_ordering(screen.sort)).values_list(*CSV_COLUMNS.values())
    for row in rows.iterator(chunk_size=2000):
        yield [csv_cell(value) for value in row]


def csv_cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet runs.

    Source: OWASP, "CSV Injection".
    """
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return str(value)


def _newest(source: str) -> date | None:
    batches = predictions.get_batches(source=source)
    newest: date | None = batches.aggregate(last=Max("session"))["last"]
    return newest


def _found(
    source: str, screen: Screen, newest: date | None
) -> tuple[QuerySet[Candidate], tuple[date | None, date | None]]:
    """Return the candidates that pass the filters, and the days that were looked at."""
    if newest is None:
        return Candidate.objects.none(), (None, None)
    first, last = screen.span.days_of(newest)
    found = Candidate.objects.current().filter(
        batch__source__in=lakes.sources_beside(source), batch__session__range=(first, last)
    )
    wanted = {
        **_variant(screen.variant),
        "pattern": screen.pattern or None,
        "symbol": screen.symbol.strip().upper() or None,
        "score__gte": screen.min_score,
        **dict.fromkeys((flag for flag in screen.flags if flag in FLAGS), True),
    }
    found = found.filter(**{name: value for name, value in wanted.items() if value is not None})
    return found.filter(_outcome(screen.outcome)), (first, last)


def _variant(name: str) -> dict[str, Any]:
    """Return the filter for "B", every version of it, or "B v2"."""
    plain, _, version = name.rpartition(" v")
    if plain and version.isdecimal():
        return {"batch__variant__name": plain, "batch__variant__version": int(version)}
    return {"batch__variant__name": name or None}


def _outcome(outcome: str) -> Q:
    if not outcome:
        return Q()
    if outcome == NOT_SETTLED:
        return Q(tracking__isnull=True) | Q(tracking__status=OutcomeStatus.PENDING)
    if outcome == SETTLED:
        return Q(tracking__status__in=KNOWN_OUTCOMES)
    if outcome == NO_ENTRY:
        return Q(tracking__status=OutcomeStatus.NO_ENTRY)
    return Q(tracking__outcome=outcome)


def _ordering(sort: str) -> list[Any]:
    """Return the order of ``sort`` with the unknown last, made unique by the key."""
    falling, name = sort.startswith("-"), sort.lstrip("-")
    path = F(SORTS.get(name, SORTS["session"]))
    chosen = path.desc(nulls_last=True) if falling else path.asc(nulls_last=True)
    return [chosen, "-batch__session", "batch__variant__name", "rank", "pk"]


def _row(candidate: Candidate) -> ScreenerRow:
    tracking = getattr(candidate, "tracking", None)
    return ScreenerRow(
        candidate_id=candidate.pk,
        session=candidate.batch.session,
        variant=str(candidate.batch.variant),
        rank=candidate.rank,
        symbol=candidate.symbol,
        pattern=candidate.pattern,
        flags=[flag for flag in FLAGS if getattr(candidate, flag)],
        score=candidate.score,
        coverage=candidate.coverage,
        close=float(candidate.close),
        rel_volume=candidate.rel_volume,
        ret_1=candidate.ret_1,
        short_interest_pct=candidate.short_interest_pct,
        float_shares=candidate.float_shares,
        float_basis=candidate.float_basis,
        similarity=candidate.similarity,
        status=tracking.status if tracking else OutcomeStatus.PENDING,
        outcome=tracking.outcome if tracking else "",
        return_14=tracking.return_14 if tracking else None,
        peak=tracking.peak_close_return if tracking else None,
    )
