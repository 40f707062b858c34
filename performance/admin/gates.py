"""Admin of the gate studies: what loosening each gate would have caught (design §8)."""

from typing import Any

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.filters import OriginFilter
from analytics.admin.pages import ReadOnlyAdmin
from analytics.calc import figures
from performance.models import GateStudy


@admin.register(GateStudy)
class GateStudyAdmin(ReadOnlyAdmin):
    date_hierarchy = "created_at"
    list_display = (
        "created_at",
        columns.plain("variant", "variant"),
        columns.day("first", "first session"),
        columns.day("last", "last session"),
        columns.number("seconds", "took [s]"),
        columns.source(),
    )
    list_filter = (OriginFilter, "variant")
    list_select_related = ("variant",)
    ordering = ("-created_at", "-pk")
    sections = (
        (None, (("variant", "first", "last"), ("created_at", "seconds"), columns.source())),
        ("Everything", ("result", "lake_versions")),
    )
    story_template = "performance/partials/gate_story.html"

    def story(self, row: Any) -> dict[str, Any]:
        return {
            "episodes": figures.count(row.result.get("episodes")),
            "captured": figures.count(row.result.get("captured")),
            "gates": [
                {
                    "gate": gate["gate"],
                    "how": gate["how"],
                    "gained": figures.count(gate["episodes_gained"]),
                    "lost": figures.count(gate["episodes_lost"]),
                    "added": figures.number(gate["candidates_added_per_session"], 1),
                    "precision": figures.percent(gate["precision_of_added"].get("value")),
                    "false": figures.number(gate["false_alarms_per_episode_gained"], 1),
                }
                for gate in row.result.get("gates", [])
            ],
        }
