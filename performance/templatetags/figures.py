"""Figures in templates: ``{% load figures %}``. The wording is ``analytics.calc.figures``."""

from decimal import Decimal
from typing import Any

from django import template

from analytics.calc import figures

register = template.Library()

register.filter("change", figures.change)
register.filter("count", figures.count)
register.filter("estimate", figures.estimate)
register.filter("large", figures.large)
register.filter("large_money", figures.large_money)
register.filter("money", figures.money)
register.filter("percent", figures.percent)
register.filter("plain_number", figures.number)
register.filter("session", figures.day)
register.filter("times", figures.times)


@register.filter
def unlocalized(value: Any) -> str:
    """Return a number as HTML attributes want it: a point, no separators."""
    return f"{value:.6g}"


@register.filter
def points(value: float | None) -> str:
    """Return a difference of two shares in percentage points: -1.57 is "-157.0 points"."""
    text = figures.change(value)
    return text if text == figures.MISSING else text.replace("%", "points")


@register.filter
def cents(value: Decimal | None) -> str:
    """Return an amount of people's money: two decimals, however small. Prices take ``money``."""
    if value is None:
        return figures.MISSING
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"


@register.filter
def spaced(key: str) -> str:
    """Return the name of a key in words: "no_thesis" is "no thesis"."""
    return key.replace("_", " ")
