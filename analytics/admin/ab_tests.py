"""Admin of A/B tests: registered here before they start, read each night (design §17)."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from analytics.admin import columns, filters
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.calc import sequence_chart
from analytics.errors import DomainError
from analytics.models import Experiment, ExperimentMode, ExperimentReading, ExperimentState, Variant
from analytics.services import ab_readings, ab_tests, jobs, lakes, study_kinds

STATE_COLOURS = {
    ExperimentState.RUNNING: "info",
    ExperimentState.DECIDED: "success",
    ExperimentState.COMPLETED: "info",
    ExperimentState.STOPPED: "warning",
}
MODE_COLOURS = {ExperimentMode.LIVE: "success", ExperimentMode.RETROSPECTIVE: "warning"}


class RegisterForm(forms.Form):
    """What is written down before the first session."""

    name = forms.CharField(label="Name", max_length=80, widget=UnfoldAdminTextInputWidget)
    variant_a = forms.ModelChoiceField(
        label="Variant A", queryset=Variant.objects.none(), widget=UnfoldAdminSelectWidget
    )
    variant_b = forms.ModelChoiceField(
        label="Variant B", queryset=Variant.objects.none(), widget=UnfoldAdminSelectWidget
    )
    minimal_effect = forms.FloatField(
        label="Smallest difference that matters",
        min_value=0.0001,
        max_value=0.9999,
        initial=ab_tests.MINIMAL_EFFECT,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Of the explosive rate, a fraction: 0.01 is one point.",
    )
    planned_sessions = forms.IntegerField(
        label="Planned sessions",
        min_value=1,
        max_value=100_000,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Blank: what the power calculation asks for.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = Variant.objects.active().order_by("name", "-version")
        for side in ("variant_a", "variant_b"):
            cast("forms.ModelChoiceField[Variant]", self.fields[side]).queryset = active


class StopForm(forms.Form):
    """Why an experiment ends before its time."""

    reason = forms.CharField(label="Reason", max_length=200, widget=UnfoldAdminTextInputWidget)


@admin.register(Experiment)
class ExperimentAdmin(ReadOnlyAdmin):
    actions_detail = ("stop_early",)
    actions_list = ("register_experiment", "read_now")
    list_display = (
        "name",
        columns.choice("mode", "mode", ExperimentMode, MODE_COLOURS),
        columns.choice("state", "state", ExperimentState, STATE_COLOURS),
        columns.plain("variant_a", "A"),
        columns.plain("variant_b", "B"),
        columns.percent("minimal_effect", "smallest effect"),
        columns.count("planned_sessions", "planned sessions"),
        columns.day("first_session", "first session"),
        "readings_link",
        columns.source(),
    )
    list_filter = (filters.OriginFilter, "mode", "state")
    list_select_related = ("variant_a", "variant_b")
    ordering = ("-registered_at", "-pk")
    search_fields = ("name",)
    sections = (
        (
            None,
            (
                "name",
                ("mode", "state", columns.source()),
                ("variant_a", "variant_b"),
                ("metric", columns.percent("level", "level"), "first_session"),
                (columns.percent("minimal_effect", "smallest effect"), "planned_sessions"),
                ("registered_at", "registered_by"),
                ("ended_at", "end_reason"),
                "readings_link",
            ),
        ),
        ("Written down when it was registered", ("plan", "rules")),
    )
    story_template = "analytics/partials/experiment_story.html"

    def has_register_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.add_experiment")

    def has_stop_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("analytics.stop_experiment")

    def story(self, row: Any) -> dict[str, Any]:
        reading = ab_readings.newest_reading(row)
        points = reading.sequence if reading else []
        return {
            "experiment": row,
            "retrospective": row.mode == ExperimentMode.RETROSPECTIVE,
            "reading": reading,
            "chart": sequence_chart.draw(points),
            "points": points[-12:],
        }

    @admin.display(description="readings")
    def readings_link(self, experiment: Experiment) -> SafeString:
        url = columns.list_url(
            "analytics_experimentreading", origin="all", experiment__id__exact=experiment.pk
        )
        return columns.link(url, "readings")

    @action(description="Register experiment", permissions=["register"], icon="add")
    def register_experiment(self, request: HttpRequest) -> HttpResponse:
        if not self.has_register_permission(request):
            raise PermissionDenied
        form = RegisterForm(request.POST or None)
        plan = None
        if request.method == "POST" and form.is_valid():
            asked = form.cleaned_data
            if "register" not in request.POST:
                plan = self._plan(asked)
            elif made := self._register(request, form):
                return made
        context = {"title": "Register an A/B test", "form": form, "plan": plan}
        return answer(request, self, "admin/analytics/register_experiment.html", context)

    def _plan(self, asked: dict[str, Any]) -> ab_tests.Plan:
        return ab_tests.get_plan_of(
            variant_a=asked["variant_a"],
            variant_b=asked["variant_b"],
            minimal_effect=asked["minimal_effect"],
            source=lakes.get_active_source(),
            now=timezone.now(),
        )

    def _register(self, request: HttpRequest, form: RegisterForm) -> HttpResponse | None:
        try:
            made = ab_tests.register(
                **form.cleaned_data,
                source=lakes.get_active_source(),
                now=timezone.now(),
                registered_by=cast("User", request.user),
            )
        except DomainError as error:
            form.add_error(None, str(error))
            return None
        self.log_addition(request, made, [{"added": {}}])
        messages.success(request, f"Registered; its first session is {made.first_session}.")
        return HttpResponseRedirect(columns.page_url("analytics_experiment", made.pk))

    @action(description="Read now", permissions=["register"], icon="refresh")
    def read_now(self, request: HttpRequest) -> HttpResponse:
        if not self.has_register_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                "title": "Read the experiments now",
                "text": "Every running experiment is read, and A against B looking back.",
                "button": "Read now",
            }
            return answer(request, self, "admin/analytics/confirm.html", context)
        job = jobs.request(
            kind=study_kinds.READ_EXPERIMENTS,
            arguments={"source": lakes.get_active_source()},
            requested_by=cast("User", request.user),
            now=timezone.now(),
        )
        return HttpResponseRedirect(columns.page_url("analytics_jobrun", job.pk))

    @action(description="Stop early", permissions=["stop"], icon="stop_circle")
    def stop_early(self, request: HttpRequest, object_id: int) -> HttpResponse:
        experiment = get_object_or_404(Experiment, pk=object_id)
        form = StopForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                ab_tests.stop(experiment=experiment, now=timezone.now(), **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                self.log_change(request, experiment, [{"changed": {"fields": ["state"]}}])
                messages.success(request, f"{experiment} was stopped; its readings stay.")
                url = columns.page_url("analytics_experiment", experiment.pk)
                return HttpResponseRedirect(url)
        context = {
            "title": f"Stop {experiment}",
            "text": "What was read stays valid: the interval allows to stop at any time.",
            "form": form,
            "button": "Stop early",
        }
        return answer(request, self, "admin/analytics/confirm.html", context)


@admin.register(ExperimentReading)
class ExperimentReadingAdmin(ReadOnlyAdmin):
    list_display = (
        columns.plain("experiment", "experiment"),
        columns.day("as_of", "as of"),
        columns.count("blocks", "blocks"),
        columns.count("sessions", "sessions"),
        columns.count("picks", "picks"),
        columns.percent("rate_a", "rate of A"),
        columns.percent("rate_b", "rate of B"),
        columns.column("effect", columns.points, "B minus A"),
        columns.column("low", columns.points, "from"),
        columns.column("high", columns.points, "to"),
        columns.plain("verdict", "verdict"),
        columns.yes("guardrail_breached", "guardrail breached"),
        columns.day("answerable_on", "answerable on"),
        columns.source("experiment__source"),
    )
    list_filter = (filters.origin("experiment__source"), "experiment", "verdict")
    list_select_related = ("experiment",)
    ordering = ("-as_of", "-pk")
    search_fields = ("experiment__name",)
    source_path = "experiment__source"
