"""Claimed performances, audited (design §2)."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.pages import Rows
from analytics.api.permissions import MayAuditClaims
from analytics.api.queries import SourceQuery
from analytics.models import ClaimAudit, ClaimItem, Verdict
from analytics.services import claims

CSV = "symbol,entry_date,entry_price,peak_price\nVIGL,2024-06-03,2.94,12.46\n"
AUDIT: dict[str, Any] = {
    "id": 1,
    "title": "Baseline June-July 2024",
    "verdicts": {"verified": 0, "plausible": 3, "impossible": 2, "unverifiable": 6},
    "digest": "9b6cf5d8a4372afa1aa6815c0893bf7c",
    "created_at": "2026-11-23T14:11:30.968172-05:00",
    "source": "simulated",
    "links": {
        "self": "/analytics/claim-audits/1",
        "admin": "/admin/analytics/claimaudit/1/change/",
    },
}
ITEM = {
    "position": 1,
    "kind": "arithmetic",
    "subject": "average return",
    "claim": "average return +152% and $957.50 profit on $1,500",
    "verdict": "impossible",
    "evidence": "$957.50 on $1,500 is +63.8%, so both cannot hold for equal stakes.",
}
WITH_ITEMS = AUDIT | {"items": [ITEM]}


class ClaimsIn(SourceQuery):
    """``baseline: true``, or picks as text in ``csv``, or as a ``file``."""

    title = serializers.CharField(max_length=120, required=False, default="Uploaded picks")
    baseline = serializers.BooleanField(required=False, default=False)
    csv = serializers.CharField(
        max_length=claims.LARGEST_FILE,
        required=False,
        trim_whitespace=False,
        help_text=f"With a header: {', '.join(claims.COLUMNS)}. The first three are needed.",
    )
    file = serializers.FileField(required=False, help_text="The same as a file, UTF-8.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        given = sum([attrs["baseline"], "csv" in attrs, "file" in attrs])
        if given != 1:
            raise serializers.ValidationError({"csv": "Give one of baseline, csv and file."})
        if "file" in attrs:
            attrs["csv"] = _text(attrs.pop("file"))
        return attrs


def _text(file: Any) -> str:
    if file.size > claims.LARGEST_FILE:
        raise serializers.ValidationError({"file": "The file is too large."})
    try:
        text: str = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise serializers.ValidationError({"file": "The file is not UTF-8."}) from error
    return text


class ClaimItemOut(serializers.ModelSerializer[ClaimItem]):
    class Meta:
        model = ClaimItem
        fields = ("position", "kind", "subject", "claim", "verdict", "evidence")


class AuditRowOut(serializers.ModelSerializer[ClaimAudit]):
    """How many items got each verdict; ``source`` is what they were checked against."""

    verdicts = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = ClaimAudit
        fields = ("id", "title", "verdicts", "digest", "created_at", "source", "links")

    def get_verdicts(self, audit: ClaimAudit) -> dict[str, int]:
        return {verdict: getattr(audit, f"count_{verdict}") for verdict in Verdict.values}

    def get_links(self, audit: ClaimAudit) -> dict[str, str]:
        return {
            "self": reverse("analytics:claim-audit", args=[audit.pk]),
            "admin": reverse("admin:analytics_claimaudit_change", args=[audit.pk]),
        }


class AuditOut(AuditRowOut):
    items = ClaimItemOut(many=True)

    class Meta(AuditRowOut.Meta):
        fields = (*AuditRowOut.Meta.fields, "items")  # type: ignore[assignment]  # one more


@extend_schema(tags=["evidence"])
@extend_schema(
    methods=["GET"],
    summary="Audits of claims",
    examples=[OpenApiExample("an audit", value=AUDIT)],
)
class ClaimAudits(generics.ListAPIView[ClaimAudit]):
    pagination_class = Rows
    parser_classes = (JSONParser, MultiPartParser, FormParser)
    serializer_class = AuditRowOut

    def get_permissions(self) -> Any:
        return [MayAuditClaims()] if self.request.method == "POST" else super().get_permissions()

    def get_queryset(self) -> QuerySet[ClaimAudit]:
        return claims.get_audits()

    @extend_schema(
        summary="Audit a claim",
        request=ClaimsIn,
        responses={201: OpenApiResponse(AuditOut, "Every item with its verdict and why.")},
        examples=[
            OpenApiExample("the baseline", value={"baseline": True}, request_only=True),
            OpenApiExample("picks", value={"title": "A letter", "csv": CSV}, request_only=True),
            OpenApiExample("audited", value=WITH_ITEMS, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Checks arithmetic, sampling, and whether the market allowed it, at once."""
        wanted = ClaimsIn(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked = wanted.validated_data
        shared = {
            "source": asked["source"],
            "now": timezone.now(),
            "requested_by": request.user,
        }
        if asked["baseline"]:
            audit = claims.record_baseline_audit(**shared)
        else:
            audit = claims.record_upload_audit(title=asked["title"], text=asked["csv"], **shared)
        shown = claims.get_audits().prefetch_related("items").get(pk=audit.pk)
        answer = AuditOut(shown).data
        return Response(
            answer,
            status=HTTPStatus.CREATED,
            headers={"Location": answer["links"]["self"]},
        )


@extend_schema(
    tags=["evidence"],
    summary="One audit with its items",
    examples=[OpenApiExample("an audit", value=WITH_ITEMS)],
)
class ClaimAuditDetail(generics.RetrieveAPIView[ClaimAudit]):
    serializer_class = AuditOut

    def get_queryset(self) -> QuerySet[ClaimAudit]:
        return claims.get_audits().prefetch_related("items")
