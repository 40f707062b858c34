"""The newest backtest at once, a new one as a job (design §16, §19)."""

from http import HTTPStatus
from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.jobs import LOCATION, QUEUED, JobOut
from analytics.api.pages import label
from analytics.api.permissions import MayRunBacktests
from analytics.api.queries import SourceQuery, asked
from analytics.models import BacktestRun, LookaheadCertificate
from analytics.services import backtesting, experiment_kinds, jobs

NONE_YET = "No backtest of this source has finished yet. POST to this address starts one."
NOTHING: dict[str, Any] = {
    "source": "imported",
    "status": "insufficient_data",
    "reason": NONE_YET,
    "backtest": None,
    "look_ahead_certificate": None,
    "running": None,
    "links": {"start": "/analytics/backtesting/squeeze-detector"},
}


class BacktestIn(SourceQuery):
    """What is tested; everything may be left out."""

    first = serializers.DateField(required=False, help_text="Beginning of the data if not given.")
    last = serializers.DateField(required=False, help_text="End of the data if not given.")
    variants = serializers.ListField(
        child=serializers.CharField(max_length=32), required=False, min_length=1, max_length=20
    )
    top = serializers.IntegerField(min_value=1, max_value=500, required=False)
    hold = serializers.IntegerField(min_value=1, max_value=30, required=False)
    cost_bp = serializers.FloatField(min_value=0, max_value=1000, required=False)
    capital = serializers.FloatField(min_value=1, max_value=1e12, required=False)
    max_share = serializers.FloatField(min_value=0.0001, max_value=1, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if "first" in attrs and "last" in attrs and attrs["last"] < attrs["first"]:
            raise serializers.ValidationError({"last": "It lies before first."})
        return attrs

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the job: plain values only."""
        found = dict(self.validated_data)
        return found | {name: str(found[name]) for name in ("first", "last") if name in found}


class CertificateOut(serializers.ModelSerializer[LookaheadCertificate]):
    """Whether anything a scan says depends on what came later; leaks by name."""

    leaks = serializers.DictField()
    examples = serializers.ListField(child=serializers.CharField())
    lake_versions = serializers.DictField()

    class Meta:
        model = LookaheadCertificate
        fields = (
            "passed",
            "stock_days",
            "values",
            "differences",
            "examples",
            "leaks",
            "leaks_planted",
            "leaks_caught",
            "first",
            "last",
            "sessions",
            "seed",
            "lake_versions",
            "code_revision",
            "created_at",
        )


class BacktestRunOut(serializers.ModelSerializer[BacktestRun]):
    """``variants`` by name; fractions; every figure with its evidence."""

    parameters = serializers.DictField()
    variants = serializers.DictField(source="result")
    deflated_sharpe = serializers.DictField(source="deflation")
    historical_winners = serializers.ListField(source="winners", child=serializers.DictField())
    lake_versions = serializers.DictField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = BacktestRun
        fields = (
            "id",
            "first",
            "last",
            "parameters",
            "variants",
            "deflated_sharpe",
            "historical_winners",
            "digest",
            "lake_versions",
            "code_revision",
            "seconds",
            "finished_at",
            "source",
            "links",
        )

    def get_links(self, run: BacktestRun) -> dict[str, str]:
        trials = reverse("admin:analytics_trial_changelist")
        return {
            "admin": reverse("admin:analytics_backtestrun_change", args=[run.pk]),
            "trials": f"{trials}?run__id__exact={run.pk}",
        }


class LatestOut(serializers.Serializer[Any]):
    """``status`` is insufficient_data, with the reason, until a backtest has finished."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    status = serializers.ChoiceField(choices=["ok", "simulated", "insufficient_data"])
    reason = serializers.CharField()
    age_seconds = serializers.FloatField(required=False)
    backtest = BacktestRunOut(allow_null=True)
    look_ahead_certificate = CertificateOut(allow_null=True)
    running = JobOut(allow_null=True)
    links = serializers.DictField()


class SqueezeDetector(APIView):
    def get_permissions(self) -> Any:
        return [MayRunBacktests()] if self.request.method == "POST" else super().get_permissions()

    @extend_schema(
        tags=["evidence"],
        summary="The newest backtest",
        parameters=[SourceQuery],
        responses=LatestOut,
        examples=[OpenApiExample("none yet", value=NOTHING, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Answers at once with what finished last, and says how old it is."""
        source = asked(SourceQuery, request)["source"]
        found = backtesting.get_latest(source=source, now=timezone.now())
        running = next(iter(jobs.get_running(kind=experiment_kinds.BACKTEST)), None)
        shared = {
            "running": JobOut(running).data if running else None,
            "links": {"start": reverse("analytics:squeeze-detector")},
        }
        if found is None:
            none = {"status": "insufficient_data", "reason": NONE_YET, "backtest": None}
            return Response(label(source) | none | {"look_ahead_certificate": None} | shared)
        certificate = found.certificate
        return Response(
            label(found.run.source)
            | {
                "status": "simulated" if found.run.source == "simulated" else "ok",
                "reason": "",
                "age_seconds": found.age_seconds,
                "backtest": BacktestRunOut(found.run).data,
                "look_ahead_certificate": CertificateOut(certificate).data if certificate else None,
            }
            | shared
        )

    @extend_schema(
        tags=["evidence"],
        summary="Run a backtest",
        request=BacktestIn,
        parameters=[LOCATION],
        responses={202: OpenApiResponse(JobOut, "Queued; asked twice, the job under way.")},
        examples=[
            OpenApiExample(
                "two years", value={"first": "2022-01-03", "last": "2023-12-29"}, request_only=True
            ),
            QUEUED,
        ],
    )
    def post(self, request: Request) -> Response:
        """Every run is written into the ledger of trials, whatever it shows."""
        wanted = BacktestIn(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = jobs.request(
            kind=experiment_kinds.BACKTEST,
            arguments=wanted.arguments(),
            requested_by=request.user if request.user.is_authenticated else None,
            now=timezone.now(),
        )
        headers = {"Location": reverse("analytics:job", args=[job.pk])}
        answer = label(job.source) | dict(JobOut(job).data)
        return Response(answer, status=HTTPStatus.ACCEPTED, headers=headers)
