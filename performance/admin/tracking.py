"""Admin of stage tracking: what became of every pick, and of the winners that were none."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from analytics.admin import columns
from analytics.admin.filters import OriginFilter
from analytics.admin.pages import ReadOnlyAdmin
from analytics.calc import figures
from performance.models import (
    BatchAnalysis,
    CandidateTracking,
    OutcomeClass,
    OutcomeStatus,
    WinnerEpisode,
)

HORIZONS = (1, 3, 5, 7, 14, 30)
STATUS_COLOURS = {
    OutcomeStatus.PENDING: "info",
    OutcomeStatus.SETTLED: "",
    OutcomeStatus.DELISTED: "danger",
    OutcomeStatus.NO_ENTRY: "warning",
}
OUTCOME_COLOURS = {  # only the explosive ones are green: no other class is a win (design §8)
    OutcomeClass.EXPLOSIVE: "success",
    OutcomeClass.STRONG: "info",
    OutcomeClass.MODERATE: "",
    OutcomeClass.POOR: "warning",
    OutcomeClass.FAILED: "danger",
}


def share(part: str, whole: str, title: str) -> columns.Column:
    """Return a column of ``part`` over ``whole``, with both counts; no rate over nothing."""

    def show(row: Any) -> str:
        total = getattr(row, whole)
        if not total:
            return "none to count" if total == 0 else figures.MISSING
        hits = getattr(row, part)
        return f"{figures.percent(hits / total)} ({hits:,} of {total:,})"

    show.__name__ = f"{part}_share"
    show.short_description = title  # type: ignore[attr-defined]
    return show


@admin.register(CandidateTracking)
class CandidateTrackingAdmin(ReadOnlyAdmin):
    compressed_fields = False
    date_hierarchy = "candidate__batch__session"
    sections = (
        (
            None,
            (
                (
                    columns.symbol("candidate__symbol"),
                    columns.day("candidate__batch__session", "signal session"),
                    "candidate_link",
                    "batch_link",
                    columns.source(),
                ),
                (
                    columns.choice("status", "status", OutcomeStatus, STATUS_COLOURS),
                    columns.choice("outcome", "outcome class", OutcomeClass, OUTCOME_COLOURS),
                    columns.yes("is_final", "final"),
                    columns.plain("reason", "why it is open"),
                    columns.day("last_trade", "last session traded"),
                ),
            ),
        ),
        (
            "Entry: the open of the session after the signal",
            (
                (
                    columns.day("entry_session", "entry session"),
                    columns.money("entry_price", "entry"),
                    columns.change("entry_gap", "signal close to entry"),
                ),
            ),
        ),
        (
            "Return after so many sessions",
            (
                tuple(columns.change(f"return_{h}", f"{h}") for h in HORIZONS),
                tuple(columns.change(f"spy_return_{h}", f"SPY, {h}") for h in HORIZONS),
            ),
        ),
        (
            "Within 14 sessions",
            (
                (
                    columns.change("peak_close_return", "best close"),
                    columns.count("sessions_to_peak", "sessions to it"),
                    columns.change("mfe", "best high"),
                    columns.change("mae", "worst low"),
                    columns.change("excess_14", "return less SPY"),
                ),
                (
                    columns.yes("explosive", "explosive: best close +50 %"),
                    columns.yes("explosive_high", "best high +50 %"),
                    columns.yes("explosive_held", "held +50 %"),
                    columns.count("volatility_decile", "volatility decile"),
                ),
                (
                    columns.change("proxy_return_14", "no entry: from the signal close"),
                    columns.change("proxy_peak_close_return", "no entry: best close"),
                    columns.count("lake_version", "version of the bars"),
                    "updated_at",
                ),
            ),
        ),
    )
    list_display = (
        columns.plain("candidate__symbol", "symbol"),
        columns.day("candidate__batch__session", "signal"),
        "candidate_link",
        "batch_link",
        columns.choice("status", "status", OutcomeStatus, STATUS_COLOURS),
        columns.choice("outcome", "outcome class", OutcomeClass, OUTCOME_COLOURS),
        columns.money("entry_price", "entry"),
        columns.change("entry_gap", "gap to entry"),
        columns.change("return_1", "1 session"),
        columns.change("return_7", "7"),
        columns.change("return_14", "14"),
        columns.change("return_30", "30"),
        columns.change("peak_close_return", "best close"),
        columns.change("mae", "worst low"),
        columns.change("excess_14", "less SPY, 14"),
        columns.yes("candidate__first_signal", "first signal"),
        columns.source(),
    )
    list_filter = (
        OriginFilter,
        "status",
        "outcome",
        "candidate__batch__variant",
        "candidate__pattern",
        "candidate__first_signal",
        "explosive",
        "candidate__batch__is_current",
    )
    list_select_related = ("candidate__batch__variant",)
    ordering = ("-candidate__batch__session", "candidate__batch__variant", "candidate__rank")
    search_fields = ("=candidate__symbol",)
    export_fields = (
        "candidate__batch__session",
        "candidate__batch__variant__name",
        "candidate__batch__variant__version",
        "candidate__symbol",
        "candidate__rank",
        "candidate__score",
        "candidate__pattern",
        "candidate__first_signal",
        *(f.attname for f in CandidateTracking._meta.concrete_fields),
    )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        if lookup == "candidate__batch__id__exact":
            return True
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @admin.display(description="candidate", ordering="candidate__score")
    def candidate_link(self, tracking: CandidateTracking) -> SafeString:
        url = columns.page_url("analytics_candidate", tracking.candidate_id)
        return columns.link(url, f"#{tracking.candidate.rank}")

    @admin.display(description="batch", ordering="candidate__batch__variant__name")
    def batch_link(self, tracking: CandidateTracking) -> SafeString:
        batch = tracking.candidate.batch
        return columns.link(columns.page_url("analytics_discoverybatch", batch.pk), batch.variant)


@admin.register(BatchAnalysis)
class BatchAnalysisAdmin(ReadOnlyAdmin):
    date_hierarchy = "batch__session"
    list_display = (
        columns.day("batch__session", "session"),
        "batch_link",
        "outcomes_link",
        columns.count("settled", "settled"),
        columns.count("pending", "pending"),
        columns.count("no_entry", "no entry"),
        columns.count("delisted", "delisted"),
        share("explosive", "settled", "explosive"),
        share("base_explosive", "base_n", "explosive, base universe"),
        share("positive_14", "settled", "up after 14 sessions"),
        share("episodes_captured", "episodes", "winner episodes captured"),
        columns.source(),
    )
    list_filter = (OriginFilter, "is_complete", "batch__variant", "batch__is_current")
    list_select_related = ("batch__variant",)
    ordering = ("-batch__session", "batch__variant")
    search_fields = ("batch__variant__name",)
    export_fields = (
        "batch__session",
        "batch__variant__name",
        "batch__variant__version",
        *(
            f.attname
            for f in BatchAnalysis._meta.concrete_fields
            if f.name not in ("by_decile", "best")
        ),
    )

    @admin.display(description="batch", ordering="batch__variant__name")
    def batch_link(self, analysis: BatchAnalysis) -> SafeString:
        url = columns.page_url("analytics_discoverybatch", analysis.batch_id)
        return columns.link(url, analysis.batch.variant)

    @admin.display(description="candidates", ordering="candidates")
    def outcomes_link(self, analysis: BatchAnalysis) -> SafeString:
        url = columns.list_url(
            "performance_candidatetracking",
            origin="all",
            candidate__batch__id__exact=analysis.batch_id,
        )
        return columns.link(url, analysis.candidates)


@admin.register(WinnerEpisode)
class WinnerEpisodeAdmin(ReadOnlyAdmin):
    date_hierarchy = "first_session"
    list_display = (
        "symbol",
        columns.plain("variant", "variant"),
        columns.day("first_session", "first day"),
        columns.day("last_session", "last day"),
        columns.count("days", "explosive days"),
        "captured",
        columns.day("captured_on", "captured on"),
        columns.change("best_return", "best close"),
        columns.money("first_close", "close, first day"),
        columns.plain("gate", "removed by"),
        columns.number("score", "score"),
        "reason",
        "in_base_universe",
        "candidates_link",
        columns.source(),
    )
    list_filter = (OriginFilter, "captured", "variant", "gate", "in_base_universe")
    list_select_related = ("variant",)
    ordering = ("-first_session", "symbol", "variant")
    search_fields = ("=symbol",)

    @admin.display(description="candidates")
    def candidates_link(self, episode: WinnerEpisode) -> SafeString:
        url = columns.list_url(
            "analytics_candidate",
            origin="all",
            symbol__exact=episode.symbol,
            batch__variant__id__exact=episode.variant_id,
        )
        return columns.link(url, "candidates")
