"""The comprehensive report as a page that prints well, and as PDF."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from performance.calc.report import Report
from performance.services import reporting
from performance.views.frame import source_of_page, staff_page

DEFAULT = 30


@staff_page
@require_safe
def report(request: HttpRequest) -> HttpResponse:
    found = _found(request)
    return render(request, "performance/report.html", {"report": found, "title": found.title})


@staff_page
@require_safe
def report_pdf(request: HttpRequest) -> HttpResponse:
    from performance.services import report_pdf as paper  # loads its fonts only where it is used

    found = _found(request)
    name = f"report_{found.session or 'none'}_{found.period_days}d_{found.source}.pdf"
    return HttpResponse(
        paper.render(found),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


def _found(request: HttpRequest) -> Report:
    """Return the report that the address asks for; 30 days where it makes no sense."""
    try:
        days = int(request.GET.get("period_days", DEFAULT))
        reporting.window_of(days)
    except ValueError:
        days = DEFAULT
    return reporting.get_report(source=source_of_page(), now=timezone.now(), period_days=days)
