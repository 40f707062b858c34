"""Stage portfolio: the ledger. What happened is appended and never changed (design §10).

Money is Decimal USD to the cent, prices have six decimals, shares nine. A mistake is put right
by a row that corrects it; accounts, lots, trades and equity are derived from these rows.
"""

from typing import Self

from django.db import models
from django.db.models import F, Q

from analytics.models import Candidate, Source, Thesis
from analytics.models.frozen import AppendOnly, FrozenQuerySet
from performance.models import amounts
from performance.models.portfolio import Account


class Side(models.TextChoices):
    BUY = "buy", "buy"
    SELL = "sell", "sell"


class Origin(models.TextChoices):
    """How a row came in."""

    ALPACA = "alpaca", "Alpaca"
    CSV = "csv", "CSV file"
    ADMIN = "admin", "entered by hand"
    SIMULATED = "simulated", "SIMULATED"


class FillKind(models.TextChoices):
    FILL = "fill", "fill"
    CORRECTION = "correction", "correction"
    CANCELLATION = "cancellation", "cancellation"


class FillQuerySet(FrozenQuerySet["Fill"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class Fill(AppendOnly):
    """Shares that changed hands. Append-only: a correction or cancellation is a row of its own.

    What counts is the last row of a chain: a correction stands for what it corrects, a
    cancellation takes it away. One row is corrected at most once.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="fills")
    broker_id = models.CharField(
        "the broker's id", max_length=128, help_text="or a key of the content: unique in an account"
    )
    kind = models.CharField(max_length=12, choices=FillKind, default=FillKind.FILL)
    corrects = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="corrected_by"
    )
    symbol = models.CharField(max_length=16)
    side = models.CharField(max_length=4, choices=Side)
    short_sale = models.BooleanField(
        null=True, blank=True, help_text="the broker marked it as a short sale; blank: not said"
    )
    quantity = amounts.shares("quantity [shares]")
    price = amounts.price("price [USD]")
    fee = models.DecimalField("fee [USD]", max_digits=14, decimal_places=6, default=0)
    executed_at = models.DateTimeField()
    session = models.DateField(help_text="New York session that it counts in")
    order_id = models.CharField(max_length=128, blank=True)
    candidate = models.ForeignKey(
        Candidate, models.PROTECT, null=True, blank=True, related_name="fills"
    )
    thesis = models.ForeignKey(Thesis, models.PROTECT, null=True, blank=True, related_name="fills")
    origin = models.CharField(max_length=12, choices=Origin)
    raw = models.JSONField(default=dict, blank=True, help_text="as it came")
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = FillQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "broker_id"], name="fill_once"),
            models.CheckConstraint(condition=~Q(broker_id=""), name="fill_has_an_id"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, price__gt=0, fee__gte=0), name="fill_amounts_positive"
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="fill_side_known"),
            models.CheckConstraint(
                condition=Q(side=Side.SELL) | Q(short_sale__isnull=True) | Q(short_sale=False),
                name="fill_only_sales_are_short",
            ),
            models.CheckConstraint(
                condition=Q(kind=FillKind.FILL, corrects__isnull=True)
                | Q(kind__in=[FillKind.CORRECTION, FillKind.CANCELLATION])
                & Q(corrects__isnull=False),
                name="fill_correction_names_its_row",
            ),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="fill_origin_known"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="fill_source_known"),
        ]
        indexes = [
            models.Index(fields=["account", "executed_at"], name="fill_account_time"),
            models.Index(fields=["account", "recorded_at"], name="fill_account_recorded"),
            models.Index(fields=["symbol", "session"], name="fill_symbol_session"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity:f} {self.symbol} at {self.price:f}"


class CashKind(models.TextChoices):
    """Deposits, withdrawals and transfers come from outside; the others are results."""

    DEPOSIT = "deposit", "deposit"
    WITHDRAWAL = "withdrawal", "withdrawal"
    TRANSFER = "transfer", "transfer"
    DIVIDEND = "dividend", "dividend"
    INTEREST = "interest", "interest"
    FEE = "fee", "fee"
    TAX = "tax", "tax"
    ADJUSTMENT = "adjustment", "adjustment"


EXTERNAL = (CashKind.DEPOSIT, CashKind.WITHDRAWAL, CashKind.TRANSFER)


class CashMovementQuerySet(FrozenQuerySet["CashMovement"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class CashMovement(AppendOnly):
    """Cash that came or went without a trade. Append-only: put right by a reversing row."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="cash_movements")
    broker_id = models.CharField("the broker's id", max_length=128)
    kind = models.CharField(max_length=12, choices=CashKind)
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reversals"
    )
    amount = amounts.money(
        "amount [USD]", help_text="into the account: positive; out of it: negative"
    )
    symbol = models.CharField(max_length=16, blank=True)
    occurred_at = models.DateTimeField()
    session = models.DateField(help_text="New York session that it counts in")
    note = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=12, choices=Origin)
    raw = models.JSONField(default=dict, blank=True, help_text="as it came")
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = CashMovementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "broker_id"], name="cash_once"),
            models.CheckConstraint(condition=~Q(broker_id=""), name="cash_has_an_id"),
            models.CheckConstraint(condition=~Q(amount=0), name="cash_moves"),
            models.CheckConstraint(condition=Q(kind__in=CashKind.values), name="cash_kind_known"),
            models.CheckConstraint(
                condition=Q(corrects__isnull=False)
                | ~Q(kind__in=[CashKind.DEPOSIT, CashKind.WITHDRAWAL])
                | Q(kind=CashKind.DEPOSIT, amount__gt=0)
                | Q(kind=CashKind.WITHDRAWAL, amount__lt=0),
                name="cash_direction_fits_its_kind",
            ),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="cash_origin_known"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="cash_source_known"),
        ]
        indexes = [models.Index(fields=["account", "session"], name="cash_account_session")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class ActionKind(models.TextChoices):
    SPLIT = "split", "split"
    DELISTING = "delisting", "delisting"
    SYMBOL_CHANGE = "symbol_change", "symbol change"
    TRANSFER_IN = "transfer_in", "shares transferred in"
    TRANSFER_OUT = "transfer_out", "shares transferred out"
    CANCELLATION = "cancellation", "cancellation of an action"


class CorporateActionQuerySet(FrozenQuerySet["CorporateAction"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class CorporateAction(AppendOnly):
    """What happened to shares while they were held. Append-only.

    A split and a symbol change take effect before the session opens, a delisting after it
    closes.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="corporate_actions")
    broker_id = models.CharField("the broker's id", max_length=128)
    kind = models.CharField(max_length=14, choices=ActionKind)
    corrects = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="corrected_by",
        help_text="the row that this one cancels or stands for",
    )
    symbol = models.CharField(max_length=16)
    session = models.DateField()
    ratio = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        blank=True,
        help_text="split: new shares for one old share; 0.1 for one-for-ten",
    )
    quantity = amounts.maybe_shares(
        "quantity [shares]",
        help_text="transfers: shares moved; split: shares held after it, if fractions were paid",
    )
    price = amounts.maybe_price(
        "value a share [USD]",
        help_text="delisting: recovered a share, 0 if worthless, blank: the last trade; "
        "transfer: value at which the shares moved",
    )
    amount = amounts.money("cash in lieu of fractions [USD]", default=0)
    new_symbol = models.CharField(max_length=16, blank=True)
    note = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=12, choices=Origin)
    raw = models.JSONField(default=dict, blank=True, help_text="as it came")
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    objects = CorporateActionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "broker_id"], name="action_once"),
            models.CheckConstraint(condition=~Q(broker_id=""), name="action_has_an_id"),
            models.CheckConstraint(
                condition=Q(kind=ActionKind.SPLIT, ratio__isnull=False, ratio__gt=0)
                & Q(new_symbol="")
                | Q(kind=ActionKind.DELISTING, ratio__isnull=True, quantity__isnull=True)
                & Q(new_symbol="")
                | Q(kind=ActionKind.SYMBOL_CHANGE, ratio__isnull=True, quantity__isnull=True)
                & ~Q(new_symbol="")
                & ~Q(new_symbol=F("symbol"))
                | Q(kind=ActionKind.TRANSFER_IN, ratio__isnull=True, quantity__isnull=False)
                & Q(price__isnull=False, new_symbol="")
                | Q(kind=ActionKind.TRANSFER_OUT, ratio__isnull=True, quantity__isnull=False)
                & Q(new_symbol="")
                | Q(kind=ActionKind.CANCELLATION, corrects__isnull=False),
                name="action_has_what_its_kind_needs",
            ),
            models.CheckConstraint(
                condition=(Q(quantity__isnull=True) | Q(quantity__gt=0) | Q(kind="split"))
                & (Q(quantity__isnull=True) | Q(quantity__gte=0))
                & (Q(price__isnull=True) | Q(price__gte=0))
                & (Q(amount=0) | Q(kind="split")),
                name="action_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=Origin.values), name="action_origin_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="action_source_known"
            ),
        ]
        indexes = [models.Index(fields=["account", "session"], name="action_account_session")]

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol} on {self.session}"
