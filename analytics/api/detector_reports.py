"""The newest detector report at once, a new one as a job (design §13, §16, §19)."""

from http import HTTPStatus
from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.jobs import LOCATION, QUEUED, JobOut
from analytics.api.pages import label
from analytics.api.permissions import Allowed
from analytics.api.queries import SourceQuery, asked
from analytics.calc import detector_report_words
from analytics.models import DetectorReport
from analytics.services import detector_report, exit_kinds, jobs

NONE_YET = "No detector report of this source is stored yet. POST to this address starts one."
NOTHING: dict[str, Any] = {
    "source": "imported",
    "status": "insufficient_data",
    "reason": NONE_YET,
    "statement": [],
    "report": None,
    "running": None,
    "links": {"start": "/analytics/detector-report"},
}


class MayReplayExits(Allowed):
    message = "You may not have exits replayed."
    permission = "analytics.replay_exits"


class DetectorReportOut(serializers.ModelSerializer[DetectorReport]):
    """Fractions; every figure with its evidence."""

    parameters = serializers.DictField(help_text="Variants, exit rules and costs.")
    figures = serializers.DictField(
        source="result",
        help_text="`scopes` by variant: precision, lift, recall, calibration, exits; `verdict`.",
    )
    lake_versions = serializers.DictField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = DetectorReport
        fields = (
            "id",
            "first",
            "last",
            "untouched_year",
            "parameters",
            "figures",
            "digest",
            "lake_versions",
            "code_revision",
            "seconds",
            "finished_at",
            "source",
            "links",
        )

    def get_links(self, report: DetectorReport) -> dict[str, str]:
        return {"admin": reverse("admin:analytics_detectorreport_change", args=[report.pk])}


class LatestReportOut(serializers.Serializer[Any]):
    """``status`` is insufficient_data, with the reason, until a report is stored."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    status = serializers.ChoiceField(choices=["ok", "simulated", "insufficient_data"])
    reason = serializers.CharField()
    age_seconds = serializers.FloatField(required=False)
    statement = serializers.ListField(child=serializers.CharField())
    report = DetectorReportOut(allow_null=True)
    running = JobOut(allow_null=True)
    links = serializers.DictField()


class DetectorReportView(APIView):
    def get_permissions(self) -> Any:
        return [MayReplayExits()] if self.request.method == "POST" else super().get_permissions()

    @extend_schema(
        tags=["evidence"],
        summary="The newest detector report",
        parameters=[SourceQuery],
        responses=LatestReportOut,
        examples=[OpenApiExample("no report yet", value=NOTHING, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Variants and exit rules side by side, and whether any of it made money after costs."""
        source = asked(SourceQuery, request)["source"]
        found = detector_report.get_latest(source=source, now=timezone.now())
        running = next(iter(jobs.get_running(kind=exit_kinds.REPLAY_EXITS)), None)
        shared = {
            "running": JobOut(running).data if running else None,
            "links": {"start": reverse("analytics:detector-report")},
        }
        if found is None:
            none = {"status": "insufficient_data", "reason": NONE_YET}
            return Response(label(source) | none | {"statement": [], "report": None} | shared)
        report = found.report
        return Response(
            label(report.source)
            | {
                "status": "simulated" if report.source == "simulated" else "ok",
                "reason": "",
                "age_seconds": found.age_seconds,
                "statement": detector_report_words.sentences(report.result),
                "report": DetectorReportOut(report).data,
            }
            | shared
        )

    @extend_schema(
        tags=["evidence"],
        summary="Replay exits",
        request=SourceQuery,
        parameters=[LOCATION],
        responses={202: OpenApiResponse(JobOut, "Queued; asked twice, the job under way.")},
        examples=[QUEUED],
    )
    def post(self, request: Request) -> Response:
        """Every combination is written into the ledger of trials, whatever it shows."""
        wanted = SourceQuery(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = jobs.request(
            kind=exit_kinds.REPLAY_EXITS,
            arguments={"source": str(wanted.validated_data["source"])},
            requested_by=request.user if request.user.is_authenticated else None,
            now=timezone.now(),
        )
        headers = {"Location": reverse("analytics:job", args=[job.pk])}
        answer = label(job.source) | dict(JobOut(job).data)
        return Response(answer, status=HTTPStatus.ACCEPTED, headers=headers)
