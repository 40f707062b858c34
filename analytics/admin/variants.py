"""Admin of the variants: what ranks. A variant that has produced a batch is frozen (design §5)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString

from analytics.admin import columns
from analytics.admin.pages import Page, answer
from analytics.admin.unfolded import action
from analytics.models import Variant
from analytics.services import variants

WEIGHTS = ("w_volume", "w_momentum", "w_float", "w_short_interest", "w_technical", "w_sentiment")


@admin.register(Variant)
class VariantAdmin(Page):
    actions = ("make_active", "make_inactive")
    actions_detail = ("new_version",)
    sections = (
        (None, ("name", "version", "title", "kind", "active")),
        ("Weights of the score", WEIGHTS),
        (
            "Gates and limits",
            (
                "min_close",
                "max_close",
                "min_dollar_volume",
                "min_rel_volume",
                "max_float",
                "min_sessions",
                "min_coverage",
                "top",
                "slippage_bp",
            ),
        ),
    )
    list_display = (
        "name",
        columns.count("version", "version"),
        "title",
        "kind",
        "active",
        *(columns.percent(name, name[2:].replace("_", " ")) for name in WEIGHTS),
        columns.times("min_rel_volume", "least volume"),
        "batches_link",
    )
    list_filter = ("active", "name")
    ordering = ("name", "-version")
    readonly_fields = ("version",)
    search_fields = ("name", "title")
    source_path = ""
    story_template = "analytics/partials/variant_story.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        rows: QuerySet[Variant] = super().get_queryset(request)
        return rows.annotate(batch_count=Count("batches"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and not self._frozen(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not self._frozen(obj)

    def _frozen(self, variant: Variant | None) -> bool:
        """Return whether it has produced a batch, or is named by an experiment."""
        if variant is None:
            return False
        return variant.batches.exists() or variants.is_compared(variant)

    def has_version_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("analytics.add_variant")

    def has_switch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.change_variant")

    def story(self, row: Any) -> dict[str, Any]:
        return {"frozen": bool(row.batch_count), "batches_link": self.batches_link(row)}

    @admin.display(description="batches", ordering="batch_count")
    def batches_link(self, variant: Any) -> SafeString:
        url = columns.list_url(
            "analytics_discoverybatch", origin="all", variant__id__exact=variant.pk
        )
        return columns.link(url, f"{variant.batch_count:,}")

    @action(description="New version", permissions=["version"], icon="content_copy")
    def new_version(self, request: HttpRequest, object_id: int) -> HttpResponse:
        original = get_object_or_404(Variant, pk=object_id)
        if request.method != "POST":
            context = {"title": f"New version of {original}", "variant": original}
            return answer(request, self, "admin/analytics/new_version.html", context)
        draft = variants.record_new_version(variant=original)
        self.log_addition(request, draft, [{"added": {"name": f"from {original}"}}])
        messages.success(request, f"{draft} is a draft: not active until you say so.")
        return HttpResponseRedirect(columns.page_url("analytics_variant", draft.pk))

    @admin.action(description="Score from now on", permissions=["switch"])
    def make_active(self, request: HttpRequest, chosen: QuerySet[Variant]) -> None:
        self._switch(request, chosen, active=True)

    @admin.action(description="Score no longer", permissions=["switch"])
    def make_inactive(self, request: HttpRequest, chosen: QuerySet[Variant]) -> None:
        self._switch(request, chosen, active=False)

    def _switch(self, request: HttpRequest, chosen: QuerySet[Variant], *, active: bool) -> None:
        changed = list(chosen.filter(active=not active))
        Variant.objects.filter(pk__in=[variant.pk for variant in changed]).update(active=active)
        for variant in changed:
            self.log_change(request, variant, [{"changed": {"fields": ["active"]}}])
        word = "active" if active else "inactive"
        messages.success(request, f"Now {word}: {', '.join(map(str, changed)) or 'none changed'}.")
