"""The portfolio page: positions, trades, equity against SPY and the claimed baseline."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from performance.services import report_portfolio
from performance.views.frame import asked_span, page, source_of_page, staff_page


@staff_page
@require_safe
def portfolio(request: HttpRequest) -> HttpResponse:
    source, span = source_of_page(), asked_span(request.GET)
    return page(
        request,
        "performance/portfolio.html",
        title="Portfolio",
        source=source,
        span=span,
        found=report_portfolio.get_page(source=source, span=span),
    )
