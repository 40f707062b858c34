"""Admin of weight sweeps: what was tried, how likely the best is luck, and drafts of a set."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from analytics.admin import columns, filters
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.models import SweepSet, Variant, WeightSweep
from analytics.services import jobs, lakes, study_kinds, sweep_results

WEIGHTS = ("w_volume", "w_momentum", "w_float", "w_short_interest", "w_technical", "w_sentiment")


class SweepForm(forms.Form):
    """What to try."""

    variant = forms.ModelChoiceField(
        label="Gates of", queryset=Variant.objects.none(), widget=UnfoldAdminSelectWidget
    )
    sets = forms.IntegerField(
        label="Weight sets",
        min_value=10,
        max_value=5000,
        initial=1000,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    top = forms.IntegerField(
        label="Picks per session",
        min_value=1,
        max_value=50,
        initial=10,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    seed = forms.IntegerField(
        label="Seed", min_value=0, initial=1, widget=UnfoldAdminIntegerFieldWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = Variant.objects.active().filter(kind="rules").order_by("name", "-version")
        cast("forms.ModelChoiceField[Variant]", self.fields["variant"]).queryset = active


@admin.register(WeightSweep)
class WeightSweepAdmin(ReadOnlyAdmin):
    actions_list = ("run_sweep",)
    list_display = (
        "created_at",
        columns.plain("variant", "gates of"),
        columns.day("first", "from"),
        columns.day("last", "to"),
        columns.count("sets", "weight sets"),
        columns.count("top", "picks per session"),
        columns.percent("overfitting", "probability of overfitting"),
        "results_link",
        columns.source(),
    )
    list_filter = (filters.OriginFilter,)
    list_select_related = ("variant",)
    ordering = ("-created_at", "-pk")
    search_fields = ("variant__name",)
    sections = (
        (
            None,
            (
                ("variant", "results_link", columns.source()),
                (columns.day("first", "from"), columns.day("last", "to"), "sessions"),
                ("sets", "top", columns.percent("cost", "cost of each side"), "seed"),
                (columns.plain("components", "weights drawn among"),),
                (
                    columns.percent("overfitting", "probability of overfitting"),
                    "splits",
                    "overfitting_note",
                ),
                ("created_at", columns.number("seconds", "run time [s]"), "lake_versions"),
            ),
        ),
    )
    story_template = "analytics/partials/sweep_story.html"

    def has_sweep_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.add_weightsweep")

    def story(self, row: Any) -> dict[str, Any]:
        return {
            "sweep": row,
            "best": list(row.results.order_by("place")[:10]),
            "own": list(row.results.exclude(label="").order_by("place")),
            "map": sweep_results.get_heat_map(sweep=row),
            "results_link": self.results_link(row),
        }

    @admin.display(description="results")
    def results_link(self, sweep: WeightSweep) -> SafeString:
        url = columns.list_url("analytics_sweepset", origin="all", sweep__id__exact=sweep.pk)
        return columns.link(url, "every set")

    @action(description="Run sweep", permissions=["sweep"], icon="play_arrow")
    def run_sweep(self, request: HttpRequest) -> HttpResponse:
        if not self.has_sweep_permission(request):
            raise PermissionDenied
        form = SweepForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            asked = form.cleaned_data | {"variant": form.cleaned_data["variant"].pk}
            job = jobs.request(
                kind=study_kinds.SWEEP,
                arguments={**asked, "source": lakes.get_active_source()},
                requested_by=cast("User", request.user),
                now=timezone.now(),
            )
            messages.success(request, "The sweep was asked for; this page shows how far it is.")
            return HttpResponseRedirect(columns.page_url("analytics_jobrun", job.pk))
        context = {
            "title": "Run a weight sweep",
            "text": (
                "Weight sets are drawn at random and ranked over all of history, with the gates "
                "of a variant. Every set counts as a look at history in the ledger of trials."
            ),
            "form": form,
            "button": "Run sweep",
        }
        return answer(request, self, "admin/analytics/confirm.html", context)


@admin.register(SweepSet)
class SweepSetAdmin(ReadOnlyAdmin):
    actions = ("use_as_new_variant",)
    list_display = (
        columns.count("place", "place"),
        columns.count("number", "set"),
        columns.plain("label", "variant"),
        *(columns.percent(name, name[2:].replace("_", " ")) for name in WEIGHTS),
        columns.count("picks", "picks"),
        columns.percent("explosive_rate", "explosive"),
        columns.change("mean_net_return", "mean net return, 14"),
        columns.source("sweep__source"),
    )
    list_filter = (filters.origin("sweep__source"), "sweep")
    list_select_related = ("sweep",)
    ordering = ("-sweep", "place", "pk")
    search_fields = ("label",)
    source_path = "sweep__source"

    def has_draft_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.draft_variant")

    @admin.action(description="Use as new variant (a draft)", permissions=["draft"])
    def use_as_new_variant(self, request: HttpRequest, chosen: QuerySet[SweepSet]) -> None:
        if chosen.count() != 1:
            self.message_user(request, "Choose one weight set.", messages.ERROR)
            return
        draft = sweep_results.record_draft(chosen=chosen.select_related("sweep__variant")[0])
        self.log_addition(request, draft, [{"added": {"name": "from a weight sweep"}}])
        self.message_user(request, f"{draft} is a draft: not active until you say so.")
