"""Admin of the portfolio: accounts, trades and positions (design §10)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from analytics.admin import columns
from analytics.admin.pages import Page, ReadOnlyAdmin
from analytics.services import jobs
from performance.admin.accuracy import AnyOriginFilter
from performance.models import Account, Position, Trade, TradeStatus
from performance.services import brokers, portfolio_kinds

STATUS_COLOURS = {
    TradeStatus.OPEN: "info",
    TradeStatus.CLOSED: "success",
    TradeStatus.DELISTED: "danger",
}


@admin.register(Account)
class AccountAdmin(Page):
    actions = ("sync", "rebuild", "reconcile")
    list_display = (
        "name",
        "broker",
        "number",
        "kind",
        "is_active",
        "opened_on",
        "synced_at",
        "rebuilt_at",
        columns.source(),
    )
    list_filter = ("kind", "is_active", "source")
    ordering = ("name",)
    readonly_fields = ("synced_at", "rebuilt_at")
    search_fields = ("name", "broker", "number")

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("performance.sync_account")

    def has_rebuild_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("performance.rebuild_account")

    @admin.action(description="Sync from Alpaca", permissions=["sync"])
    def sync(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        self._ask_broker(request, chosen, portfolio_kinds.SYNC)

    @admin.action(description="Rebuild", permissions=["rebuild"])
    def rebuild(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        self._ask(request, chosen, portfolio_kinds.REBUILD)

    @admin.action(description="Reconcile", permissions=["rebuild"])
    def reconcile(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        self._ask_broker(request, chosen, portfolio_kinds.RECONCILE)

    def _ask_broker(self, request: HttpRequest, chosen: QuerySet[Account], kind: str) -> None:
        if not brokers.has_alpaca():
            told = "ALPACA_API_KEY and ALPACA_SECRET_KEY are not set: the broker cannot be asked."
            self.message_user(request, told, messages.ERROR)
            return
        at_broker = [account for account in chosen if account.broker in {"", brokers.NAME}]
        for account in chosen:
            if account not in at_broker:
                told = f"{account} is kept at {account.broker}, not at {brokers.NAME}."
                self.message_user(request, told, messages.ERROR)
        self._ask(request, at_broker, kind)

    def _ask(self, request: HttpRequest, chosen: Any, kind: str) -> None:
        for account in chosen:
            job = jobs.request(
                kind=kind,
                arguments={"account": account.pk, "source": account.source},
                requested_by=request.user if request.user.is_authenticated else None,
                now=timezone.now(),
            )
            self.message_user(request, f"{account}: queued as job {job.pk}.")


@admin.register(Trade)
class TradeAdmin(ReadOnlyAdmin):
    date_hierarchy = "opened_at"
    list_display = (
        columns.symbol(),
        columns.plain("account", "account"),
        "side",
        columns.choice("status", "status", TradeStatus, STATUS_COLOURS),
        columns.number("quantity", "shares"),
        columns.day("opened_session", "opened"),
        columns.day("closed_session", "closed"),
        columns.money("entry_price", "entry"),
        columns.money("exit_price", "exit"),
        columns.money("realised", "realised"),
        columns.money("unrealised", "unrealised"),
        columns.change("return_on_cost", "return on cost"),
        columns.yes("is_frozen", "frozen"),
        "link",
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account", "status", "side", "is_frozen", "link")
    list_select_related = ("account",)
    ordering = ("-opened_at", "-pk")
    search_fields = ("=symbol",)


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = (
        columns.symbol(),
        columns.plain("account", "account"),
        "side",
        columns.number("quantity", "shares"),
        columns.money("average_cost", "average cost"),
        columns.money("mark_price", "mark"),
        columns.day("mark_session", "marked on"),
        columns.money("market_value", "value"),
        columns.money("unrealised", "unrealised"),
        columns.yes("is_frozen", "frozen"),
        columns.money("stop_price", "stop"),
        "stop_confirmed_at",
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account", "side", "is_frozen")
    list_select_related = ("account",)
    ordering = ("account", "symbol")
    search_fields = ("=symbol",)
