"""What programs get: rows as they were written; shares and returns are fractions."""

from dataclasses import asdict
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analytics.calc.evidence import Estimate
from analytics.models import Candidate, DiscoveryBatch
from analytics.services import filings, predictions

FEATURES = (
    "close",
    "volume",
    "rel_volume",
    "dollar_volume_20",
    "ret_1",
    "ret_5",
    "ret_20",
    "gap",
    "close_location",
    "atr_pct_14",
    "breakout_20",
    "volatility_20",
    "accumulation_5",
    "float_shares",
    "float_basis",
    "float_age",
    "short_interest_pct",
    "short_interest_age",
    "days_to_cover",
    "short_volume_ratio",
    "sentiment",
)
FLAGS = ("volume_alert", "vigl_pattern", "short_fuel", "first_signal")


class EstimateOut(serializers.Serializer[Any]):
    """A figure with its evidence (design §1); ``value`` is null where it cannot be given."""

    value = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    level = serializers.FloatField()
    method = serializers.CharField()
    as_of = serializers.DateField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    status = serializers.CharField()
    reason = serializers.CharField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return what the fields above give: an answer has hundreds, each a dozen objects else."""
        if not isinstance(instance, Estimate):
            return dict(super().to_representation(instance))
        return {
            "value": _number(instance.value),
            "n": int(instance.n),
            "low": _number(instance.low),
            "high": _number(instance.high),
            "level": float(instance.level),
            "method": instance.method,
            "as_of": instance.as_of.isoformat() if instance.as_of else None,
            "source": instance.source,
            "status": str(instance.status),
            "reason": instance.reason,
        }


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


class StepOut(serializers.Serializer[Any]):
    """One gate of a funnel: symbols left after it, symbols it removed."""

    gate = serializers.CharField()
    left = serializers.IntegerField()
    removed = serializers.IntegerField()


class BatchLinksOut(serializers.Serializer[Any]):
    self = serializers.CharField()
    candidates = serializers.CharField()
    admin = serializers.CharField()


class CandidateLinksOut(serializers.Serializer[Any]):
    self = serializers.CharField()
    batch = serializers.CharField()
    explain = serializers.CharField()
    admin = serializers.CharField()


class BatchOut(serializers.ModelSerializer[DiscoveryBatch]):
    variant = serializers.CharField(source="variant.name")
    version = serializers.IntegerField(source="variant.version")
    funnel = serializers.SerializerMethodField()
    dropped_components = serializers.ListField(child=serializers.CharField())
    lake_versions = serializers.DictField(child=serializers.IntegerField())
    links = serializers.SerializerMethodField()

    class Meta:
        model = DiscoveryBatch
        fields = (
            "id",
            "session",
            "variant",
            "version",
            "revision",
            "is_current",
            "universe_size",
            "funnel",
            "candidate_count",
            "mean_score",
            "mean_coverage",
            "dropped_components",
            "spike_share",
            "spike_share_median",
            "volume_event",
            "fingerprint",
            "lake_versions",
            "created_at",
            "source",
            "links",
        )

    @extend_schema_field(StepOut(many=True))
    def get_funnel(self, batch: DiscoveryBatch) -> list[dict[str, Any]]:
        return [asdict(step) for step in predictions.get_funnel(batch=batch)]

    @extend_schema_field(BatchLinksOut)
    def get_links(self, batch: DiscoveryBatch) -> dict[str, str]:
        return {
            "self": reverse("analytics:batch", args=[batch.pk]),
            "candidates": f"{reverse('analytics:candidates')}?batch={batch.pk}"
            f"&source={batch.source}",
            "admin": reverse("admin:analytics_discoverybatch_change", args=[batch.pk]),
        }


class CandidateOut(serializers.ModelSerializer[Candidate]):
    batch = serializers.IntegerField(source="batch_id")
    session = serializers.DateField(source="batch.session")
    variant = serializers.CharField(source="batch.variant.name")
    version = serializers.IntegerField(source="batch.variant.version")
    flags = serializers.SerializerMethodField()
    similarities = serializers.DictField(child=serializers.FloatField(allow_null=True))
    components = serializers.DictField(child=serializers.FloatField(allow_null=True))
    features = serializers.SerializerMethodField()
    volume_event = serializers.BooleanField(source="batch.volume_event", allow_null=True)
    source = serializers.CharField(source="batch.source")  # type: ignore[assignment]
    links = serializers.SerializerMethodField()

    class Meta:
        model = Candidate
        fields = (
            "id",
            "batch",
            "session",
            "variant",
            "version",
            "symbol",
            "rank",
            "score",
            "rank_score",
            "coverage",
            "label",
            "history_share",
            "history_n",
            "pattern",
            "flags",
            "similarity",
            "similarity_to",
            "similarity_coverage",
            "similarities",
            "components",
            "features",
            "volume_event",
            "source",
            "links",
        )

    def get_flags(self, candidate: Candidate) -> dict[str, bool | None]:
        return {name: getattr(candidate, name) for name in FLAGS}

    def get_features(self, candidate: Candidate) -> dict[str, Any]:
        values = {name: getattr(candidate, name) for name in FEATURES}
        return values | {"close": float(candidate.close)}

    @extend_schema_field(CandidateLinksOut)
    def get_links(self, candidate: Candidate) -> dict[str, str]:
        explain = f"symbol={candidate.symbol}&session={candidate.batch.session}"
        return {
            "self": reverse("analytics:candidate", args=[candidate.pk]),
            "batch": reverse("analytics:batch", args=[candidate.batch_id]),
            "explain": f"{reverse('analytics:explain')}?{explain}&source={candidate.batch.source}",
            "admin": reverse("admin:analytics_candidate_change", args=[candidate.pk]),
        }


class NoticeOut(serializers.Serializer[Any]):
    """A filing that may mean new shares, another material one, or a trading halt."""

    kind = serializers.CharField(help_text="offering, event or halt")
    label = serializers.CharField(help_text="The form as filed, or why trading was halted.")  # type: ignore[assignment]
    known_on = serializers.DateTimeField(help_text="When it became public.")
    url = serializers.CharField(help_text="The document, if there is one.")


def notices_of(candidate: Candidate) -> list[dict[str, Any]]:
    """Return the filings and halts that a candidate's session knew of."""
    found = filings.get_flags(
        symbol=candidate.symbol, session=candidate.batch.session, source=candidate.batch.source
    )
    return list(NoticeOut(found, many=True).data)


class GateOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    limit = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    passed = serializers.BooleanField(allow_null=True)


class PartOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    weight = serializers.FloatField()
    value = serializers.FloatField(allow_null=True)
    points = serializers.FloatField(allow_null=True)


class VerdictOut(serializers.Serializer[Any]):
    """What one variant made of the symbol; ``stopped_by`` is the first gate it failed."""

    variant = serializers.CharField()
    gates = GateOut(many=True)
    stopped_by = serializers.CharField(allow_null=True)
    parts = PartOut(many=True)
    score = serializers.FloatField(allow_null=True)
    coverage = serializers.FloatField()
    rank = serializers.IntegerField(allow_null=True)
    rank_score = serializers.FloatField(allow_null=True)
    candidates = serializers.IntegerField()


class LikenessOut(serializers.Serializer[Any]):
    reference = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    coverage = serializers.FloatField()


class ExplanationOut(serializers.Serializer[Any]):
    """Everything that a scan saw of one symbol."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    simulated = serializers.BooleanField(required=False)
    symbol = serializers.CharField()
    session = serializers.DateField()
    listing_first = serializers.DateField()
    scannable = serializers.BooleanField()
    bar = serializers.DictField(child=serializers.FloatField(allow_null=True))
    features = serializers.DictField(child=serializers.FloatField(allow_null=True))
    verdicts = VerdictOut(many=True)
    likeness = LikenessOut(many=True)
    candidates = CandidateOut(many=True)
