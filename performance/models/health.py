"""Stage health: what a probe measured, and the incidents that followed (design §15)."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from analytics.models import JobRun, Source


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
    reason = models.CharField(max_length=300, blank=True)
    figures = models.JSONField(default=dict, blank=True, help_text="all that the probe measured")
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
        indexes = [
            models.Index(fields=["component", "-measured_at"], name="health_latest"),
            models.Index(fields=["measured_at"], name="health_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.component} {self.name}: {self.status}"


class IncidentQuerySet(models.QuerySet["Incident"]):
    def open(self) -> Self:
        """Not over yet."""
        return self.filter(closed_at__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by("-opened_at", "-pk")


class Incident(models.Model):
    """A component in trouble, from the first bad measurement to the first good one.

    What rests on bad input meanwhile is ``decisions``; after the repair it is scored again by
    ``repair``. One incident of a component is open at a time.
    """

    component = models.CharField(max_length=32)
    status = models.CharField("worst status", max_length=8, choices=HealthStatus)
    reason = models.CharField(max_length=300)
    recommendation = models.CharField(max_length=300)
    good_until = models.DateTimeField(
        "last measured healthy", null=True, blank=True, help_text="blank: never before"
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="by a probe")
    repair = models.ForeignKey(
        JobRun,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="job that scored the decisions again",
    )
    mentioned_at = models.DateTimeField(
        null=True, blank=True, help_text="end of it mentioned in a mail"
    )
    source = models.CharField(max_length=12, choices=Source)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["component"],
                condition=Q(closed_at__isnull=True),
                name="incident_one_open_per_component",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["WARNING", "CRITICAL"]), name="incident_is_trouble"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="incident_says_why"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="incident_ends_after_it_began",
            ),
        ]
        indexes = [models.Index(fields=["-opened_at"], name="incident_newest")]

    def __str__(self) -> str:
        return f"{self.component} since {self.opened_at:%Y-%m-%d %H:%M}"


class DecisionKind(models.TextChoices):
    """What can rest on bad input."""

    BATCH = "batch", "discovery batch"
    THESIS = "thesis", "thesis"
    ALERT = "alert", "alert"
    MAIL = "mail", "mail"


class IncidentDecision(models.Model):
    """Something said while a component was in trouble, resting on it."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=8, choices=DecisionKind)
    number = models.PositiveBigIntegerField("row")
    label = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "kind", "number"], name="incident_decision_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DecisionKind.values), name="incident_decision_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.label}"


class Heartbeat(models.Model):
    """The last sign of life of one process, written by itself."""

    class Process(models.TextChoices):
        WORKER = "worker", "worker"

    process = models.CharField(max_length=8, choices=Process)
    name = models.CharField(max_length=120, help_text="host, process id, start")
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["process", "name"], name="heartbeat_one_per_process"),
            models.CheckConstraint(
                condition=Q(beat_at__gte=F("started_at")), name="heartbeat_after_its_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.process} {self.name}"
