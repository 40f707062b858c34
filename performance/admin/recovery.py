"""Admin of the roadmap: check boxes with their evidence, history, a person's word (design §12)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.errors import DomainError
from performance.admin.accuracy import AnyOriginFilter
from performance.calc.roadmap import CHECK_BOXES
from performance.models import CheckState, RoadmapChange, RoadmapCheck
from performance.services import roadmap

STATE_COLOURS = {
    CheckState.MET: "success",
    CheckState.NOT_MET: "warning",
    CheckState.UNKNOWN: "info",
}
TITLES = {box.key: box.title for box in CHECK_BOXES}
NOTHING = "as the figures say"


class OverrideForm(forms.Form):
    """What a person says of a check box, and why."""

    state = forms.ChoiceField(
        label="It is",
        required=False,
        choices=[("", NOTHING), *CheckState.choices],
        widget=UnfoldAdminSelectWidget,
        help_text="The figures go on being evaluated beside it.",
    )
    note = forms.CharField(
        label="Why",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept with your name and the time.",
    )


@admin.register(RoadmapCheck)
class RoadmapCheckAdmin(ReadOnlyAdmin):
    actions_detail = ("override",)
    list_display = (
        columns.count("position", "no."),
        columns.column("key", lambda key: TITLES.get(key, key), "check box"),
        columns.choice("standing", "state", CheckState, STATE_COLOURS),
        "evidence",
        columns.day("flipped_on", "since"),
        columns.plain("override_by", "overridden by"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "state", "phase")
    list_select_related = ("override_by",)
    ordering = ("position", "pk")
    search_fields = ("key", "evidence")

    def has_override_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("performance.override_roadmap")

    @action(description="Override", permissions=["override"], icon="edit_note")
    def override(self, request: HttpRequest, object_id: int) -> HttpResponse:
        row = get_object_or_404(RoadmapCheck, pk=object_id)
        start = {"state": row.override, "note": row.override_note}
        form = OverrideForm(request.POST or None, initial=start)
        if request.method == "POST" and form.is_valid():
            try:
                done = roadmap.override(
                    check_id=row.pk,
                    user=request.user,  # type: ignore[arg-type]  # the admin has no strangers
                    now=timezone.now(),
                    **form.cleaned_data,
                )
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                self.log_change(request, done, [{"changed": {"fields": ["override"]}}])
                said = done.get_override_display() if done.override else NOTHING
                messages.success(request, f"{TITLES.get(row.key, row.key)}: {said}.")
                page = columns.page_url("performance_roadmapcheck", row.pk)
                return HttpResponseRedirect(page)
        context: dict[str, Any] = {
            "title": TITLES.get(row.key, row.key),
            "text": f"By the figures: {row.get_state_display()} ({row.evidence}).",
            "button": "Save",
            "form": form,
        }
        return answer(request, self, "admin/analytics/confirm.html", context)


@admin.register(RoadmapChange)
class RoadmapChangeAdmin(ReadOnlyAdmin):
    date_hierarchy = "changed_at"
    list_display = (
        "changed_at",
        columns.column("check_box__key", lambda key: TITLES.get(key, key), "check box"),
        "before",
        "after",
        "evidence",
        columns.day("session", "session"),
        columns.column("by", lambda user: str(user) if user else "the figures", "by"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "after")
    list_select_related = ("check_box", "by")
    ordering = ("-changed_at", "-pk")
