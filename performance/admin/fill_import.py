"""Import of a broker's export in the admin: upload, see every row, confirm (design §10).

django-import-export gives the two steps and their pages; reading and writing are those of
:mod:`performance.services.fill_imports`, so that the command does the same.
"""

from typing import TYPE_CHECKING, Any, Final, cast

import tablib  # type: ignore[import-untyped]
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import escape
from import_export import resources, results
from import_export.admin import ImportMixin
from import_export.fields import Field
from import_export.formats import base_formats
from import_export.forms import ConfirmImportForm
from unfold.contrib.import_export.forms import ImportForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from performance.clients import broker_csv
from performance.clients.broker_layouts import Fault
from performance.models import Account, Fill
from performance.services import fill_imports
from performance.services.fill_imports import Plan, Wanted

if TYPE_CHECKING:
    Mixin = object
else:
    Mixin = ImportMixin

HEADERS: Final = (
    "line", "what", "session", "symbol", "side", "quantity", "price", "fee", "amount", "note",
)  # fmt: skip


class BrokerFormat(base_formats.Format):  # type: ignore[misc]  # untyped
    """A broker's CSV export, whatever its layout."""

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return "CSV of a broker"

    def get_extension(self) -> str:
        return "csv"

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Return one row per row of the export, known by its line; the file goes with it."""
        export = broker_csv.read(in_stream)
        dataset = tablib.Dataset(*[(row.line,) for row in export.rows], headers=["line"])
        dataset.content = in_stream
        return dataset


class LedgerResource(resources.ModelResource):  # type: ignore[misc]  # untyped
    """Rows of a file as the ledger would take them."""

    line = Field(column_name="line")

    class Meta:
        model = Fill
        fields = ("line",)
        import_id_fields = ("line",)
        report_skipped = True
        use_transactions = True

    def __init__(self, account: Account | None = None, keep_faulty: bool = False) -> None:
        super().__init__()
        self._account = account
        self._keep_faulty = keep_faulty
        self._plan: Plan | None = None
        self._rows: dict[int, Wanted] = {}
        self._faults: dict[int, Fault] = {}

    def get_diff_headers(self) -> list[str]:
        return list(HEADERS)

    def before_import(self, dataset: tablib.Dataset, **_options: Any) -> None:
        assert self._account is not None  # noqa: S101 - the form asks for it
        self._plan = fill_imports.plan(account=self._account, content=dataset.content)
        self._rows = {row.line: row for row in self._plan.rows}
        self._faults = {fault.line: fault for fault in self._plan.faults}

    def import_row(self, row: Any, instance_loader: Any, **_options: Any) -> results.RowResult:
        """Say what would become of a row; what is written is written in the end, together."""
        result = results.RowResult()
        line = int(row["line"])
        fault = self._faults.get(line)
        if fault is not None:
            result.diff = _cells(line, "unreadable", {}, str(fault))
            result.import_type = results.RowResult.IMPORT_TYPE_SKIP
            if not self._keep_faulty:
                result.import_type = results.RowResult.IMPORT_TYPE_INVALID
                result.validation_error = ValidationError(str(fault))
            return result
        wanted = self._rows.get(line)
        new = wanted is not None and wanted.state == "new"
        kinds = results.RowResult
        result.import_type = kinds.IMPORT_TYPE_NEW if new else kinds.IMPORT_TYPE_SKIP
        if wanted is not None:
            result.diff = _cells(line, wanted.state, wanted.columns, wanted.why)
        return result

    def after_import(self, dataset: tablib.Dataset, result: results.Result, **options: Any) -> None:
        if options.get("dry_run") or result.has_errors() or result.has_validation_errors():
            return
        assert self._account is not None and self._plan is not None  # noqa: S101, PT018
        fill_imports.store(account=self._account, plan=self._plan, now=timezone.now())


def _cells(line: int, state: str, columns: dict[str, Any], why: str) -> list[str]:
    what = f"{columns.get('kind', '')} ({state})".strip()
    middle = [columns.get(name) for name in HEADERS[2:-1]]
    said = why or columns.get("note") or ""
    return [escape("" if cell is None else cell) for cell in (line, what, *middle, said)]


class FileForm(ImportForm):  # type: ignore[misc]  # untyped
    """The file, whose ledger it goes into, and what becomes of rows that cannot be read."""

    account = forms.ModelChoiceField(
        Account.objects.filter(is_active=True), widget=UnfoldAdminSelectWidget
    )
    keep_faulty = forms.BooleanField(
        label="Keep unreadable rows as findings",
        help_text="Otherwise one unreadable row stops the import.",
        required=False,
        widget=UnfoldBooleanWidget,
    )
    field_order = ("account", "import_file", "keep_faulty", "resource", "format")


class ConfirmForm(ConfirmImportForm):  # type: ignore[misc]  # untyped
    account = forms.ModelChoiceField(Account.objects.all(), widget=forms.HiddenInput)
    keep_faulty = forms.BooleanField(required=False, widget=forms.HiddenInput)


class TakesFiles(Mixin):
    """The import of a list of the admin."""

    confirm_form_class = ConfirmForm
    formats = (BrokerFormat,)
    import_form_class = FileForm
    resource_classes = (LedgerResource,)
    skip_admin_log = True

    def get_import_formats(self) -> list[type[BrokerFormat]]:
        return list(self.formats)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("performance.add_fill")

    def get_import_resource_kwargs(
        self, request: HttpRequest, *, form: Any = None, **_options: Any
    ) -> dict[str, Any]:
        asked = getattr(form, "cleaned_data", {})
        return {
            "account": asked.get("account"),
            "keep_faulty": bool(asked.get("keep_faulty")),
        }

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        start = cast("Any", super()).get_confirm_form_initial(request, import_form)
        asked = getattr(import_form, "cleaned_data", None)
        if not asked:
            return dict(start)
        return {
            **start,
            "account": asked["account"].pk,
            "keep_faulty": asked["keep_faulty"],
        }

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        """Say what is wrong with the file, in the words of whoever read it."""
        form.add_error("import_file", str(e) or type(e).__name__)

    def generate_log_entries(self, result: Any, request: HttpRequest) -> None:
        """Leave one line in the account's history, not one per row."""
        account = Account.objects.filter(pk=request.POST.get("account") or 0).first()
        if account is not None:
            said = f"Imported {request.POST.get('original_file_name', 'a file')}"
            cast("Any", self).log_change(request, account, said)
