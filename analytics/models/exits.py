"""Stage exits: rules of selling that people define beside the named ones (design §13)."""

from typing import Self

from django.db import models
from django.db.models import F, Q

LONGEST = 30  # sessions that a rule may hold


class ExitRuleQuerySet(models.QuerySet["ExitRule"]):
    def active(self) -> Self:
        return self.filter(active=True)

    def by_name(self) -> Self:
        return self.order_by("name", "pk")


class ExitRule(models.Model):
    """When to sell. Frozen once a report has used it; change it by making another.

    Fractions of the entry fill: a stop of 0.15 sells at -15 %. What nothing sold is sold at the
    close of the horizon.
    """

    name = models.CharField(max_length=60, unique=True)
    horizon = models.PositiveSmallIntegerField(
        "horizon [sessions]", default=14, help_text="held at most, the entry's session included"
    )
    stop = models.FloatField("stop [fraction]", null=True, blank=True)
    trail = models.FloatField(
        "trailing stop [fraction]", null=True, blank=True, help_text="from the highest close before"
    )
    target_1 = models.FloatField("first target [fraction]", null=True, blank=True)
    fraction_1 = models.FloatField("sold at the first target", null=True, blank=True)
    target_2 = models.FloatField("second target [fraction]", null=True, blank=True)
    fraction_2 = models.FloatField("sold at the second target", null=True, blank=True)
    time_stop = models.PositiveSmallIntegerField(
        "time stop [sessions]",
        null=True,
        blank=True,
        help_text="from this session on, a close at or below the entry ends it",
    )
    active = models.BooleanField(default=True, help_text="replayed by the next report")

    objects = ExitRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(horizon__range=(1, LONGEST)), name="exit_rule_horizon_1_to_30"
            ),
            models.CheckConstraint(
                condition=Q(stop__isnull=True) | Q(stop__gt=0, stop__lt=1),
                name="exit_rule_stop_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(trail__isnull=True) | Q(trail__gt=0, trail__lt=1),
                name="exit_rule_trail_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(target_1__isnull=True, fraction_1__isnull=True)
                | Q(
                    target_1__isnull=False,
                    fraction_1__isnull=False,
                    target_1__gt=0,
                    fraction_1__gt=0,
                    fraction_1__lte=1,
                ),
                name="exit_rule_first_target_with_its_fraction",
            ),
            models.CheckConstraint(
                condition=Q(target_2__isnull=True, fraction_2__isnull=True)
                | Q(
                    target_1__isnull=False,
                    target_2__isnull=False,
                    fraction_2__isnull=False,
                    target_2__gt=F("target_1"),
                    fraction_2__gt=0,
                    fraction_2__lte=1.000001 - F("fraction_1"),
                ),
                name="exit_rule_second_target_above_the_first",
            ),
            models.CheckConstraint(
                condition=Q(time_stop__isnull=True)
                | Q(time_stop__gte=1, time_stop__lt=F("horizon")),
                name="exit_rule_time_stop_before_the_horizon",
            ),
        ]

    def __str__(self) -> str:
        return self.name
