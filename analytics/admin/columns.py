"""Columns of lists and pages: a field, its unit, its format, its link."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from analytics.calc import figures
from analytics.models import Source

Column = Callable[[Any], Any]
SOURCE_COLOURS = {
    Source.SIMULATED.label: "warning",
    Source.CLAIMED.label: "info",
    Source.IMPORTED.label: "success",
    Source.LIVE.label: "success",
}


def read(row: Model, path: str) -> Any:
    """Return what stands at ``path`` ("batch__variant__name"), or None on the way."""
    found: Any = row
    for name in path.split("__"):
        found = getattr(found, name, None)
    return found


def column(path: str, form: Callable[[Any], Any], title: str, *, sortable: bool = True) -> Column:
    """Return a column that shows the value at ``path`` through ``form``."""

    def show(row: Any) -> Any:
        return form(read(row, path))

    show.__name__ = f"{path}_shown"
    show.short_description = title  # type: ignore[attr-defined]
    if sortable:
        show.admin_order_field = path  # type: ignore[attr-defined]
    return show


def percent(path: str, title: str) -> Column:
    return column(path, figures.percent, title)


def change(path: str, title: str) -> Column:
    return column(path, figures.change, title)


def money(path: str, title: str) -> Column:
    return column(path, figures.money, title)


def large(path: str, title: str) -> Column:
    return column(path, figures.large, title)


def large_money(path: str, title: str) -> Column:
    return column(path, figures.large_money, title)


def times(path: str, title: str) -> Column:
    return column(path, figures.times, title)


def four(value: float | None) -> str:
    """Return a figure with four decimals, for columns of scores and bounds."""
    return figures.number(value, 4)


def points(value: float | None) -> str:
    """Return a difference of two shares in points, with its sign: 0.0125 is "+1.25"."""
    return figures.MISSING if value is None else f"{value * 100:+,.2f}"


def number(path: str, title: str) -> Column:
    return column(path, figures.number, title)


def count(path: str, title: str) -> Column:
    return column(path, figures.count, title)


def day(path: str, title: str) -> Column:
    return column(path, figures.day, title)


def plain(path: str, title: str) -> Column:
    """Return a column of text as it is; a list is joined by commas."""
    return column(path, _text, title)


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return figures.MISSING if value in (None, "") else str(value)


def yes(path: str, title: str) -> Column:
    """Return a yes/no/unknown column; "no" is nothing bad, so it has no colour."""
    said = {True: "yes", False: "no", None: "unknown"}
    return column(path, lambda value: said[value], title)


def coloured(
    path: str, title: str, colours: dict[str, str], *, form: Callable[[Any], Any] = str
) -> Column:
    """Return a column of labels; ``colours`` gives each text its meaning."""
    show = column(path, lambda value: form(value) if value not in (None, "") else None, title)
    show.label = colours  # type: ignore[attr-defined]
    return show


def choice(
    path: str, title: str, choices: type[models.TextChoices], colours: Mapping[Any, str]
) -> Column:
    """Return a column of labels for a field with choices; ``colours`` goes by stored value."""
    by_label = {str(choices(value).label): colour for value, colour in colours.items()}
    return coloured(path, title, by_label, form=lambda value: str(choices(value).label))


def source(path: str = "source") -> Column:
    """Return the badge that says where a row comes from; SIMULATED stands out (design §1)."""
    return coloured(path, "source", SOURCE_COLOURS, form=lambda value: str(Source(value).label))


def of(field: models.Field[Any, Any]) -> Column | str:
    """Return how a page shows a field of the model: by the unit in its label.

    Labels carry their units, so "[fraction]" is shown as a percentage and "[USD]" as money.
    Fields that the admin shows well itself are returned by name.
    """
    title = str(field.verbose_name)
    if "[fraction" in title:
        return change(field.name, title.replace(" [fraction]", "").replace("fraction ", ""))
    if "[USD]" in title:
        return money(field.name, title.replace(" [USD]", ""))
    if isinstance(field, models.FloatField):
        return column(field.name, four, title)
    if isinstance(field, models.IntegerField) and not field.choices:
        return count(field.name, title)
    return field.name


def list_url(app_model: str, **filters: Any) -> str:
    """Return the address of a filtered list, such as ``analytics_candidate``."""
    return f"{reverse(f'admin:{app_model}_changelist')}?{urlencode(filters)}"


def page_url(app_model: str, pk: object) -> str:
    """Return the address of one row's page."""
    return reverse(f"admin:{app_model}_change", args=[pk])


def link(url: str, text: object) -> SafeString:
    """Return an underlined link, escaped."""
    return format_html('<a class="figure-link" href="{}">{}</a>', url, text)


def symbol(path: str = "symbol") -> Column:
    """Return the symbol, linked to its listing periods. Not for the first column of a list."""

    def show(value: Any) -> Any:
        if not value:
            return figures.MISSING
        return link(list_url("analytics_security", symbol__exact=value, origin="all"), value)

    return column(path, show, "symbol")
