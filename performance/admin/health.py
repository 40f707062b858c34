"""Admin of system health: what a probe measured, incidents, who is alive (design §15)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin
from performance.models import (
    HealthMetric,
    HealthStatus,
    Heartbeat,
    Incident,
    IncidentDecision,
)

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


class DecisionInline(admin.TabularInline[IncidentDecision, Incident]):
    """What was said while the component was in trouble."""

    can_delete = False
    extra = 0
    fields = readonly_fields = ("kind", "number", "label")
    model = IncidentDecision
    verbose_name_plural = "decisions that rested on it"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    date_hierarchy = "opened_at"
    inlines = (DecisionInline,)
    list_display = (
        "component",
        columns.choice("status", "worst", HealthStatus, STATUS_COLOURS),
        "reason",
        "opened_at",
        "closed_at",
        "repair",
        columns.source(),
    )
    list_filter = ("component", "status", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("repair",)
    ordering = ("-opened_at", "-pk")
    search_fields = ("component", "reason")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("process", "name", "started_at", "beat_at")
    ordering = ("-beat_at",)
    source_path = ""
