"""Admin of the ledger of broken rules (design §14)."""

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin
from performance.admin.accuracy import AnyOriginFilter
from performance.models import BrokenRule, RuleBreach

COLOURS = {
    BrokenRule.OVERSIZE: "warning",
    BrokenRule.LATE_STOP: "danger",
    BrokenRule.CHASED: "warning",
    BrokenRule.BEYOND_STOP: "danger",
    BrokenRule.NO_THESIS: "info",
}


@admin.register(RuleBreach)
class RuleBreachAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        columns.day("session", "found"),
        columns.plain("account", "account"),
        columns.plain("symbol", "symbol"),
        columns.choice("rule", "rule", BrokenRule, COLOURS),
        "text",
        "opened_at",
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "rule", "account")
    list_select_related = ("account",)
    ordering = ("-session", "-pk")
    search_fields = ("=symbol",)
