"""Admin of alerts: seen and resolved by people; where they go; whether they arrived."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from analytics.admin import columns
from analytics.admin.pages import Page, ReadOnlyAdmin
from analytics.models import (
    Alert,
    AlertChannel,
    AlertDelivery,
    AlertEvent,
    AlertKind,
    AlertRoute,
    AlertSeverity,
)
from analytics.services import alert_delivery, alerts

SEVERITY_COLOURS = {"good": "success", "info": "info", "warning": "warning", "critical": "danger"}
STATE_COLOURS = {
    "queued": "info",
    "sending": "info",
    "sent": "success",
    "failed": "danger",
    "unknown": "warning",
}


class EventInline(admin.TabularInline[AlertEvent, Alert]):
    """An alert's history."""

    can_delete = False
    extra = 0
    fields = readonly_fields = ("at", "what", "user", "note")
    model = AlertEvent

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeliveryInline(admin.TabularInline[AlertDelivery, Alert]):
    """Where an alert went."""

    can_delete = False
    extra = 0
    fields = readonly_fields = ("route", "state", "attempts", "due_at", "sent_at", "error")
    model = AlertDelivery

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    actions = ("acknowledge", "resolve")
    date_hierarchy = "crossed_at"
    inlines = (EventInline, DeliveryInline)
    list_display = (
        "kind",
        columns.choice("severity", "severity", AlertSeverity, SEVERITY_COLOURS),
        "message",
        columns.symbol(),
        "subject",
        "crossed_at",
        columns.yes("provisional", "provisional"),
        "acknowledged_at",
        "acknowledged_by",
        "resolved_at",
        columns.source(),
    )
    list_filter = ("kind", "severity", ("resolved_at", admin.EmptyFieldListFilter), "provisional")
    list_select_related = ("acknowledged_by",)
    ordering = ("-crossed_at", "-pk")
    search_fields = ("=symbol", "subject", "message")

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.acknowledge_alert")

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.resolve_alert")

    @admin.action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, chosen: QuerySet[Alert]) -> None:
        count = alerts.acknowledge(
            alert_ids=list(chosen.values_list("pk", flat=True)),
            user=cast("User", request.user),
            now=timezone.now(),
        )
        self.message_user(request, f"Acknowledged: {count}.")

    @admin.action(description="Resolve", permissions=["resolve"])
    def resolve(self, request: HttpRequest, chosen: QuerySet[Alert]) -> None:
        count = alerts.resolve(
            alert_ids=list(chosen.values_list("pk", flat=True)),
            user=cast("User", request.user),
            now=timezone.now(),
            note="resolved in the admin",
        )
        self.message_user(request, f"Resolved: {count}.")


class RouteForm(forms.ModelForm[AlertRoute]):
    """A route whose address fits its channel."""

    kinds = forms.MultipleChoiceField(
        choices=AlertKind.choices, required=False, help_text="Only these; none chosen: all."
    )
    token = forms.CharField(
        required=False,
        widget=forms.PasswordInput,
        help_text="Of the Telegram bot. Stored; not shown again. Blank keeps the one stored.",
    )

    class Meta:
        model = AlertRoute
        fields = ("name", "channel", "address", "token", "least_severity", "kinds", "active")

    def clean_token(self) -> str:
        given: str = self.cleaned_data["token"]
        return given or self.instance.token

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        channel, address = cleaned.get("channel", ""), cleaned.get("address") or ""
        checks: dict[str, Callable[[str], None]] = {
            AlertChannel.EMAIL: EmailValidator(),
            AlertChannel.WEBHOOK: URLValidator(["http", "https"]),
            AlertChannel.SLACK: URLValidator(["https", "http"]),
        }
        try:
            if channel in checks:
                checks[channel](address)
        except ValidationError as error:
            self.add_error("address", error)
        if channel == AlertChannel.TELEGRAM and not cleaned.get("token"):
            self.add_error("token", "A Telegram bot needs its token.")
        return cleaned


@admin.register(AlertRoute)
class AlertRouteAdmin(Page):
    form = RouteForm
    list_display = ("name", "channel", "least_severity", "active", "created_at")
    list_filter = ("channel", "active")
    ordering = ("name",)
    export_fields = (
        "id",
        "name",
        "channel",
        "least_severity",
        "active",
        "created_at",
    )  # no secrets
    source_path = ""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # deliveries point at it: make it inactive


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(ReadOnlyAdmin):
    actions = ("send_again",)
    list_display = (
        "alert",
        "route",
        columns.choice("state", "state", AlertDelivery.State, STATE_COLOURS),
        "attempts",
        "due_at",
        "sent_at",
        "error",
    )
    list_filter = ("state", "route")
    list_select_related = ("alert", "route")
    ordering = ("-pk",)
    source_path = ""

    def has_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.change_alertroute")

    @admin.action(description="Send again", permissions=["again"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[AlertDelivery]) -> None:
        now = timezone.now()
        count = alert_delivery.send_again(
            delivery_ids=list(chosen.values_list("pk", flat=True)), now=now
        )
        if count:
            alert_delivery.request(now=now)
        self.message_user(request, f"Queued again: {count}.")
