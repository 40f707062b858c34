"""How it turned out, for programs. Reads never write (design §19)."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.api.queries import asked
from analytics.api.views import LabelledList
from performance.api.examples import ANALYSIS, OUTCOME
from performance.api.queries import DiscoveryAnalysisQuery, OutcomeQuery
from performance.api.serializers import DiscoveryAnalysisOut, LabelledAnalysisOut, OutcomeOut
from performance.models import CandidateTracking
from performance.services import discovery_patterns, outcomes, tracking


class DiscoveryAnalysis(APIView):
    @extend_schema(
        summary="How discovery has done",
        parameters=[DiscoveryAnalysisQuery],
        responses=LabelledAnalysisOut,
        examples=[OpenApiExample("abridged: figures are all of this shape", value=ANALYSIS)],
    )
    def get(self, request: Request) -> Response:
        """How the candidates signalled in the last ``days_back`` days have done."""
        question: dict[str, Any] = {"end": timezone.localdate()}
        question |= asked(DiscoveryAnalysisQuery, request)
        found = tracking.get_discovery_analysis(**question)
        return Response(
            label(question["source"])
            | {"days_back": question["days_back"]}
            | DiscoveryAnalysisOut(found).data
            | {
                "explosive_growth_target": {
                    "value": discovery_patterns.get_target(),
                    "status": "claimed",
                },
                "patterns": [asdict(each) for each in discovery_patterns.get_patterns(**question)],
            }
        )


@extend_schema(
    summary="Outcomes",
    parameters=[OutcomeQuery],
    examples=[OpenApiExample("an outcome", value=OUTCOME)],
)
class OutcomeList(LabelledList):
    """Candidates and what became of them, the newest signal first."""

    query = OutcomeQuery
    serializer_class = OutcomeOut

    def get_queryset(self) -> QuerySet[CandidateTracking]:
        return outcomes.get_outcomes(**self.question)
