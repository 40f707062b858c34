"""Stage recovery: the mission's roadmap as check boxes that the figures tick (design §12)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from analytics.models import Source


class CheckState(models.TextChoices):
    """Whether a check box of the roadmap is ticked."""

    MET = "met", "met"
    NOT_MET = "not_met", "not met"
    UNKNOWN = "unknown", "unknown: the data do not say"


class RoadmapCheckQuerySet(models.QuerySet["RoadmapCheck"]):
    def of(self, source: str) -> Self:
        return self.filter(source=source)

    def in_order(self) -> Self:
        return self.order_by("position")


class RoadmapCheck(models.Model):
    """One check box: what the live figures say, and what a person may have said instead."""

    key = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(help_text="1 to 15, as in the mission")
    phase = models.PositiveSmallIntegerField(help_text="1 to 4, two weeks each")
    state = models.CharField("by the figures", max_length=8, choices=CheckState)
    evidence = models.CharField(max_length=400)
    figures = models.JSONField(default=dict, help_text="what the predicate looked at")
    flipped_on = models.DateField(
        null=True, blank=True, help_text="session from which it has been in this state"
    )
    as_of = models.DateField("last session", null=True, blank=True)
    override = models.CharField(
        "by a person", max_length=8, choices=CheckState, blank=True, default="", db_default=""
    )
    override_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="owner of the override",
    )
    override_note = models.CharField(max_length=300, blank=True, default="", db_default="")
    override_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = RoadmapCheckQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="roadmap_check_once"),
            models.CheckConstraint(
                condition=Q(state__in=CheckState.values) & Q(override__in=[*CheckState.values, ""]),
                name="roadmap_state_known",
            ),
            models.CheckConstraint(
                condition=Q(override="", override_by__isnull=True, override_at__isnull=True)
                & Q(override_note="")
                | Q(override_by__isnull=False, override_at__isnull=False)
                & ~Q(override="")
                & ~Q(override_note=""),
                name="roadmap_override_has_owner_and_note",
            ),
            models.CheckConstraint(
                condition=Q(phase__range=(1, 4), position__range=(1, 15)) & ~Q(evidence=""),
                name="roadmap_check_is_one_of_fifteen",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="roadmap_source_known"
            ),
        ]
        permissions = [("override_roadmap", "Can override check boxes of the roadmap")]

    def __str__(self) -> str:
        return f"{self.key}: {self.standing}"

    @property
    def standing(self) -> str:
        """What counts: the person's word if there is one, else the figures'."""
        return self.override or self.state


class RoadmapChange(models.Model):
    """One flip of a check box, by the figures or by a person. Written once."""

    check_box = models.ForeignKey(RoadmapCheck, models.CASCADE, related_name="changes")
    before = models.CharField(max_length=8, choices=CheckState, blank=True)
    after = models.CharField(max_length=8, choices=CheckState)
    session = models.DateField(null=True, blank=True)
    evidence = models.CharField(max_length=400)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="blank: the figures",
    )
    changed_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(after__in=CheckState.values)
                & Q(before__in=[*CheckState.values, ""])
                & ~Q(before=models.F("after")),
                name="roadmap_change_changes",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="roadmap_change_source_known"
            ),
        ]
        indexes = [models.Index(fields=["-changed_at"], name="roadmap_change_newest")]

    def __str__(self) -> str:
        return f"{self.check_box_id}: {self.before or 'new'} to {self.after}"
