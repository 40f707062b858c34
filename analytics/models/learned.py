"""Stage candidates: the fitted models of learned variants, one card each (design §17)."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from analytics.models.discovery import Variant
from analytics.models.market import Source


class ModelKind(models.TextChoices):
    """What a model is made of."""

    LOGISTIC = "logistic", "logistic regression"
    TREES = "trees", "boosted trees"


class LearnedModelQuerySet(models.QuerySet["LearnedModel"]):
    def beside(self, sources: tuple[str, ...]) -> Self:
        return self.filter(source__in=sources)

    def newest_first(self) -> Self:
        return self.order_by("-usable_from", "-pk")


class LearnedModel(models.Model):
    """A fitted model, written once and never changed: what a learned variant ranks by.

    It was fitted on outcomes that had settled before its first session; the figures beside it
    are those of the models before it, on sessions that they had not seen.
    """

    variant = models.ForeignKey(Variant, models.PROTECT, related_name="models")
    kind = models.CharField(max_length=12, choices=ModelKind)
    usable_from = models.DateField(help_text="first session that it may score")
    design = models.JSONField(help_text="features, form, penalty: chosen on years before 2023")
    features = models.JSONField(help_text="names, in the order that the parameters mean")
    parameters = models.JSONField(help_text="terms or trees: all that an answer needs")
    calibration = models.JSONField(help_text="slope and intercept of the log-odds")
    importances = models.JSONField(
        help_text="by feature: deviation of what it adds to the log-odds [nats]"
    )
    metrics = models.JSONField(
        default=dict, help_text="of the models before it, out of sample, settled by then"
    )
    digest = models.CharField(max_length=32, help_text="of features, parameters and calibration")
    train_first = models.DateField("first session fitted on")
    train_last = models.DateField("last session fitted on")
    rows = models.PositiveIntegerField("settled stock-days fitted on")
    explosive = models.PositiveIntegerField("explosive among them")
    calibrated_on = models.PositiveIntegerField("stock-days calibrated on", default=0)
    lake_versions = models.JSONField(default=dict)
    code_revision = models.CharField(max_length=64)
    seconds = models.FloatField("run time [s]")
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = LearnedModelQuerySet.as_manager()

    class Meta:
        verbose_name = "fitted model"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "variant", "usable_from"], name="learned_model_one_per_session"
            ),
            models.CheckConstraint(
                condition=Q(train_last__gte=F("train_first"), usable_from__gt=F("train_last")),
                name="learned_model_scores_after_it_was_fitted",
            ),
            models.CheckConstraint(
                condition=Q(explosive__lte=F("rows")), name="learned_model_explosive_is_a_part"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ModelKind.values), name="learned_model_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="learned_model_source_known",
            ),
        ]
        permissions = [("fit_models", "Can have models fitted")]

    def __str__(self) -> str:
        return f"{self.variant}, from {self.usable_from}"


class ResearchSheet(models.Model):
    """What choices of the learned variant were made on: written once by a job, shown as it is."""

    class Subject(models.TextChoices):
        FEATURES = "features", "evidence by feature"
        DESIGNS = "designs", "designs tried"

    subject = models.CharField(max_length=10, choices=Subject)
    last = models.DateField("last session looked at")
    result = models.JSONField(help_text="by feature, or by design")
    arithmetic = models.PositiveSmallIntegerField(help_text="revision of the features")
    lake_versions = models.JSONField(default=dict)
    code_revision = models.CharField(max_length=64)
    seconds = models.FloatField("run time [s]")
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(subject__in=["features", "designs"]), name="research_subject_known"
            ),
        ]
        indexes = [models.Index(fields=["subject", "-created_at"], name="research_newest")]

    def __str__(self) -> str:
        return f"{self.get_subject_display()}, up to {self.last}"
