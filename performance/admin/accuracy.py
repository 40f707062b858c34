"""Admin of thesis accuracy: was the thesis right? (design §9)"""

from django.contrib import admin

from analytics.admin import columns, filters
from analytics.admin.pages import ReadOnlyAdmin
from performance.models import Settlement, ThesisAccuracy

SETTLEMENT_COLOURS = {
    Settlement.PENDING: "info",
    Settlement.TARGET: "success",
    Settlement.STOP: "danger",
    Settlement.NEITHER: "warning",
    Settlement.VOID: "warning",
}


class AnyOriginFilter(filters.OriginFilter):
    """Scores may also be claims."""

    offered = ("real", "simulated", "claimed")


@admin.register(ThesisAccuracy)
class ThesisAccuracyAdmin(ReadOnlyAdmin):
    date_hierarchy = "settled_session"
    list_display = (
        columns.plain("thesis__symbol", "symbol"),
        columns.day("thesis__session", "signal session"),
        columns.plain("thesis__recommendation", "recommendation"),
        columns.choice("settlement", "settled by", Settlement, SETTLEMENT_COLOURS),
        columns.day("settled_session", "settled on"),
        columns.change("return_horizon", "return over the horizon"),
        columns.yes("direction_right", "direction right"),
        columns.column("brier", columns.four, "Brier score"),
        columns.plain("thesis__author", "author"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "settlement", "direction_right", "counts_as_skill")
    list_select_related = ("thesis",)
    ordering = ("-settled_session", "-pk")
    search_fields = ("=thesis__symbol",)
