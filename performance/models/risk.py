"""Stage risk: what a position or an account could lose (design §14)."""

from django.db import models
from django.db.models import Q

from analytics.models import Source
from performance.models.portfolio import Account, Position


class RiskAdvice(models.TextChoices):
    HOLD = "HOLD", "hold"
    TRIM = "TRIM", "trim"
    LIQUIDATE = "LIQUIDATE", "liquidate"


class RiskAssessment(models.Model):
    """One session's risk of one position, or of a whole account. Unknown figures stay null."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="risks")
    position = models.ForeignKey(
        Position,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="risks",
        help_text="blank: the whole account",
    )
    session = models.DateField()
    weight = models.FloatField("weight [fraction of equity]", null=True, blank=True)
    size_limit = models.FloatField("size limit [fraction of equity]", null=True, blank=True)
    is_oversize = models.BooleanField(null=True, blank=True)
    unrealised = models.FloatField("open return [fraction]", null=True, blank=True)
    stop_distance = models.FloatField("stop distance [fraction]", null=True, blank=True)
    money_at_risk = models.DecimalField(
        "money at risk to the stop [USD]", max_digits=14, decimal_places=2, null=True, blank=True
    )
    days_to_exit = models.FloatField(
        "sessions to exit at 10 % of dollar volume", null=True, blank=True
    )
    volatility = models.FloatField("volatility, annual [fraction]", null=True, blank=True)
    sector = models.CharField(max_length=80, blank=True)
    var_95 = models.FloatField("VaR 95 %, 1 session [fraction]", null=True, blank=True)
    cvar_95 = models.FloatField("CVaR 95 %, 1 session [fraction]", null=True, blank=True)
    beta = models.FloatField("beta to SPY", null=True, blank=True)
    max_drawdown = models.FloatField("max drawdown [fraction]", null=True, blank=True)
    sector_hhi = models.FloatField("sector concentration [HHI, 0-1]", null=True, blank=True)
    name_hhi = models.FloatField("name concentration [HHI, 0-1]", null=True, blank=True)
    mean_correlation = models.FloatField("mean correlation", null=True, blank=True)
    advice = models.CharField(max_length=10, choices=RiskAdvice, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="for the advice, or for nulls")
    assessed_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        db_table = "risk_assessments"
        constraints = [
            models.UniqueConstraint(
                fields=["position", "session"],
                condition=Q(position__isnull=False),
                name="risk_one_per_position_session",
            ),
            models.UniqueConstraint(
                fields=["account", "session"],
                condition=Q(position__isnull=True),
                name="risk_one_per_account_session",
            ),
            models.CheckConstraint(
                condition=Q(position__isnull=False)
                & Q(var_95__isnull=True, beta__isnull=True, name_hhi__isnull=True)
                | Q(position__isnull=True, weight__isnull=True, advice=""),
                name="risk_of_a_position_or_an_account",
            ),
            models.CheckConstraint(
                condition=Q(advice__in=[*RiskAdvice.values, ""]), name="risk_advice_known"
            ),
            models.CheckConstraint(
                condition=(Q(sector_hhi__isnull=True) | Q(sector_hhi__range=(0, 1)))
                & (Q(name_hhi__isnull=True) | Q(name_hhi__range=(0, 1)))
                & (Q(mean_correlation__isnull=True) | Q(mean_correlation__range=(-1, 1))),
                name="risk_figures_in_range",
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="risk_source_known"),
        ]
        indexes = [models.Index(fields=["-session"], name="risk_session")]

    def __str__(self) -> str:
        return f"{self.position or self.account} on {self.session}"
