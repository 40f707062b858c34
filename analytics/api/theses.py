"""Theses for programs: what was predicted, by whom, on what data; asking for one (design §9)."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.jobs import LOCATION, QUEUED, JobOut
from analytics.api.pages import Pages, label
from analytics.api.permissions import MayWriteTheses
from analytics.api.queries import FIRST, LAST, SESSION, Query, SourceQuery, asked
from analytics.calc import number_check
from analytics.models import AuthorKind, Candidate, Thesis, ThesisEvent
from analytics.services import theses, thesis_chain, thesis_kinds

MACHINES = (AuthorKind.RULES.value, AuthorKind.CLAUDE.value)
ROW: dict[str, Any] = {
    "id": 12,
    "number": 12,
    "symbol": "VIGL",
    "session": "2024-06-28",
    "pattern": "VIGL_SQUEEZE",
    "recommendation": "AVOID",
    "entry_price": 2.94,
    "target_price": 3.822,
    "stop_price": 2.499,
    "max_entry_price": 3.1605,
    "horizon": 14,
    "p_target": 0.16,
    "p_calibrated": None,
    "p_explosive": 0.05,
    "text": "VIGL closed at $2.94 on 2024-06-28, volume 20.9x its 20-session mean.",
    "reasons": ["It closed in the lower half of its range."],
    "falsifiers": ["close < 2.499", "rel_volume < 1 for 3 sessions"],
    "figures": 4,
    "supported_share": 1.0,
    "author_kind": "rules",
    "author": "rules:1",
    "model_id": "",
    "training_cutoff": None,
    "prompt_version": "1",
    "pack_version": "1",
    "tokens_in": None,
    "tokens_out": None,
    "cost_usd": None,
    "issued_at": "2024-06-28T22:00:00Z",
    "is_late": False,
    "digest": "0f" * 32,
    "source": "imported",
    "links": {
        "self": "/analytics/theses/12",
        "candidate": "/analytics/candidates/7",
        "admin": "/admin/analytics/thesis/12/change/",
    },
}
PACK = {"pack": "1", "symbol": "VIGL", "session": "2024-06-28"}
EVENT = {
    "kind": "falsified",
    "session": "2024-07-02",
    "subject": "close < 2.499",
    "message": "close < 2.499: close was 2.41 on 2024-07-02",
    "detail": {"value": 2.41},
    "recorded_at": "2024-07-02T22:30:00Z",
}
WHOLE = ROW | {
    "data_pack": PACK,
    "unsupported": [],
    "raw_answer": "",
    "stop_reason": "",
    "events": [EVENT],
    "holds": True,
}


class ThesisQuery(SourceQuery):
    session = serializers.DateField(required=False, help_text=SESSION)
    first = serializers.DateField(required=False, help_text=FIRST)
    last = serializers.DateField(required=False, help_text=LAST)
    symbol = serializers.CharField(max_length=16, required=False, help_text="Ticker, any case.")
    author = serializers.CharField(
        max_length=80, required=False, help_text="Such as rules:1 or claude:claude-sonnet-5-5."
    )
    author_kind = serializers.ChoiceField(choices=AuthorKind.values, required=False)
    candidate = serializers.IntegerField(min_value=1, required=False, help_text="Its id.")


class ThesisIn(Query):
    """Which candidate, and who is to write."""

    candidate = serializers.IntegerField(min_value=1, help_text="Its id.")
    authors = serializers.ListField(
        child=serializers.ChoiceField(choices=MACHINES),
        required=False,
        allow_empty=False,
        help_text="rules and claude; both if not given.",
    )

    def validate_candidate(self, value: int) -> Candidate:
        found = Candidate.objects.select_related("batch").filter(pk=value).first()
        if found is None:
            raise serializers.ValidationError(f"There is no candidate {value}.")
        return found


class ThesisLinksOut(serializers.Serializer[Any]):
    self = serializers.CharField()
    candidate = serializers.CharField(allow_null=True)
    admin = serializers.CharField()


class ThesisOut(serializers.ModelSerializer[Thesis]):
    """As it was frozen. A sentence with a figure that is not in the pack carries a mark."""

    entry_price = serializers.FloatField()
    target_price = serializers.FloatField()
    stop_price = serializers.FloatField()
    max_entry_price = serializers.FloatField()
    cost_usd = serializers.FloatField(allow_null=True)
    text = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    falsifiers = serializers.ListField(child=serializers.CharField())
    links = serializers.SerializerMethodField()

    class Meta:
        model = Thesis
        fields = tuple(ROW)

    def get_text(self, thesis: Thesis) -> str:
        return _marked(thesis, "text", thesis.text)

    def get_reasons(self, thesis: Thesis) -> list[str]:
        return [_marked(thesis, f"reasons.{at}", text) for at, text in enumerate(thesis.reasons)]

    def get_links(self, thesis: Thesis) -> ThesisLinksOut:
        own = thesis.candidate_id
        found: dict[str, str | None] = {
            "self": reverse("analytics:thesis", args=[thesis.pk]),
            "candidate": reverse("analytics:candidate", args=[own]) if own else None,
            "admin": reverse("admin:analytics_thesis_change", args=[thesis.pk]),
        }
        return found  # type: ignore[return-value]  # as described


class ThesisEventOut(serializers.ModelSerializer[ThesisEvent]):
    detail = serializers.DictField()

    class Meta:
        model = ThesisEvent
        fields = tuple(EVENT)


class ThesisDetailOut(ThesisOut):
    """With all that its author was given, and what happened to it since."""

    data_pack = serializers.DictField()
    unsupported = serializers.ListField(child=serializers.DictField())
    events = serializers.SerializerMethodField()
    holds = serializers.SerializerMethodField()

    class Meta(ThesisOut.Meta):
        fields = tuple(WHOLE)

    @extend_schema_field(ThesisEventOut(many=True))
    def get_events(self, thesis: Thesis) -> Any:
        return ThesisEventOut(
            ThesisEvent.objects.filter(thesis=thesis).newest_first(), many=True
        ).data

    def get_holds(self, thesis: Thesis) -> bool:
        """Whether its digest still fits its content and the thesis before it."""
        return thesis_chain.holds(thesis=thesis)


@extend_schema(
    methods=["GET"],
    summary="Theses, newest first",
    parameters=[ThesisQuery],
    examples=[OpenApiExample("a thesis", value=ROW)],
)
class Theses(generics.ListAPIView[Thesis]):
    pagination_class = Pages
    serializer_class = ThesisOut

    def get_permissions(self) -> Any:
        return [MayWriteTheses()] if self.request.method == "POST" else super().get_permissions()

    def get_queryset(self) -> QuerySet[Thesis]:
        question = asked(ThesisQuery, self.request)
        paginator = self.paginator
        if isinstance(paginator, Pages):
            paginator.source = question["source"]
        return theses.get_theses(**question).defer("data_pack", "raw_answer")

    @extend_schema(
        summary="Have theses written about a candidate",
        request=ThesisIn,
        parameters=[LOCATION],
        responses={202: OpenApiResponse(JobOut, "Queued; asked twice, the job under way.")},
        examples=[
            OpenApiExample("both", value={"candidate": 7}, request_only=True),
            OpenApiExample("one", value={"candidate": 7, "authors": ["rules"]}, request_only=True),
            QUEUED,
        ],
    )
    def post(self, request: Request) -> Response:
        """What an author said of this stock and session before is kept, not written again."""
        wanted = ThesisIn(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = thesis_kinds.request_one(
            candidate=wanted.validated_data["candidate"],
            authors=wanted.validated_data.get("authors") or MACHINES,
            requested_by=request.user if request.user.is_authenticated else None,
            now=timezone.now(),
        )
        headers = {"Location": reverse("analytics:job", args=[job.pk])}
        shown = label(job.source) | dict(JobOut(job).data)
        return Response(shown, status=HTTPStatus.ACCEPTED, headers=headers)


@extend_schema(
    summary="One thesis with its data pack",
    examples=[OpenApiExample("a thesis", value=WHOLE)],
)
class ThesisDetail(generics.RetrieveAPIView[Thesis]):
    queryset = Thesis.objects.select_related("previous", "calibration")
    serializer_class = ThesisDetailOut

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        thesis = self.get_object()
        return Response(label(thesis.source) | dict(self.get_serializer(thesis).data))


def _marked(thesis: Thesis, where: str, text: str) -> str:
    places = [(m["from"], m["to"]) for m in thesis.unsupported if m["where"] == where]
    return number_check.marked(text, places)
