"""Admin of API keys: list, make (shown once), revoke. One's own, unless one is a superuser."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from knox.models import AuthToken
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.errors import DomainError
from analytics.services import api_keys

admin.site.unregister(AuthToken)  # knox's own cannot show a new key
AuthToken._meta.verbose_name = "API key"  # what pages call it; migrations read the original
AuthToken._meta.verbose_name_plural = "API keys"
apps.get_app_config("knox").verbose_name = "People"


class KeyForm(forms.Form):
    """Whose key, what it is called, how long it is valid."""

    user = forms.ModelChoiceField(
        label="Whose",
        queryset=User.objects.none(),
        widget=UnfoldAdminSelectWidget,
        help_text="The key opens what this person may open.",
    )
    name = forms.CharField(
        max_length=api_keys.LONGEST_NAME,
        help_text=f"What will use it: {api_keys.NAME_RULE}. The key begins with it.",
        widget=UnfoldAdminTextInputWidget,
    )
    days = forms.IntegerField(
        label="Valid for [days]",
        min_value=1,
        max_value=api_keys.LONGEST_DAYS,
        initial=api_keys.DAYS,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def __init__(self, *args: Any, owners: QuerySet[User], **more: Any) -> None:
        super().__init__(*args, **more)
        whose = self.fields["user"]
        whose.queryset = owners  # type: ignore[attr-defined]
        if len(owners) == 1:
            whose.initial = owners[0]


@admin.register(AuthToken)
class ApiKeyAdmin(ReadOnlyAdmin):
    actions = ("revoke",)
    export_fields = ("user__username", "token_key", "created", "expiry")
    list_before_template = ""
    list_display = ("name", "user", "begins_with", "created", "expiry", "state")
    list_display_links = None
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("user",)
    ordering = ("user__username", "token_key")
    search_fields = ("token_key", "user__username")
    source_path = ""

    @admin.display(ordering="token_key")
    def name(self, token: AuthToken) -> str:
        return api_keys.name_of(token)

    @admin.display(description="begins with", ordering="token_key")
    def begins_with(self, token: AuthToken) -> str:
        return api_keys.begins_with(token)

    @admin.display(description="state", ordering="expiry")
    def state(self, token: AuthToken) -> str:
        return "expired" if api_keys.is_expired(token, now=timezone.now()) else "valid"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        return found if _sees_all(request) else found.filter(user=request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("knox.add_authtoken")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("knox.delete_authtoken")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)  # a list, no pages

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        for token in chosen:
            _note(request, DELETION, f"{api_keys.name_of(token)} of {token.user}")
        count = api_keys.revoke(digests=chosen.values_list("pk", flat=True))
        self.message_user(request, f"Revoked: {count}. They open nothing any more.")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        owners = api_keys.get_owners()
        owners = (
            owners if _sees_all(request) else owners.filter(username=request.user.get_username())
        )
        form = KeyForm(request.POST or None, owners=owners, initial={"user": request.user})
        if request.method == "POST" and form.is_valid():
            try:
                new = api_keys.create(**form.cleaned_data, now=timezone.now())
            except DomainError as error:
                form.add_error("name", str(error))
            else:
                _note(request, ADDITION, f"{new.name} of {new.user}")
                return self._show_once(request, new)
        context = {"title": "Make an API key", "form": form}
        return answer(request, self, "admin/knox/make_key.html", context)

    def _show_once(self, request: HttpRequest, new: api_keys.NewKey) -> HttpResponse:
        url = request.build_absolute_uri("/analytics/candidates")
        context = {"title": "The key, shown this once", "new": new, "url": url}
        page = answer(request, self, "admin/knox/show_key.html", context)
        add_never_cache_headers(page)
        return page


def _sees_all(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _note(request: HttpRequest, what: int, which: str) -> None:
    """Write to the admin's log; without the digest, which would be all that it could link to."""
    LogEntry.objects.create(
        user=User.objects.get(username=request.user.get_username()),
        content_type=ContentType.objects.get_for_model(AuthToken),
        object_repr=which,
        action_flag=what,
        change_message="API key",
    )
