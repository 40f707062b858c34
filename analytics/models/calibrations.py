"""How an author's probabilities are corrected: dated rows, written by performance (design §9)."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q

from analytics.models.discovery import Pattern
from analytics.models.market import Source


class CalibrationMethod(models.TextChoices):
    """``calc.thesis_calibration`` says what each one does with its parameters."""

    BETA_BINOMIAL = "beta_binomial", "beta-binomial shrinkage"
    PLATT = "platt", "Platt scaling"


class PatternCalibrationQuerySet(models.QuerySet["PatternCalibration"]):
    def known_by(self, session: date) -> Self:
        """Rows that a thesis of this signal session may use; newest first."""
        return self.filter(valid_from__lte=session).order_by("-valid_from", "-pk")


class PatternCalibration(models.Model):
    """The correction of one author's p_target on one pattern, from a day on.

    A thesis of session D uses the newest row with ``valid_from <= D``, so a replay never uses a
    later one. It is fitted only on theses settled before ``settled_before``.
    """

    author = models.CharField(max_length=80, help_text="as on the theses")
    pattern = models.CharField(max_length=16, choices=Pattern)
    method = models.CharField(max_length=16, choices=CalibrationMethod)
    parameters = models.JSONField(help_text="numbers by name, as the method asks for")
    n = models.PositiveIntegerField("settled theses it was fitted on")
    settled_before = models.DateField("fitted on theses settled before")
    valid_from = models.DateField("first signal session that may use it")
    base_rate = models.FloatField("base rate it shrinks to", null=True, blank=True)
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = PatternCalibrationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "author", "pattern", "valid_from"],
                name="calibration_one_per_day",
            ),
            models.CheckConstraint(
                condition=Q(pattern__in=Pattern.values, method__in=CalibrationMethod.values),
                name="calibration_pattern_and_method_known",
            ),
            models.CheckConstraint(
                condition=Q(settled_before__lte=models.F("valid_from")),
                name="calibration_used_only_after_its_fit",
            ),
            models.CheckConstraint(
                condition=Q(base_rate__isnull=True) | Q(base_rate__range=(0, 1)),
                name="calibration_base_rate_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="calibration_source_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author} {self.pattern} from {self.valid_from}"
