"""Stage dashboard: what discovery was worth over all history, stored for reads (design §8)."""

from django.db import models
from django.db.models import F, Q

from analytics.models import Source, Variant


class DiscoveryHistory(models.Model):
    """Figures over every complete session of one variant, with what they were pooled from.

    Derived, one row per variant and source: rewritten with the summaries, never read for other
    analyses than those that it names.
    """

    variant = models.ForeignKey(Variant, models.CASCADE, related_name="+")
    first_session = models.DateField()
    last_session = models.DateField()
    batches = models.PositiveIntegerField("complete batches")
    changed_at = models.DateTimeField(help_text="newest change of their analyses")
    formula = models.PositiveSmallIntegerField(help_text="version of the way to compute it")
    figures = models.JSONField(default=dict, help_text="every figure with its evidence")
    computed_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        db_table = "discovery_histories"
        verbose_name_plural = "discovery histories"
        constraints = [
            models.UniqueConstraint(fields=["variant", "source"], name="history_one_per_variant"),
            models.CheckConstraint(
                condition=Q(first_session__lte=F("last_session")), name="history_runs_forward"
            ),
            models.CheckConstraint(condition=Q(batches__gt=0), name="history_has_a_batch"),
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="history_source_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id}: {self.first_session} to {self.last_session}"
