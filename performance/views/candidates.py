"""The candidates page: a screener whose whole state is its address."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.vary import vary_on_headers

from analytics.models import Pattern
from performance.calc.spans import Span
from performance.models import OutcomeClass
from performance.services import screener
from performance.services.screener import Screen, ScreenerPage
from performance.views.frame import address, asked_span, page, source_of_page, staff_page

MOST_PAGES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Heading:
    """One column of the table. ``url`` sorts by it; ``order`` is what ``aria-sort`` says."""

    name: str
    title: str
    unit: str
    numeric: bool
    url: str
    order: str


# Name, title, unit, numeric, and whether the first click sorts downwards.
COLUMNS = (
    ("session", "Session", "", False, True),
    ("variant", "Variant", "", False, False),
    ("rank", "Rank", "", True, False),
    ("symbol", "Symbol", "", False, False),
    ("", "Flags", "", False, False),
    ("score", "Score", "0-100", True, True),
    ("coverage", "Coverage", "%", True, True),
    ("close", "Close", "USD", True, True),
    ("volume", "Volume", "x mean", True, True),
    ("ret_1", "Change", "%", True, True),
    ("short", "Short", "% of float", True, True),
    ("float", "Float", "shares", True, False),
    ("similarity", "Similarity", "0-100", True, True),
    ("return_14", "Return 14", "% sessions", True, True),
    ("peak", "Best close", "% in 14", True, True),
    ("", "Outcome", "", False, False),
)
FLAG_NAMES = {
    "volume_alert": "Volume 15x",
    "vigl_pattern": "VIGL pattern",
    "short_fuel": "Short fuel",
    "first_signal": "First signal",
}


class ScreenForm(forms.Form):
    """What the address asks for. A field that makes no sense filters nothing and says so."""

    symbol = forms.CharField(required=False, max_length=16)
    variant = forms.CharField(required=False, max_length=32)
    pattern = forms.ChoiceField(required=False, choices=[("", "any"), *Pattern.choices])
    flag = forms.MultipleChoiceField(required=False, choices=list(FLAG_NAMES.items()))
    outcome = forms.ChoiceField(
        required=False,
        choices=[
            ("", "any"),
            *OutcomeClass.choices,
            (screener.SETTLED, "any settled one"),
            (screener.NOT_SETTLED, "not settled yet"),
            (screener.NO_ENTRY, "no entry"),
        ],
    )
    min_score = forms.FloatField(required=False, min_value=0, max_value=100)
    sort = forms.CharField(required=False, max_length=20)
    page = forms.IntegerField(required=False, min_value=1, max_value=MOST_PAGES)


@staff_page
@vary_on_headers("HX-Request")
def candidates(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    form, screen = _asked(request, span)
    found = screener.get_page(source=source, screen=screen)
    context = _table(request, screen, found)
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "performance/partials/screener_table.html", context)
    return page(
        request,
        "performance/candidates.html",
        title="Screener",
        source=source,
        span=span,
        form=form,
        flags=[(key, title, key in screen.flags) for key, title in FLAG_NAMES.items()],
        **context,
    )


@staff_page
def candidates_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Stream exactly the rows that the page's filters leave, on all pages."""
    source, span = source_of_page(), asked_span(request.GET)
    _, screen = _asked(request, span)
    rows = screener.get_csv_rows(source=source, screen=screen)
    name = f"candidates_{span.key}_{source}_{timezone.now():%Y-%m-%dT%H%MZ}.csv"
    return StreamingHttpResponse(
        _lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterator[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow(row)


def _asked(request: HttpRequest, span: Span) -> tuple[ScreenForm, Screen]:
    form = ScreenForm(request.GET)
    form.is_valid()
    given: dict[str, Any] = form.cleaned_data
    return form, Screen(
        span=span,
        symbol=given.get("symbol") or "",
        variant=given.get("variant") or "",
        pattern=given.get("pattern") or "",
        flags=tuple(given.get("flag") or ()),
        outcome=given.get("outcome") or "",
        min_score=given.get("min_score"),
        sort=given.get("sort") or screener.DEFAULT_SORT,
        page=given.get("page") or 1,
    )


def _table(request: HttpRequest, screen: Screen, found: ScreenerPage) -> dict[str, Any]:
    """Return what the table's template shows."""
    query = request.GET
    return {
        "screen": screen,
        "found": found,
        "headings": [_heading(request, screen.sort, *column) for column in COLUMNS],
        "csv_query": address(query),
        "previous_url": address(query, page=found.page - 1) if found.page > 1 else "",
        "next_url": address(query, page=found.page + 1) if found.page < found.pages else "",
    }


def _heading(
    request: HttpRequest, sort: str, name: str, title: str, unit: str, numeric: bool, falling: bool
) -> Heading:
    current = sort.lstrip("-") == name and name != ""
    downwards = sort.startswith("-") if current else not falling
    return Heading(
        name=name,
        title=title,
        unit=unit,
        numeric=numeric,
        url=address(request.GET, sort=name if downwards else f"-{name}") if name else "",
        order=("descending" if sort.startswith("-") else "ascending") if current else "",
    )
