"""The backtest page: what the detector's variants and the exit rules came to over history."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.calc import (
    detector_report_charts,
    detector_report_tables,
    detector_report_words,
)
from analytics.services import detector_report
from performance.views.frame import asked_span, page, source_of_page, staff_page


@staff_page
@require_safe
def backtest(request: HttpRequest) -> HttpResponse:
    source = source_of_page()
    latest = detector_report.get_latest(source=source, now=timezone.now())
    return page(
        request,
        "performance/backtest.html",
        title="Backtest",
        source=source,
        span=asked_span(request.GET),
        latest=latest,
        may_replay=request.user.has_perm("analytics.replay_exits"),
        **(_shown(latest.report.result) if latest else {}),
    )


def _shown(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "sentences": detector_report_words.sentences(result),
        "tables": detector_report_tables.tables(result),
        "returns": detector_report_charts.returns(result),
        "calibration": detector_report_charts.calibration(result),
    }
