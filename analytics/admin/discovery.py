"""Admin of stage discovery: one row per session, variant and revision, and its funnel."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from analytics.admin import columns, filters
from analytics.admin.discovery_run import DiscoveryRun
from analytics.admin.pages import ReadOnlyAdmin
from analytics.models import DiscoveryBatch, ShadowPick
from analytics.services import predictions


@admin.register(DiscoveryBatch)
class DiscoveryBatchAdmin(DiscoveryRun, ReadOnlyAdmin):
    compressed_fields = False
    date_hierarchy = "session"
    sections = (
        (
            None,
            (
                (
                    columns.day("session", "session"),
                    "variant",
                    columns.count("revision", "revision"),
                    columns.yes("is_current", "current"),
                    columns.source(),
                ),
                (
                    columns.count("universe_size", "universe [symbols]"),
                    columns.count("candidate_count", "candidates"),
                    columns.number("mean_score", "mean score [0-100]"),
                    columns.percent("mean_coverage", "mean coverage"),
                    columns.plain("dropped_components", "missing for all"),
                ),
            ),
        ),
        (
            "Market-wide volume",
            (
                (
                    columns.yes("volume_event", "volume event"),
                    columns.percent("spike_share", "share of common stocks at 3x or more"),
                    columns.percent("spike_share_median", "its median, 60 sessions before"),
                ),
            ),
        ),
        (
            "What it read",
            (
                "fingerprint",
                "lake_versions",
                (
                    "supersedes",
                    "created_at",
                    columns.number("run_seconds", "run time [s], of all its sessions"),
                ),
            ),
        ),
    )
    list_display = (
        columns.day("session", "session"),
        "variant_name",
        columns.count("universe_size", "universe"),
        "candidates_link",
        columns.number("mean_score", "mean score"),
        columns.percent("mean_coverage", "mean coverage"),
        columns.yes("volume_event", "volume event"),
        "outcome_link",
        columns.count("revision", "revision"),
        columns.yes("is_current", "current"),
        columns.source(),
    )
    list_filter = (
        filters.OriginFilter,
        "variant",
        "is_current",
        filters.titled("market-wide volume event", "volume_event"),
    )
    list_select_related = ("variant",)
    ordering = ("-session", "variant__name", "-revision")
    search_fields = ("fingerprint", "variant__name")
    story_template = "analytics/partials/batch_story.html"
    export_fields = (
        "id",
        "session",
        "variant__name",
        "variant__version",
        "revision",
        "is_current",
        "universe_size",
        "candidate_count",
        "mean_score",
        "mean_coverage",
        "spike_share",
        "spike_share_median",
        "volume_event",
        "fingerprint",
        "created_at",
        "source",
    )

    @admin.display(description="variant", ordering="variant__name")
    def variant_name(self, batch: DiscoveryBatch) -> str:
        return str(batch.variant)

    @admin.display(description="candidates", ordering="candidate_count")
    def candidates_link(self, batch: DiscoveryBatch) -> SafeString:
        url = columns.list_url("analytics_candidate", origin="all", batch__id__exact=batch.pk)
        return columns.link(url, batch.candidate_count)

    @admin.display(description="outcomes")
    def outcome_link(self, batch: DiscoveryBatch) -> SafeString:
        url = columns.list_url(
            "performance_candidatetracking", origin="all", candidate__batch__id__exact=batch.pk
        )
        return columns.link(url, "outcomes")

    def story(self, row: Any) -> dict[str, Any]:
        size = row.universe_size
        return {
            "funnel": [
                {"step": step, "share": step.left / size if size else None}
                for step in predictions.get_funnel(batch=row)
            ],
            "candidates_link": self.candidates_link(row),
            "outcome_link": self.outcome_link(row),
            "shadow_link": columns.link(
                columns.list_url("analytics_shadowpick", origin="all", batch__id__exact=row.pk),
                "shadow list",
            ),
        }


@admin.register(ShadowPick)
class ShadowPickAdmin(ReadOnlyAdmin):
    date_hierarchy = "batch__session"
    list_display = (
        columns.day("batch__session", "session"),
        columns.plain("batch__variant", "variant"),
        columns.count("rank", "rank"),
        columns.symbol(),
        columns.number("score", "score [0-100]"),
        columns.source("batch__source"),
    )
    list_filter = (filters.origin("batch__source"), "batch__variant")
    list_select_related = ("batch__variant",)
    ordering = ("-batch__session", "batch__variant", "rank")
    search_fields = ("=symbol",)
    source_path = "batch__source"
    export_fields = (
        "batch__session",
        "batch__variant__name",
        "batch__variant__version",
        "rank",
        "symbol",
        "score",
        "batch__source",
    )
