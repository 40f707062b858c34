"""The page of one symbol, and what a scan made of it, on demand."""

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics.errors import DomainError
from performance.calc import symbol_chart
from performance.services import symbols
from performance.views.frame import (
    address,
    asked_span,
    page,
    source_of_page,
    staff_page,
    staff_partial,
)

TABLE_SESSIONS = 260  # bars in the table under the chart; the chart has all
RAW, ADJUSTED = "raw", "adjusted"


@staff_page
@require_safe
def find_symbol(request: HttpRequest) -> HttpResponse:
    """Lead to the page of the symbol that was typed."""
    typed = request.GET.get("symbol", "").strip().upper()
    return redirect("pages:symbol", symbol=typed) if typed else redirect("pages:overview")


@staff_page
@require_safe
def symbol(request: HttpRequest, symbol: str) -> HttpResponse:
    if symbol != symbol.upper():
        return redirect("pages:symbol", symbol=symbol.upper())
    source, span = source_of_page(), asked_span(request.GET)
    adjust = request.GET.get("prices") != RAW
    try:
        shown = symbols.get_symbol(symbol=symbol, source=source, span=span, adjust=adjust)
    except symbols.NoSymbol as error:
        return page(
            request,
            "performance/no_symbol.html",
            title=symbol,
            source=source,
            span=span,
            reason=str(error),
        )
    marks = symbols.get_marks(shown)
    return page(
        request,
        "performance/symbol.html",
        title=symbol,
        source=source,
        span=span,
        shown=shown,
        newest_bars=shown.bars[: -TABLE_SESSIONS - 1 : -1],
        chart=symbol_chart.payload(shown.bars, shown.splits, marks, adjusted=adjust),
        chart_words=symbol_chart.describe(symbol, shown.bars, marks, adjusted=adjust),
        raw_url=address(request.GET, prices=RAW),
        adjusted_url=address(request.GET, prices=ADJUSTED),
    )


@staff_partial
def explanation(request: HttpRequest, symbol: str, session: str) -> HttpResponse:
    """Scan one session again and say what every gate made of the symbol; takes about a second."""
    from analytics.services import discovery  # the kernels load only where they are used

    context: dict[str, object] = {"symbol": symbol, "session": session}
    try:
        context["story"] = discovery.get_explanation(
            symbol=symbol, session=date.fromisoformat(session), source=source_of_page()
        )
    except DomainError as error:
        context["reason"] = str(error)
    except ValueError as error:
        raise Http404(str(error)) from error
    return render(request, "performance/partials/explanation.html", context)
