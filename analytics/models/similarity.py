"""Stage experiments: the stored index of all past stock-days and their shapes (§6)."""

from django.db import models
from django.db.models import Q

from analytics.models.market import Source


class HistoryIndex(models.Model):
    """One build of the index of past stock-days: where it is, what it was built from.

    It holds outcomes, so nothing of the detector reads it.
    """

    name = models.CharField(max_length=80, unique=True, help_text="its folder")
    as_of = models.DateField(help_text="last session with bars")
    settled = models.DateField(help_text="last session whose window has settled")
    stock_days = models.PositiveIntegerField(help_text="of the base universe")
    shapes = models.PositiveIntegerField(help_text="stock-days whose shape can be searched")
    references = models.JSONField(help_text="reference patterns and their fields")
    lake_versions = models.JSONField(default=dict)
    built_at = models.DateTimeField()
    seconds = models.FloatField("build time [s]")
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        verbose_name_plural = "history indexes"
        constraints = [
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="history_index_source_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name
