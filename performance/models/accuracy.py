"""Stage theses, scored: was the thesis right? (design §9)"""

from typing import Self

from django.db import models
from django.db.models import Q

from analytics.models import Source, Thesis


class Settlement(models.TextChoices):
    """What came first of target, stop and horizon."""

    PENDING = "pending", "pending"
    TARGET = "target", "target first"
    STOP = "stop", "stop first"
    NEITHER = "neither", "neither within the horizon"
    VOID = "void", "void: opened beyond a barrier"
    NO_ENTRY = "no_entry", "no entry: no bar or no open on the next session"


SETTLED = (Settlement.TARGET, Settlement.STOP, Settlement.NEITHER)  # those that scores count
OUT_OF_SCORES = (Settlement.VOID, Settlement.NO_ENTRY)


class ThesisAccuracyQuerySet(models.QuerySet["ThesisAccuracy"]):
    def of(self, source: str) -> Self:
        return self.filter(source=source)

    def settled(self) -> Self:
        """Theses that count in scores."""
        return self.filter(settlement__in=SETTLED)

    def wrong(self) -> Self:
        """Settled theses whose call was wrong."""
        return self.filter(direction_right=False)


class ThesisAccuracy(models.Model):
    """How one thesis was settled on daily bars, from the entry open. Returns are fractions.

    Settled when its whole horizon has passed, also if a barrier was touched before: until
    then ``exit_session`` and ``reason`` say so.
    """

    thesis = models.OneToOneField(Thesis, models.PROTECT, related_name="accuracy")
    settlement = models.CharField(max_length=8, choices=Settlement, default=Settlement.PENDING)
    reason = models.CharField(
        max_length=120, blank=True, help_text="why it is pending, void or had no entry"
    )
    is_final = models.BooleanField(default=False, help_text="no later data can change it")
    entry_session = models.DateField(null=True, blank=True)
    exit_session = models.DateField(
        null=True, blank=True, help_text="of the first touch, else the last one held"
    )
    settled_session = models.DateField(
        null=True, blank=True, help_text="end of the horizon: with its close the thesis counts"
    )
    sessions_held = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="sessions from the entry to the exit, both counted"
    )
    entry_price = models.FloatField(
        "entry [USD]", null=True, blank=True, help_text="open of the entry session, as traded"
    )
    exit_price = models.FloatField(
        "exit [USD]", null=True, blank=True, help_text="on the split basis of the entry"
    )
    return_horizon = models.FloatField("return over the horizon [fraction]", null=True, blank=True)
    return_exit = models.FloatField("return at the exit [fraction]", null=True, blank=True)
    direction_right = models.BooleanField(null=True, blank=True)
    right_if_up = models.BooleanField(
        null=True, blank=True, help_text="BUY is, or would have been, right"
    )
    right_if_down = models.BooleanField(
        null=True, blank=True, help_text="AVOID, TRIM, LIQUIDATE are, or would have been, right"
    )
    right_if_flat = models.BooleanField(
        null=True, blank=True, help_text="HOLD is, or would have been, right"
    )
    target_reached = models.BooleanField(null=True, blank=True, help_text="for p_target")
    explosive = models.BooleanField(null=True, blank=True, help_text="for p_explosive")
    p_calibrated = models.FloatField(
        "P(target first), calibrated",
        null=True,
        blank=True,
        help_text="by the calibration known on the signal session; blank: there was none",
    )
    brier = models.FloatField("Brier score of p_target", null=True, blank=True)
    log_loss = models.FloatField("log loss of p_target [nats]", null=True, blank=True)
    counts_as_skill = models.BooleanField(
        default=True, help_text="signal session lies after the model's training cut-off"
    )
    no_skill_reason = models.CharField(
        "why it is no skill", max_length=120, blank=True, help_text="blank: it counts"
    )
    sector = models.CharField(max_length=80, blank=True, help_text="as listed when it was settled")
    last_trade = models.DateField(
        "last session traded",
        null=True,
        blank=True,
        help_text="of a listing that ended inside the horizon",
    )
    lake_version = models.PositiveIntegerField("version of the bars that were read", default=0)
    updated_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = ThesisAccuracyQuerySet.as_manager()

    class Meta:
        db_table = "thesis_accuracy_tracking"
        verbose_name_plural = "thesis accuracies"
        constraints = [
            models.CheckConstraint(
                condition=Q(settlement__in=Settlement.values), name="accuracy_settlement_known"
            ),
            models.CheckConstraint(
                condition=Q(settlement__in=["pending", "void", "no_entry"])
                & Q(direction_right__isnull=True, target_reached__isnull=True)
                & Q(right_if_up__isnull=True, right_if_down__isnull=True)
                & Q(right_if_flat__isnull=True, return_horizon__isnull=True)
                & Q(brier__isnull=True, log_loss__isnull=True)
                & ~Q(reason="")
                | Q(settlement__in=["target", "stop", "neither"])
                & Q(settled_session__isnull=False, return_horizon__isnull=False)
                & Q(entry_session__isnull=False, entry_price__isnull=False)
                & Q(exit_session__isnull=False, exit_price__isnull=False)
                & Q(sessions_held__isnull=False, return_exit__isnull=False)
                & Q(direction_right__isnull=False, target_reached__isnull=False)
                & Q(right_if_up__isnull=False, right_if_down__isnull=False)
                & Q(right_if_flat__isnull=False)
                & Q(brier__isnull=False, log_loss__isnull=False),
                name="accuracy_settled_together",
            ),
            models.CheckConstraint(
                condition=Q(target_reached__isnull=True)
                | Q(settlement="target", target_reached=True)
                | Q(settlement__in=["stop", "neither"], target_reached=False),
                name="accuracy_target_reached_if_it_came_first",
            ),
            models.CheckConstraint(
                condition=~Q(settlement="pending") | Q(is_final=False),
                name="accuracy_pending_is_not_final",
            ),
            models.CheckConstraint(
                condition=~Q(settlement="no_entry")
                | Q(entry_price__isnull=True, exit_price__isnull=True),
                name="accuracy_no_entry_has_no_price",
            ),
            models.CheckConstraint(
                condition=Q(counts_as_skill=True, no_skill_reason="")
                | Q(counts_as_skill=False) & ~Q(no_skill_reason=""),
                name="accuracy_no_skill_says_why",
            ),
            models.CheckConstraint(
                condition=Q(entry_price__isnull=True) | Q(entry_price__gt=0),
                name="accuracy_entry_above_zero",
            ),
            models.CheckConstraint(
                condition=Q(return_horizon__isnull=True) | Q(return_horizon__gte=-1),
                name="accuracy_loses_no_more_than_all",
            ),
            models.CheckConstraint(
                condition=Q(p_calibrated__isnull=True) | Q(p_calibrated__range=(0, 1)),
                name="accuracy_p_calibrated_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(brier__isnull=True) | Q(brier__range=(0, 1)),
                name="accuracy_brier_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(log_loss__isnull=True) | Q(log_loss__gte=0),
                name="accuracy_log_loss_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="accuracy_source_known"
            ),
        ]
        indexes = [
            models.Index(fields=["settled_session"], name="accuracy_settled_session"),
            models.Index(fields=["source", "settlement"], name="accuracy_source_settlement"),
            models.Index(fields=["source"], condition=Q(is_final=False), name="accuracy_not_final"),
        ]

    def __str__(self) -> str:
        return f"{self.thesis_id}: {self.settlement}"
