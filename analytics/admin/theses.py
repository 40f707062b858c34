"""Admin of stage theses: predictions, frozen when issued (design §9)."""

import json
from decimal import Decimal
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone

from analytics.admin import columns
from analytics.admin.filters import OriginFilter
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.thesis_forms import ThesisForm
from analytics.admin.unfolded import action
from analytics.calc import figures, number_check
from analytics.errors import DomainError
from analytics.models import AuthorKind, Recommendation, Thesis
from analytics.services import theses, thesis_chain, thesis_events

RECOMMENDATION_COLOURS = {
    Recommendation.BUY: "success",
    Recommendation.HOLD: "info",
    Recommendation.TRIM: "warning",
    Recommendation.LIQUIDATE: "danger",
    Recommendation.AVOID: "warning",
}
AUTHOR_COLOURS = {AuthorKind.CLAUDE: "info", AuthorKind.RULES: "success"}


def cost(value: Decimal | None) -> str:
    """Return a small amount with the digits that it needs."""
    return figures.MISSING if value is None else f"${value:.4f}"


def marked(thesis: Thesis, where: str, text: str) -> str:
    """Return a text of a thesis with marks behind sentences that have unsupported figures."""
    places = [(m["from"], m["to"]) for m in thesis.unsupported if m["where"] == where]
    return number_check.marked(text, places)


@admin.register(Thesis)
class ThesisAdmin(ReadOnlyAdmin):
    actions_detail = ("withdraw",)
    actions_list = ("write_by_hand", "check_chain")
    compressed_fields = False
    date_hierarchy = "session"
    sections = (
        (
            None,
            (
                (
                    columns.symbol(),
                    columns.day("session", "signal session"),
                    columns.choice(
                        "recommendation", "says", Recommendation, RECOMMENDATION_COLOURS
                    ),
                    columns.source(),
                ),
                (
                    columns.money("entry_price", "entry"),
                    columns.money("target_price", "target"),
                    columns.money("stop_price", "stop"),
                    columns.money("max_entry_price", "do not chase above"),
                ),
                (
                    columns.percent("p_target", "P(target first), raw"),
                    columns.percent("p_calibrated", "P(target first), calibrated"),
                    columns.percent("p_explosive", "P(explosive)"),
                    columns.count("horizon", "horizon [sessions]"),
                ),
            ),
        ),
        (
            "Author",
            (
                ("author", "author_kind", "written_by", "prompt_version"),
                ("model_id", "training_cutoff", "cutoff_basis", "stop_reason"),
                (
                    columns.count("tokens_in", "tokens in"),
                    columns.count("tokens_out", "tokens out"),
                    columns.column("cost_usd", cost, "cost"),
                    columns.percent("supported_share", "figures found in the pack"),
                ),
            ),
        ),
        (
            "Chain",
            (
                ("number", "issued_at", columns.yes("is_late", "issued late"), "candidate"),
                ("digest", "previous", "pack_version", "calibration"),
            ),
        ),
    )
    list_display = (
        "symbol",
        columns.day("session", "signal session"),
        columns.choice("recommendation", "says", Recommendation, RECOMMENDATION_COLOURS),
        "pattern",
        columns.money("entry_price", "entry"),
        columns.money("target_price", "target"),
        columns.money("stop_price", "stop"),
        columns.money("max_entry_price", "not above"),
        columns.percent("p_target", "P(target first)"),
        columns.percent("p_calibrated", "calibrated"),
        columns.percent("supported_share", "figures supported"),
        columns.column("cost_usd", cost, "cost"),
        "author",
        columns.source(),
    )
    list_filter = (OriginFilter, "recommendation", "pattern", "author_kind", "author", "is_late")
    ordering = ("-session", "symbol", "-pk")
    search_fields = ("=symbol", "author")
    story_template = "analytics/partials/thesis_story.html"

    def has_write_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("analytics.write_thesis")

    def story(self, row: Any) -> dict[str, Any]:
        return {
            "thesis": row,
            "text": marked(row, "text", row.text),
            "reasons": [marked(row, f"reasons.{at}", text) for at, text in enumerate(row.reasons)],
            "events": list(row.events.newest_first()),
            "requests": list(row.requests.newest_first().select_related("requested_by")),
            "pack": json.dumps(row.data_pack, indent=1, ensure_ascii=False),
            "holds": thesis_chain.holds(thesis=row),
        }

    @action(description="Write a thesis", permissions=["write"], icon="edit_note")
    def write_by_hand(self, request: HttpRequest) -> HttpResponse:
        if not self.has_write_permission(request):
            raise PermissionDenied
        form = ThesisForm(request.POST or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid():
            try:
                thesis = theses.record_by_person(
                    candidate=form.cleaned_data["candidate"],
                    draft=form.draft(),
                    author=cast("User", request.user),
                    now=timezone.now(),
                )
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{thesis} is issued as number {thesis.number}.")
                return HttpResponseRedirect(columns.page_url("analytics_thesis", thesis.pk))
        context = {"title": "Write a thesis", "form": form}
        return answer(request, self, "admin/analytics/write_thesis.html", context)

    @action(description="Withdraw", permissions=["write"], icon="undo")
    def withdraw(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Note that the author no longer stands by it; it stays and is settled all the same."""
        thesis = get_object_or_404(Thesis, pk=object_id)
        if not self.has_write_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                "title": f"Withdraw {thesis}",
                "said": "The thesis stays in the chain and is settled; an event says that you "
                "withdrew it. Only its author can, before its entry.",
                "button": "Withdraw",
            }
            return answer(request, self, "admin/analytics/confirm_job.html", context)
        try:
            thesis_events.withdraw(
                thesis=thesis,
                author_id=request.user.pk,
                reason=f"withdrawn by {request.user}",
                now=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(columns.page_url("analytics_thesis", thesis.pk))

    @action(description="Check the chain", permissions=["view"], icon="link")
    def check_chain(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        checked = thesis_chain.verify()
        for level, said in _said(checked):
            messages.add_message(request, level, said)
        return HttpResponseRedirect(columns.list_url("analytics_thesis"))


def _said(checked: thesis_chain.Checked) -> list[tuple[int, str]]:
    """Return what a check of the chain found, in sentences."""
    said = []
    if checked.broken:
        told = f"The chain breaks at thesis {checked.broken.number}: {checked.broken.reason}."
        said.append((messages.ERROR, told))
    elif checked.head:
        told = f"The chain of {checked.theses} theses holds; its head is {checked.head.digest}."
        said.append((messages.SUCCESS, told))
    else:
        said.append((messages.INFO, "No thesis is issued yet."))
    if checked.unguarded:
        told = f"No trigger guards {', '.join(checked.unguarded)} in the database."
        said.append((messages.WARNING, told))
    return said
