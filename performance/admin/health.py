"""Admin of system health: what a probe measured (design §15)."""

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin
from performance.models import HealthMetric, HealthStatus

STATUS_COLOURS = {
    HealthStatus.HEALTHY: "success",
    HealthStatus.WARNING: "warning",
    HealthStatus.CRITICAL: "danger",
    HealthStatus.UNKNOWN: "info",
}


@admin.register(HealthMetric)
class HealthMetricAdmin(ReadOnlyAdmin):
    date_hierarchy = "measured_at"
    list_display = (
        "component",
        "name",
        columns.number("value", "value"),
        "unit",
        columns.choice("status", "status", HealthStatus, STATUS_COLOURS),
        "reason",
        "measured_at",
        columns.source(),
    )
    list_filter = ("component", "status", "source")
    ordering = ("-measured_at", "component", "name")
    search_fields = ("component", "name")
