"""Admin of the ledger: rows are added, never changed; what follows from them is read (design §10).

A mistake is put right by adding a correction or cancellation that names the wrong row.
"""

from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from analytics.admin import columns
from analytics.admin.pages import Page, ReadOnlyAdmin
from analytics.services import jobs
from performance.admin.accuracy import AnyOriginFilter
from performance.admin.fill_import import TakesFiles
from performance.models import (
    CashMovement,
    CorporateAction,
    Difference,
    EquityDay,
    Fill,
    FillKind,
    LedgerFinding,
    Lot,
    LotClose,
    Origin,
)
from performance.services import broker_activities, portfolio_kinds

SEVERITY_COLOURS = {
    LedgerFinding.Severity.INFO: "info",
    LedgerFinding.Severity.WARNING: "warning",
    LedgerFinding.Severity.ERROR: "danger",
}
STAMPED = ("broker_id", "session", "origin", "raw", "recorded_at", "source")


class SameAccount(forms.ModelForm[Any]):
    """A row may only correct one of the same account and symbol."""

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or self.cleaned_data
        wrong = asked.get("corrects")
        if wrong and asked.get("account") and wrong.account_id != asked["account"].pk:
            self.add_error("corrects", "That row is of another account.")
        return asked


class FillForm(SameAccount):
    def clean(self) -> dict[str, Any]:
        asked = super().clean()
        needs = asked.get("kind") in {FillKind.CORRECTION, FillKind.CANCELLATION}
        if needs and not asked.get("corrects"):
            self.add_error("corrects", "Say which row this one puts right.")
        if not needs and asked.get("corrects"):
            self.add_error("kind", "A plain fill corrects nothing: choose correction.")
        if asked.get("corrects") and hasattr(asked["corrects"], "corrected_by"):
            self.add_error("corrects", "That row is corrected already: correct the newer one.")
        return asked


class AppendOnlyAdmin(Page):
    """Rows that can be added and read. After each, the portfolio is rebuilt by a job."""

    exclude: ClassVar[tuple[str, ...]] = STAMPED
    when = ""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj else self.exclude

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.broker_id = f"admin:{uuid4()}"
        obj.origin = Origin.ADMIN
        obj.recorded_at = timezone.now()
        obj.source = obj.account.source
        if self.when:
            obj.session = broker_activities.session_of(getattr(obj, self.when))
        super().save_model(request, obj, form, change)
        jobs.request(
            kind=portfolio_kinds.REBUILD,
            arguments={"account": obj.account_id},
            requested_by=request.user if request.user.is_authenticated else None,
            now=timezone.now(),
        )


@admin.register(Fill)
class FillAdmin(TakesFiles, AppendOnlyAdmin):
    date_hierarchy = "executed_at"
    form = FillForm
    list_display = (
        columns.plain("symbol", "symbol"),
        columns.plain("account", "account"),
        "kind",
        "side",
        columns.number("quantity", "shares"),
        columns.money("price", "price"),
        columns.money("fee", "fee"),
        "executed_at",
        "origin",
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account", "kind", "side", "origin")
    list_select_related = ("account",)
    ordering = ("-executed_at", "-pk")
    raw_id_fields = ("corrects", "candidate", "thesis")
    search_fields = ("=symbol", "=broker_id", "=order_id")
    when = "executed_at"


@admin.register(CashMovement)
class CashMovementAdmin(AppendOnlyAdmin):
    date_hierarchy = "occurred_at"
    form = SameAccount
    list_display = (
        "kind",
        columns.plain("account", "account"),
        columns.money("amount", "amount"),
        columns.plain("symbol", "symbol"),
        "occurred_at",
        "note",
        "origin",
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account", "kind", "origin")
    list_select_related = ("account",)
    ordering = ("-occurred_at", "-pk")
    raw_id_fields = ("corrects",)
    search_fields = ("=symbol", "=broker_id", "note")
    when = "occurred_at"


@admin.register(CorporateAction)
class CorporateActionAdmin(AppendOnlyAdmin):
    date_hierarchy = "session"
    exclude: ClassVar[tuple[str, ...]] = tuple(name for name in STAMPED if name != "session")
    form = SameAccount
    list_display = (
        columns.plain("symbol", "symbol"),
        columns.plain("account", "account"),
        "kind",
        columns.day("session", "session"),
        columns.number("ratio", "new for one old"),
        columns.number("quantity", "shares"),
        columns.money("price", "value a share"),
        columns.money("amount", "cash in lieu"),
        "new_symbol",
        "origin",
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account", "kind", "origin")
    list_select_related = ("account",)
    ordering = ("-session", "-pk")
    raw_id_fields = ("corrects",)
    search_fields = ("=symbol", "=broker_id")


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    date_hierarchy = "opened_session"
    list_display = (
        columns.plain("symbol", "symbol"),
        columns.plain("account", "account"),
        "side",
        columns.day("opened_session", "opened"),
        columns.number("quantity", "shares"),
        columns.number("remaining", "remaining"),
        columns.money("cost", "cost"),
        columns.money("unit_cost", "a share"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account", "side")
    list_select_related = ("account",)
    ordering = ("-opened_session", "-pk")
    search_fields = ("=symbol",)


@admin.register(LotClose)
class LotCloseAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        columns.plain("lot__symbol", "symbol"),
        columns.day("session", "session"),
        columns.number("quantity", "shares"),
        columns.money("cost", "cost"),
        columns.money("proceeds", "proceeds"),
        columns.money("realised", "realised"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter,)
    list_select_related = ("lot",)
    ordering = ("-session", "-pk")
    search_fields = ("=lot__symbol",)


@admin.register(EquityDay)
class EquityDayAdmin(ReadOnlyAdmin):
    date_hierarchy = "session"
    list_display = (
        columns.day("session", "session"),
        columns.plain("account", "account"),
        columns.money("equity", "equity"),
        columns.money("cash", "cash"),
        columns.money("holdings", "holdings"),
        columns.money("flow", "from outside"),
        columns.count("frozen", "frozen marks"),
        columns.money("equity_at_zero", "with frozen at 0"),
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account")
    list_select_related = ("account",)
    ordering = ("-session", "account")


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    list_display = (
        "kind",
        columns.plain("account", "account"),
        columns.plain("symbol", "symbol"),
        columns.number("ours", "ours"),
        columns.number("theirs", "the broker's"),
        columns.number("difference", "difference"),
        "seen_at",
        "resolved_at",
        columns.source(),
    )
    list_filter = (AnyOriginFilter, "account", "kind", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("account",)
    ordering = ("-seen_at", "-pk")
    search_fields = ("=symbol",)


@admin.register(LedgerFinding)
class LedgerFindingAdmin(ReadOnlyAdmin):
    list_display = (
        columns.choice("kind", "what", LedgerFinding.Kind, {}),
        columns.choice("severity", "severity", LedgerFinding.Severity, SEVERITY_COLOURS),
        columns.plain("symbol", "symbol"),
        columns.day("session", "session"),
        "text",
        columns.plain("account", "account"),
        "found_at",
        "resolved_at",
        columns.source(),
    )
    list_filter = (
        AnyOriginFilter,
        "account",
        "kind",
        "severity",
        ("resolved_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("account",)
    ordering = ("-found_at", "-pk")
    search_fields = ("=symbol", "text")
