"""Stage portfolio: orders with a person in the loop (design §10, §14).

Rules propose; a permitted person confirms; one proposal gives at most one order; its
``client_order_id`` is stored before anything is sent. What happened is appended as events.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analytics.models import Candidate, Source, Thesis
from analytics.models.frozen import AppendOnly, FrozenQuerySet
from performance.models import amounts
from performance.models.ledger import Side
from performance.models.portfolio import Account


class ProposalKind(models.TextChoices):
    CLOSE = "close", "close a position"
    STOP = "stop", "set the stop of the thesis"
    ENTER = "enter", "enter a candidate"


class ProposalState(models.TextChoices):
    OPEN = "open", "waits for a person"
    REFUSED = "refused", "refused by a limit"
    CONFIRMED = "confirmed", "confirmed"
    DECLINED = "declined", "declined"
    EXPIRED = "expired", "expired"


class OrderType(models.TextChoices):
    MARKET = "market", "market"
    LIMIT = "limit", "limit"
    STOP = "stop", "stop"


class TimeInForce(models.TextChoices):
    DAY = "day", "day"
    GTC = "gtc", "good till cancelled"


PRICES_FIT = (
    Q(order_type=OrderType.MARKET, limit_price__isnull=True, stop_price__isnull=True)
    | Q(order_type=OrderType.LIMIT, limit_price__isnull=False, stop_price__isnull=True)
    & Q(limit_price__gt=0)
    | Q(order_type=OrderType.STOP, limit_price__isnull=True, stop_price__isnull=False)
    & Q(stop_price__gt=0)
)


class ProposalQuerySet(models.QuerySet["OrderProposal"]):
    def waiting(self) -> Self:
        return self.filter(state=ProposalState.OPEN)


class OrderProposal(models.Model):
    """An order that a rule suggests. Nothing is sent until a permitted person confirms it."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="proposals")
    key = models.CharField(
        max_length=120, help_text="what it is for; the same intent is proposed once"
    )
    kind = models.CharField(max_length=6, choices=ProposalKind)
    symbol = models.CharField(max_length=16)
    side = models.CharField(max_length=4, choices=Side)
    quantity = amounts.shares("quantity [shares]")
    order_type = models.CharField(max_length=6, choices=OrderType)
    limit_price = amounts.maybe_price("limit [USD]")
    stop_price = amounts.maybe_price("stop [USD]")
    stop_loss = amounts.maybe_price(
        "stop after the entry [USD]", help_text="sent with the entry; works once it is filled"
    )
    time_in_force = models.CharField(max_length=3, choices=TimeInForce, default=TimeInForce.DAY)
    reason = models.CharField(max_length=300, help_text="why the rule proposes it")
    risk = models.CharField(max_length=300, help_text="what it may cost")
    evidence = models.JSONField(default=dict, help_text="the figures it rests on")
    state = models.CharField(max_length=9, choices=ProposalState, default=ProposalState.OPEN)
    refusal = models.CharField(max_length=300, blank=True, help_text="which limit refused it")
    candidate = models.ForeignKey(
        Candidate, models.PROTECT, null=True, blank=True, related_name="proposals"
    )
    thesis = models.ForeignKey(
        Thesis, models.PROTECT, null=True, blank=True, related_name="proposals"
    )
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="proposal_once_per_intent"),
            models.CheckConstraint(
                condition=Q(kind__in=ProposalKind.values), name="proposal_kind_known"
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="proposal_side_known"),
            models.CheckConstraint(condition=PRICES_FIT, name="proposal_prices_fit_its_type"),
            models.CheckConstraint(
                condition=Q(time_in_force__in=TimeInForce.values), name="proposal_tif_known"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0) & (Q(quantity__gt=0) | Q(state="refused")),
                name="proposal_of_some_shares",
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(risk=""), name="proposal_says_why_and_at_what_risk"
            ),
            models.CheckConstraint(
                condition=Q(state=ProposalState.OPEN, refusal="", decided_at__isnull=True)
                | Q(state=ProposalState.REFUSED) & ~Q(refusal="")
                | Q(state=ProposalState.EXPIRED, refusal="")
                | Q(state__in=["confirmed", "declined"], refusal="")
                & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="proposal_state_fits",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("proposed_at")), name="proposal_expires_later"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="proposal_source_known"
            ),
        ]
        indexes = [models.Index(fields=["source", "state"], name="proposal_source_state")]
        permissions = [("confirm_orderproposal", "Can confirm proposals: sends orders")]

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol}: {self.side} {self.quantity:f}"


class OrderState(models.TextChoices):
    """Ours, beside the broker's own status."""

    PREPARED = "prepared", "prepared, not sent"
    SENDING = "sending", "being sent"
    UNKNOWN = "unknown", "sent, no answer: has to be asked for"
    WORKING = "working", "at the broker"
    FILLED = "filled", "filled"
    CANCELLED = "cancelled", "cancelled or expired"
    REJECTED = "rejected", "rejected"
    NEVER_ARRIVED = "never_arrived", "the broker does not know it"
    STOPPED = "stopped", "not sent: trading was halted"


FINAL = (
    OrderState.FILLED,
    OrderState.CANCELLED,
    OrderState.REJECTED,
    OrderState.NEVER_ARRIVED,
    OrderState.STOPPED,
)


class OrderQuerySet(models.QuerySet["BrokerOrder"]):
    def unfinished(self) -> Self:
        return self.exclude(state__in=FINAL)


class BrokerOrder(models.Model):
    """The one order of a confirmed proposal. ``client_order_id`` is stored before it is sent."""

    proposal = models.OneToOneField(OrderProposal, models.PROTECT, related_name="order")
    client_order_id = models.CharField(max_length=128, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="orders")
    symbol = models.CharField(max_length=16)
    side = models.CharField(max_length=4, choices=Side)
    quantity = amounts.shares("quantity [shares]")
    order_type = models.CharField(max_length=6, choices=OrderType)
    limit_price = amounts.maybe_price("limit [USD]")
    stop_price = amounts.maybe_price("stop [USD]")
    stop_loss = amounts.maybe_price("stop after the entry [USD]")
    time_in_force = models.CharField(max_length=3, choices=TimeInForce)
    state = models.CharField(max_length=13, choices=OrderState, default=OrderState.PREPARED)
    broker_id = models.CharField("the broker's id", max_length=64, blank=True)
    broker_status = models.CharField("the broker's status", max_length=32, blank=True)
    filled_quantity = amounts.shares("filled [shares]", default=0)
    filled_price = amounts.maybe_price("mean fill [USD]")
    message = models.CharField(max_length=300, blank=True, help_text="of the broker, or of us")
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="confirmed_orders"
    )
    confirmed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField("last asked for", null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(client_order_id=""), name="order_has_a_client_order_id"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OrderState.values), name="order_state_known"
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="order_side_known"),
            models.CheckConstraint(condition=PRICES_FIT, name="order_prices_fit_its_type"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, filled_quantity__gte=0)
                & Q(filled_quantity__lte=F("quantity")),
                name="order_fills_no_more_than_it_is",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["prepared", "stopped"], sent_at__isnull=True)
                | ~Q(state__in=["prepared", "stopped"]) & Q(sent_at__isnull=False),
                name="order_sent_when_it_left",
            ),
            models.CheckConstraint(
                condition=Q(state__in=FINAL, finished_at__isnull=False)
                | ~Q(state__in=FINAL) & Q(finished_at__isnull=True),
                name="order_finished_in_a_final_state",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="order_source_known"
            ),
        ]
        indexes = [models.Index(fields=["state"], name="order_state")]
        permissions = [("cancel_brokerorder", "Can ask the broker to cancel orders")]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity:f} {self.symbol}: {self.state}"


class OrderEvent(AppendOnly):
    """The audit trail: who did what to a proposal or its order, and when. Never changed."""

    proposal = models.ForeignKey(OrderProposal, models.PROTECT, related_name="events")
    what = models.CharField(max_length=40)
    text = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="blank: the machine",
    )
    at = models.DateTimeField()

    objects = FrozenQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(what=""), name="order_event_says_what")]
        indexes = [models.Index(fields=["proposal", "at"], name="order_event_trail")]

    def __str__(self) -> str:
        return f"{self.what} at {self.at}"


class TradingSwitch(models.Model):
    """The kill switch: one row. While it says halted, nothing is sent, whoever confirms."""

    is_halted = models.BooleanField("halted", default=False)
    reason = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name_plural = "trading switch"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="switch_is_one_row"),
            models.CheckConstraint(
                condition=Q(is_halted=False) | ~Q(reason=""), name="switch_halted_says_why"
            ),
        ]
        permissions = [("halt_trading", "Can halt and resume trading")]

    def __str__(self) -> str:
        return "halted" if self.is_halted else "on"
