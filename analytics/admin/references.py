"""Admin of the reference patterns: past winners that candidates are compared with (design §6)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from unfold.widgets import UnfoldAdminSelectWidget

from analytics.admin import columns
from analytics.admin.pages import Page, answer
from analytics.admin.unfolded import DayInput, action
from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.models import ReferencePattern, Source
from analytics.services import lakes, references

MEASURED = (Source.IMPORTED, Source.SIMULATED)


class FillForm(forms.Form):
    """When the signal was, and whose bars to read."""

    session = forms.DateField(
        label="Signal session",
        widget=DayInput,
        help_text="Entry is the open of the session after it.",
    )
    source = forms.ChoiceField(
        label="Market data",
        choices=[(source.value, source.label) for source in MEASURED],
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(ReferencePattern)
class ReferencePatternAdmin(Page):
    actions_detail = ("fill_from_market_data",)
    sections = (
        (
            None,
            (
                "symbol",
                "active",
                "signal_session",
                ("entry_price", "peak_price", "gain"),
                "sessions_to_peak",
                "note",
            ),
        ),
        (
            "What a candidate is compared by (unknown stays blank)",
            ("volume_spike", "short_interest_pct", "float_shares", ("price_low", "price_high")),
        ),
        (None, ("characteristics", "source")),
    )
    list_display = (
        "symbol",
        columns.day("signal_session", "signal"),
        columns.money("entry_price", "entry"),
        columns.money("peak_price", "peak"),
        columns.change("gain", "gain"),
        columns.count("sessions_to_peak", "sessions to peak"),
        columns.times("volume_spike", "volume"),
        columns.percent("short_interest_pct", "short interest"),
        columns.large("float_shares", "float"),
        "active",
        columns.source(),
    )
    list_filter = ("active", "source")
    ordering = ("symbol",)
    search_fields = ("=symbol",)

    def has_fill_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("analytics.change_referencepattern")

    @action(description="Fill from market data", permissions=["fill"], icon="query_stats")
    def fill_from_market_data(self, request: HttpRequest, object_id: int) -> HttpResponse:
        reference = get_object_or_404(ReferencePattern, pk=object_id)
        start = {"session": reference.signal_session, "source": lakes.get_active_source()}
        form = FillForm(request.POST or None, initial=start)
        if request.method == "POST" and form.is_valid():
            try:
                found = references.fill_from_bars(reference_id=reference.pk, **form.cleaned_data)
            except (DomainError, sessions.OutsideCalendar) as error:
                form.add_error("session", str(error))
            else:
                self.log_change(request, found, [{"changed": {"fields": ["filled from bars"]}}])
                messages.success(request, f"{found}: measured on {form.cleaned_data['session']}.")
                page = columns.page_url("analytics_referencepattern", reference.pk)
                return HttpResponseRedirect(page)
        context: dict[str, Any] = {
            "title": f"Fill {reference} from market data",
            "form": form,
            "reference": reference,
        }
        return answer(request, self, "admin/analytics/fill_reference.html", context)
