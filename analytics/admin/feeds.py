"""Admin of what providers give: data sets, sessions held back, filings, halts, what is live."""

from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString

from analytics.admin import columns
from analytics.admin.pages import Page, ReadOnlyAdmin, answer
from analytics.admin.unfolded import DayInput, action
from analytics.errors import DomainError
from analytics.models import (
    DataSetState,
    Filing,
    Halt,
    HeldSession,
    LiveQuote,
)
from analytics.services import backfill, holds, jobs, market_jobs, providers

STATE_COLOURS = {
    "current": "success",
    "no_key": "info",
    "not_in_plan": "info",
    "too_old": "info",
    "not_published": "info",
    "unauthorized": "danger",
    "unavailable": "warning",
    "refused": "danger",
}


class SyncForm(forms.Form):
    """Which sessions to fetch."""

    first = forms.DateField(label="From (blank: two years)", required=False, widget=DayInput)
    last = forms.DateField(label="to (blank: the newest)", required=False, widget=DayInput)


class Backfill(Page):
    """Adds the button and the page to the list of data sets."""

    actions_list = ("sync_market_data",)

    def has_sync_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("analytics.sync_market_data")

    @action(description="Fetch market data", permissions=["sync"], icon="download")
    def sync_market_data(self, request: HttpRequest) -> HttpResponse:
        if not self.has_sync_permission(request):
            raise PermissionDenied
        form = SyncForm(request.POST or None, initial=request.GET.dict())
        plan: backfill.Plan | None = None
        if request.method != "POST" or form.is_valid():
            plan = self._plan(form)
        if request.method == "POST" and plan is not None and "start" in request.POST:
            return self._start(request, form)
        context = {
            "title": "Fetch market data",
            "form": form,
            "plan": plan,
            "has_key": providers.has_polygon(),
        }
        return answer(request, self, "admin/analytics/sync_market_data.html", context)

    def _plan(self, form: SyncForm) -> backfill.Plan | None:
        given: dict[str, date | None] = form.cleaned_data if form.is_bound else {}
        try:
            return backfill.get_plan(
                now=timezone.now(),
                limit=providers.polygon_limit(),
                first=given.get("first"),
                last=given.get("last"),
            )
        except DomainError as error:
            if form.is_bound:
                form.add_error("first", str(error))
            return None

    def _start(self, request: HttpRequest, form: SyncForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("first", "last")}
        job = jobs.request(
            kind=market_jobs.BACKFILL,
            arguments={name: day.isoformat() for name, day in given.items() if day},
            requested_by=cast("User", request.user),
            now=timezone.now(),
        )
        messages.success(request, f"Queued as job {job.pk}.")
        return HttpResponseRedirect(columns.page_url("analytics_jobrun", job.pk))


@admin.register(DataSetState)
class DataSetStateAdmin(Backfill, ReadOnlyAdmin):
    list_display = (
        "data_set",
        columns.choice("state", "state", DataSetState.State, STATE_COLOURS),
        "provider",
        columns.day("newest", "newest day stored"),
        columns.day("plan_from", "oldest day of the plan"),
        "checked_at",
        "next_try_at",
        "detail",
    )
    list_filter = ("state",)
    ordering = ("data_set",)
    source_path = ""


@admin.register(HeldSession)
class HeldSessionAdmin(ReadOnlyAdmin):
    actions = ("let_through", "ask_again")
    date_hierarchy = "session"
    list_display = (
        columns.day("session", "session"),
        "gate",
        "reason",
        "provider",
        "held_at",
        "resolved_at",
        "resolution",
        "accepted_by",
        columns.source(),
    )
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "gate")
    list_select_related = ("accepted_by",)
    ordering = ("-session", "-pk")
    search_fields = ("reason",)

    def has_accept_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.accept_heldsession")

    @admin.action(description="Let the data through as they are", permissions=["accept"])
    def let_through(self, request: HttpRequest, chosen: QuerySet[HeldSession]) -> None:
        for held in chosen.filter(resolved_at__isnull=True):
            person = cast("User", request.user)
            holds.accept(held_id=held.pk, user=person, now=timezone.now())
        self._ask(request, chosen)

    @admin.action(description="Ask for the data again", permissions=["accept"])
    def ask_again(self, request: HttpRequest, chosen: QuerySet[HeldSession]) -> None:
        self._ask(request, chosen)

    def _ask(self, request: HttpRequest, chosen: QuerySet[HeldSession]) -> None:
        for session in chosen.values_list("session", flat=True).distinct():
            job = jobs.request(
                kind=market_jobs.SESSION,
                arguments={"session": session.isoformat()},
                requested_by=cast("User", request.user),
                now=timezone.now(),
            )
            self.message_user(request, f"{session} is asked for again: job {job.pk}.")


@admin.register(Filing)
class FilingAdmin(ReadOnlyAdmin):
    date_hierarchy = "accepted_at"
    list_display = (
        columns.symbol(),
        columns.plain("kind", "kind"),
        "form",
        "accepted_at",
        "document",
        "fetched_at",
    )
    list_filter = ("kind",)
    ordering = ("-accepted_at", "-pk")
    search_fields = ("=symbol", "form", "accession")
    source_path = ""

    @admin.display(description="document")
    def document(self, filing: Any) -> SafeString | None:
        return columns.link(filing.url, filing.accession) if filing.url else None


@admin.register(Halt)
class HaltAdmin(ReadOnlyAdmin):
    date_hierarchy = "halted_at"
    list_display = (columns.symbol(), "reason", "market", "halted_at", "resumes_at", "fetched_at")
    list_filter = ("reason",)
    ordering = ("-halted_at", "-pk")
    search_fields = ("=symbol",)
    source_path = ""


@admin.register(LiveQuote)
class LiveQuoteAdmin(ReadOnlyAdmin):
    list_display = (
        columns.symbol(),
        columns.day("session", "session"),
        "as_of",
        columns.money("last", "last, provisional"),
        columns.change("gap", "gap"),
        columns.large("volume", "volume so far"),
        columns.times("rel_volume", "over the usual by then"),
        columns.yes("before_open", "before the open"),
    )
    ordering = ("-rel_volume", "symbol")
    search_fields = ("=symbol",)
    source_path = ""
