"""Admin of market timing: how soon and how well a candidate was bought and sold (design §13)."""

from django.contrib import admin

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin
from performance.admin.accuracy import AnyOriginFilter
from performance.models import TimingAnalysis


class AllOriginFilter(AnyOriginFilter):
    """The one claimed reference stands beside the measured rows, each labelled."""

    def value(self) -> str:
        return str(self.used_parameters.get(self.parameter_name) or "all")


@admin.register(TimingAnalysis)
class TimingAnalysisAdmin(ReadOnlyAdmin):
    list_display = (
        "symbol",
        columns.day("signal_session", "first signal"),
        columns.count("delay", "delay [sessions]"),
        columns.change("entry_cost", "entry cost (negative is good)"),
        columns.number("entry_score", "entry score"),
        columns.number("exit_score", "exit score"),
        columns.percent("exit_efficiency", "exit efficiency"),
        columns.change("mfe", "best high while held"),
        columns.change("mae", "worst low while held"),
        columns.money("delay_cost", "delay cost"),
        columns.money("profit_taken", "profit taken"),
        columns.money("left_during", "left while held"),
        columns.money("left_after", "left after"),
        columns.plain("note", "note"),
        columns.source(),
    )
    list_filter = (AllOriginFilter, "is_final")
    ordering = ("-updated_at", "symbol")
    search_fields = ("=symbol",)
