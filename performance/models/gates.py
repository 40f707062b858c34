"""Stage tracking: what loosening each gate would have caught, and at what cost (design §8)."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from analytics.models import Source, Variant


class GateStudyQuerySet(models.QuerySet["GateStudy"]):
    def of(self, source: str) -> Self:
        return self.filter(source=source)


class GateStudy(models.Model):
    """One variant with each of its gates loosened in turn. Newest counts; none is changed."""

    variant = models.ForeignKey(Variant, models.PROTECT, related_name="gate_studies")
    first = models.DateField()
    last = models.DateField()
    result = models.JSONField(help_text="the variant as it is, and each gate loosened")
    lake_versions = models.JSONField(default=dict)
    seconds = models.FloatField("run time [s]")
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = GateStudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "gate studies"
        constraints = [
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="gate_study_in_order"),
            models.CheckConstraint(
                condition=Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED]),
                name="gate_study_source_known",
            ),
        ]
        indexes = [models.Index(fields=["variant", "-created_at"], name="gate_study_newest")]

    def __str__(self) -> str:
        return f"{self.variant}, {self.first} to {self.last}"
