"""The timing page and its cards: scores, dollar bridge, terciles, exit lab (design §13)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from performance.services import score_pages
from performance.services.score_pages import TimingPage
from performance.views.frame import asked_span, page, source_of_page, staff_page, staff_partial

STEPS = {
    "signal": "at the signal",
    "delay": "delay",
    "fill": "at the fill",
    "profit": "profit taken",
    "left_during": "left while held",
    "left_after": "left after",
}


@staff_page
@require_safe
def timing(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    found = score_pages.get_timing_page(source=source, now=timezone.now(), span=span)
    return page(
        request,
        "performance/timing.html",
        title="Timing",
        source=source,
        span=span,
        shown=found,
        chart=chart(found),
        steps=[{**step, "title": STEPS[step["key"]]} for step in found.told.get("bridge") or []],
    )


@staff_partial
def timing_card(request: HttpRequest) -> HttpResponse:
    return _card(request, "timing_card")


@staff_partial
def exit_lab_card(request: HttpRequest) -> HttpResponse:
    return _card(request, "exit_lab_card")


def chart(found: TimingPage) -> dict[str, Any]:
    """Return the dollar bridge as bars, in its order."""
    steps = found.told.get("bridge") or []
    return {
        "kind": "bridge",
        "names": [STEPS[step["key"]] for step in steps],
        "usd": [round(step["usd"], 2) for step in steps],
    }


def _card(request: HttpRequest, name: str) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    found = score_pages.get_timing_page(source=source, now=timezone.now(), span=span)
    context = {"shown": found, "span": span, "source": source}
    return render(request, f"performance/partials/{name}.html", context)
