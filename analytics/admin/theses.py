"""Admin of stage theses: predictions, frozen when issued (design §9)."""

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.filters import OriginFilter
from analytics.admin.pages import ReadOnlyAdmin
from analytics.models import Thesis


@admin.register(Thesis)
class ThesisAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        "symbol",
        columns.day("session", "signal session"),
        "recommendation",
        "pattern",
        columns.money("entry_price", "entry"),
        columns.money("target_price", "target"),
        columns.money("stop_price", "stop"),
        columns.percent("p_target", "P(target first)"),
        "author",
        columns.source(),
    )
    list_filter = (OriginFilter, "recommendation", "pattern", "author")
    ordering = ("-session", "symbol", "-pk")
    search_fields = ("=symbol", "author")
