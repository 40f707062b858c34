"""The A/B test of weights, for programs (design §17, §19)."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.api.queries import SourceQuery, asked
from analytics.models import Experiment, ExperimentReading
from analytics.services import ab_readings, ab_tests

POINT = {
    "session": "2023-11-20",
    "block": 0.0230,
    "effect": 0.0090,
    "low": 0.0055,
    "high": 0.0073,
    "log_e": 20.57,
}
SIDE = {"effect": -0.0061, "low": -0.0046, "high": -0.0005, "log_e": 3.89}
READING: dict[str, Any] = {
    "as_of": "2023-12-08",
    "n": 140478,
    "sessions": 1437,
    "blocks": 50,
    "effective_n": 288.4,
    "rate_a": 0.0545,
    "rate_b": 0.0636,
    "effect": 0.0090,
    "low": 0.0055,
    "high": 0.0073,
    "log_e": 20.57,
    "status": "NO_DIFFERENCE_YET",
    "guardrail_breached": True,
    "drifted": True,
    "metrics": {"return_14": {"a": -0.0141, "b": -0.0207, **SIDE}},
    "sequence": [POINT],
    "answerable_on": "2016-08-08",
}
EXPERIMENT: dict[str, Any] = {
    "id": 1,
    "name": "A v1 against B v1, looking back",
    "mode": "retrospective",
    "variant_a": "A v1",
    "variant_b": "B v1",
    "metric": "explosive_rate",
    "level": 0.95,
    "minimal_effect": 0.01,
    "planned_sessions": None,
    "plan": {},
    "first_session": "2015-03-20",
    "registered_at": "2024-06-28T22:04:11Z",
    "state": "completed",
    "end_reason": "looking back: its sessions were over when it was made",
    "source": "imported",
    "reading": READING,
    "links": {"admin": "/admin/analytics/experiment/1/change/"},
}
EXAMPLE: dict[str, Any] = {
    "source": "imported",
    "current": EXPERIMENT,
    "live": None,
    "retrospective": EXPERIMENT,
    "note": "No experiment was registered: the default pair, looking back.",
}


class ReadingOut(serializers.ModelSerializer[ExperimentReading]):
    """``effect`` is B minus A; a bound that is null excludes nothing yet."""

    n = serializers.IntegerField(source="picks")
    status = serializers.CharField(source="verdict")
    metrics = serializers.DictField()
    sequence = serializers.ListField(child=serializers.DictField())
    drifted = serializers.BooleanField()

    class Meta:
        model = ExperimentReading
        fields = tuple(READING)


class ExperimentLinksOut(serializers.Serializer[Any]):
    admin = serializers.CharField()


class ExperimentOut(serializers.ModelSerializer[Experiment]):
    variant_a = serializers.CharField()
    variant_b = serializers.CharField()
    plan = serializers.DictField()
    reading = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = Experiment
        fields = tuple(EXPERIMENT)

    @extend_schema_field(ReadingOut(allow_null=True))
    def get_reading(self, experiment: Experiment) -> ReadingOut | None:
        newest = ab_readings.newest_reading(experiment)
        return ReadingOut(newest).data if newest else None  # type: ignore[return-value]

    def get_links(self, experiment: Experiment) -> ExperimentLinksOut:
        page = reverse("admin:analytics_experiment_change", args=[experiment.pk])
        return {"admin": page}  # type: ignore[return-value]  # as its serializer describes it


class SqueezeWeightsOut(serializers.Serializer[Any]):
    """``current`` is the live experiment, else the default pair looking back."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    current = ExperimentOut(allow_null=True)
    live = ExperimentOut(allow_null=True)
    retrospective = ExperimentOut(allow_null=True)
    note = serializers.CharField()


class SqueezeWeights(APIView):
    @extend_schema(
        summary="A/B test of weights",
        parameters=[SourceQuery],
        responses=SqueezeWeightsOut,
        examples=[OpenApiExample("looking back", value=EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """The current experiment, or A against B: effect, interval, n, effective n, status."""
        source = asked(SourceQuery, request)["source"]
        found = ab_tests.get_overview(source=source)
        answer = SqueezeWeightsOut(
            {
                "source": source,
                "current": found.current,
                "live": found.live,
                "retrospective": found.retrospective,
                "note": found.note,
            }
        )
        return Response(label(source) | answer.data)
