"""Stage portfolio: what is derived from the ledger, and what does not fit it (design §10).

Lots and equity are rebuilt at will; differences and findings stand until they are resolved.
"""

from decimal import Decimal
from typing import Final, Self

from django.db import models
from django.db.models import F, Q

from analytics.models import Source
from performance.models import amounts
from performance.models.ledger import CorporateAction, Fill
from performance.models.portfolio import Account, Trade, TradeSide

HALF_A_CENT: Final = Decimal("0.005")  # SQLite adds in floating point


class Lot(models.Model):
    """Shares entered together, first in, first out. Quantities are as they are after splits.

    ``cost`` is what entering cost (long) or brought (short), after fees; ``unit_cost`` is that
    a share, rounded: sums are taken of ``cost``.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="lots")
    trade = models.ForeignKey(Trade, models.CASCADE, related_name="lots")
    symbol = models.CharField(max_length=16)
    side = models.CharField(max_length=5, choices=TradeSide)
    opening_fill = models.ForeignKey(
        Fill, models.PROTECT, null=True, blank=True, related_name="lots"
    )
    opening_action = models.ForeignKey(
        CorporateAction, models.PROTECT, null=True, blank=True, related_name="lots"
    )
    opened_session = models.DateField()
    quantity = amounts.shares("quantity [shares]")
    remaining = amounts.shares("remaining [shares]")
    cost = amounts.money("cost [USD]")
    cost_remaining = amounts.money("cost of the remaining [USD]")
    unit_cost = amounts.price("unit cost [USD]")
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "opening_fill"], name="lot_once_per_fill"),
            models.UniqueConstraint(
                fields=["account", "opening_action"], name="lot_once_per_transfer"
            ),
            models.CheckConstraint(
                condition=Q(opening_fill__isnull=False, opening_action__isnull=True)
                | Q(opening_fill__isnull=True, opening_action__isnull=False),
                name="lot_names_what_opened_it",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, remaining__gte=0, remaining__lte=F("quantity")),
                name="lot_never_negative",
            ),
            models.CheckConstraint(
                condition=Q(remaining__gt=0) | Q(cost_remaining=0),
                name="lot_emptied_with_its_cost",
            ),
            models.CheckConstraint(condition=Q(side__in=TradeSide.values), name="lot_side_known"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="lot_source_known"),
        ]
        indexes = [
            models.Index(fields=["account", "symbol", "opened_session"], name="lot_account_symbol")
        ]

    def __str__(self) -> str:
        return f"{self.remaining:f} of {self.quantity:f} {self.symbol}"


class LotClose(models.Model):
    """Shares of one lot that left: by a fill, or by a corporate action or transfer."""

    lot = models.ForeignKey(Lot, models.CASCADE, related_name="closes")
    closing_fill = models.ForeignKey(
        Fill, models.PROTECT, null=True, blank=True, related_name="lot_closes"
    )
    closing_action = models.ForeignKey(
        CorporateAction, models.PROTECT, null=True, blank=True, related_name="lot_closes"
    )
    session = models.DateField()
    quantity = amounts.shares("quantity [shares]")
    cost = amounts.money("cost of it [USD]")
    proceeds = amounts.money("proceeds [USD]", help_text="short: what covering cost")
    realised = amounts.money("realised [USD]")
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "closing_fill"], name="close_once_per_fill"),
            models.UniqueConstraint(fields=["lot", "closing_action"], name="close_once_per_action"),
            models.CheckConstraint(
                condition=Q(closing_fill__isnull=False, closing_action__isnull=True)
                | Q(closing_fill__isnull=True, closing_action__isnull=False),
                name="close_names_what_closed_it",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="close_of_some_shares"),
            models.CheckConstraint(
                condition=Q(realised__gt=F("proceeds") - F("cost") - HALF_A_CENT)
                & Q(realised__lt=F("proceeds") - F("cost") + HALF_A_CENT)
                | Q(realised__gt=F("cost") - F("proceeds") - HALF_A_CENT)
                & Q(realised__lt=F("cost") - F("proceeds") + HALF_A_CENT),
                name="close_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="close_source_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:f} for {self.proceeds}"


class EquityDay(models.Model):
    """An account after one session: cash and holdings at that session's closes."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="equity_days")
    session = models.DateField()
    cash = amounts.money("cash [USD]")
    holdings = amounts.money("holdings [USD]", help_text="shorts count negative")
    equity = amounts.money("equity [USD]")
    flow = amounts.money("from outside [USD]", default=0)
    frozen = models.PositiveIntegerField("frozen marks", default=0)
    equity_at_zero = amounts.money("equity with frozen holdings at 0 [USD]")
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "session"], name="equity_once_a_session"),
            models.CheckConstraint(
                condition=Q(equity__gt=F("cash") + F("holdings") - HALF_A_CENT)
                & Q(equity__lt=F("cash") + F("holdings") + HALF_A_CENT),
                name="equity_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(frozen__gt=0) | Q(equity_at_zero=F("equity")),
                name="equity_at_zero_only_if_frozen",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="equity_source_known"
            ),
        ]
        indexes = [models.Index(fields=["source", "session"], name="equity_source_session")]

    def __str__(self) -> str:
        return f"{self.session}: {self.equity}"


class DifferenceQuerySet(models.QuerySet["Difference"]):
    def standing(self) -> Self:
        """Not resolved yet."""
        return self.filter(resolved_at__isnull=True)


class Difference(models.Model):
    """Where the ledger and the broker disagree, to the cent. It stands until they agree."""

    class Kind(models.TextChoices):
        POSITION = "position", "position [shares]"
        CASH = "cash", "cash [USD]"
        EQUITY = "equity", "equity at the broker's close [USD]"

    account = models.ForeignKey(Account, models.PROTECT, related_name="differences")
    kind = models.CharField(max_length=8, choices=Kind)
    symbol = models.CharField(max_length=16, blank=True)
    session = models.DateField(null=True, blank=True)
    ours = amounts.shares("ours")
    theirs = amounts.shares("the broker's")
    difference = amounts.shares("ours less the broker's")
    seen_at = models.DateTimeField(help_text="first seen like this")
    resolved_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source)

    objects = DifferenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "symbol"],
                condition=Q(resolved_at__isnull=True),
                name="difference_one_standing",
            ),
            models.CheckConstraint(condition=~Q(difference=0), name="difference_is_one"),
            models.CheckConstraint(
                condition=Q(kind="position") & ~Q(symbol="")
                | Q(kind__in=["cash", "equity"], symbol=""),
                name="difference_of_a_symbol_or_of_money",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="difference_source_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol}: {self.difference:f}".replace(" :", ":")


class LedgerFindingQuerySet(models.QuerySet["LedgerFinding"]):
    def standing(self) -> Self:
        """Not resolved yet."""
        return self.filter(resolved_at__isnull=True)


class LedgerFinding(models.Model):
    """Something in the ledger that cannot be right, or that a reader must know."""

    class Kind(models.TextChoices):
        FROZEN_QUOTE = "frozen_quote", "frozen quote"
        NO_LISTING = "no_listing", "no listing"
        IMPOSSIBLE_ENTRY = "impossible_entry", "price outside the session's range"
        CONTRADICTION = "contradiction", "contradictory records"
        OVERSOLD = "oversold", "sold more than was held"
        SPLIT_ASSUMED = "split_assumed", "split taken from market data"
        NO_EFFECT = "no_effect", "record without effect"
        UNREADABLE = "unreadable", "record that could not be read"

    class Severity(models.TextChoices):
        INFO = "info", "info"
        WARNING = "warning", "warning"
        ERROR = "error", "error"

    account = models.ForeignKey(Account, models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.CharField(max_length=200, help_text="what it is about: found twice, stored once")
    severity = models.CharField(max_length=8, choices=Severity)
    symbol = models.CharField(max_length=16, blank=True)
    session = models.DateField(null=True, blank=True)
    text = models.CharField(max_length=300)
    fill = models.ForeignKey(Fill, models.PROTECT, null=True, blank=True, related_name="findings")
    found_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source)

    objects = LedgerFindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "key"], name="ledger_finding_once"),
            models.CheckConstraint(
                condition=Q(severity__in=["info", "warning", "error"]),
                name="ledger_finding_severity_known",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="ledger_finding_source_known"
            ),
        ]
        indexes = [models.Index(fields=["symbol", "session"], name="ledger_finding_symbol")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.symbol} {self.session or ''}".strip()
