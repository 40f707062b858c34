"""The health page: components, incidents, standing alerts, jobs; each card refreshes itself."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from analytics.services import alerts
from performance.services import dashboard, system_health
from performance.views.frame import asked_span, page, source_of_page, staff_page, staff_partial


@staff_page
def system(request: HttpRequest) -> HttpResponse:
    source, now = source_of_page(), timezone.now()
    return page(
        request,
        "performance/system.html",
        title="System health",
        source=source,
        span=asked_span(request.GET),
        health=system_health.get_system_health(now=now),
        standing=alerts.get_standing(source=source),
        may_acknowledge=request.user.has_perm("analytics.acknowledge_alert"),
        jobs=dashboard.get_jobs(source=source, now=now),
    )


@staff_partial
def system_card(request: HttpRequest) -> HttpResponse:
    found = system_health.get_system_health(now=timezone.now())
    return render(request, "performance/partials/system_card.html", {"health": found})


@staff_partial
def alerts_card(request: HttpRequest) -> HttpResponse:
    return _alerts(request)


@staff_partial
@require_POST
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Note that the person has seen an alert; answer with the card as it is then."""
    if not request.user.has_perm("analytics.acknowledge_alert"):
        return HttpResponse("You may not acknowledge alerts.", status=403)
    person = cast("User", request.user)  # staff, so nobody anonymous
    alerts.acknowledge(alert_ids=[alert_id], user=person, now=timezone.now())
    return _alerts(request)


def _alerts(request: HttpRequest) -> HttpResponse:
    context = {
        "standing": alerts.get_standing(source=source_of_page()),
        "may_acknowledge": request.user.has_perm("analytics.acknowledge_alert"),
    }
    return render(request, "performance/partials/alerts_card.html", context)
