"""Filters that every list shares."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from analytics.models import Source
from analytics.services import lakes

REAL = [Source.LIVE, Source.IMPORTED]
BLANK = "blank"  # stands for the empty text in an address
ORIGINS = {
    "real": ("real (live and imported)", REAL),
    "simulated": ("SIMULATED", [Source.SIMULATED]),
    "claimed": ("claimed", [Source.CLAIMED]),
}


def active_origin() -> str:
    """Return which family of rows a list shows when nobody asked for another."""
    return "simulated" if lakes.get_active_source() == Source.SIMULATED else "real"


class OriginFilter(SimpleListFilter):
    """One family of sources at a time; the one in use unless asked otherwise (design §1)."""

    title = "source"
    parameter_name = "origin"
    path = "source"
    offered: tuple[str, ...] = ("real", "simulated")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, ORIGINS[key][0]) for key in self.offered]

    def value(self) -> str:
        if self.used_parameters.get(self.parameter_name) is None:
            self.used_parameters[self.parameter_name] = active_origin()
        return str(self.used_parameters[self.parameter_name])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value not in ORIGINS:
            return queryset
        return queryset.filter(**{f"{self.path}__in": ORIGINS[value][1]})

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        for key, title in [*self.lookup_choices, ("all", "all, each row labelled")]:
            yield {
                "selected": self.value() == str(key),
                "query_string": changelist.get_query_string({self.parameter_name: key}),
                "display": title,
            }


def origin(path: str) -> type[OriginFilter]:
    """Return the source filter for a model whose source stands at ``path``."""
    return type("OriginFilter", (OriginFilter,), {"path": path})


def ordered(title: str, path: str, values: Sequence[tuple[str, str]]) -> type[SimpleListFilter]:
    """Return a filter over the text at ``path``, its values in the order given."""

    class OrderedFilter(SimpleListFilter):
        parameter_name = path

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return list(values)

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            known = dict(values)
            value = self.value()
            if value not in known:
                return queryset
            return queryset.filter(**{path: "" if value == BLANK else value})

    OrderedFilter.title = title
    return OrderedFilter


def titled(title: str, path: str) -> type[SimpleListFilter]:
    """Return a yes/no/unknown filter over the nullable flag at ``path``."""

    class FlagFilter(SimpleListFilter):
        parameter_name = path

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [("yes", "yes"), ("no", "no"), ("unknown", "unknown")]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            wanted = {"yes": True, "no": False, "unknown": None}
            value = self.value()
            return queryset.filter(**{path: wanted[value]}) if value in wanted else queryset

    FlagFilter.title = title
    return FlagFilter
