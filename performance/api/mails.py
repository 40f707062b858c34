"""Reports by mail, for programs: have one sent, or read it first (design §18)."""

from http import HTTPStatus
from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.jobs import JobOut
from analytics.api.pages import label
from analytics.api.permissions import Allowed
from analytics.api.queries import Query, asked
from analytics.services import jobs
from performance.models import Edition
from performance.services import mail_reports, report_kinds

PREVIEW: dict[str, Any] = {
    "edition": "morning",
    "day": "2026-11-23",
    "subject": "7 of 12 settled picks are up, 1 explosive (2026-11-20)",
    "recipients": ["trader@example.com"],
    "content": {"first": "2026-11-20", "last": "2026-11-20"},
    "text": "Before the open: ...",
    "html": "<!doctype html>...",
}


SHOWN = ("edition", "day", "subject", "content", "text", "html")


class MayMail(Allowed):
    message = "You may not have reports sent."
    permission = "performance.send_report"


class MailIn(serializers.Serializer[Any]):
    edition = serializers.ChoiceField(choices=Edition.choices, default=Edition.MORNING)
    recipients = serializers.ListField(
        child=serializers.EmailField(),
        required=False,
        allow_empty=False,
        max_length=50,
        help_text="Only these; by default all that want the edition.",
    )


class PreviewQuery(Query):
    preview = serializers.BooleanField(
        default=False, help_text="Answer with the report instead of sending it; nothing is stored."
    )


class PreviewOut(serializers.Serializer[Any]):
    edition = serializers.ChoiceField(choices=Edition.choices)
    day = serializers.DateField()
    subject = serializers.CharField()
    recipients = serializers.ListField(child=serializers.CharField())
    content = serializers.DictField()
    text = serializers.CharField()
    html = serializers.CharField()


class ReportMail(APIView):
    permission_classes = (MayMail,)

    @extend_schema(
        tags=["reports"],
        summary="Have the daily report sent",
        parameters=[PreviewQuery],
        request=MailIn,
        responses={
            200: OpenApiResponse(PreviewOut, "With `preview`: the report as it would be now."),
            202: OpenApiResponse(JobOut, "Queued; each recipient gets a day's report once."),
        },
        examples=[
            OpenApiExample("weekly", value={"edition": "weekly"}, request_only=True),
            OpenApiExample("preview", value=PREVIEW, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Once per day, edition and recipient, however often it is asked for."""
        wanted = MailIn(data=request.data)
        wanted.is_valid(raise_exception=True)
        edition, now = wanted.validated_data["edition"], timezone.now()
        if asked(PreviewQuery, request)["preview"]:
            report = mail_reports.draft(edition=edition, now=now)
            shown = {
                **{name: getattr(report, name) for name in SHOWN},
                "recipients": mail_reports.get_recipients(edition=edition),
            }
            return Response(label(report.source) | dict(PreviewOut(shown).data))
        job = jobs.request(
            kind=report_kinds.SEND,
            arguments=dict(wanted.validated_data),
            requested_by=request.user if request.user.is_authenticated else None,
            now=now,
        )
        headers = {"Location": reverse("analytics:job", args=[job.pk])}
        return Response(
            label(job.source) | dict(JobOut(job).data), status=HTTPStatus.ACCEPTED, headers=headers
        )
