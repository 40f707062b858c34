"""Stage risk: the ledger of broken rules. A breach is written once and stays (design §14)."""

from django.db import models
from django.db.models import Q

from analytics.models import Source
from performance.models.portfolio import Account


class BrokenRule(models.TextChoices):
    """What can be broken; as ``calc.compliance.Rule``."""

    OVERSIZE = "oversize", "over the size limit"
    LATE_STOP = "late_stop", "stop late or missing"
    CHASED = "chased", "entry more than 10 % above the signal"
    BEYOND_STOP = "beyond_stop", "loss beyond the stop"
    NO_THESIS = "no_thesis", "no thesis"


class RuleBreach(models.Model):
    """One rule that one trade broke, with what was measured. Once per trade and rule.

    A trade is named by its account, symbol and instant of opening: trades are rebuilt at will.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="breaches")
    rule = models.CharField(max_length=12, choices=BrokenRule)
    symbol = models.CharField(max_length=16)
    opened_at = models.DateTimeField("trade opened at")
    session = models.DateField(help_text="in which it was found")
    measured = models.FloatField(
        null=True, blank=True, help_text="fraction; late stop: sessions; blank: yes or no"
    )
    allowed = models.FloatField(null=True, blank=True, help_text="the limit, in the same unit")
    text = models.CharField("evidence", max_length=200)
    evidence = models.JSONField(default=dict, help_text="the figures behind it")
    found_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        verbose_name_plural = "rule breaches"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "rule", "symbol", "opened_at"], name="breach_once"
            ),
            models.CheckConstraint(
                condition=Q(rule__in=BrokenRule.values), name="breach_rule_known"
            ),
            models.CheckConstraint(
                condition=Q(measured__isnull=True, allowed__isnull=True)
                | Q(measured__isnull=False, allowed__isnull=False),
                name="breach_measured_against_a_limit",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="breach_has_evidence"),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="breach_source_known"
            ),
        ]
        indexes = [
            models.Index(fields=["source", "-session"], name="breach_source_session"),
            models.Index(fields=["source", "rule"], name="breach_source_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.symbol} on {self.session}"
