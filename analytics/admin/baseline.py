"""Admin of the baseline: a claim and a target, never a measurement (design §2)."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from analytics.admin import columns
from analytics.admin.pages import Page
from analytics.calc import figures
from analytics.models import Baseline

HISTORY_SHOWN = 20
WIN_RATE = columns.column("win_rate", figures.percent, "win rate", sortable=False)
EXPLOSIVE = columns.column("explosive_rate", figures.percent, "explosive rate", sortable=False)


@admin.register(Baseline)
class BaselineAdmin(Page):
    sections = (
        (None, ("period", ("picks", "winners", "explosive"), "average_return")),
        (None, (("profit_usd", "invested_usd"), "stars", "note")),
        ("What follows from it", (WIN_RATE, EXPLOSIVE, columns.source())),
    )
    list_display = (
        "period",
        WIN_RATE,
        columns.change("average_return", "average return"),
        EXPLOSIVE,
        columns.money("profit_usd", "total profit"),
        columns.money("invested_usd", "invested"),
        columns.source(),
    )
    ordering = ("period",)
    story_template = "analytics/partials/baseline_story.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_fieldsets(request, obj)
        return found if obj else found[:2]  # nothing follows from what has not been stated yet

    def story(self, row: Any) -> dict[str, Any]:
        entries = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(Baseline), object_id=str(row.pk)
        )
        latest = entries.select_related("user").order_by("-action_time")[:HISTORY_SHOWN]
        changes = [
            {"when": entry.action_time, "who": str(entry.user), "what": entry.get_change_message()}
            for entry in latest
        ]
        return {"claimed": row.source == "claimed", "changes": changes}
