"""Stage experiments: the detector report, variants and exit rules side by side (§13, §16)."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from analytics.models.exits import ExitRule
from analytics.models.jobs import JobRun
from analytics.models.market import Source

MEASURED = (Source.LIVE, Source.IMPORTED, Source.SIMULATED)


class DetectorReportQuerySet(models.QuerySet["DetectorReport"]):
    def beside(self, sources: tuple[str, ...]) -> Self:
        return self.filter(source__in=sources)

    def newest_first(self) -> Self:
        return self.order_by("-finished_at", "-pk")


class DetectorReport(models.Model):
    """One replay of every list under every exit rule. Written once."""

    first = models.DateField()
    last = models.DateField()
    untouched_year = models.PositiveSmallIntegerField(
        help_text="the last year: no choice looked at it"
    )
    parameters = models.JSONField(help_text="variants, rules and costs")
    result = models.JSONField(help_text="figures by scope, variant and rule")
    rules = models.ManyToManyField(
        ExitRule, related_name="reports", blank=True, help_text="those defined by people"
    )
    digest = models.CharField(max_length=32, help_text="of parameters and result")
    lake_versions = models.JSONField(default=dict)
    code_revision = models.CharField(max_length=64)
    job = models.ForeignKey(JobRun, models.SET_NULL, null=True, blank=True, related_name="+")
    seconds = models.FloatField("run time [s]")
    created_at = models.DateTimeField("started")
    finished_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = DetectorReportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last__gte=F("first")), name="detector_report_in_order"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__gte=F("created_at")),
                name="detector_report_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(source__in=MEASURED), name="detector_report_source_known"
            ),
        ]
        indexes = [models.Index(fields=["source", "-finished_at"], name="detector_report_newest")]
        permissions = [("replay_exits", "Can have exits replayed")]

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"
