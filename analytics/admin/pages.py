"""How lists and pages of the admin behave: source shown, export offered, machine rows locked."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from analytics.admin import columns, export
from analytics.calc import figures
from analytics.models import Source

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    UnfoldAdmin = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin

Sections = Sequence[tuple[str | None, Sequence[Any]]]  # title, fields or columns


def _flat(fields: Sequence[Any]) -> Iterator[Any]:
    for field in fields:
        yield from field if isinstance(field, tuple) else (field,)


class Page(UnfoldAdmin):
    """A list with an export and a page that says where its data comes from.

    ``export_fields`` are the columns of the CSV (default: the model's own);
    ``sections`` the parts of a row's page; ``source_path`` leads from a row to its
    source, "" where it has none.
    """

    change_form_before_template = "analytics/partials/change_before.html"
    compressed_fields = True
    empty_value_display = figures.MISSING
    export_fields: tuple[str, ...] = ()
    list_before_template = "analytics/partials/list_before.html"
    list_fullwidth = True
    list_per_page = 50
    sections: Sections = ()
    show_full_result_count = False
    source_path = "source"
    story_template = ""

    class Media:
        css = {"all": ["css/figures.css"]}

    def get_sections(self) -> Sections:
        """Return the parts of a row's page."""
        return self.sections

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sections = self.get_sections()
        if not sections:
            return super().get_fieldsets(request, obj)
        return [(title, {"fields": fields}) for title, fields in sections]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = [field for _title, fields in self.get_sections() for field in _flat(fields)]
        stored = {field.name for field in self.opts.get_fields()}
        calculated = [field for field in shown if callable(field) or field not in stored]
        return [*super().get_readonly_fields(request, obj), *calculated]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=f"{self._slug()}_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> Any:
        """Answer with the list as it is filtered, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        fields = self.export_fields or tuple(f.attname for f in self.opts.concrete_fields)
        return export.stream(rows, fields, self._slug())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            context["shows_simulated"] = any(map(self.is_simulated, context["cl"].result_list))
            context["export_url"] = self._export_url(request)
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        context = dict(extra_context or {})
        if row is not None and self.has_view_permission(request, row):
            context |= {"shows_simulated": self.is_simulated(row), "story": self.story(row)}
            context["story_template"] = self.story_template
        return super().changeform_view(request, object_id, form_url, context)

    def is_simulated(self, row: Any) -> bool:
        """Return whether ``row`` is of the sample market."""
        return bool(self.source_path) and columns.read(row, self.source_path) == Source.SIMULATED

    def story(self, row: Any) -> dict[str, Any]:
        """Return what ``story_template`` shows above the fields of one row's page."""
        return {}

    def _slug(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def _export_url(self, request: HttpRequest) -> str:
        query = request.GET.urlencode()
        return reverse(f"admin:{self._slug()}_export") + (f"?{query}" if query else "")


class ReadOnlyAdmin(Page):
    """Rows that the machine writes: seen, filtered and exported, never changed by hand."""

    def get_sections(self) -> Sections:
        """Return the parts of a row's page; by default every field, by the unit in its label."""
        return self.sections or (
            (None, [columns.of(f) for f in self.opts.concrete_fields if not f.primary_key]),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def answer(
    request: HttpRequest, page: Page, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Render a page of our own inside the admin's frame."""
    from django.template.response import TemplateResponse

    everywhere = page.admin_site.each_context(request)
    return TemplateResponse(
        request, template, {**everywhere, "opts": page.opts, "media": page.media, **context}
    )
