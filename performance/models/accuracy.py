"""Stage theses, scored: was the thesis right? (design §9)"""

from django.db import models
from django.db.models import Q

from analytics.models import Source, Thesis


class Settlement(models.TextChoices):
    """What came first of target, stop and horizon."""

    PENDING = "pending", "pending"
    TARGET = "target", "target first"
    STOP = "stop", "stop first"
    NEITHER = "neither", "neither within the horizon"
    VOID = "void", "void: opened beyond a barrier"


class ThesisAccuracy(models.Model):
    """How one thesis was settled on daily bars, from the entry open."""

    thesis = models.OneToOneField(Thesis, models.PROTECT, related_name="accuracy")
    settlement = models.CharField(max_length=8, choices=Settlement, default=Settlement.PENDING)
    settled_session = models.DateField(null=True, blank=True)
    sessions_held = models.PositiveSmallIntegerField(null=True, blank=True)
    entry_price = models.FloatField("entry [USD]", null=True, blank=True)
    exit_price = models.FloatField("exit [USD]", null=True, blank=True)
    return_horizon = models.FloatField("return over the horizon [fraction]", null=True, blank=True)
    direction_right = models.BooleanField(null=True, blank=True)
    target_reached = models.BooleanField(null=True, blank=True, help_text="for p_target")
    explosive = models.BooleanField(null=True, blank=True, help_text="for p_explosive")
    brier = models.FloatField("Brier score of p_target", null=True, blank=True)
    log_loss = models.FloatField("log loss of p_target [nats]", null=True, blank=True)
    counts_as_skill = models.BooleanField(
        default=True, help_text="signal session lies after the model's training cut-off"
    )
    updated_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        db_table = "thesis_accuracy_tracking"
        verbose_name_plural = "thesis accuracies"
        constraints = [
            models.CheckConstraint(
                condition=Q(settlement__in=Settlement.values), name="accuracy_settlement_known"
            ),
            models.CheckConstraint(
                condition=Q(settlement__in=["pending", "void"])
                & Q(direction_right__isnull=True, target_reached__isnull=True)
                & Q(brier__isnull=True, log_loss__isnull=True)
                | Q(settlement__in=["target", "stop", "neither"])
                & Q(settled_session__isnull=False, return_horizon__isnull=False)
                & Q(direction_right__isnull=False, target_reached__isnull=False),
                name="accuracy_settled_together",
            ),
            models.CheckConstraint(
                condition=Q(brier__isnull=True) | Q(brier__range=(0, 1)),
                name="accuracy_brier_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(log_loss__isnull=True) | Q(log_loss__gte=0),
                name="accuracy_log_loss_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="accuracy_source_known"
            ),
        ]
        indexes = [models.Index(fields=["settled_session"], name="accuracy_settled_session")]

    def __str__(self) -> str:
        return f"{self.thesis_id}: {self.settlement}"
