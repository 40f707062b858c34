"""The recovery page and its cards: progress, claim audit, metrics, roadmap (design §12)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from performance.services import score_pages
from performance.services.score_pages import RecoveryPage
from performance.views.frame import asked_span, page, source_of_page, staff_page, staff_partial


@staff_page
@require_safe
def recovery(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    found = score_pages.get_recovery_page(source=source, now=timezone.now(), span=span)
    return page(
        request,
        "performance/recovery.html",
        title="Recovery",
        source=source,
        span=span,
        shown=found,
        chart=chart(found),
    )


@staff_partial
def recovery_card(request: HttpRequest) -> HttpResponse:
    return _card(request, "recovery_card")


@staff_partial
def targets_card(request: HttpRequest) -> HttpResponse:
    return _card(request, "targets_card")


@staff_partial
def roadmap_card(request: HttpRequest) -> HttpResponse:
    return _card(request, "roadmap_card")


def chart(found: RecoveryPage) -> dict[str, Any]:
    """Return progress over time in percent, with the level of zero skill beside it."""
    zero = found.told.get("zero_skill") or {}
    return {
        "kind": "progress",
        "days": [point.session.isoformat() for point in found.history],
        "progress": [_percent(point.progress) for point in found.history],
        "goal": 90,
        "idle": _percent(zero.get("idle_cash")),
        "random": _percent(zero.get("random")),
    }


def _percent(value: float | None) -> float | None:
    return None if value is None else round(value * 100, 2)


def _card(request: HttpRequest, name: str) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    found = score_pages.get_recovery_page(source=source, now=timezone.now(), span=span)
    context = {"shown": found, "span": span, "source": source}
    return render(request, f"performance/partials/{name}.html", context)
