"""Admin of failed logins: who is locked out, and a way to open the door at once."""

from typing import Any

from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from analytics.admin.pages import ReadOnlyAdmin

AccessAttempt._meta.verbose_name = "failed login"  # what pages call it
AccessAttempt._meta.verbose_name_plural = "failed logins"
apps.get_app_config("axes").verbose_name = "People"


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    actions = ("unlock",)
    export_fields = ("username", "ip_address", "failures_since_start", "attempt_time")
    list_before_template = ""
    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "state")
    list_display_links = None
    ordering = ("-attempt_time",)
    search_fields = ("username", "ip_address")
    source_path = ""

    @admin.display(description="state", ordering="failures_since_start")
    def state(self, attempt: AccessAttempt) -> str:
        locked = attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT
        return "locked out" if locked else "open"

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)  # a list, no pages

    @admin.action(description="Unlock", permissions=["unlock"])
    def unlock(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        count, _by_model = chosen.delete()
        self.message_user(request, f"Unlocked: {count}.")
