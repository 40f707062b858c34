"""Admin of the dashboard summaries: where the recovery stood, day by day (design §12)."""

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin
from performance.admin.accuracy import AnyOriginFilter
from performance.models import AlertLevel, DashboardSummary

LEVEL_COLOURS = {
    AlertLevel.CRITICAL: "danger",
    AlertLevel.WARNING: "warning",
    AlertLevel.BELOW_TARGET: "warning",
    AlertLevel.GOOD: "success",
    AlertLevel.UNKNOWN: "info",
}


@admin.register(DashboardSummary)
class DashboardSummaryAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        columns.day("session", "session"),
        columns.column("period_days", lambda days: f"{days} d" if days else "all", "period"),
        columns.choice("alert_level", "alert level", AlertLevel, LEVEL_COLOURS),
        "recovery_status",
        columns.percent("recovery_progress", "progress"),
        columns.change("performance_gap", "gap to the baseline"),
        columns.number("discovery_quality", "discovery quality"),
        columns.percent("thesis_accuracy", "thesis accuracy"),
        columns.number("timing_score", "timing"),
        columns.number("health_score", "health"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "period_days", "alert_level", "recovery_status")
    ordering = ("-session", "period_days")
