"""Figures in templates: ``{% load figures %}``. The wording is ``analytics.calc.figures``."""

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
