"""Winners that were not named, for programs (design §8)."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.queries import FIRST, LAST, VARIANT, SourceQuery, asked
from analytics.api.views import LabelledList
from performance.api.serializers import admin_list
from performance.models import GateStudy, WinnerEpisode
from performance.services import missed_winners

NO_STUDY = "No study of the gates has been made; the job study_gates makes one."
ROW: dict[str, Any] = {
    "symbol": "ABCD",
    "variant": "B",
    "version": 1,
    "first_session": "2023-05-17",
    "last_session": "2023-05-23",
    "days": 4,
    "best_return": 0.83,
    "first_close": 2.41,
    "gate": "relative volume",
    "score": 31.2,
    "reason": "",
    "in_base_universe": True,
    "caught_by": ["relative volume: dropped"],
    "source": "imported",
    "links": {"admin": "/admin/performance/winnerepisode/1/change/"},
}


class MissedQuery(SourceQuery):
    first = serializers.DateField(required=False, help_text=FIRST)
    last = serializers.DateField(required=False, help_text=LAST)
    variant = serializers.CharField(max_length=32, required=False, help_text=VARIANT)
    gate = serializers.CharField(
        max_length=40, required=False, help_text="Only winners that this gate removed."
    )
    symbol = serializers.CharField(max_length=16, required=False, help_text="Ticker, any case.")


class MissedOut(serializers.ModelSerializer[WinnerEpisode]):
    """``gate`` and ``score`` are of the first day; ``caught_by`` is null if not studied."""

    variant = serializers.CharField(source="variant.name")
    version = serializers.IntegerField(source="variant.version")
    caught_by = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = WinnerEpisode
        fields = (
            "symbol",
            "variant",
            "version",
            "first_session",
            "last_session",
            "days",
            "best_return",
            "first_close",
            "gate",
            "score",
            "reason",
            "in_base_universe",
            "caught_by",
            "source",
            "links",
        )

    @extend_schema_field(serializers.ListField(child=serializers.CharField(), allow_null=True))
    def get_caught_by(self, episode: WinnerEpisode) -> list[str] | None:
        return missed_winners.caught_by(episode, self.context["studies"])

    def get_links(self, episode: WinnerEpisode) -> dict[str, str]:
        return {"admin": reverse("admin:performance_winnerepisode_change", args=[episode.pk])}


@extend_schema(
    tags=["performance"],
    summary="Missed winners",
    parameters=[MissedQuery],
    examples=[OpenApiExample("one", value=ROW, response_only=True)],
)
class MissedWinners(LabelledList):
    """What rose 50 % and was not named, with the gate that removed it.

    ``gates`` says for each gate what loosening it would have caught, and at what cost in
    candidates and false alarms.
    """

    query = MissedQuery
    serializer_class = MissedOut
    studies: dict[int, GateStudy]

    def get_queryset(self) -> QuerySet[WinnerEpisode]:
        return missed_winners.get_missed(**self.question)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "studies": getattr(self, "studies", {})}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        question = asked(MissedQuery, request)
        self.studies = missed_winners.get_studies(
            source=question["source"], variant=question.get("variant", "")
        )
        response = super().list(request, *args, **kwargs)
        origin = "simulated" if question["source"] == "simulated" else "real"
        response.data |= {
            "gates": [_study(study) for study in self.studies.values()],
            "gates_status": "ok" if self.studies else "insufficient_data",
            "gates_reason": "" if self.studies else NO_STUDY,
            "links": {"rows": admin_list("winnerepisode", origin, {"captured__exact": 0})},
        }
        return response


def _study(study: GateStudy) -> dict[str, Any]:
    """Return one study without the list of episodes."""
    result = {name: value for name, value in study.result.items() if name != "caught_by"}
    return {
        "variant": study.variant.name,
        "version": study.variant.version,
        "first": study.first.isoformat(),
        "last": study.last.isoformat(),
        "computed_at": study.created_at.isoformat(),
        **result,
    }
