"""Stage health: what a probe measured (design §15)."""

from django.db import models
from django.db.models import Q

from analytics.models import Source


class HealthStatus(models.TextChoices):
    """UNKNOWN is never counted as healthy."""

    HEALTHY = "HEALTHY", "healthy"
    WARNING = "WARNING", "warning"
    CRITICAL = "CRITICAL", "critical"
    UNKNOWN = "UNKNOWN", "unknown"


class HealthMetric(models.Model):
    """One measurement of one component, and what it means."""

    component = models.CharField(max_length=32)
    name = models.CharField(max_length=48, help_text="what was measured")
    value = models.FloatField(null=True, blank=True, help_text="null: could not be measured")
    unit = models.CharField(max_length=16, blank=True)
    status = models.CharField(max_length=8, choices=HealthStatus)
    reason = models.CharField(max_length=200, blank=True)
    measured_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        db_table = "system_health_metrics"
        constraints = [
            models.UniqueConstraint(
                fields=["component", "name", "measured_at"], name="health_one_per_instant"
            ),
            models.CheckConstraint(
                condition=Q(status__in=HealthStatus.values), name="health_status_known"
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False) | ~Q(status="HEALTHY"),
                name="health_unmeasured_is_not_healthy",
            ),
            models.CheckConstraint(
                condition=Q(status="HEALTHY") | ~Q(reason=""), name="health_trouble_says_why"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="health_source_known"
            ),
        ]
        indexes = [models.Index(fields=["component", "-measured_at"], name="health_latest")]

    def __str__(self) -> str:
        return f"{self.component} {self.name}: {self.status}"
