"""Admin of reports by mail: what was written, to whom it went, who wants which."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.admin import columns
from analytics.admin.pages import Page, ReadOnlyAdmin
from analytics.services import jobs
from performance.models import MailReport, ReportDelivery, ReportPreference
from performance.services import mail_reports, report_delivery, report_kinds

STATE_COLOURS = {
    "queued": "info",
    "sending": "info",
    "sent": "success",
    "failed": "danger",
    "unknown": "warning",
}


class DeliveryInline(admin.TabularInline[ReportDelivery, MailReport]):
    """Where a report went."""

    can_delete = False
    extra = 0
    fields = readonly_fields = ("recipient", "channel", "state", "attempts", "sent_at", "error")
    model = ReportDelivery

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MailReport)
class MailReportAdmin(ReadOnlyAdmin):
    actions = ("send_to_me",)
    date_hierarchy = "day"
    export_fields = ("id", "edition", "day", "as_of", "subject", "created_at", "source")
    inlines = (DeliveryInline,)
    list_display = (
        "subject",
        "edition",
        columns.day("day", "day"),
        "arrived",
        "preview",
        "created_at",
        columns.source(),
    )
    list_filter = ("edition", "source")
    ordering = ("-created_at", "-pk")
    search_fields = ("subject", "text")
    sections = ((None, ("subject", "edition", "day", "as_of", "preview", "text", "created_at")),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MailReport]:
        sent = Count("deliveries", filter=Q(deliveries__state="sent"))
        rows: QuerySet[MailReport] = super().get_queryset(request)
        return rows.annotate(sent=sent, ways=Count("deliveries"))

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("performance.send_report")

    @admin.display(description="arrived")
    def arrived(self, report: Any) -> str:
        return f"{report.sent} of {report.ways}"

    @admin.display(description="preview")
    def preview(self, report: MailReport) -> SafeString:
        link = '<a href="{}" target="_blank" rel="noopener">as it looks</a>'
        return format_html(link, reverse("pages:mail-preview", args=[report.pk]))

    @admin.action(description="Send to me", permissions=["send"])
    def send_to_me(self, request: HttpRequest, chosen: QuerySet[MailReport]) -> None:
        me, now = cast("User", request.user).email, timezone.now()
        if not me:
            self.message_user(request, "Your account has no e-mail address.", level="error")
            return
        new = sum(
            mail_reports.queue(report=report, now=now, recipients=[me]).new for report in chosen
        )
        if new:
            jobs.request(kind=report_kinds.DELIVER, now=now)
        self.message_user(request, f"Queued: {new}. A report goes to each address once.")


@admin.register(ReportDelivery)
class ReportDeliveryAdmin(ReadOnlyAdmin):
    actions = ("send_again",)
    list_display = (
        "report",
        "recipient",
        "channel",
        columns.choice("state", "state", ReportDelivery.State, STATE_COLOURS),
        "attempts",
        "due_at",
        "sent_at",
        "error",
    )
    list_filter = ("state", "channel")
    list_select_related = ("report",)
    ordering = ("-pk",)
    search_fields = ("recipient",)
    source_path = "report__source"

    def has_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("performance.send_report")

    @admin.action(description="Send again", permissions=["again"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[ReportDelivery]) -> None:
        now = timezone.now()
        count = report_delivery.send_again(
            delivery_ids=list(chosen.values_list("pk", flat=True)), now=now
        )
        if count:
            jobs.request(kind=report_kinds.DELIVER, now=now)
        self.message_user(request, f"Queued again: {count}.")


class PreferenceForm(forms.ModelForm[ReportPreference]):
    """Wanting an edition again takes back that the address unsubscribed."""

    class Meta:
        model = ReportPreference
        fields = ("address", "user", "morning", "close", "weekly", "monthly")

    def save(self, commit: bool = True) -> ReportPreference:
        row = self.instance
        if row.morning or row.close or row.weekly or row.monthly:
            row.unsubscribed_at = None
        return super().save(commit)


@admin.register(ReportPreference)
class ReportPreferenceAdmin(Page):
    form = PreferenceForm
    list_display = ("address", "user", "morning", "close", "weekly", "monthly", "unsubscribed_at")
    list_filter = ("morning", "close", "weekly", "monthly")
    list_select_related = ("user",)
    autocomplete_fields = ("user",)
    ordering = ("address",)
    search_fields = ("address",)
    source_path = ""
