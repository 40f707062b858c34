"""Likeness with a denominator and stock-days of the same shape, for programs (design §6)."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.api.queries import SourceQuery, asked
from analytics.api.serializers import CandidateOut, EstimateOut, NoticeOut, notices_of
from analytics.models import Candidate
from analytics.services import similarity_evidence

NEIGHBOURS = 100
RATE: dict[str, Any] = {
    "value": 0.089,
    "n": 348,
    "low": 0.063,
    "high": 0.124,
    "level": 0.95,
    "method": "Wilson at n_eff 348 (EWC, nu 24)",
    "as_of": "2023-07-11",
    "source": "imported",
    "status": "ok",
    "reason": "",
}
EVIDENCE: dict[str, Any] = {
    "before": "2023-08-01",
    "as_of": "2023-12-29",
    "built_at": "2024-01-02T00:04:11+00:00",
    "of": [
        {
            "reference": "VIGL",
            "similarity": 91.1,
            "coverage": 0.5,
            "fields": ["rel_volume", "close"],
            "partial": True,
            "by_construction": False,
            "reached": RATE,
            "matched_base": RATE,
        }
    ],
    "reason": "",
}
SEARCH: dict[str, Any] = {
    "source": "imported",
    "symbol": "YELL",
    "session": "2023-08-01",
    "k": 100,
    "explosive": RATE,
    "peak_close_return": {"0.50": 0.07},
    "return_14": {"0.50": -0.008},
    "null": {"mean": 0.022, "low": 0.0, "high": 0.05, "at_least": 0.001},
    "searched": 4629004,
    "as_of": "2023-12-29",
    "neighbours": [
        {
            "symbol": "CSBR",
            "session": "2018-09-17",
            "distance": 3.18,
            "peak_close_return": 0.519,
            "return_14": 0.261,
        }
    ],
}


class EvidenceOut(serializers.Serializer[Any]):
    """What past stock-days at least as alike did; the same for the matched base."""

    reference = serializers.CharField()
    similarity = serializers.FloatField()
    coverage = serializers.FloatField()
    fields = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    partial = serializers.BooleanField()  # type: ignore[assignment]  # the key is called so
    by_construction = serializers.BooleanField()
    reached = EstimateOut()
    matched_base = EstimateOut()


class EvidencesOut(serializers.Serializer[Any]):
    """Only stock-days whose 14 sessions were over before ``before`` are counted."""

    before = serializers.DateField()
    as_of = serializers.DateField(allow_null=True)
    built_at = serializers.CharField()
    of = EvidenceOut(many=True)
    reason = serializers.CharField()


class CandidateDetailOut(CandidateOut):
    """A candidate with the denominators of its similarities, and what was filed."""

    similarity_evidence = serializers.SerializerMethodField()
    notices = serializers.SerializerMethodField()

    class Meta(CandidateOut.Meta):
        fields = (*CandidateOut.Meta.fields, "similarity_evidence", "notices")  # type: ignore[assignment]

    def get_similarity_evidence(self, candidate: Candidate) -> EvidencesOut:
        found = similarity_evidence.get_evidence(candidate=candidate)
        return EvidencesOut(asdict(found)).data  # type: ignore[return-value]  # as described

    @extend_schema_field(NoticeOut(many=True))
    def get_notices(self, candidate: Candidate) -> list[dict[str, Any]]:
        """Filings and halts that its session knew of; no score reads them."""
        return notices_of(candidate)


class ShapeQuery(SourceQuery):
    symbol = serializers.CharField(
        max_length=16, required=False, help_text="Ticker, any case; with session."
    )
    session = serializers.DateField(required=False, help_text="Last session of the shape.")
    reference = serializers.CharField(
        max_length=16, required=False, help_text="Or the run-up of this reference pattern."
    )
    k = serializers.IntegerField(
        min_value=1, max_value=500, default=NEIGHBOURS, help_text="Neighbours, 100 if not given."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        day, reference = {"symbol", "session"} <= set(attrs), "reference" in attrs
        if day == reference or (reference and {"symbol", "session"} & set(attrs)):
            raise serializers.ValidationError({"symbol": "Give symbol and session, or reference."})
        return attrs | {k: attrs[k].upper() for k in ("symbol", "reference") if k in attrs}


class NullOut(serializers.Serializer[Any]):
    """The explosive share with shuffled outcomes; ``at_least``: how often it came as high."""

    mean = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    at_least = serializers.FloatField()


class NeighbourOut(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    session = serializers.DateField()
    distance = serializers.FloatField()
    peak_close_return = serializers.FloatField()
    return_14 = serializers.FloatField()


class ShapeSearchOut(serializers.Serializer[Any]):
    """Quantiles by level; shares and returns are fractions."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    symbol = serializers.CharField()
    session = serializers.DateField()
    k = serializers.IntegerField()
    explosive = EstimateOut()
    peak_close_return = serializers.DictField(child=serializers.FloatField())
    return_14 = serializers.DictField(child=serializers.FloatField())
    null = NullOut()
    searched = serializers.IntegerField()
    as_of = serializers.DateField()
    neighbours = NeighbourOut(many=True)


class ShapeSearchView(APIView):
    @extend_schema(
        summary="Stock-days of the same shape",
        parameters=[ShapeQuery],
        responses=ShapeSearchOut,
        examples=[OpenApiExample("a search", value=SEARCH)],
    )
    def get(self, request: Request) -> Response:
        """The nearest 20-session shapes of price and volume before a stock-day, and chance."""
        from analytics.services import shape_search

        question = asked(ShapeQuery, request)
        if "reference" in question:
            found = shape_search.get_of_reference(**question)
        else:
            found = shape_search.get_search(**question)
        source = question["source"]
        answer = ShapeSearchOut({"source": source, **asdict(found)})
        return Response(label(source) | answer.data)
