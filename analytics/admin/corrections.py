"""Admin of corrections: a person puts a bar or a split right and sees what changed (design §3)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from analytics.admin import columns, discovery_run
from analytics.admin.filters import OriginFilter
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import DayInput
from analytics.calc import figures
from analytics.errors import DomainError
from analytics.models import Correction, Source
from analytics.services import consequences, lakes, market_data

MEASURED = (Source.IMPORTED, Source.LIVE, Source.SIMULATED)
BAR_FIELDS = ("open", "high", "low", "close", "volume")
BATCHES_SHOWN = 60


class Amount(forms.FloatField):
    """A price or a count; blank keeps what stands there."""

    widget = UnfoldAdminDecimalFieldWidget

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False)


class CorrectionForm(forms.Form):
    """What is put right. Rules about prices are the service's: it names the field too."""

    data_set = forms.ChoiceField(
        label="What is wrong",
        choices=Correction.DataSet.choices,
        initial=Correction.DataSet.BARS,
        widget=UnfoldAdminRadioSelectWidget,
    )
    source = forms.ChoiceField(
        label="Market data",
        choices=[(source.value, source.label) for source in MEASURED],
        widget=UnfoldAdminSelectWidget,
    )
    symbol = forms.CharField(max_length=16, widget=UnfoldAdminTextInputWidget)
    session = forms.DateField(
        label="Session",
        help_text="Of the bar; for a split its ex-date.",
        widget=DayInput,
    )
    open = Amount("Open [USD]")
    high = Amount("High [USD]")
    low = Amount("Low [USD]")
    close = Amount("Close [USD]")
    volume = Amount("Volume [shares]")
    ratio = Amount("Split: new shares per old share")
    remove = forms.BooleanField(
        label="Take the row away",
        help_text="It never was: the bar or split is deleted.",
        required=False,
        widget=UnfoldBooleanWidget,
    )
    reason = forms.CharField(
        max_length=300,
        help_text="Why, in a sentence. Kept with your name.",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        given = [name for name in BAR_FIELDS if self.cleaned_data.get(name) is not None]
        ratio = self.cleaned_data.get("ratio")
        is_bar = self.cleaned_data.get("data_set") == Correction.DataSet.BARS
        if self.cleaned_data.get("remove"):
            for name in [*given, *(["ratio"] if ratio is not None else [])]:
                self.add_error(name, "Nothing can be set on a row that is taken away.")
        elif is_bar and not given and not self.errors:
            self.add_error("close", "Say at least one price or the volume.")
        elif not is_bar and ratio is None and "ratio" not in self.errors:
            self.add_error("ratio", "Say the ratio: 2 is 2-for-1, 0.1 is 1-for-10 reverse.")
        if is_bar and ratio is not None:
            self.add_error("ratio", "A bar has no ratio; choose the split above.")
        for name in given if not is_bar else []:
            self.add_error(name, "A split has no prices; choose the bar above.")
        return self.cleaned_data

    def changes(self) -> dict[str, float | None]:
        """Return the fields of the bar that were filled in."""
        return {
            name: self.cleaned_data[name]
            for name in BAR_FIELDS
            if self.cleaned_data[name] is not None
        }


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    date_hierarchy = "known_on"
    sections = (
        (
            None,
            (
                "data_set",
                columns.symbol(),
                columns.day("session", "session or ex-date"),
                "reason",
                "entered_by",
                "run",
                "known_on",
                columns.source(),
            ),
        ),
    )
    list_display = (
        "data_set",
        columns.symbol(),
        columns.day("session", "session or ex-date"),
        "difference",
        "reason",
        "known_on",
        columns.plain("entered_by", "entered by"),
        columns.source(),
    )
    list_filter = (OriginFilter, "data_set")
    list_select_related = ("entered_by",)
    ordering = ("-known_on", "-pk")
    search_fields = ("=symbol", "reason")
    story_template = "analytics/partials/correction_story.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.add_correction")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        start = {"source": lakes.get_active_source(), **request.GET.dict()}
        form = CorrectionForm(request.POST or None, initial=start)
        if request.method == "POST" and form.is_valid():
            correction = self._enter(request, form)
            if correction is not None:
                self.log_addition(request, correction, [{"added": {}}])
                messages.success(request, f"Put right: {correction}. Below is what it touched.")
                page = columns.page_url("analytics_correction", correction.pk)
                return HttpResponseRedirect(page)
        context = {"title": "Correct a bar or a split", "form": form}
        return answer(request, self, "admin/analytics/correct.html", context)

    def _enter(self, request: HttpRequest, form: CorrectionForm) -> Correction | None:
        """Return the correction, or None with the reason on the field that is wrong."""
        asked = form.cleaned_data
        who: dict[str, Any] = {
            "symbol": asked["symbol"],
            "reason": asked["reason"],
            "user": request.user,
            "now": timezone.now(),
            "source": asked["source"],
        }
        try:
            if asked["data_set"] == Correction.DataSet.BARS:
                values = None if asked["remove"] else form.changes()
                return market_data.correct_bar(session=asked["session"], values=values, **who)
            return market_data.correct_split(ex_date=asked["session"], ratio=asked["ratio"], **who)
        except market_data.InvalidCorrection as error:
            name = "session" if error.field == "ex_date" else error.field
            form.add_error(name if name in form.fields else None, str(error))
        except DomainError as error:
            form.add_error(None, str(error))
        return None

    def story(self, row: Any) -> dict[str, Any]:
        touched = consequences.get_touched(correction=row)
        return {
            "values": compared(row),
            "touched": touched,
            "batches": [
                {
                    "session": batch.session,
                    "batch": columns.link(
                        columns.page_url("analytics_discoverybatch", batch.pk), batch.variant
                    ),
                    "revision": batch.revision,
                    "again": batch.created_at >= row.known_on,
                }
                for batch in touched.batches[:BATCHES_SHOWN]
            ],
            "more": max(0, len(touched.batches) - BATCHES_SHOWN),
            "run_link": columns.link(
                discovery_run.run_url(touched.first, touched.last),
                f"Run discovery again from {touched.first} to {touched.last}",
            ),
        }

    @admin.display(description="before and after")
    def difference(self, correction: Correction) -> SafeString | str:
        changed = [cell for cell in compared(correction) if cell["changed"]]
        said = [f"{cell['name']} {cell['before']} to {cell['after']}" for cell in changed[:3]]
        if correction.before is None:
            return "added"
        if correction.after is None:
            return "taken away"
        return ", ".join(said) + (", ..." if len(changed) > len(said) else "") or "no difference"


def compared(correction: Correction) -> list[dict[str, Any]]:
    """Return each column of the corrected row before and after."""
    before, after = correction.before or {}, correction.after or {}
    return [
        {
            "name": name.replace("_", " "),
            "before": _shown(before.get(name)),
            "after": _shown(after.get(name)),
            "changed": before.get(name) != after.get(name),
        }
        for name in dict.fromkeys([*before, *after])
    ]


def _shown(value: Any) -> str:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:,.10g}"
    return figures.MISSING if value is None else str(value)
