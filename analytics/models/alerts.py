"""What should be seen at once: raised once per crossing, kept with its history (design §8, §12)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analytics.models.market import Source


class AlertKind(models.TextChoices):
    """What can be crossed."""

    VOLUME = "volume", "volume 15x or more"
    VIGL_PATTERN = "vigl_pattern", "VIGL pattern"
    PREMARKET_GAP = "premarket_gap", "gap before the open"
    WIN_RATE = "win_rate", "win rate below its limit"
    AVERAGE_RETURN = "average_return", "average return below its limit"
    DISCOVERY_QUALITY = "discovery_quality", "discovery quality below its limit"
    THESIS_ACCURACY = "thesis_accuracy", "thesis accuracy below its limit"
    CRITICAL_LOSS = "critical_loss", "position to be liquidated"
    RISK_BREACH = "risk_breach", "rule broken"
    FALSIFIER = "falsifier", "falsifier of a thesis came true"
    HEALTH = "health", "component in trouble"
    CLAUDE_MODEL = "claude_model", "model of the theses on its way out"


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
    """A condition that became true. It stands until it is resolved.

    What it is about is ``symbol``, ``subject`` (an account, a component, a thesis) or both. Of
    one condition about one thing at most one alert stands; what is of a session comes once.
    """

    kind = models.CharField(max_length=32, choices=AlertKind)
    severity = models.CharField(max_length=8, choices=AlertSeverity)
    symbol = models.CharField(max_length=16, blank=True)
    subject = models.CharField(max_length=80, blank=True, help_text="what else it is about")
    session = models.DateField(null=True, blank=True, help_text="of a condition of one session")
    message = models.CharField(max_length=300)
    value = models.FloatField(null=True, blank=True, help_text="what was measured")
    limit = models.FloatField(null=True, blank=True, help_text="what it crossed")
    provisional = models.BooleanField(default=False, help_text="from a session under way")
    crossed_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="blank: the condition ended",
    )
    source = models.CharField(max_length=12, choices=Source)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "symbol", "subject", "session", "source"],
                name="alert_once_per_crossing",
            ),
            models.UniqueConstraint(
                fields=["kind", "symbol", "subject", "source"],
                condition=Q(resolved_at__isnull=True, session__isnull=True),
                name="alert_one_standing",
            ),
            models.CheckConstraint(
                condition=Q(severity__in=AlertSeverity.values), name="alert_severity_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=AlertKind.values), name="alert_kind_known"),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=False) | Q(acknowledged_by__isnull=True),
                name="alert_acknowledged_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolved_by__isnull=True)
                | Q(resolved_at__gte=F("crossed_at")),
                name="alert_resolved_after_it_crossed",
            ),
        ]
        indexes = [
            models.Index(fields=["-crossed_at"], name="alert_newest"),
            models.Index(
                fields=["source"], condition=Q(resolved_at__isnull=True), name="alert_standing"
            ),
        ]
        permissions = [
            ("acknowledge_alert", "Can acknowledge alerts"),
            ("resolve_alert", "Can resolve alerts"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol or self.subject}".strip()


class AlertEvent(models.Model):
    """One line of an alert's history: written once."""

    class What(models.TextChoices):
        RAISED = "raised", "raised"
        ESCALATED = "escalated", "became worse"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        RESOLVED = "resolved", "resolved"

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="events")
    what = models.CharField(max_length=12, choices=What)
    at = models.DateTimeField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("at", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(what__in=["raised", "escalated", "acknowledged", "resolved"]),
                name="alert_event_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} at {self.at:%Y-%m-%d %H:%M}"


class AlertChannel(models.TextChoices):
    """How an alert reaches somebody."""

    EMAIL = "email", "e-mail"
    WEBHOOK = "webhook", "webhook (JSON)"
    SLACK = "slack", "Slack webhook"
    TELEGRAM = "telegram", "Telegram bot"


SEVERITY_ORDER = ("good", "info", "warning", "critical")


class AlertRoute(models.Model):
    """Where alerts of some severity go."""

    name = models.CharField(max_length=60, unique=True)
    channel = models.CharField(max_length=8, choices=AlertChannel)
    address = models.CharField(
        max_length=300, help_text="e-mail address, webhook URL, or chat id of Telegram"
    )
    token = models.CharField(
        max_length=120, blank=True, help_text="of the Telegram bot; shown to nobody once stored"
    )
    least_severity = models.CharField(
        max_length=8, choices=AlertSeverity, default=AlertSeverity.WARNING
    )
    kinds = models.JSONField(default=list, blank=True, help_text="only these; empty: all")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=AlertChannel.values), name="route_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(least_severity__in=AlertSeverity.values), name="route_severity_known"
            ),
            models.CheckConstraint(condition=~Q(address=""), name="route_has_an_address"),
            models.CheckConstraint(
                condition=~Q(channel="telegram") | ~Q(token=""), name="route_telegram_has_a_token"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AlertDelivery(models.Model):
    """One alert on its way along one route: at most once to people, with bounded tries."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "failed for good"
        UNKNOWN = "unknown", "unknown: ended while it was being sent"

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="deliveries")
    route = models.ForeignKey(AlertRoute, models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField("next try")
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "alert deliveries"
        constraints = [
            models.UniqueConstraint(fields=["alert", "route"], name="alert_once_per_route"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending", "sent", "failed", "unknown"]),
                name="alert_delivery_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | ~Q(state="sent") & Q(sent_at__isnull=True),
                name="alert_delivery_sent_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""), name="alert_delivery_failed_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="queued"), name="alert_delivery_due")
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} by {self.route_id}: {self.state}"
