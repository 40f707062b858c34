"""The comprehensive report, for programs (design §19)."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.api.queries import SourceQuery, asked
from analytics.api.serializers import EstimateOut
from performance.calc.report import Report
from performance.services import reporting


class ReportQuery(SourceQuery):
    """``period_days`` is the mission's."""

    period_days = serializers.IntegerField(
        min_value=1,
        max_value=reporting.LONGEST,
        default=30,
        help_text="Calendar days; answered by the smallest stored window that holds them.",
    )


class ReportLineOut(serializers.Serializer[Any]):
    """A figure with label, form (percent, change, number, ratio, money), target, evidence."""

    label = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    form = serializers.CharField()
    target = serializers.FloatField(allow_null=True)
    figure = EstimateOut()


class ReportTableOut(serializers.Serializer[Any]):
    headings = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    more = serializers.IntegerField()


class ReportChartOut(serializers.Serializer[Any]):
    title = serializers.CharField()
    form = serializers.CharField()
    days = serializers.ListField(child=serializers.DateField())
    values = serializers.ListField(child=serializers.FloatField())


class ReportSectionOut(serializers.Serializer[Any]):
    """One part; ``status`` insufficient_data carries a reason and nothing else."""

    key = serializers.CharField()
    title = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    words = serializers.CharField()
    lines = ReportLineOut(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    table = ReportTableOut(allow_null=True)
    chart = ReportChartOut(allow_null=True)


class ReportOut(serializers.Serializer[Report]):
    title = serializers.CharField()
    period_days = serializers.IntegerField()
    window_days = serializers.IntegerField()
    as_of = serializers.DateField(source="session", allow_null=True)
    age_sessions = serializers.IntegerField(source="age", allow_null=True)
    generated_at = serializers.DateTimeField()
    sections = ReportSectionOut(many=True)
    links = serializers.SerializerMethodField()

    def get_links(self, found: Report) -> dict[str, str]:
        query = f"?period_days={found.period_days}"
        return {"page": reverse("pages:report") + query, "pdf": reverse("pages:report-pdf") + query}


class LabelledReportOut(ReportOut):
    """The description's: whose data it is stands at the head."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    simulated = serializers.BooleanField(required=False)


EXAMPLE: dict[str, Any] = {
    "source": "imported",
    "title": "Comprehensive performance report, 30 days",
    "period_days": 30,
    "window_days": 30,
    "as_of": "2024-06-28",
    "age_sessions": 0,
    "sections": [
        {
            "key": "risk",
            "title": "Risk",
            "status": "insufficient_data",
            "reason": "no account has been assessed yet; the job assess_risk does it",
            "words": "",
            "lines": [],
            "notes": [],
            "table": None,
            "chart": None,
        }
    ],
}


class ComprehensiveReport(APIView):
    @extend_schema(
        tags=["performance"],
        summary="Comprehensive report",
        parameters=[ReportQuery],
        responses=LabelledReportOut,
        examples=[OpenApiExample("abridged", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Everything the product knows in one report, with the roadmap and trends."""
        question = asked(ReportQuery, request)
        found = reporting.get_report(now=timezone.now(), **question)
        return Response(label(question["source"]) | ReportOut(found).data)
