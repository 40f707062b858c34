"""Stage timing: how soon and how well a candidate was bought and sold (design §13)."""

from django.db import models
from django.db.models import Q

from analytics.models import Candidate, Source
from performance.models.portfolio import Trade


class TimingAnalysis(models.Model):
    """The timing of one trade against the candidate it came from.

    The one row without a trade is the claimed reference: VIGL, bought at once.
    """

    trade = models.OneToOneField(
        Trade, models.CASCADE, null=True, blank=True, related_name="timing"
    )
    candidate = models.ForeignKey(
        Candidate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="timings",
        help_text="the first of its run of signals",
    )
    symbol = models.CharField(max_length=16)
    signal_session = models.DateField("first signal of the run", null=True, blank=True)
    executable_session = models.DateField(
        "first executable session", null=True, blank=True, help_text="the one after the signal"
    )
    executable_open = models.FloatField(
        "first executable open [USD]",
        null=True,
        blank=True,
        help_text="on the split basis of the end of the trade",
    )
    delay = models.PositiveSmallIntegerField("delay [sessions]")
    entry_cost = models.FloatField(
        "entry cost [fraction]",
        null=True,
        blank=True,
        help_text="fill over the first executable open, less 1; negative is good",
    )
    mfe = models.FloatField("best high while held [fraction]", null=True, blank=True)
    mae = models.FloatField("worst low while held [fraction]", null=True, blank=True)
    post_exit_mfe = models.FloatField(
        "best high, 14 sessions after the exit [fraction]", null=True, blank=True
    )
    exit_efficiency = models.FloatField(
        "exit efficiency [fraction]",
        null=True,
        blank=True,
        help_text="result over the best close from entry to 14 sessions after the exit",
    )
    entry_score = models.FloatField("entry score [0-100]", null=True, blank=True)
    exit_score = models.FloatField("exit score [0-100]", null=True, blank=True)
    delay_cost = models.DecimalField(
        "delay cost [USD]", max_digits=14, decimal_places=2, null=True, blank=True
    )
    profit_taken = models.DecimalField(
        "profit taken [USD]", max_digits=14, decimal_places=2, null=True, blank=True
    )
    left_during = models.DecimalField(
        "left on the table while held [USD]", max_digits=14, decimal_places=2, null=True, blank=True
    )
    left_after = models.DecimalField(
        "left on the table after [USD]", max_digits=14, decimal_places=2, null=True, blank=True
    )
    signal_value = models.DecimalField(
        "cost at the first executable open [USD]",
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
    )
    volatility_20 = models.FloatField(
        "volatility_20 at entry",
        null=True,
        blank=True,
        help_text="as of the session before the entry",
    )
    is_final = models.BooleanField(
        default=False, help_text="closed, and the 14 sessions after the exit are known"
    )
    note = models.CharField(max_length=200, blank=True)
    updated_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        db_table = "market_timing_analysis"
        verbose_name_plural = "timing analyses"
        constraints = [
            models.CheckConstraint(
                condition=Q(source=Source.CLAIMED, trade__isnull=True, candidate__isnull=True)
                | Q(source__in=[Source.LIVE, Source.IMPORTED, Source.SIMULATED])
                & Q(trade__isnull=False, candidate__isnull=False),
                name="timing_only_a_claim_has_no_trade",
            ),
            models.UniqueConstraint(
                fields=["symbol"],
                condition=Q(source=Source.CLAIMED),
                name="timing_one_claim_per_symbol",
            ),
            models.CheckConstraint(
                condition=(Q(entry_score__isnull=True) | Q(entry_score__range=(0, 100)))
                & (Q(exit_score__isnull=True) | Q(exit_score__range=(0, 100))),
                name="timing_scores_0_to_100",
            ),
            models.CheckConstraint(
                condition=(Q(left_during__isnull=True) | Q(left_during__gte=0))
                & (Q(left_after__isnull=True) | Q(left_after__gte=0)),
                name="timing_left_is_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["symbol"], name="timing_symbol"),
            models.Index(fields=["source", "is_final"], name="timing_source_final"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol}: {self.delay} sessions"
