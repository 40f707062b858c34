"""Admin of the learned variant: model cards, and what its choices were made on (design §17)."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from analytics.admin import columns, filters
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.models import LearnedModel, ResearchSheet
from analytics.services import jobs, lakes, learned_kinds


@admin.register(LearnedModel)
class LearnedModelAdmin(ReadOnlyAdmin):
    actions_list = ("fit_now",)
    list_display = (
        "__str__",
        "kind",
        columns.day("train_first", "fitted from"),
        columns.day("train_last", "to"),
        columns.count("rows", "stock-days"),
        columns.count("explosive", "explosive"),
        "created_at",
        columns.source(),
    )
    list_filter = (filters.OriginFilter, "kind")
    list_select_related = ("variant",)
    ordering = ("-usable_from", "-pk")
    search_fields = ("variant__name", "digest")
    sections = (
        (
            None,
            (
                ("variant", "kind", columns.source()),
                (columns.day("usable_from", "usable from"), "digest"),
                (columns.day("train_first", "fitted from"), columns.day("train_last", "to")),
                (
                    columns.count("rows", "settled stock-days"),
                    columns.count("explosive", "explosive among them"),
                    columns.count("calibrated_on", "stock-days calibrated on"),
                ),
                ("calibration", "lake_versions"),
                ("code_revision", columns.number("seconds", "run time [s]"), "created_at"),
                ("design",),
            ),
        ),
    )
    story_template = "analytics/partials/model_story.html"

    def has_fit_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.fit_models")

    def story(self, row: Any) -> dict[str, Any]:
        ranked = sorted(row.importances.items(), key=lambda pair: (-pair[1], pair[0]))
        drawn = row.metrics.get("calibration", {"said": [], "came": [], "n": []})
        points = zip(drawn["said"], drawn["came"], drawn["n"], strict=True)
        return {
            "model": row,
            "importances": [
                {"feature": name, "value": value} for name, value in ranked if value > 0
            ],
            "metrics": row.metrics,
            "curve": [{"said": said, "came": came, "n": n} for said, came, n in points],
        }

    @action(description="Fit now", permissions=["fit"], icon="play_arrow")
    def fit_now(self, request: HttpRequest) -> HttpResponse:
        if not self.has_fit_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                "title": "Fit the learned variant",
                "text": "One model a month, those that are missing; a stored one is never changed.",
                "button": "Fit now",
            }
            return answer(request, self, "admin/analytics/confirm.html", context)
        job = jobs.request(
            kind=learned_kinds.FIT,
            arguments={"source": lakes.get_active_source()},
            requested_by=cast("User", request.user),
            now=timezone.now(),
        )
        return HttpResponseRedirect(columns.page_url("analytics_jobrun", job.pk))


@admin.register(ResearchSheet)
class ResearchSheetAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__",
        columns.day("last", "last session looked at"),
        columns.number("seconds", "run time [s]"),
        "created_at",
        columns.source(),
    )
    list_filter = (filters.OriginFilter, "subject")
    ordering = ("-created_at", "-pk")
    search_fields = ("subject",)
    sections = (
        (
            None,
            (
                ("subject", columns.day("last", "last session looked at"), columns.source()),
                ("lake_versions", "code_revision", columns.number("seconds", "run time [s]")),
                ("created_at",),
            ),
        ),
    )
    story_template = "analytics/partials/research_story.html"

    def story(self, row: Any) -> dict[str, Any]:
        if row.subject == ResearchSheet.Subject.DESIGNS:
            designs = row.result["designs"]
            return {
                "chosen": row.result["chosen"],
                "overfitting": row.result["overfitting"],
                "designs": [
                    {"name": name, "fits": told["fits"], **told["periods"]["all"]}
                    for name, told in designs.items()
                ],
            }
        return {"sheets": [sheet for sheets in row.result.values() for sheet in sheets]}
