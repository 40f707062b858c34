"""The overview and its cards: one view, one URL, one template each."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from analytics.services import live_session
from performance.services import dashboard
from performance.views.frame import asked_span, page, source_of_page, staff_page, staff_partial


@staff_page
def overview(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    return page(
        request,
        "performance/overview.html",
        title="Overview",
        source=source,
        span=span,
        may_run=request.user.has_perm("analytics.run_discovery"),
        live=live_session.get_live(now=timezone.now()),
        overview=dashboard.get_overview(source=source, span=span, now=timezone.now()),
    )


@staff_partial
def latest_card(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    card = dashboard.get_latest(source=source, span=span)
    return _card(request, "latest_card", latest=card)


@staff_partial
def funnel_card(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    return _card(request, "funnel_card", funnel=dashboard.get_funnel(source=source, span=span))


@staff_partial
def outcomes_card(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    card = dashboard.get_outcomes(source=source, span=span)
    return _card(request, "outcomes_card", outcomes=card)


@staff_partial
def volume_events_card(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    card = dashboard.get_volume_events(source=source, span=span)
    return _card(request, "volume_events_card", volume_events=card)


@staff_partial
def live_card(request: HttpRequest) -> HttpResponse:
    return _card(request, "live_card", live=live_session.get_live(now=timezone.now()))


@staff_partial
def jobs_card(request: HttpRequest) -> HttpResponse:
    card = dashboard.get_jobs(source=source_of_page(), now=timezone.now())
    return _card(request, "jobs_card", jobs=card)


def _card(request: HttpRequest, name: str, **context: object) -> HttpResponse:
    found = {"span": asked_span(request.GET), **context}
    return render(request, f"performance/partials/{name}.html", found)
