"""The pages of theses: how they turned out, and each one with its settlement."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from performance.calc import accuracy_chart
from performance.services import accuracy_pages
from performance.services.accuracy_pages import ShownThesis
from performance.views.frame import asked_span, page, source_of_page, staff_page, staff_partial

CUTS = (
    ("author", "By author"),
    ("model", "By model"),
    ("prompt", "By prompt version"),
    ("pattern", "By pattern"),
    ("sector", "By sector"),
    ("confidence", "By confidence, as said"),
    ("call", "By recommendation"),
    ("issued", "Issued in time or late (a replay)"),
)


@staff_page
@require_safe
def theses(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    shown = accuracy_pages.get_page(source=source, span=span, now=timezone.now())
    history = shown.found.history
    return page(
        request,
        "performance/theses.html",
        title="Theses",
        source=source,
        span=span,
        shown=shown,
        found=shown.found,
        cuts=[(cut, title, shown.found.of(cut)) for cut, title in CUTS],
        chart=accuracy_chart.payload(history),
        chart_words=accuracy_chart.describe(history),
    )


@staff_partial
def theses_accuracy_card(request: HttpRequest) -> HttpResponse:
    return _card(request, "theses_accuracy_card")


@staff_partial
def theses_newest_card(request: HttpRequest) -> HttpResponse:
    return _card(request, "theses_newest_card")


@staff_page
@require_safe
def thesis(request: HttpRequest, thesis_id: int) -> HttpResponse:
    shown = _shown(thesis_id)
    said = shown.thesis
    return page(
        request,
        "performance/theses_one.html",
        title=f"Thesis {said.number}: {said.recommendation} {said.symbol}",
        source=said.source,
        span=asked_span(request.GET),
        shown=shown,
        said=said,
        scored=shown.accuracy,
    )


@staff_partial
def thesis_settlement_card(request: HttpRequest, thesis_id: int) -> HttpResponse:
    shown = _shown(thesis_id)
    context = {"said": shown.thesis, "scored": shown.accuracy}
    return render(request, "performance/partials/thesis_settlement_card.html", context)


def _shown(thesis_id: int) -> ShownThesis:
    try:
        return accuracy_pages.get_thesis(thesis_id=thesis_id)
    except accuracy_pages.NoThesis as error:
        raise Http404(str(error)) from error


def _card(request: HttpRequest, name: str) -> HttpResponse:
    span = asked_span(request.GET)
    shown = accuracy_pages.get_page(source=source_of_page(), span=span, now=timezone.now())
    context = {"shown": shown, "found": shown.found, "span": span}
    return render(request, f"performance/partials/{name}.html", context)
