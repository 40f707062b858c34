"""Admin of the index of past stock-days (design §6)."""

from typing import cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from analytics.admin import columns, filters
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.models import HistoryIndex
from analytics.services import jobs, lakes, study_kinds


@admin.register(HistoryIndex)
class HistoryIndexAdmin(ReadOnlyAdmin):
    actions_list = ("build_now",)
    list_display = (
        "name",
        columns.day("as_of", "bars up to"),
        columns.day("settled", "settled up to"),
        columns.count("stock_days", "stock-days of the base"),
        columns.count("shapes", "shapes"),
        columns.number("seconds", "build time [s]"),
        "built_at",
        columns.source(),
    )
    list_filter = (filters.OriginFilter,)
    ordering = ("-built_at", "-pk")
    search_fields = ("name",)

    def has_build_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.add_historyindex")

    @action(description="Build now", permissions=["build"], icon="play_arrow")
    def build_now(self, request: HttpRequest) -> HttpResponse:
        if not self.has_build_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                "title": "Build the index of past stock-days",
                "text": "Nothing is built while lake and references are as they were.",
                "button": "Build now",
            }
            return answer(request, self, "admin/analytics/confirm.html", context)
        job = jobs.request(
            kind=study_kinds.INDEX_HISTORY,
            arguments={"source": lakes.get_active_source()},
            requested_by=cast("User", request.user),
            now=timezone.now(),
        )
        return HttpResponseRedirect(columns.page_url("analytics_jobrun", job.pk))
