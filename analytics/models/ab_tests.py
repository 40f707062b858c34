"""Stage experiments: two variants compared, what was registered before, what was read (§17)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analytics.models.discovery import Variant
from analytics.models.market import Source


class ExperimentMode(models.TextChoices):
    LIVE = "live", "live"
    RETROSPECTIVE = "retrospective", "retrospective (not registered before)"


class ExperimentState(models.TextChoices):
    RUNNING = "running", "running"
    DECIDED = "decided", "decided"
    COMPLETED = "completed", "planned sessions over"
    STOPPED = "stopped", "stopped early"


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    def running(self) -> Self:
        return self.filter(state=ExperimentState.RUNNING)

    def live(self) -> Self:
        return self.filter(mode=ExperimentMode.LIVE)

    def retrospective(self) -> Self:
        return self.filter(mode=ExperimentMode.RETROSPECTIVE)

    def of(self, source: str) -> Self:
        return self.filter(source=source)


class Experiment(models.Model):
    """A question about two variants, written down before its first session. Never rewritten.

    A retrospective one looks at sessions that were over when it was made, and says so.
    """

    name = models.CharField(max_length=80)
    mode = models.CharField(max_length=16, choices=ExperimentMode, default=ExperimentMode.LIVE)
    variant_a = models.ForeignKey(Variant, models.PROTECT, related_name="experiments_as_a")
    variant_b = models.ForeignKey(Variant, models.PROTECT, related_name="experiments_as_b")
    rules = models.JSONField(help_text="weights and limits of both when it was registered")
    metric = models.CharField(max_length=24, default="explosive_rate", editable=False)
    level = models.FloatField(default=0.95)
    minimal_effect = models.FloatField(
        "smallest difference that matters [fraction]", help_text="0.01 is one point"
    )
    planned_sessions = models.PositiveIntegerField(null=True, blank=True)
    plan = models.JSONField(default=dict, help_text="the power calculation that was shown")
    first_session = models.DateField()
    registered_at = models.DateTimeField()
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(
        max_length=12, choices=ExperimentState, default=ExperimentState.RUNNING
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=12, choices=Source)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(variant_a=F("variant_b")), name="experiment_compares_two_variants"
            ),
            models.CheckConstraint(
                condition=Q(level__gt=0, level__lt=1, minimal_effect__gt=0, minimal_effect__lt=1),
                name="experiment_level_and_effect_are_shares",
            ),
            models.CheckConstraint(
                condition=Q(mode__in=ExperimentMode.values, state__in=ExperimentState.values),
                name="experiment_mode_and_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state=ExperimentState.RUNNING, ended_at__isnull=True)
                | ~Q(state=ExperimentState.RUNNING) & Q(ended_at__isnull=False),
                name="experiment_ended_when_it_is_over",
            ),
            models.CheckConstraint(
                condition=~Q(mode=ExperimentMode.LIVE) | Q(planned_sessions__isnull=False),
                name="experiment_live_has_a_plan",
            ),
            models.UniqueConstraint(
                fields=["source", "variant_a", "variant_b"],
                condition=Q(mode=ExperimentMode.LIVE, state=ExperimentState.RUNNING),
                name="experiment_one_running_per_pair",
            ),
            models.UniqueConstraint(
                fields=["source", "variant_a", "variant_b"],
                condition=Q(mode=ExperimentMode.RETROSPECTIVE),
                name="experiment_one_retrospective_per_pair",
            ),
        ]
        permissions = [("stop_experiment", "Can stop an experiment early")]

    def __str__(self) -> str:
        return self.name


class ExperimentReading(models.Model):
    """What an experiment said after so many blocks. Appended, never changed."""

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="readings")
    read_at = models.DateTimeField()
    as_of = models.DateField(help_text="last session whose window has settled")
    blocks = models.PositiveIntegerField("blocks of 28 sessions")
    sessions = models.PositiveIntegerField("paired sessions")
    picks = models.PositiveIntegerField("settled picks of both")
    effective_n = models.FloatField("effective sessions", null=True, blank=True)
    rate_a = models.FloatField("explosive rate of A", null=True, blank=True)
    rate_b = models.FloatField("explosive rate of B", null=True, blank=True)
    effect = models.FloatField("B minus A [fraction]", null=True, blank=True)
    low = models.FloatField(null=True, blank=True, help_text="blank: nothing is excluded yet")
    high = models.FloatField(null=True, blank=True)
    log_e = models.FloatField("ln of the evidence", null=True, blank=True)
    verdict = models.CharField(max_length=20)
    guardrail_breached = models.BooleanField(default=False)
    metrics = models.JSONField(help_text="guardrail and secondary metrics")
    sequence = models.JSONField(help_text="effect and interval after each block")
    answerable_on = models.DateField(null=True, blank=True)
    lake_versions = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "as_of", "blocks"], name="reading_once_per_block"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["A_BETTER", "B_BETTER", "FUTILE", "NO_DIFFERENCE_YET"]),
                name="reading_verdict_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment}, {self.blocks} blocks"

    @property
    def drifted(self) -> bool:
        """Whether the mean lies outside its interval: the difference was not constant."""
        if self.effect is None or self.low is None or self.high is None:
            return False
        return not self.low <= self.effect <= self.high
