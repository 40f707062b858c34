"""Admin of the portfolio: accounts, trades and positions (design §10)."""

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.pages import Page, ReadOnlyAdmin
from performance.admin.accuracy import AnyOriginFilter
from performance.models import Account, Position, Trade


@admin.register(Account)
class AccountAdmin(Page):
    list_display = ("name", "broker", "number", "kind", "opened_on", columns.source())
    list_filter = ("kind", "source")
    ordering = ("name",)
    search_fields = ("name", "broker", "number")


@admin.register(Trade)
class TradeAdmin(ReadOnlyAdmin):
    date_hierarchy = "opened_at"
    list_display = (
        "symbol",
        columns.plain("account", "account"),
        columns.number("quantity", "shares"),
        "opened_at",
        "closed_at",
        columns.money("entry_price", "entry"),
        columns.money("exit_price", "exit"),
        columns.money("fees", "fees"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account")
    list_select_related = ("account",)
    ordering = ("-opened_at", "-pk")
    search_fields = ("=symbol",)


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = (
        "symbol",
        columns.plain("account", "account"),
        columns.number("quantity", "shares"),
        columns.money("average_cost", "average cost"),
        columns.money("mark_price", "mark"),
        columns.day("mark_session", "marked on"),
        columns.money("stop_price", "stop"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account")
    list_select_related = ("account",)
    ordering = ("account", "symbol")
    search_fields = ("=symbol",)
