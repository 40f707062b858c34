"""Admin of orders: proposals to confirm, orders to cancel, the trail, the kill switch (§14).

Confirming is the only way an order comes about. It takes a permission, a page that shows the
order and its risk, and the symbol typed by hand.
"""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.calc import figures
from analytics.errors import DomainError
from performance.admin.accuracy import AnyOriginFilter
from performance.models import (
    BrokerOrder,
    OrderEvent,
    OrderProposal,
    OrderState,
    ProposalKind,
    ProposalState,
    TradingSwitch,
)
from performance.services import orders, orders_switch

KIND_COLOURS = {
    ProposalKind.CLOSE: "danger",
    ProposalKind.STOP: "warning",
    ProposalKind.ENTER: "info",
}
PROPOSAL_COLOURS = {
    ProposalState.OPEN: "warning",
    ProposalState.REFUSED: "danger",
    ProposalState.CONFIRMED: "success",
    ProposalState.DECLINED: "info",
    ProposalState.EXPIRED: "info",
}
ORDER_COLOURS = {
    OrderState.PREPARED: "info",
    OrderState.SENDING: "warning",
    OrderState.UNKNOWN: "danger",
    OrderState.WORKING: "info",
    OrderState.FILLED: "success",
    OrderState.CANCELLED: "info",
    OrderState.REJECTED: "danger",
    OrderState.NEVER_ARRIVED: "danger",
    OrderState.STOPPED: "warning",
}


class SymbolForm(forms.Form):
    """What keeps a hand from confirming by accident: the symbol has to be typed."""

    symbol = forms.CharField(max_length=16)

    def __init__(self, *args: Any, symbol: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self._wanted = symbol
        self.fields["symbol"].label = f"Type {symbol} to confirm"
        self.fields["symbol"].widget.attrs["autocomplete"] = "off"

    def clean_symbol(self) -> str:
        typed = str(self.cleaned_data["symbol"]).strip().upper()
        if typed != self._wanted:
            raise forms.ValidationError(f"That is not {self._wanted}.")
        return typed


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=200, label="Why")


@admin.register(OrderProposal)
class OrderProposalAdmin(ReadOnlyAdmin):
    actions_detail = ("confirm", "decline")
    date_hierarchy = "proposed_at"
    list_display = (
        "proposed_at",
        columns.plain("account", "account"),
        columns.plain("symbol", "symbol"),
        columns.choice("kind", "what", ProposalKind, KIND_COLOURS),
        columns.plain("side", "side"),
        columns.number("quantity", "shares"),
        columns.choice("state", "state", ProposalState, PROPOSAL_COLOURS),
        "reason",
        "risk",
        "refusal",
        "expires_at",
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "state", "kind", "account")
    list_select_related = ("account",)
    ordering = ("-proposed_at", "-pk")
    search_fields = ("=symbol",)
    story_template = "performance/partials/order_trail.html"

    def story(self, row: Any) -> dict[str, Any]:
        return {"events": list(row.events.select_related("by").order_by("at", "pk"))}

    def has_confirm_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("performance.confirm_orderproposal")

    @action(description="Confirm and send", permissions=["confirm"], icon="send")
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        proposal = self._asked_for(request, object_id)
        form = SymbolForm(request.POST or None, symbol=proposal.symbol)
        if request.method == "POST" and form.is_valid():
            return self._do(
                request, proposal, orders.confirm, "Confirmed. The order is being sent."
            )
        context = {
            "title": f"Confirm: {proposal}",
            "proposal": proposal,
            "form": form,
            "price": figures.money(proposal.limit_price or proposal.stop_price),
            "halted": orders_switch.is_halted(),
        }
        return answer(request, self, "admin/performance/confirm_order.html", context)

    @action(description="Decline", permissions=["confirm"], icon="block")
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        proposal = self._asked_for(request, object_id)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            return self._do(request, proposal, orders.decline, "Declined.", reason=reason)
        context = {
            "title": f"Decline: {proposal}",
            "text": "The proposal is put aside; who did it and why is kept.",
            "button": "Decline",
            "form": form,
        }
        return answer(request, self, "admin/analytics/confirm.html", context)

    def _asked_for(self, request: HttpRequest, object_id: str) -> OrderProposal:
        if not self.has_confirm_permission(request):
            raise PermissionDenied
        found = self.get_object(request, object_id)
        if found is None:
            raise PermissionDenied
        return cast("OrderProposal", found)

    def _do(
        self,
        request: HttpRequest,
        proposal: OrderProposal,
        work: Callable[..., Any],
        said: str,
        **more: Any,
    ) -> HttpResponse:
        """Decide, and go back to the proposal with what came of it."""
        try:
            work(
                proposal_id=proposal.pk,
                user=cast("User", request.user),
                now=timezone.now(),
                **more,
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, said)
        return HttpResponseRedirect(columns.page_url("performance_orderproposal", proposal.pk))


@admin.register(BrokerOrder)
class BrokerOrderAdmin(ReadOnlyAdmin):
    actions_detail = ("cancel",)
    date_hierarchy = "confirmed_at"
    list_display = (
        "confirmed_at",
        columns.plain("account", "account"),
        columns.plain("symbol", "symbol"),
        columns.plain("side", "side"),
        columns.number("quantity", "shares"),
        columns.number("filled_quantity", "filled"),
        columns.money("filled_price", "mean fill"),
        columns.choice("state", "state", OrderState, ORDER_COLOURS),
        columns.plain("broker_status", "the broker says"),
        "message",
        columns.plain("confirmed_by", "confirmed by"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "state", "account")
    list_select_related = ("account", "confirmed_by")
    ordering = ("-confirmed_at", "-pk")
    search_fields = ("=symbol", "=client_order_id", "=broker_id")
    story_template = "performance/partials/order_trail.html"

    def story(self, row: Any) -> dict[str, Any]:
        events = OrderEvent.objects.filter(proposal=row.proposal_id).select_related("by")
        return {"events": list(events.order_by("at", "pk"))}

    def has_cancel_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("performance.cancel_brokerorder")

    @action(description="Cancel", permissions=["cancel"], icon="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        order = self.get_object(request, object_id)
        if order is None:
            raise PermissionDenied
        if request.method != "POST":
            context = {
                "title": f"Cancel: {order}",
                "text": "The broker is asked to cancel. It may be filled before that.",
                "button": "Cancel the order",
            }
            return answer(request, self, "admin/analytics/confirm.html", context)
        try:
            orders.request_cancel(
                order_id=order.pk, user=cast("User", request.user), now=timezone.now()
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "Asked for; the state of the order will say what came of it.")
        return HttpResponseRedirect(columns.page_url("performance_brokerorder", order.pk))


@admin.register(OrderEvent)
class OrderEventAdmin(ReadOnlyAdmin):
    date_hierarchy = "at"
    list_display = (
        "at",
        columns.plain("proposal", "proposal"),
        "what",
        "text",
        columns.plain("by", "by (blank: the machine)"),
    )
    list_filter = ("what",)
    list_select_related = ("proposal", "by")
    ordering = ("-at", "-pk")
    search_fields = ("=proposal__symbol", "text")
    source_path = "proposal__source"


@admin.register(TradingSwitch)
class TradingSwitchAdmin(ReadOnlyAdmin):
    actions_list = ("halt", "resume")
    list_display = (
        columns.yes("is_halted", "halted"),
        "reason",
        "changed_at",
        columns.plain("changed_by", "by"),
    )
    list_select_related = ("changed_by",)
    ordering = ("pk",)
    source_path = ""

    def has_halt_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("performance.halt_trading")

    @action(description="Halt trading", permissions=["halt"], icon="front_hand")
    def halt(self, request: HttpRequest) -> HttpResponse:
        text = "Nothing is sent any more, whoever confirms. Orders at the broker stay."
        return self._turn(request, halted=True, title="Halt trading", text=text)

    @action(description="Resume trading", permissions=["halt"], icon="play_arrow")
    def resume(self, request: HttpRequest) -> HttpResponse:
        text = "Confirmed orders are sent again, if the settings allow it."
        return self._turn(request, halted=False, title="Resume trading", text=text)

    def _turn(self, request: HttpRequest, *, halted: bool, title: str, text: str) -> HttpResponse:
        if not self.has_halt_permission(request):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            orders_switch.set_switch(
                halted=halted,
                reason=form.cleaned_data["reason"],
                user=cast("User", request.user),
                now=timezone.now(),
            )
            messages.success(request, "Trading is halted." if halted else "Trading may resume.")
            return HttpResponseRedirect(columns.list_url("performance_tradingswitch"))
        context = {"title": title, "text": text, "button": title, "form": form}
        return answer(request, self, "admin/analytics/confirm.html", context)
