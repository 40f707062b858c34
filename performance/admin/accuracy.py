"""Admin of thesis accuracy: was the thesis right? (design §9)"""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin import AllValuesFieldListFilter
from django.urls import reverse

from analytics.admin import columns, filters
from analytics.admin.pages import ReadOnlyAdmin
from analytics.models import Thesis
from performance.models import Settlement, ThesisAccuracy

SETTLEMENT_COLOURS = {
    Settlement.PENDING: "info",
    Settlement.TARGET: "success",
    Settlement.STOP: "danger",
    Settlement.NEITHER: "warning",
    Settlement.VOID: "warning",
    Settlement.NO_ENTRY: "warning",
}


class AnyOriginFilter(filters.OriginFilter):
    """Scores may also be claims."""

    offered = ("real", "simulated", "claimed")


def _page(thesis: Any) -> Any:
    """Return the link to the page of a thesis."""
    said = cast("Thesis", thesis)
    return columns.link(reverse("pages:thesis", args=[said.pk]), said.number)


@admin.register(ThesisAccuracy)
class ThesisAccuracyAdmin(ReadOnlyAdmin):
    date_hierarchy = "settled_session"
    list_display = (
        columns.plain("thesis__symbol", "symbol"),
        columns.column("thesis", _page, "thesis", sortable=False),
        columns.day("thesis__session", "signal session"),
        columns.plain("thesis__recommendation", "recommendation"),
        columns.choice("settlement", "settled by", Settlement, SETTLEMENT_COLOURS),
        columns.day("settled_session", "settled on"),
        columns.change("return_horizon", "return over the horizon"),
        columns.yes("direction_right", "direction right"),
        columns.percent("thesis__p_target", "p(target), raw"),
        columns.percent("p_calibrated", "calibrated"),
        columns.column("brier", columns.four, "Brier score"),
        columns.plain("thesis__author", "author"),
        columns.yes("counts_as_skill", "counts as skill"),
        columns.source(),
    )
    list_filter = (
        AnyOriginFilter,
        "settlement",
        "direction_right",
        "counts_as_skill",
        "thesis__recommendation",
        "thesis__pattern",
        "thesis__is_late",
        ("thesis__author", AllValuesFieldListFilter),
        ("thesis__model_id", AllValuesFieldListFilter),
        ("thesis__prompt_version", AllValuesFieldListFilter),
        ("sector", AllValuesFieldListFilter),
        "is_final",
    )
    list_select_related = ("thesis",)
    ordering = ("-settled_session", "-pk")
    search_fields = ("=thesis__symbol",)
