"""Stage dashboard: one line a day of where the recovery stands (design §12)."""

from django.db import models
from django.db.models import Q

from analytics.models import Source


class AlertLevel(models.TextChoices):
    CRITICAL = "CRITICAL", "critical"
    WARNING = "WARNING", "warning"
    BELOW_TARGET = "BELOW_TARGET", "below target"
    GOOD = "GOOD", "good"
    UNKNOWN = "UNKNOWN", "unknown"


class RecoveryStatus(models.TextChoices):
    RECOVERED = "RECOVERED", "recovered"
    ON_TRACK = "ON_TRACK", "on track"
    BEHIND_SCHEDULE = "BEHIND_SCHEDULE", "behind schedule"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA", "insufficient data"


class DashboardSummary(models.Model):
    """The figures of one period as they stood after one session; rewritten, never computed late.

    Reads take the newest row of a period and say its age. The rows of a period are the history
    of the recovery.
    """

    session = models.DateField()
    period_days = models.PositiveSmallIntegerField(
        "period [days]", default=90, help_text="calendar days up to the session; 0: all history"
    )
    alert_level = models.CharField(max_length=12, choices=AlertLevel)
    recovery_status = models.CharField(max_length=20, choices=RecoveryStatus)
    recovery_progress = models.FloatField("recovery progress [fraction]", null=True, blank=True)
    performance_gap = models.FloatField(
        "average return less baseline [fraction]", null=True, blank=True
    )
    projected_recovery = models.DateField(null=True, blank=True, help_text="exploratory")
    discovery_quality = models.FloatField("discovery quality [0-100]", null=True, blank=True)
    thesis_accuracy = models.FloatField("thesis accuracy [fraction]", null=True, blank=True)
    timing_score = models.FloatField("market timing [0-100]", null=True, blank=True)
    health_score = models.FloatField("system health [0-100]", null=True, blank=True)
    figures = models.JSONField(default=dict, help_text="every figure with its evidence")
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        db_table = "dashboard_summaries"
        verbose_name_plural = "dashboard summaries"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "period_days", "session"], name="summary_one_per_session"
            ),
            models.CheckConstraint(
                condition=Q(alert_level__in=AlertLevel.values), name="summary_alert_level_known"
            ),
            models.CheckConstraint(
                condition=Q(recovery_status="INSUFFICIENT_DATA", recovery_progress__isnull=True)
                | Q(recovery_status__in=["RECOVERED", "ON_TRACK", "BEHIND_SCHEDULE"])
                & Q(recovery_progress__isnull=False, recovery_progress__range=(0, 1)),
                name="summary_status_fits_progress",
            ),
            models.CheckConstraint(
                condition=(Q(discovery_quality__isnull=True) | Q(discovery_quality__range=(0, 100)))
                & (Q(thesis_accuracy__isnull=True) | Q(thesis_accuracy__range=(0, 1)))
                & (Q(timing_score__isnull=True) | Q(timing_score__range=(0, 100)))
                & (Q(health_score__isnull=True) | Q(health_score__range=(0, 100))),
                name="summary_scores_in_range",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="summary_source_known"
            ),
        ]
        indexes = [
            models.Index(fields=["source", "period_days", "-session"], name="summary_newest")
        ]

    def __str__(self) -> str:
        return f"{self.session}: {self.alert_level}"
