"""Stage risk: what a position or an account could lose, and what to do with it (design §14).

Positions are rebuilt from the ledger at will, so these rows name the symbol: history stays.
"""

from typing import Self

from django.db import models
from django.db.models import Q

from analytics.models import Source, Thesis
from performance.models import amounts
from performance.models.portfolio import Account


class RiskAdvice(models.TextChoices):
    HOLD = "HOLD", "hold"
    TRIM = "TRIM", "trim"
    LIQUIDATE = "LIQUIDATE", "liquidate"


class RiskQuerySet(models.QuerySet["RiskAssessment"]):
    def of_accounts(self) -> Self:
        return self.filter(symbol="")

    def of_positions(self) -> Self:
        return self.exclude(symbol="")


class RiskAssessment(models.Model):
    """One session's risk of one position, or of a whole account. Unknown figures stay null."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="risks")
    symbol = models.CharField(max_length=16, blank=True, help_text="blank: the whole account")
    session = models.DateField()
    equity = amounts.maybe_money("equity [USD]")
    market_value = amounts.maybe_money("market value [USD]", help_text="negative for a short")
    weight = models.FloatField("weight [fraction of equity]", null=True, blank=True)
    size_limit = models.FloatField("size limit [fraction of equity]", null=True, blank=True)
    is_oversize = models.BooleanField(null=True, blank=True)
    unrealised = models.FloatField("open return [fraction]", null=True, blank=True)
    stop_price = amounts.maybe_price("stop [USD]")
    stop_distance = models.FloatField("stop distance [fraction]", null=True, blank=True)
    money_at_risk = amounts.maybe_money("money at risk to the stop [USD]")
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
    heat = models.FloatField("heat [fraction of equity]", null=True, blank=True)
    gross_exposure = models.FloatField("gross exposure [fraction of equity]", null=True, blank=True)
    is_frozen = models.BooleanField("frozen quote", default=False)
    advice = models.CharField(max_length=10, choices=RiskAdvice, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="for the advice, or for nulls")
    figures = models.JSONField(default=dict, help_text="every figure with its evidence")
    assessed_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = RiskQuerySet.as_manager()

    class Meta:
        db_table = "risk_assessments"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "symbol", "session"], name="risk_once_a_session"
            ),
            models.CheckConstraint(
                condition=~Q(symbol="")
                & Q(var_95__isnull=True, beta__isnull=True, name_hhi__isnull=True)
                | Q(symbol="", weight__isnull=True, advice=""),
                name="risk_of_a_position_or_an_account",
            ),
            models.CheckConstraint(
                condition=Q(advice__in=[*RiskAdvice.values, ""]), name="risk_advice_known"
            ),
            models.CheckConstraint(
                condition=(Q(sector_hhi__isnull=True) | Q(sector_hhi__range=(0, 1)))
                & (Q(name_hhi__isnull=True) | Q(name_hhi__range=(0, 1)))
                & (Q(mean_correlation__isnull=True) | Q(mean_correlation__range=(-1, 1)))
                & (Q(money_at_risk__isnull=True) | Q(money_at_risk__gte=0))
                & (Q(heat__isnull=True) | Q(heat__gte=0)),
                name="risk_figures_in_range",
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="risk_source_known"),
        ]
        indexes = [models.Index(fields=["source", "-session"], name="risk_source_session")]

    def __str__(self) -> str:
        return f"{self.symbol or self.account} on {self.session}"


class StopState(models.TextChoices):
    """Whether the stop works at the broker."""

    WORKING = "working", "works at the broker"
    DIFFERS = "differs", "another price than the thesis says"
    MISSING = "missing", "no stop works"
    UNKNOWN = "unknown", "the broker does not tell"


class PositionAdvice(models.Model):
    """What to do with an open position after one session, by rules, with every reason."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="advice")
    symbol = models.CharField(max_length=16)
    session = models.DateField()
    opened_session = models.DateField(null=True, blank=True)
    advice = models.CharField(max_length=10, choices=RiskAdvice)
    reason = models.CharField(max_length=200, help_text="the strongest")
    reasons = models.JSONField("all reasons", help_text="the strongest first")
    stop_price = amounts.maybe_price("stop of the thesis [USD]")
    stop_state = models.CharField(max_length=8, choices=StopState)
    stop_text = models.CharField(max_length=200)
    target_price = amounts.maybe_price("target of the thesis [USD]")
    held = models.PositiveIntegerField("held [sessions]", null=True, blank=True)
    thesis = models.ForeignKey(
        Thesis, models.PROTECT, null=True, blank=True, related_name="position_advice"
    )
    advised_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        verbose_name_plural = "position advice"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "symbol", "session"], name="position_advice_once_a_session"
            ),
            models.CheckConstraint(
                condition=Q(advice__in=RiskAdvice.values), name="position_advice_known"
            ),
            models.CheckConstraint(
                condition=Q(stop_state__in=StopState.values), name="position_advice_stop_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="position_advice_says_why"),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="position_advice_source_known"
            ),
        ]
        indexes = [models.Index(fields=["source", "-session"], name="advice_source_session")]

    def __str__(self) -> str:
        return f"{self.advice} {self.symbol} on {self.session}"
