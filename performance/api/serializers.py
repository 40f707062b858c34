"""What programs get of how it turned out: figures with their evidence (design §1, §8).

Keys that the mission fixed are percentages; every figure with evidence is a fraction.
"""

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analytics.api.serializers import EstimateOut
from performance.models import CandidateTracking
from performance.services.tracking import DiscoveryAnalysis, VariantAnalysis

HORIZONS = (1, 3, 5, 7, 14, 30)


@extend_schema_field(float)
class Percent(serializers.Field[float, float, float, Any]):
    """A fraction inside, a percentage outside: 1.52 is sent as 152.0."""

    def to_representation(self, value: float) -> float:
        return round(value * 100, 1)


class RatesOut(serializers.Serializer[Any]):
    explosive = EstimateOut()
    positive_14 = EstimateOut()
    mean_return_14 = EstimateOut()
    lift = EstimateOut()
    matched_lift = EstimateOut()


class QualityOut(serializers.Serializer[Any]):
    score = EstimateOut()
    lift_points = EstimateOut()
    positive_points = EstimateOut()
    capture_points = EstimateOut()
    coverage_points = EstimateOut()
    random = EstimateOut()
    hindsight = EstimateOut()
    skill = EstimateOut()


class FiguresOut(serializers.Serializer[Any]):
    sessions = serializers.IntegerField()
    first_signals = RatesOut()
    all_rows = RatesOut()
    explosive_held = EstimateOut()
    base_explosive = EstimateOut()
    base_positive_14 = EstimateOut()
    capture = EstimateOut()
    stock_day_recall = EstimateOut()
    quality = QualityOut()


class CountsOut(serializers.Serializer[Any]):
    batches = serializers.IntegerField()
    complete_batches = serializers.IntegerField()
    candidates = serializers.IntegerField()
    settled = serializers.IntegerField()
    delisted = serializers.IntegerField()
    pending = serializers.IntegerField()
    no_entry = serializers.IntegerField()
    no_entry_traded_on = serializers.IntegerField(
        help_text="without entry, but with a proxy outcome from the signal's close; in no rate"
    )
    no_entry_proxy_explosive = serializers.IntegerField(help_text="of these, best close +50 %")
    explosive = serializers.IntegerField()
    episodes = serializers.IntegerField()
    episodes_captured = serializers.IntegerField()


class VariantAnalysisOut(serializers.Serializer[VariantAnalysis]):
    """One variant: the window, all of its history beside it, and the rows behind both."""

    variant = serializers.CharField()
    explosive_growth_rate = Percent(
        source="window.first_signals.explosive.value", allow_null=True
    )  # the mission's key: first signals of the window, in percent
    discovery_quality_score = serializers.FloatField(
        source="window.quality.score.value", allow_null=True
    )
    counts = CountsOut()
    window = FiguresOut()
    median_return_14_first = EstimateOut(source="median_first")
    median_return_14_all = EstimateOut(source="median_all")
    history = FiguresOut()
    history_sessions = serializers.ListField(child=serializers.DateField(), allow_null=True)
    history_computed_at = serializers.DateTimeField(
        allow_null=True, help_text="when it was stored; null: computed for this answer"
    )
    quality_target = EstimateOut(source="target")
    links = serializers.SerializerMethodField()

    def get_links(self, analysis: VariantAnalysis) -> dict[str, str]:
        found: DiscoveryAnalysis = self.context["analysis"]
        origin = "simulated" if found.source == "simulated" else "real"
        window = (("gte", found.first), ("lte", found.end))
        of_batch = {f"batch__session__{edge}": day for edge, day in window}
        of_row = {f"candidate__{name}": day for name, day in of_batch.items()}
        of_episode = {f"first_session__{edge}": day for edge, day in window}
        variant = analysis.variant_id
        return {
            "batches": admin_list(
                "batchanalysis", origin, {**of_batch, "batch__variant__id__exact": variant}
            ),
            "candidates": admin_list(
                "candidatetracking",
                origin,
                {**of_row, "candidate__batch__variant__id__exact": variant},
            ),
            "winners": admin_list(
                "winnerepisode", origin, {**of_episode, "variant__id__exact": variant}
            ),
        }


class DiscoveryAnalysisOut(serializers.Serializer[DiscoveryAnalysis]):
    first = serializers.DateField()
    end = serializers.DateField()
    as_of = serializers.DateField(allow_null=True)
    variants = serializers.SerializerMethodField()

    @extend_schema_field(VariantAnalysisOut(many=True))
    def get_variants(self, found: DiscoveryAnalysis) -> Any:
        shown = VariantAnalysisOut(
            found.variants,  # type: ignore[arg-type]  # many=True takes a list
            many=True,
            context={"analysis": found},
        )
        return shown.data


class LabelledAnalysisOut(DiscoveryAnalysisOut):
    """The description's: what stands at the head of the answer, and the analysis."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    simulated = serializers.BooleanField(required=False)
    days_back = serializers.IntegerField()
    explosive_growth_target = serializers.DictField(help_text="of the baseline: claimed")
    patterns = serializers.ListField(
        child=serializers.DictField(),
        help_text="by variant: VIGL patterns, alerts, similarity to past winners, outcomes",
    )


class OutcomeOut(serializers.ModelSerializer[CandidateTracking]):
    """What became of one candidate, with what was said of it."""

    candidate = serializers.IntegerField(source="candidate_id")
    symbol = serializers.CharField(source="candidate.symbol")
    session = serializers.DateField(source="candidate.batch.session")
    variant = serializers.CharField(source="candidate.batch.variant.name")
    version = serializers.IntegerField(source="candidate.batch.variant.version")
    rank = serializers.IntegerField(source="candidate.rank")
    score = serializers.FloatField(source="candidate.score")
    pattern = serializers.CharField(source="candidate.pattern")
    first_signal = serializers.BooleanField(source="candidate.first_signal")
    returns = serializers.SerializerMethodField()
    spy_returns = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = CandidateTracking
        fields = (
            "candidate",
            "symbol",
            "session",
            "variant",
            "version",
            "rank",
            "score",
            "pattern",
            "first_signal",
            "status",
            "reason",
            "is_final",
            "entry_session",
            "entry_price",
            "entry_gap",
            "returns",
            "spy_returns",
            "excess_14",
            "mfe",
            "mae",
            "peak_close_return",
            "sessions_to_peak",
            "explosive",
            "explosive_high",
            "explosive_held",
            "outcome",
            "proxy_return_14",
            "proxy_peak_close_return",
            "last_trade",
            "updated_at",
            "source",
            "links",
        )

    def get_returns(self, row: CandidateTracking) -> dict[str, float | None]:
        return {str(h): getattr(row, f"return_{h}") for h in HORIZONS}

    def get_spy_returns(self, row: CandidateTracking) -> dict[str, float | None]:
        return {str(h): getattr(row, f"spy_return_{h}") for h in HORIZONS}

    def get_links(self, row: CandidateTracking) -> dict[str, str]:
        return {
            "candidate": reverse("analytics:candidate", args=[row.candidate_id]),
            "admin": reverse("admin:performance_candidatetracking_change", args=[row.pk]),
        }


def admin_list(model: str, origin: str, filters: dict[str, Any]) -> str:
    """Return the address of the admin's list of the rows behind a figure."""
    query = urlencode({"origin": origin, **filters})
    return f"{reverse(f'admin:performance_{model}_changelist')}?{query}"
