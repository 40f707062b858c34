"""Admin of audited claims: upload a file, read the verdicts (design §2)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.errors import DomainError
from analytics.models import ClaimAudit, ClaimItem, Verdict
from analytics.services import claims, lakes

VERDICT_COLOURS = {
    Verdict.VERIFIED: "success",
    Verdict.PLAUSIBLE: "info",
    Verdict.IMPOSSIBLE: "danger",
    Verdict.UNVERIFIABLE: "warning",
}


class UploadForm(forms.Form):
    """Which picks to check."""

    title = forms.CharField(max_length=120, label="Whose claim")
    file = forms.FileField(
        label="CSV of picks",
        help_text=f"Columns: {', '.join(claims.COLUMNS)}. The first three are needed.",
    )

    def clean_file(self) -> str:
        file = self.cleaned_data["file"]
        if file.size > claims.LARGEST_FILE:
            raise forms.ValidationError("The file is too large.")
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError("The file is not UTF-8.") from error
        return text


@admin.register(ClaimAudit)
class ClaimAuditAdmin(ReadOnlyAdmin):
    actions_list = ("audit_file", "audit_baseline")
    date_hierarchy = "created_at"
    list_display = (
        "title",
        "created_at",
        *(columns.count(f"count_{verdict}", str(verdict)) for verdict in Verdict.values),
        columns.source(),
    )
    ordering = ("-created_at", "-pk")
    search_fields = ("title",)
    sections = ((None, ("title", ("created_at", "requested_by"), "baseline", columns.source())),)
    story_template = "analytics/partials/claim_story.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClaimAudit]:
        return claims.get_audits()

    def has_audit_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("analytics.audit_claims")

    def story(self, row: Any) -> dict[str, Any]:
        return {"found": list(row.items.order_by("position"))}

    @action(description="Audit the baseline", permissions=["audit"], icon="fact_check")
    def audit_baseline(self, request: HttpRequest) -> HttpResponse:
        if not self.has_audit_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                "title": "Audit the baseline",
                "said": "What is claimed of June-July 2024 is checked against the bars at hand.",
                "button": "Audit",
            }
            return answer(request, self, "admin/analytics/confirm_job.html", context)
        try:
            audit = claims.record_baseline_audit(**_asked(request))
        except DomainError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(columns.list_url("analytics_claimaudit"))
        return HttpResponseRedirect(columns.page_url("analytics_claimaudit", audit.pk))

    @action(description="Audit a file", permissions=["audit"], icon="upload_file")
    def audit_file(self, request: HttpRequest) -> HttpResponse:
        if not self.has_audit_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                audit = claims.record_upload_audit(
                    title=given["title"], text=given["file"], **_asked(request)
                )
            except DomainError as error:
                form.add_error("file", str(error))
            else:
                return HttpResponseRedirect(columns.page_url("analytics_claimaudit", audit.pk))
        context = {"title": "Audit a file of picks", "form": form}
        return answer(request, self, "admin/analytics/audit_file.html", context)


def _asked(request: HttpRequest) -> dict[str, Any]:
    person = request.user if request.user.is_authenticated else None
    return {
        "source": str(lakes.get_active_source()),
        "now": timezone.now(),
        "requested_by": person,
    }


@admin.register(ClaimItem)
class ClaimItemAdmin(ReadOnlyAdmin):
    list_display = (
        "subject",
        "kind",
        columns.choice("verdict", "verdict", Verdict, VERDICT_COLOURS),
        "claim",
        "evidence",
        "audit",
    )
    list_filter = ("verdict", "kind")
    list_select_related = ("audit",)
    ordering = ("-audit", "position")
    search_fields = ("=subject", "claim")
    source_path = "audit__source"
