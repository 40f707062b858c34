"""Admin of the performance metrics: each figure with its evidence (design §1, §11)."""

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin
from performance.admin.accuracy import AnyOriginFilter
from performance.models import PerformanceMetric

STATUS_COLOURS = {
    PerformanceMetric.Status.OK: "success",
    PerformanceMetric.Status.INSUFFICIENT: "info",
    PerformanceMetric.Status.CLAIMED: "info",
    PerformanceMetric.Status.SIMULATED: "warning",
}


@admin.register(PerformanceMetric)
class PerformanceMetricAdmin(ReadOnlyAdmin):
    date_hierarchy = "as_of"
    list_display = (
        "name",
        columns.column("account", lambda found: str(found) if found else "all", "account"),
        columns.column("window_days", lambda days: f"{days} d" if days else "all", "window"),
        columns.day("as_of", "last session"),
        "weighting",
        columns.column("value", columns.four, "value (rates: fractions)"),
        columns.count("n", "n"),
        columns.column("low", columns.four, "low"),
        columns.column("high", columns.four, "high"),
        columns.column("at_zero", columns.four, "with frozen quotes at 0"),
        columns.choice("status", "status", PerformanceMetric.Status, STATUS_COLOURS),
        columns.plain("reason", "reason"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "name", "status", "weighting", "window_days")
    list_select_related = ("account",)
    ordering = ("-as_of", "name", "window_days", "pk")
    search_fields = ("name",)
