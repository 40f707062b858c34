"""Admin of what goes with theses: events, requests, calibrations, what Claude cost (design §9)."""

from typing import cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from analytics.admin import columns
from analytics.admin.filters import OriginFilter, origin
from analytics.admin.pages import Page, ReadOnlyAdmin
from analytics.admin.theses import cost
from analytics.models import (
    CallState,
    Candidate,
    ClaudeCall,
    PatternCalibration,
    RequestOutcome,
    ThesisBudget,
    ThesisEvent,
    ThesisEventKind,
    ThesisRequest,
)
from analytics.services import thesis_kinds

EVENT_COLOURS = {
    ThesisEventKind.FALSIFIED: "danger",
    ThesisEventKind.ENTER: "success",
    ThesisEventKind.DO_NOT_CHASE: "warning",
    ThesisEventKind.PAST_BARRIER: "danger",
    ThesisEventKind.NOT_CHECKED: "info",
    ThesisEventKind.WITHDRAWN: "warning",
}
OUTCOME_COLOURS = {
    RequestOutcome.WRITTEN: "success",
    RequestOutcome.EXISTS: "info",
    RequestOutcome.STAND_IN: "warning",
    RequestOutcome.FAILED: "danger",
}
MOST_ASKED = 50  # candidates of one press of the button
CALL_COLOURS = {CallState.SETTLED: "success", CallState.UNKNOWN: "warning"}


@admin.register(ThesisEvent)
class ThesisEventAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        "thesis",
        columns.choice("kind", "what", ThesisEventKind, EVENT_COLOURS),
        columns.day("session", "session"),
        "message",
        "recorded_at",
        columns.source(),
    )
    list_filter = (OriginFilter, "kind")
    list_select_related = ("thesis",)
    ordering = ("-recorded_at", "-pk")
    search_fields = ("=thesis__symbol", "message")


@admin.register(ThesisRequest)
class ThesisRequestAdmin(ReadOnlyAdmin):
    date_hierarchy = "requested_at"
    list_display = (
        "candidate",
        "author_kind",
        columns.choice("outcome", "outcome", RequestOutcome, OUTCOME_COLOURS),
        "reason",
        "message",
        "thesis",
        "requested_by",
        "requested_at",
        columns.source("candidate__batch__source"),
    )
    list_filter = (origin("candidate__batch__source"), "author_kind", "outcome", "reason")
    list_select_related = ("candidate__batch", "thesis", "requested_by")
    ordering = ("-requested_at", "-pk")
    search_fields = ("=candidate__symbol", "message")
    source_path = "candidate__batch__source"


@admin.register(PatternCalibration)
class PatternCalibrationAdmin(ReadOnlyAdmin):
    list_display = (
        "author",
        "pattern",
        "method",
        columns.day("valid_from", "valid from"),
        columns.day("settled_before", "theses settled before"),
        columns.count("n", "settled theses"),
        columns.percent("base_rate", "base rate"),
        columns.source(),
    )
    list_filter = (OriginFilter, "method", "pattern", "author")
    ordering = ("-valid_from", "author", "pattern")


@admin.register(ThesisBudget)
class ThesisBudgetAdmin(ReadOnlyAdmin):
    list_display = (
        columns.day("day", "day (UTC)"),
        columns.count("tokens_held", "tokens"),
        columns.column("usd_held", cost, "cost", sortable=False),
    )
    ordering = ("-day",)
    source_path = ""


@admin.register(ClaudeCall)
class ClaudeCallAdmin(ReadOnlyAdmin):
    date_hierarchy = "started_at"
    list_display = (
        "started_at",
        "model_id",
        "purpose",
        columns.choice("state", "state", CallState, CALL_COLOURS),
        "ended_as",
        columns.count("tokens_in", "tokens in"),
        columns.count("tokens_cache_read", "of it from cache"),
        columns.count("tokens_out", "tokens out"),
        columns.column("cost_usd", cost, "cost"),
        columns.column("usd_reserved", cost, "at most"),
    )
    list_filter = ("state", "purpose", "model_id", "ended_as")
    ordering = ("-started_at", "-pk")
    source_path = ""


class HasThesesWritten(Page):
    """Adds "Have theses written" to a list of candidates."""

    actions = ("have_theses_written",)

    def has_write_thesis_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.write_thesis")

    @admin.action(description="Have theses written", permissions=["write_thesis"])
    def have_theses_written(self, request: HttpRequest, candidates: "QuerySet[Candidate]") -> None:
        asked = [
            thesis_kinds.request_one(
                candidate=candidate,
                requested_by=cast("User", request.user),
                now=timezone.now(),
            )
            for candidate in candidates.select_related("batch")[:MOST_ASKED]
        ]
        self.message_user(request, f"Jobs asked for: {len(asked)}. The list of jobs shows them.")
