"""The June-July 2024 baseline: a claim and a target, never a measurement (design §2)."""

from django.db import models
from django.db.models import F, Q

from analytics.models.market import Source


class Baseline(models.Model):
    """A claimed performance that current results are measured against."""

    period = models.CharField(max_length=40, unique=True)
    picks = models.PositiveIntegerField()
    winners = models.PositiveIntegerField()
    explosive = models.PositiveIntegerField(help_text="picks above +50 %")
    average_return = models.FloatField(help_text="fraction: 1.52 is +152 %")
    profit_usd = models.DecimalField("total profit [USD]", max_digits=14, decimal_places=2)
    invested_usd = models.DecimalField("invested [USD]", max_digits=14, decimal_places=2)
    stars = models.JSONField(help_text="best performers: symbol, return, entry and peak if given")
    note = models.TextField(blank=True)
    source = models.CharField(max_length=12, choices=Source, default=Source.CLAIMED)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(winners__lte=F("picks"), explosive__lte=F("picks"), picks__gt=0),
                name="baseline_counts_fit",
            ),
        ]

    def __str__(self) -> str:
        return self.period

    @property
    def win_rate(self) -> float:
        """Winners over picks, a fraction."""
        return self.winners / self.picks

    @property
    def explosive_rate(self) -> float:
        """Picks above +50 % over picks, a fraction."""
        return self.explosive / self.picks
