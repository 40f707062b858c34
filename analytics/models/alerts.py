"""What should be seen at once: raised once per crossing, kept with its history (design §8)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from analytics.models.market import Source


class AlertKind(models.TextChoices):
    """What can be crossed. Performance adds its own when it raises them."""

    VOLUME = "volume", "volume 15x or more"
    VIGL_PATTERN = "vigl_pattern", "VIGL pattern"
    PREMARKET_GAP = "premarket_gap", "gap before the open"


class AlertSeverity(models.TextChoices):
    GOOD = "good", "good"
    INFO = "info", "info"
    WARNING = "warning", "warning"
    CRITICAL = "critical", "critical"


class AlertQuerySet(models.QuerySet["Alert"]):
    def standing(self) -> Self:
        """Not resolved yet."""
        return self.filter(resolved_at__isnull=True)


class Alert(models.Model):
    """A condition that became true. It stands until it is resolved."""

    kind = models.CharField(max_length=32)
    severity = models.CharField(max_length=8, choices=AlertSeverity)
    symbol = models.CharField(max_length=16, blank=True)
    session = models.DateField(null=True, blank=True)
    message = models.CharField(max_length=300)
    provisional = models.BooleanField(default=False, help_text="from a session under way")
    crossed_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "symbol", "session", "source"], name="alert_once_per_crossing"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=AlertSeverity.values), name="alert_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=False) | Q(acknowledged_by__isnull=True),
                name="alert_acknowledged_by_someone",
            ),
        ]
        indexes = [models.Index(fields=["-crossed_at"], name="alert_newest")]
        permissions = [("acknowledge_alert", "Can acknowledge alerts")]

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol}".strip()
