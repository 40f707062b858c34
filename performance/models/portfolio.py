"""Stage portfolio: accounts, trades and positions. Money is Decimal (design §10)."""

from django.db import models
from django.db.models import Q

from analytics.models import Candidate, Source, Thesis


class Account(models.Model):
    """A brokerage account whose trades are scored."""

    class Kind(models.TextChoices):
        PAPER = "paper", "paper"
        LIVE = "live", "live money"

    name = models.CharField(max_length=60)
    broker = models.CharField(max_length=40, blank=True)
    number = models.CharField("account number at the broker", max_length=64, blank=True)
    kind = models.CharField("type", max_length=8, choices=Kind, default=Kind.PAPER)
    opened_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="account_name_once"),
            models.UniqueConstraint(
                fields=["broker", "number"], condition=~Q(number=""), name="account_number_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["paper", "live"]), name="account_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="account_source_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Trade(models.Model):
    """Shares bought and, once closed, sold; derived from fills."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="trades")
    symbol = models.CharField(max_length=16)
    quantity = models.DecimalField("quantity [shares]", max_digits=18, decimal_places=6)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    entry_price = models.DecimalField("entry [USD]", max_digits=14, decimal_places=4)
    exit_price = models.DecimalField(
        "exit [USD]", max_digits=14, decimal_places=4, null=True, blank=True
    )
    fees = models.DecimalField("fees [USD]", max_digits=14, decimal_places=4, default=0)
    candidate = models.ForeignKey(
        Candidate, models.PROTECT, null=True, blank=True, related_name="trades"
    )
    thesis = models.ForeignKey(Thesis, models.PROTECT, null=True, blank=True, related_name="trades")
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, entry_price__gt=0, fees__gte=0),
                name="trade_amounts_positive",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, exit_price__isnull=True)
                | Q(closed_at__isnull=False, exit_price__isnull=False)
                & Q(closed_at__gte=models.F("opened_at"), exit_price__gte=0),
                name="trade_closed_with_its_exit",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="trade_source_known"
            ),
        ]
        indexes = [
            models.Index(fields=["symbol", "opened_at"], name="trade_symbol_opened"),
            models.Index(fields=["account", "opened_at"], name="trade_account_opened"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:g} {self.symbol} at {self.entry_price}"


class Position(models.Model):
    """What an account holds of one symbol, with its last mark."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="positions")
    symbol = models.CharField(max_length=16)
    quantity = models.DecimalField("quantity [shares]", max_digits=18, decimal_places=6)
    average_cost = models.DecimalField("average cost [USD]", max_digits=14, decimal_places=4)
    mark_price = models.DecimalField(
        "mark [USD]", max_digits=14, decimal_places=4, null=True, blank=True
    )
    mark_session = models.DateField("session of the mark", null=True, blank=True)
    stop_price = models.DecimalField(
        "stop [USD]", max_digits=14, decimal_places=4, null=True, blank=True
    )
    updated_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "symbol"], name="position_one_per_symbol"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, average_cost__gte=0), name="position_amounts_positive"
            ),
            models.CheckConstraint(
                condition=Q(mark_price__isnull=True, mark_session__isnull=True)
                | Q(mark_price__isnull=False, mark_session__isnull=False, mark_price__gte=0),
                name="position_mark_names_its_session",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="position_source_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:g} {self.symbol}"
