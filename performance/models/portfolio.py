"""Stage portfolio: accounts, and what the ledger makes of them (design §10)."""

from collections.abc import Iterable
from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q

from analytics.models import Candidate, Source, Thesis
from performance.models import amounts


class Account(models.Model):
    """A brokerage account whose trades are scored."""

    class Kind(models.TextChoices):
        PAPER = "paper", "paper"
        LIVE = "live", "live money"

    name = models.CharField(max_length=60)
    broker = models.CharField(max_length=40, blank=True)
    number = models.CharField("account number at the broker", max_length=64, blank=True)
    broker_account_id = models.CharField("the broker's id", max_length=64, blank=True)
    kind = models.CharField("type", max_length=8, choices=Kind, default=Kind.PAPER)
    currency = models.CharField(max_length=3, default="USD", help_text="only USD is kept")
    is_active = models.BooleanField("active", default=True, help_text="synchronised and scored")
    opened_on = models.DateField(null=True, blank=True)
    synced_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="last complete synchronisation"
    )
    rebuilt_at = models.DateTimeField(null=True, blank=True, editable=False)
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="account_name_once"),
            models.UniqueConstraint(
                fields=["broker", "number"], condition=~Q(number=""), name="account_number_once"
            ),
            models.UniqueConstraint(
                fields=["broker", "broker_account_id"],
                condition=~Q(broker_account_id=""),
                name="account_broker_id_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["paper", "live"]), name="account_kind_known"
            ),
            models.CheckConstraint(condition=Q(currency="USD"), name="account_in_usd"),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="account_source_known"
            ),
        ]
        permissions = [
            ("sync_account", "Can synchronise accounts with the broker"),
            ("rebuild_account", "Can rebuild and reconcile accounts"),
        ]

    def __str__(self) -> str:
        return self.name


class TradeSide(models.TextChoices):
    LONG = "long", "long"
    SHORT = "short", "short"


class TradeStatus(models.TextChoices):
    OPEN = "open", "open"
    CLOSED = "closed", "closed"
    DELISTED = "delisted", "delisted"


class TradeLink(models.TextChoices):
    """How a trade was joined to its candidate and thesis (design §10)."""

    EXPLICIT = "explicit", "stated with the fill"
    NEAREST = "nearest", "latest candidate within 10 sessions before entry"
    NONE = "none", "none"


class TradeQuerySet(models.QuerySet["Trade"]):
    def of(self, sources: Iterable[str]) -> Self:
        return self.filter(source__in=list(sources))

    def open_between(self, first: date | None, last: date | None) -> Self:
        """Open at any time from ``first`` to ``last``, both included; None: without end."""
        found = self
        if last is not None:
            found = found.filter(opened_session__lte=last)
        if first is not None:
            found = found.filter(Q(closed_session__isnull=True) | Q(closed_session__gte=first))
        return found

    def newest_first(self) -> Self:
        return self.order_by("-opened_at", "-pk")


class Trade(models.Model):
    """One round trip of a symbol in an account, from flat to flat; derived from the ledger.

    Long: ``invested`` is what was paid for all shares entered and ``proceeds`` what exits
    brought, both after fees. Short: ``invested`` is what the sale brought after fees and
    ``proceeds`` what covering cost. ``realised`` includes ``income`` (dividends and the like).
    Quantities and entry prices are in shares as they are now, after splits.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="trades")
    symbol = models.CharField(max_length=16, help_text="the last one, if it changed")
    side = models.CharField(max_length=5, choices=TradeSide, default=TradeSide.LONG)
    opening_fill = models.ForeignKey(
        "performance.Fill", models.PROTECT, null=True, blank=True, related_name="trades"
    )
    opening_action = models.ForeignKey(
        "performance.CorporateAction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="trades",
        help_text="shares transferred in",
    )
    quantity = amounts.shares("quantity entered [shares]")
    open_quantity = amounts.shares("still open [shares]", default=0)
    opened_at = models.DateTimeField()
    opened_session = models.DateField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_session = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=TradeStatus, default=TradeStatus.OPEN)
    entry_price = amounts.price("mean entry [USD]", help_text="without fees")
    exit_price = amounts.maybe_price("mean exit [USD]", help_text="without fees")
    fees = models.DecimalField("fees [USD]", max_digits=14, decimal_places=6, default=0)
    invested = amounts.money("invested [USD]", default=0)
    proceeds = amounts.money("proceeds [USD]", default=0)
    income = amounts.money("dividends and the like [USD]", default=0)
    realised = amounts.money("realised [USD]", default=0)
    unrealised = amounts.maybe_money("unrealised [USD]")
    mark_price = amounts.maybe_price("mark [USD]")
    mark_session = models.DateField("session of the mark", null=True, blank=True)
    is_frozen = models.BooleanField(
        "frozen", default=False, help_text="the mark is older than the market"
    )
    return_on_cost = models.FloatField("return on cost [fraction]", null=True, blank=True)
    candidate = models.ForeignKey(
        Candidate, models.PROTECT, null=True, blank=True, related_name="trades"
    )
    thesis = models.ForeignKey(Thesis, models.PROTECT, null=True, blank=True, related_name="trades")
    link = models.CharField(max_length=8, choices=TradeLink, default=TradeLink.NONE)
    source = models.CharField(max_length=12, choices=Source)

    objects = TradeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "opening_fill"], name="trade_once_per_fill"),
            models.UniqueConstraint(
                fields=["account", "opening_action"], name="trade_once_per_transfer"
            ),
            models.CheckConstraint(
                condition=Q(opening_fill__isnull=False, opening_action__isnull=True)
                | Q(opening_fill__isnull=True, opening_action__isnull=False),
                name="trade_names_what_opened_it",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, entry_price__gte=0, fees__gte=0)
                & Q(open_quantity__gte=0, open_quantity__lte=models.F("quantity")),
                name="trade_amounts_positive",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, exit_price__isnull=True)
                & Q(closed_session__isnull=True, open_quantity__gt=0, status="open")
                | Q(closed_at__isnull=False, exit_price__isnull=False)
                & Q(closed_session__isnull=False, open_quantity=0)
                & Q(status__in=["closed", "delisted"])
                & Q(closed_session__gte=models.F("opened_session"), exit_price__gte=0),
                name="trade_closed_with_its_exit",
            ),
            models.CheckConstraint(
                condition=Q(mark_price__isnull=True, mark_session__isnull=True)
                & Q(unrealised__isnull=True, is_frozen=False)
                | Q(mark_price__isnull=False, mark_session__isnull=False)
                & Q(unrealised__isnull=False, mark_price__gte=0, status="open"),
                name="trade_mark_names_its_session",
            ),
            models.CheckConstraint(condition=Q(side__in=TradeSide.values), name="trade_side_known"),
            models.CheckConstraint(
                condition=Q(link="none", candidate__isnull=True, thesis__isnull=True)
                | Q(link="explicit") & (Q(candidate__isnull=False) | Q(thesis__isnull=False))
                | Q(link="nearest", candidate__isnull=False),
                name="trade_link_names_its_row",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="trade_source_known"
            ),
        ]
        indexes = [
            models.Index(fields=["symbol", "opened_at"], name="trade_symbol_opened"),
            models.Index(fields=["account", "opened_at"], name="trade_account_opened"),
            models.Index(fields=["source", "opened_session"], name="trade_source_opened"),
            models.Index(fields=["source", "closed_session"], name="trade_source_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:f} {self.symbol} at {self.entry_price:f}"


class Position(models.Model):
    """What an account holds of one symbol, with its last mark; derived from the ledger.

    The stop is the one that works at the broker, as the last synchronisation saw it; a
    rebuild leaves it alone.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="positions")
    trade = models.OneToOneField(
        Trade, models.CASCADE, null=True, blank=True, related_name="position"
    )
    symbol = models.CharField(max_length=16)
    side = models.CharField(max_length=5, choices=TradeSide, default=TradeSide.LONG)
    quantity = amounts.shares("quantity [shares]")
    average_cost = amounts.price("average cost [USD]", help_text="after fees")
    cost = amounts.money("cost of what is held [USD]", default=0)
    mark_price = amounts.maybe_price("mark [USD]")
    mark_session = models.DateField("session of the mark", null=True, blank=True)
    market_value = amounts.maybe_money("market value [USD]", help_text="negative for a short")
    unrealised = amounts.maybe_money("unrealised [USD]")
    is_frozen = models.BooleanField(
        "frozen", default=False, help_text="the mark is older than the market"
    )
    stop_price = amounts.maybe_price("stop [USD]")
    stop_order_id = models.CharField(max_length=128, blank=True, default="", db_default="")
    stop_confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="when the broker last showed the stop as working"
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
                & Q(market_value__isnull=True, unrealised__isnull=True, is_frozen=False)
                | Q(mark_price__isnull=False, mark_session__isnull=False, mark_price__gte=0),
                name="position_mark_names_its_session",
            ),
            models.CheckConstraint(
                condition=Q(side__in=TradeSide.values), name="position_side_known"
            ),
            models.CheckConstraint(
                condition=~Q(stop_order_id="")
                | Q(stop_order_id="", stop_confirmed_at__isnull=True),
                name="position_confirmed_stop_names_its_order",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="position_source_known"
            ),
        ]
        indexes = [models.Index(fields=["source", "symbol"], name="position_source_symbol")]

    def __str__(self) -> str:
        return f"{self.quantity:f} {self.symbol}"
