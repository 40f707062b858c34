"""Stage metrics: performance figures with their evidence (design §1, §11)."""

from django.db import models
from django.db.models import F, Q

from analytics.models import Source
from performance.models.portfolio import Account

SINCE_INCEPTION = 0  # the window that begins with the first trade


class Weighting(models.TextChoices):
    EQUAL = "equal", "each trade alike"
    CAPITAL = "capital", "by capital"


class PerformanceMetric(models.Model):
    """One figure over one window: a value with its interval, or the reason for having none.

    ``at_zero`` is the same figure with holdings of a frozen quote valued at 0 (design §11).
    """

    class Status(models.TextChoices):
        OK = "ok", "ok"
        INSUFFICIENT = "insufficient_data", "insufficient data"
        CLAIMED = "claimed", "claimed"
        SIMULATED = "simulated", "SIMULATED"

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="metrics",
        help_text="blank: all accounts of the source together",
    )
    name = models.CharField(max_length=40)
    window_days = models.PositiveSmallIntegerField(
        "window [days]", help_text="calendar days; 0: since the first trade"
    )
    as_of = models.DateField("last session")
    weighting = models.CharField(max_length=8, choices=Weighting, default=Weighting.EQUAL)
    value = models.FloatField(null=True, blank=True, help_text="rates and returns: fractions")
    n = models.PositiveIntegerField(help_text="trades behind it")
    low = models.FloatField("lower bound", null=True, blank=True)
    high = models.FloatField("upper bound", null=True, blank=True)
    level = models.FloatField(default=0.95, help_text="of the interval")
    frozen = models.PositiveIntegerField(default=0, help_text="open trades with a frozen quote")
    at_zero = models.FloatField(
        "value with frozen quotes at 0", null=True, blank=True, help_text="blank: none is frozen"
    )
    method = models.CharField(max_length=160, blank=True)
    status = models.CharField(max_length=20, choices=Status)
    reason = models.CharField(max_length=200, blank=True)
    computed_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        db_table = "performance_metrics"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name", "window_days", "as_of", "weighting"],
                condition=Q(account__isnull=True),
                name="metric_one_per_window",
            ),
            models.UniqueConstraint(
                fields=["account", "name", "window_days", "as_of", "weighting"],
                condition=Q(account__isnull=False),
                name="metric_one_per_account_window",
            ),
            models.CheckConstraint(
                condition=Q(at_zero__isnull=True) | Q(frozen__gt=0, value__isnull=False),
                name="metric_at_zero_needs_a_frozen_quote",
            ),
            models.CheckConstraint(
                condition=Q(status="insufficient_data", value__isnull=True) & ~Q(reason="")
                | Q(status__in=["ok", "claimed", "simulated"], value__isnull=False),
                name="metric_has_a_value_or_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=True, high__isnull=True)
                | Q(low__isnull=False, high__isnull=False, value__isnull=False)
                & Q(low__lte=F("value"), high__gte=F("value")),
                name="metric_lies_in_its_interval",
            ),
            models.CheckConstraint(
                condition=Q(level__gt=0, level__lt=1), name="metric_level_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(weighting__in=Weighting.values), name="metric_weighting_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="metric_source_known"
            ),
            models.CheckConstraint(
                condition=~Q(source="simulated") | ~Q(status__in=["ok", "claimed"]),
                name="metric_simulated_says_so",
            ),
        ]
        indexes = [
            models.Index(fields=["name", "-as_of"], name="metric_latest"),
            models.Index(fields=["source", "window_days", "-as_of"], name="metric_window"),
        ]

    def __str__(self) -> str:
        return f"{self.name} to {self.as_of}"
