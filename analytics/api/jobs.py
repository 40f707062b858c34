"""Work that takes longer than an answer may: asked for, watched, cancelled."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.examples import JOB
from analytics.api.pages import Rows, label
from analytics.api.permissions import MayCancelJobs, MayRunDiscovery
from analytics.api.queries import DiscoveryIn, JobQuery, asked
from analytics.models import JobRun, JobState
from analytics.services import jobs

LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, description="The job to follow.", response=[202]
)
EXAMPLE = OpenApiExample("a job", value=JOB)
QUEUED = OpenApiExample("queued", value=JOB, response_only=True, status_codes=["202"])


class ProgressOut(serializers.Serializer[Any]):
    current = serializers.IntegerField(source="progress_current")
    total = serializers.IntegerField(source="progress_total", allow_null=True)
    fraction = serializers.FloatField(allow_null=True)


class JobLinksOut(serializers.Serializer[Any]):
    self = serializers.CharField()
    cancel = serializers.CharField()
    admin = serializers.CharField()


class JobOut(serializers.ModelSerializer[JobRun]):
    """``state``: queued, running, then one of succeeded, failed, cancelled, lost."""

    title = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=JobState.values)
    arguments = serializers.DictField()
    progress = ProgressOut(source="*")
    result = serializers.DictField(allow_null=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None)
    links = serializers.SerializerMethodField()

    class Meta:
        model = JobRun
        fields = (
            "id",
            "kind",
            "title",
            "state",
            "is_finished",
            "arguments",
            "progress",
            "message",
            "error",
            "result",
            "requested_by",
            "cancel_requested",
            "attempt",
            "max_attempts",
            "created_at",
            "started_at",
            "heartbeat_at",
            "finished_at",
            "source",
            "links",
        )

    def get_title(self, job: JobRun) -> str:
        return jobs.title_of(job.kind)

    def get_links(self, job: JobRun) -> dict[str, str]:
        return {
            "self": reverse("analytics:job", args=[job.pk]),
            "cancel": reverse("analytics:job-cancel", args=[job.pk]),
            "admin": reverse("admin:analytics_jobrun_change", args=[job.pk]),
        }


@extend_schema(
    tags=["jobs"], summary="Jobs, newest first", parameters=[JobQuery], examples=[EXAMPLE]
)
class JobList(generics.ListAPIView[JobRun]):
    pagination_class = Rows
    serializer_class = JobOut

    def get_queryset(self) -> QuerySet[JobRun]:
        question = asked(JobQuery, self.request)
        found = jobs.newest(kind=question.get("kind"))
        return found.filter(state=question["state"]) if "state" in question else found


@extend_schema(tags=["jobs"], summary="One job as it stands", examples=[EXAMPLE])
class JobDetail(generics.RetrieveAPIView[JobRun]):
    """Ask again until ``is_finished``; progress is written at most twice a second."""

    queryset = JobRun.objects.select_related("requested_by")
    serializer_class = JobOut

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(_shown(self.get_object()), headers={"Cache-Control": "no-store"})


class JobCancel(APIView):
    permission_classes = (MayCancelJobs,)

    @extend_schema(
        tags=["jobs"],
        summary="Cancel a job",
        request=None,
        responses={202: OpenApiResponse(JobOut, "Told to end, or ended before.")},
        examples=[
            OpenApiExample("told", value=JOB | {"cancel_requested": True}, status_codes=["202"])
        ],
    )
    def post(self, request: Request, pk: str) -> Response:
        """A job that waits ends at once, one that runs at its next report; an ended one stays."""
        job = get_object_or_404(JobRun.objects.only("pk"), pk=pk)
        told = jobs.cancel(job_id=job.pk, now=timezone.now())
        return Response(_shown(told), status=HTTPStatus.ACCEPTED)


class Discovery(APIView):
    permission_classes = (MayRunDiscovery,)

    @extend_schema(
        tags=["jobs"],
        summary="Scan one session or a range",
        request=DiscoveryIn,
        parameters=[LOCATION],
        responses={202: OpenApiResponse(JobOut, "Queued; asked twice, the job under way.")},
        examples=[
            OpenApiExample("one", value={"session": "2024-06-28"}, request_only=True),
            OpenApiExample(
                "many", value={"first": "2024-06-03", "last": "2024-06-28"}, request_only=True
            ),
            QUEUED,
        ],
    )
    def post(self, request: Request) -> Response:
        """Sessions whose bars have not changed since they were scanned are left as they are."""
        wanted = DiscoveryIn(data=request.data, context={"now": timezone.now()})
        wanted.is_valid(raise_exception=True)
        job = jobs.request(
            kind="discover",
            arguments=wanted.arguments(),
            requested_by=request.user if request.user.is_authenticated else None,
            now=timezone.now(),
        )
        headers = {"Location": reverse("analytics:job", args=[job.pk])}
        return Response(_shown(job), status=HTTPStatus.ACCEPTED, headers=headers)


def _shown(job: JobRun) -> dict[str, Any]:
    return (label(job.source) if job.source else {}) | dict(JobOut(job).data)
