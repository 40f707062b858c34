"""Admin of stage market: what is listed, what was read, what was found wrong."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from analytics.admin import columns
from analytics.admin.filters import OriginFilter
from analytics.admin.pages import ReadOnlyAdmin
from analytics.models import DataFinding, ImportRun, Security
from analytics.services import consequences

SEVERITY_COLOURS = {"info": "info", "warning": "warning", "error": "danger"}
STATE_COLOURS = {"done": "success", "running": "info", "refused": "danger"}


@admin.register(Security)
class SecurityAdmin(ReadOnlyAdmin):
    date_hierarchy = "last_session"
    list_display = (
        "symbol",
        columns.day("first_session", "first session"),
        columns.day("last_session", "last session"),
        "kind",
        "name",
        "exchange",
        "sector",
        columns.day("delisted_on", "delisted"),
        "figi",
        "candidates_link",
        "findings_link",
        columns.source(),
    )
    list_filter = (OriginFilter, "kind", "exchange", "sector")
    ordering = ("symbol", "-first_session")
    search_fields = ("=symbol", "symbol__startswith", "name", "=figi", "=cik")

    @admin.display(description="candidates")
    def candidates_link(self, security: Security) -> SafeString:
        url = columns.list_url(
            "analytics_candidate",
            origin="all",
            symbol__exact=security.symbol,
            batch__session__gte=security.first_session,
            batch__session__lte=security.last_session,
        )
        return columns.link(url, "candidates")

    @admin.display(description="findings")
    def findings_link(self, security: Security) -> SafeString:
        url = columns.list_url("analytics_datafinding", origin="all", symbol__exact=security.symbol)
        return columns.link(url, "findings")


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    date_hierarchy = "started_at"
    list_display = (
        "file",
        "data_set",
        columns.choice("state", "state", ImportRun.State, STATE_COLOURS),
        "started_at",
        columns.count("rows", "rows"),
        columns.count("symbols", "symbols"),
        columns.count("sessions", "sessions"),
        columns.count("new", "new"),
        columns.count("changed", "changed"),
        columns.count("unchanged", "unchanged"),
        columns.count("rejected", "rejected"),
        "findings_link",
        columns.source(),
    )
    list_filter = (OriginFilter, "state", "data_set")
    ordering = ("-started_at", "-pk")
    search_fields = ("file", "digest")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        rows: QuerySet[ImportRun] = super().get_queryset(request)
        return rows.annotate(found=Count("findings"))

    @admin.display(description="findings", ordering="found")
    def findings_link(self, run: Any) -> SafeString:
        url = columns.list_url("analytics_datafinding", origin="all", run__id__exact=run.pk)
        return columns.link(url, f"{run.found:,}")


@admin.register(DataFinding)
class DataFindingAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        "gate",
        columns.choice("severity", "severity", DataFinding.Severity, SEVERITY_COLOURS),
        columns.symbol(),
        columns.day("session", "session"),
        "kept_out",
        "detail",
        "touched_link",
        "line",
        "file",
        columns.source(),
    )
    list_filter = (OriginFilter, "severity", "gate", "kept_out")
    list_select_related = ("run",)
    ordering = ("-pk",)
    search_fields = ("=symbol", "detail")
    export_fields = (
        "id",
        "gate",
        "severity",
        "symbol",
        "session",
        "line",
        "kept_out",
        "detail",
        "source",
        "run__file",
    )

    @admin.display(description="touches")
    def touched_link(self, finding: DataFinding) -> SafeString | None:
        """Lead to the decisions whose features read the session; a holiday touches none."""
        if finding.session is None or finding.severity == DataFinding.Severity.INFO:
            return None
        reach = consequences.get_reach(session=finding.session)
        if finding.symbol:
            url = columns.list_url(
                "analytics_candidate",
                origin="all",
                symbol__exact=finding.symbol,
                batch__session__gte=reach.first,
                batch__session__lte=reach.last,
            )
            return columns.link(url, "candidates")
        url = columns.list_url(
            "analytics_discoverybatch",
            origin="all",
            session__gte=reach.first,
            session__lte=reach.last,
        )
        return columns.link(url, "batches")

    @admin.display(description="file", ordering="run__file")
    def file(self, finding: DataFinding) -> SafeString | None:
        if finding.run is None:
            return None
        return columns.link(
            columns.page_url("analytics_importrun", finding.run_id), finding.run.file
        )
