"""Admin of exit rules and of the reports that replay them (design §13)."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from analytics.admin import columns
from analytics.admin.filters import OriginFilter
from analytics.admin.pages import Page, ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.calc import detector_report_tables, detector_report_words
from analytics.calc.exits_rules import BadRule
from analytics.errors import DomainError
from analytics.models import DetectorReport, ExitRule
from analytics.services import exit_kinds, exits, jobs, lakes

REPLAY = (
    "Everything that any variant would have listed is replayed under every named and active exit "
    "rule. Every combination is written into the ledger of trials, whatever it shows."
)


class ExitRuleForm(forms.ModelForm[ExitRule]):
    """A rule that the exit lab takes."""

    class Meta:
        model = ExitRule
        fields = (
            "name", "active", "horizon", "stop", "trail", "time_stop", "target_1", "fraction_1",
            "target_2", "fraction_2",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            names = [f.name for f in ExitRule._meta.concrete_fields if f.name in given]
            try:
                exits.rule_of(ExitRule(**{name: given[name] for name in names}))
            except (BadRule, DomainError) as error:
                raise forms.ValidationError(str(error)) from error
        return given


@admin.register(ExitRule)
class ExitRuleAdmin(Page):
    form = ExitRuleForm
    list_display = (
        "name",
        "active",
        columns.count("horizon", "horizon [sessions]"),
        columns.percent("stop", "stop"),
        columns.percent("trail", "trailing stop"),
        columns.percent("target_1", "first target"),
        columns.percent("target_2", "second target"),
        columns.count("time_stop", "time stop [sessions]"),
        columns.count("report_count", "reports"),
    )
    list_filter = ("active",)
    ordering = ("name", "pk")
    search_fields = ("name",)
    sections = (
        (None, ("name", "active", "horizon")),
        ("Stops", ("stop", "trail", "time_stop")),
        ("Targets", ("target_1", "fraction_1", "target_2", "fraction_2")),
    )
    source_path = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExitRule]:
        rows: QuerySet[ExitRule] = super().get_queryset(request)
        return rows.annotate(report_count=Count("reports"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A used rule is frozen: only whether the next report replays it can change."""
        shown = super().get_readonly_fields(request, obj)
        if obj is None or not exits.is_used(obj):
            return shown
        stored = [field.name for field in ExitRule._meta.concrete_fields]
        return [*shown, *(name for name in stored if name not in {"id", "active"})]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not exits.is_used(obj))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None and exits.is_used(obj):
            kwargs["form"] = forms.ModelForm  # its arithmetic cannot change
        return super().get_form(request, obj, change=change, **kwargs)


@admin.register(DetectorReport)
class DetectorReportAdmin(ReadOnlyAdmin):
    actions_list = ("replay_exits",)
    date_hierarchy = "finished_at"
    list_display = (
        "__str__",
        "finished_at",
        columns.plain("untouched_year", "untouched year"),
        columns.number("seconds", "took [s]"),
        "digest",
        columns.source(),
    )
    list_filter = (OriginFilter,)
    ordering = ("-finished_at", "-pk")
    sections = (
        (None, (("first", "last", "untouched_year"), ("finished_at", "seconds"), "rules")),
        (
            "Made with",
            ("parameters", "lake_versions", ("code_revision", "digest"), columns.source()),
        ),
    )
    story_template = "analytics/partials/detector_report_story.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[DetectorReport]:
        """Leave the large column unread where only a list is shown."""
        rows: QuerySet[DetectorReport] = super().get_queryset(request)
        return rows.defer("result")

    def has_replay_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("analytics.replay_exits")

    def story(self, row: Any) -> dict[str, Any]:
        return {
            "sentences": detector_report_words.sentences(row.result),
            "tables": detector_report_tables.tables(row.result),
        }

    @action(description="Replay exits", permissions=["replay"], icon="play_arrow")
    def replay_exits(self, request: HttpRequest) -> HttpResponse:
        if not self.has_replay_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {"title": "Replay exits", "said": REPLAY, "button": "Replay exits"}
            return answer(request, self, "admin/analytics/confirm_job.html", context)
        job = jobs.request(
            kind=exit_kinds.REPLAY_EXITS,
            arguments={"source": str(lakes.get_active_source())},
            requested_by=cast("User", request.user),
            now=timezone.now(),
        )
        messages.success(request, f"The replay is under way as job {job.pk}.")
        return HttpResponseRedirect(columns.page_url("analytics_jobrun", job.pk))
