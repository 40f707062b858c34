"""Stage theses: predictions that can be wrong. Frozen when issued (design §9)."""

from django.db import models
from django.db.models import Q

from analytics.models.discovery import Candidate, Pattern
from analytics.models.market import Source


class Recommendation(models.TextChoices):
    BUY = "BUY", "buy"
    HOLD = "HOLD", "hold"
    TRIM = "TRIM", "trim"
    LIQUIDATE = "LIQUIDATE", "liquidate"
    AVOID = "AVOID", "avoid"


class Thesis(models.Model):
    """What an author expects of a symbol, with target, stop and horizon.

    Append-only: ``digest`` is taken over the content and the digest of the
    thesis before it. How it turned out is ``performance.ThesisAccuracy``.
    """

    candidate = models.ForeignKey(
        Candidate, models.PROTECT, null=True, blank=True, related_name="theses"
    )
    symbol = models.CharField(max_length=16)
    session = models.DateField("signal session")
    pattern = models.CharField(max_length=16, choices=Pattern)
    recommendation = models.CharField(max_length=10, choices=Recommendation)
    entry_price = models.DecimalField("entry [USD]", max_digits=14, decimal_places=4)
    target_price = models.DecimalField("target [USD]", max_digits=14, decimal_places=4)
    stop_price = models.DecimalField("stop [USD]", max_digits=14, decimal_places=4)
    horizon = models.PositiveSmallIntegerField("horizon [sessions]")
    p_target = models.FloatField("P(target before stop within the horizon)")
    p_explosive = models.FloatField("P(explosive within 14 sessions)", null=True, blank=True)
    text = models.TextField(blank=True)
    reasons = models.JSONField(default=list, blank=True)
    falsifiers = models.JSONField(
        default=list, blank=True, help_text="machine-checkable conditions"
    )
    data_pack = models.JSONField(
        default=dict, blank=True, help_text="all that the author was given"
    )
    author = models.CharField(
        max_length=80, help_text="claude:<model>, rules:<version> or a person"
    )
    prompt_version = models.CharField(max_length=24, blank=True)
    tokens_in = models.PositiveIntegerField("tokens in", null=True, blank=True)
    tokens_out = models.PositiveIntegerField("tokens out", null=True, blank=True)
    cost_usd = models.DecimalField(
        "cost [USD]", max_digits=10, decimal_places=6, null=True, blank=True
    )
    issued_at = models.DateTimeField()
    digest = models.CharField(max_length=64, unique=True)
    previous = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="following"
    )
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        verbose_name_plural = "theses"
        constraints = [
            models.CheckConstraint(
                condition=Q(pattern__in=Pattern.values), name="thesis_pattern_known"
            ),
            models.CheckConstraint(
                condition=Q(recommendation__in=Recommendation.values),
                name="thesis_recommendation_known",
            ),
            models.CheckConstraint(
                condition=Q(entry_price__gt=0, target_price__gt=0, stop_price__gte=0),
                name="thesis_prices_positive",
            ),
            models.CheckConstraint(
                condition=~Q(recommendation="BUY")
                | Q(target_price__gt=models.F("entry_price"))
                & Q(stop_price__lt=models.F("entry_price")),
                name="thesis_buy_has_its_barriers_in_order",
            ),
            models.CheckConstraint(
                condition=Q(p_target__range=(0, 1))
                & (Q(p_explosive__isnull=True) | Q(p_explosive__range=(0, 1))),
                name="thesis_probabilities_0_to_1",
            ),
            models.CheckConstraint(condition=Q(horizon__gte=1), name="thesis_horizon_ahead"),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="thesis_source_known"
            ),
        ]
        indexes = [
            models.Index(fields=["symbol", "session"], name="thesis_symbol_session"),
            models.Index(fields=["author"], name="thesis_author"),
        ]

    def __str__(self) -> str:
        return f"{self.recommendation} {self.symbol} ({self.session})"
