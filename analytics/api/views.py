"""What was said before the market moved, for programs. Reads never write (design §19)."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.examples import BATCH, CANDIDATE, EXPLANATION
from analytics.api.pages import Pages, label
from analytics.api.queries import BatchQuery, CandidateQuery, ExplainQuery, Query, asked
from analytics.api.serializers import BatchOut, CandidateOut, ExplanationOut
from analytics.api.similarity import EVIDENCE, CandidateDetailOut
from analytics.models import Candidate, DiscoveryBatch
from analytics.services import predictions

OF_BATCH = OpenApiExample("a batch", value=BATCH)
OF_CANDIDATE = OpenApiExample("a candidate", value=CANDIDATE)
WITH_EVIDENCE = OpenApiExample("a candidate", value=CANDIDATE | {"similarity_evidence": EVIDENCE})


class LabelledList(generics.ListAPIView[Any]):
    """A list whose every page says whose data it shows."""

    pagination_class = Pages
    query: type[Query]
    question: dict[str, Any]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.question = asked(self.query, request)
        self.paginator.source = self.question["source"]  # type: ignore[union-attr]
        return super().list(request, *args, **kwargs)


@extend_schema(summary="Batches", parameters=[BatchQuery], examples=[OF_BATCH])
class BatchList(LabelledList):
    """Batches, the newest session first."""

    query = BatchQuery
    serializer_class = BatchOut

    def get_queryset(self) -> QuerySet[DiscoveryBatch]:
        return predictions.get_batches(**self.question)


@extend_schema(summary="One batch", examples=[OF_BATCH])
class BatchDetail(generics.RetrieveAPIView[DiscoveryBatch]):
    """One batch with its funnel."""

    queryset = DiscoveryBatch.objects.select_related("variant")
    serializer_class = BatchOut

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return _labelled(super().retrieve(request, *args, **kwargs))


@extend_schema(summary="Candidates", parameters=[CandidateQuery], examples=[OF_CANDIDATE])
class CandidateList(LabelledList):
    """Candidates of current batches, best first."""

    query = CandidateQuery
    serializer_class = CandidateOut

    def get_queryset(self) -> QuerySet[Candidate]:
        return predictions.get_candidates(**self.question)


@extend_schema(summary="One candidate", examples=[WITH_EVIDENCE])
class CandidateDetail(generics.RetrieveAPIView[Candidate]):
    """One candidate with everything that was known of it."""

    queryset = Candidate.objects.select_related("batch__variant")
    serializer_class = CandidateDetailOut

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return _labelled(super().retrieve(request, *args, **kwargs))


class Explain(APIView):
    @extend_schema(
        summary="Explain a symbol",
        parameters=[ExplainQuery],
        responses=ExplanationOut,
        examples=[OpenApiExample("stopped by a gate", value=EXPLANATION)],
    )
    def get(self, request: Request) -> Response:
        """What every gate and component made of a symbol on a session, candidate or not."""
        from analytics.services import discovery  # the kernels load only where they are used

        question = asked(ExplainQuery, request)
        found = discovery.get_explanation(**question)
        candidates = predictions.get_candidates(**question)
        return Response(
            label(question["source"])
            | asdict(found)
            | {"candidates": CandidateOut(candidates, many=True).data}
        )


def _labelled(answer: Response) -> Response:
    answer.data = label(answer.data["source"]) | dict(answer.data)
    return answer
