"""Admin of risk: what a position or an account could lose (design §14)."""

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin
from performance.admin.accuracy import AnyOriginFilter
from performance.models import PositionAdvice, RiskAdvice, RiskAssessment, StopState

ADVICE_COLOURS = {
    RiskAdvice.HOLD: "info",
    RiskAdvice.TRIM: "warning",
    RiskAdvice.LIQUIDATE: "danger",
}


@admin.register(RiskAssessment)
class RiskAssessmentAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        columns.day("session", "session"),
        columns.plain("account", "account"),
        columns.plain("symbol", "symbol (blank: whole account)"),
        columns.percent("weight", "weight"),
        columns.yes("is_oversize", "oversize"),
        columns.change("unrealised", "open return"),
        columns.money("money_at_risk", "money at risk"),
        columns.percent("heat", "heat"),
        columns.percent("var_95", "VaR 95 %"),
        columns.choice("advice", "advice", RiskAdvice, ADVICE_COLOURS),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "advice", "account")
    list_select_related = ("account",)
    ordering = ("-session", "account", "-pk")
    search_fields = ("=symbol",)


STOP_COLOURS = {
    StopState.WORKING: "success",
    StopState.DIFFERS: "warning",
    StopState.MISSING: "danger",
    StopState.UNKNOWN: "info",
}


@admin.register(PositionAdvice)
class PositionAdviceAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        columns.day("session", "session"),
        columns.plain("account", "account"),
        columns.plain("symbol", "symbol"),
        columns.choice("advice", "advice", RiskAdvice, ADVICE_COLOURS),
        "reason",
        columns.choice("stop_state", "stop", StopState, STOP_COLOURS),
        columns.money("stop_price", "stop of the thesis"),
        columns.count("held", "held [sessions]"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "advice", "stop_state", "account")
    list_select_related = ("account",)
    ordering = ("-session", "account", "symbol")
    search_fields = ("=symbol",)
