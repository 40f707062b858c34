"""What Claude was asked and what it cost: a ledger of calls and a budget per day (design §9)."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from analytics.models.thesis_records import ThesisRequest

MICRO = Decimal(1_000_000)


class ThesisBudget(models.Model):
    """What is held of one day's budget: calls under way at their upper bound, ended ones as billed.

    A call takes its part before it is made, in one statement that compares with the limit, so
    workers together cannot overrun it. A call whose worker died keeps its upper bound.
    """

    day = models.DateField(unique=True, help_text="UTC")
    tokens_held = models.PositiveBigIntegerField("tokens, spent and reserved", default=0)
    microdollars_held = models.PositiveBigIntegerField(
        "millionths of a dollar, spent and reserved", default=0
    )

    class Meta:
        verbose_name = "budget of a day"
        verbose_name_plural = "budgets by day"
        constraints = [
            models.CheckConstraint(
                condition=Q(tokens_held__gte=0, microdollars_held__gte=0),
                name="budget_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return str(self.day)

    @property
    def usd_held(self) -> Decimal:
        """Spent and reserved, in dollars."""
        return Decimal(self.microdollars_held) / MICRO


class CallState(models.TextChoices):
    RESERVED = "reserved", "under way"
    SETTLED = "settled", "billed"
    UNBILLED = "unbilled", "not billed"
    UNKNOWN = "unknown", "counted in full: what was billed is not known"


class CallPurpose(models.TextChoices):
    THESIS = "thesis", "thesis"
    REPAIR = "repair", "repair"
    REPLAY = "replay", "replay"


class ClaudeCall(models.Model):
    """One call of the API: what was reserved for it, what it took, how it ended."""

    budget = models.ForeignKey(ThesisBudget, models.PROTECT, related_name="calls")
    request = models.ForeignKey(
        ThesisRequest, models.PROTECT, null=True, blank=True, related_name="calls"
    )
    purpose = models.CharField(max_length=8, choices=CallPurpose, default=CallPurpose.THESIS)
    model_id = models.CharField("model", max_length=80)
    state = models.CharField(max_length=10, choices=CallState, default=CallState.RESERVED)
    tokens_reserved = models.PositiveIntegerField()
    usd_reserved = models.DecimalField("reserved [USD]", max_digits=12, decimal_places=6)
    tokens_in = models.PositiveIntegerField(
        null=True, blank=True, help_text="all input, with what was written to and read from cache"
    )
    tokens_out = models.PositiveIntegerField(null=True, blank=True)
    tokens_cache_write = models.PositiveIntegerField(null=True, blank=True)
    tokens_cache_read = models.PositiveIntegerField(null=True, blank=True)
    cost_usd = models.DecimalField(
        "cost [USD]", max_digits=12, decimal_places=6, null=True, blank=True
    )
    ended_as = models.CharField(max_length=40, blank=True, help_text="stop reason or error")
    provider_id = models.CharField("request id of the provider", max_length=80, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "call of Claude"
        verbose_name_plural = "calls of Claude"
        constraints = [
            models.CheckConstraint(
                condition=Q(state=CallState.RESERVED, finished_at__isnull=True)
                | Q(state__in=["settled", "unbilled", "unknown"], finished_at__isnull=False),
                name="call_finished_when_it_says_so",
            ),
            models.CheckConstraint(
                condition=~Q(state=CallState.SETTLED)
                | Q(tokens_in__isnull=False, tokens_out__isnull=False, cost_usd__isnull=False),
                name="call_settled_with_its_usage",
            ),
        ]
        indexes = [models.Index(fields=["-started_at"], name="call_newest")]

    def __str__(self) -> str:
        return f"{self.model_id} {self.started_at:%Y-%m-%d %H:%M}"
