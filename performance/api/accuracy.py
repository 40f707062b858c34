"""How theses turned out, for programs (design §9, §19)."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.api.queries import SourceQuery, asked
from analytics.api.serializers import EstimateOut
from performance.api.examples import ESTIMATE, NOT_YET
from performance.api.serializers import Percent, admin_list
from performance.services import accuracy
from performance.services.accuracy import Accuracy, Group

# How a cut's groups are found among the admin's rows; a label that stands for a blank has none.
FILTERS = {
    "author": "thesis__author",
    "model": "thesis__model_id",
    "prompt": "thesis__prompt_version",
    "pattern": "thesis__pattern__exact",
    "sector": "sector",
    "call": "thesis__recommendation__exact",
}
BLANKS = {accuracy.NO_MODEL, accuracy.NO_PROMPT, accuracy.NO_SECTOR}
EXAMPLE: dict[str, Any] = {
    "source": "simulated",
    "simulated": True,
    "period_days": 30,
    "first": "2026-10-24",
    "end": "2026-11-23",
    "as_of": "2026-11-20",
    "thesis_accuracy": None,
    "target": {**ESTIMATE, "value": 0.73, "n": 0, "low": None, "high": None, "status": "claimed"},
    "window": {"theses": 6, "accuracy": NOT_YET},
    "history": {"theses": 2162, "accuracy": ESTIMATE, "constant_call": "always AVOID"},
}


class AccuracyQuery(SourceQuery):
    """``period_days`` is the mission's."""

    period_days = serializers.IntegerField(
        min_value=1,
        max_value=3650,
        default=30,
        help_text="Calendar days; theses count whose horizon ended in them.",
    )


class BinOut(serializers.Serializer[Any]):
    """One bin of the reliability diagram."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    n = serializers.IntegerField()
    said = serializers.FloatField(help_text="mean probability of its theses")
    came_true = EstimateOut()


class DecompositionOut(serializers.Serializer[Any]):
    """Brier score = reliability - resolution + uncertainty + within_bins."""

    reliability = serializers.FloatField()
    resolution = serializers.FloatField()
    uncertainty = serializers.FloatField()
    within_bins = serializers.FloatField()


class BriefForecastsOut(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    mean_p = serializers.FloatField(allow_null=True)
    base_rate = EstimateOut()
    brier = EstimateOut()
    brier_skill = EstimateOut(help_text="against always saying the base rate")
    log_loss = EstimateOut()
    calibration_error = EstimateOut()


class ForecastsOut(BriefForecastsOut):
    error_by_chance = serializers.FloatField(
        allow_null=True, help_text="95 % of perfectly calibrated forecasters stay within it"
    )
    decomposition = DecompositionOut(allow_null=True)
    curve = BinOut(many=True)


class BriefScoresOut(serializers.Serializer[Any]):
    """``raw`` is as the author said it, ``calibrated`` by what was known of him on that day."""

    theses = serializers.IntegerField()
    accuracy = EstimateOut()
    constant_call = serializers.CharField(help_text="the call that is right most often")
    constant = EstimateOut(help_text="how often that is")
    skill = EstimateOut(help_text="(accuracy - constant) / (1 - constant)")
    balanced = EstimateOut(help_text="balanced accuracy; a constant call has 50 %")
    raw = BriefForecastsOut()
    calibrated = BriefForecastsOut()
    calibration_gain = EstimateOut(help_text="log loss saved by calibrating, on the same theses")


class ScoresOut(BriefScoresOut):
    raw = ForecastsOut()
    calibrated = ForecastsOut()


class GroupOut(serializers.Serializer[Group]):
    name = serializers.CharField()
    window = BriefScoresOut()
    history = BriefScoresOut()
    links = serializers.SerializerMethodField()

    def get_links(self, group: Group) -> dict[str, str]:
        found: Accuracy = self.context["found"]
        filters = _filters(group)
        return {"rows": _rows(found, filters)} if filters is not None else {}


class ThesisCountsOut(serializers.Serializer[Any]):
    settled = serializers.IntegerField()
    target = serializers.IntegerField()
    stop = serializers.IntegerField()
    neither = serializers.IntegerField()
    void = serializers.IntegerField()
    no_entry = serializers.IntegerField()
    pending = serializers.IntegerField(help_text="all that are open now")
    no_skill = serializers.IntegerField(help_text="settled, but never count as skill")


class AccuracyOut(serializers.Serializer[Accuracy]):
    first = serializers.DateField()
    end = serializers.DateField()
    as_of = serializers.DateField(allow_null=True)
    thesis_accuracy = Percent(source="window.accuracy.value", allow_null=True)
    target = EstimateOut()
    counts = ThesisCountsOut()
    window = ScoresOut()
    history = ScoresOut()
    no_skill = BriefScoresOut(help_text="theses that never count as skill, all history")
    by = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(child=GroupOut(many=True)))
    def get_by(self, found: Accuracy) -> dict[str, Any]:
        return {
            cut: GroupOut(found.of(cut), many=True, context={"found": found}).data  # type: ignore[arg-type]
            for cut in accuracy.CUTS
        }

    def get_links(self, found: Accuracy) -> dict[str, str]:
        window = {"settled_session__gte": found.first, "settled_session__lte": found.end}
        return {
            "rows": _rows(found, {**window, "counts_as_skill__exact": 1}),
            "no_skill": _rows(found, {"counts_as_skill__exact": 0}),
            "wrong": _rows(found, {**window, "direction_right__exact": 0}),
            "page": reverse("pages:theses"),
        }


class LabelledAccuracyOut(AccuracyOut):
    """The description's: what stands at the head of the answer, and the scores."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    period_days = serializers.IntegerField()


class ThesisAccuracy(APIView):
    @extend_schema(
        summary="How theses have turned out",
        parameters=[AccuracyQuery],
        responses=LabelledAccuracyOut,
        examples=[OpenApiExample("abridged: figures are all of this shape", value=EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Scores of the theses whose horizon ended in the last ``period_days`` days.

        ``thesis_accuracy`` is in percent, every figure with evidence a fraction.
        """
        question = asked(AccuracyQuery, request)
        told = accuracy.get_answer(now=timezone.now(), write=_told, **question)
        return Response(label(question["source"]) | {"period_days": question["period_days"]} | told)


def _told(found: Accuracy) -> dict[str, Any]:
    return dict(AccuracyOut(found).data)


def _filters(group: Group) -> dict[str, Any] | None:
    if group.name in BLANKS or group.cut not in FILTERS:
        return None
    return {FILTERS[group.cut]: group.name, "counts_as_skill__exact": 1}


def _rows(found: Accuracy, filters: dict[str, Any]) -> str:
    origin = "simulated" if found.source == "simulated" else "real"
    return admin_list("thesisaccuracy", origin, filters)
