"""The page "Run discovery": asks for a job that scans one session or many (design §7)."""

from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from analytics.admin.pages import Page, answer
from analytics.admin.unfolded import DayInput, action
from analytics.calc import sessions
from analytics.models import Variant
from analytics.services import holds, jobs, lakes


class RunForm(forms.Form):
    """Which sessions to scan."""

    first = forms.DateField(label="Session", widget=DayInput)
    last = forms.DateField(label="to (blank: only that one)", required=False, widget=DayInput)

    def clean_first(self) -> date:
        return _session(self.cleaned_data["first"])

    def clean_last(self) -> date | None:
        last: date | None = self.cleaned_data["last"]
        return _session(last) if last else None

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", f"{last} lies before {first}.")
        return self.cleaned_data


def _session(when: date) -> date:
    try:
        if sessions.is_session(when):
            return when
        nearest = sessions.offset(when, 0)
    except sessions.OutsideCalendar as error:
        raise forms.ValidationError(str(error)) from error
    raise forms.ValidationError(f"{when} is no trading session; the one before is {nearest}.")


class DiscoveryRun(Page):
    """Adds the button and the page to the list of batches."""

    actions_list = ("run_discovery",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Say over the list which sessions have no batch because their data are held back."""
        for held in holds.get_standing():
            said = f"{held.session} has no batch: held back, {held.gate}: {held.reason}"
            self.message_user(request, said, messages.WARNING)
        return super().changelist_view(request, extra_context)

    def has_run_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("analytics.run_discovery")

    @action(description="Run discovery", permissions=["run"], icon="play_arrow")
    def run_discovery(self, request: HttpRequest) -> HttpResponse:
        if not self.has_run_permission(request):
            raise PermissionDenied
        form = RunForm(request.POST or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid():
            return self._ask_for(request, form.cleaned_data["first"], form.cleaned_data["last"])
        variants = ", ".join(map(str, Variant.objects.active().order_by("name", "version")))
        context = {"title": "Run discovery", "form": form, "variants": variants}
        return answer(request, self, "admin/analytics/run_discovery.html", context)

    def _ask_for(self, request: HttpRequest, first: date, last: date | None) -> HttpResponse:
        """Ask for the scan and go to where it can be watched."""
        arguments = {
            "first": first.isoformat(),
            "last": (last or first).isoformat(),
            "source": lakes.get_active_source(),
        }
        job = jobs.request(
            kind="discover",
            arguments=arguments,
            requested_by=cast("User", request.user),
            now=timezone.now(),
        )
        messages.success(request, "Discovery was asked for; this page shows how far it is.")
        return HttpResponseRedirect(reverse("admin:analytics_jobrun_change", args=[job.pk]))


def run_url(first: date, last: date | None = None) -> str:
    """Return the address of the page, its form filled in."""
    query = f"?first={first}" + (f"&last={last}" if last else "")
    return reverse("admin:analytics_discoverybatch_run_discovery") + query
