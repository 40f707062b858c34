"""Stage experiments: many weight sets tried at once, and how likely the best is luck (§16)."""

from django.db import models
from django.db.models import Q

from analytics.models.discovery import SCORE_COMPONENTS, Variant
from analytics.models.market import Source


class WeightSweep(models.Model):
    """One run of a weight sweep: what was asked, what was read, what it came to."""

    variant = models.ForeignKey(
        Variant, models.PROTECT, related_name="sweeps", help_text="its gates were used"
    )
    first = models.DateField()
    last = models.DateField()
    sets = models.PositiveIntegerField("weight sets")
    top = models.PositiveSmallIntegerField("picks per session")
    cost = models.FloatField("cost of each side [fraction]")
    seed = models.PositiveIntegerField()
    components = models.JSONField(help_text="components with data, among which weights were drawn")
    sessions = models.PositiveIntegerField("sessions with picks")
    overfitting = models.FloatField("probability of backtest overfitting", null=True, blank=True)
    overfitting_note = models.CharField(max_length=200, blank=True)
    splits = models.PositiveIntegerField(default=0, help_text="combinations of the validation")
    logits = models.JSONField(default=list, help_text="one per combination")
    lake_versions = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    seconds = models.FloatField("run time [s]")
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(overfitting__isnull=True) | Q(overfitting__range=(0, 1)),
                name="sweep_overfitting_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sets} weight sets, {self.first} to {self.last}"


class SweepSet(models.Model):
    """One weight set of a sweep and what its top picks came to, in the sample."""

    sweep = models.ForeignKey(WeightSweep, models.CASCADE, related_name="results")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=40, blank=True, help_text="a variant's own weights")
    w_volume = models.FloatField("volume weight", default=0)
    w_momentum = models.FloatField("momentum weight", default=0)
    w_float = models.FloatField("float weight", default=0)
    w_short_interest = models.FloatField("short interest weight", default=0)
    w_technical = models.FloatField("technical weight", default=0)
    w_sentiment = models.FloatField("sentiment weight", default=0)
    picks = models.PositiveIntegerField("settled picks")
    explosive_rate = models.FloatField(null=True, blank=True)
    mean_net_return = models.FloatField("mean net return, 14 sessions", null=True, blank=True)
    place = models.PositiveIntegerField(help_text="by mean net return, 1 is best")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sweep", "number"], name="sweep_set_once"),
        ]
        permissions = [("draft_variant", "Can make a draft variant of a weight set")]

    def __str__(self) -> str:
        return f"set {self.number}"

    @property
    def weights(self) -> dict[str, float]:
        """Weight by component."""
        return {name: getattr(self, f"w_{name}") for name in SCORE_COMPONENTS}
