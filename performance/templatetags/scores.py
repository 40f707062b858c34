"""Figures of the score pages by their unit: ``{% load scores %}``."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.calc import figures
from analytics.calc.evidence import Estimate

register = template.Library()

# Shape, word and tone of what a score page says; shape and word carry the meaning.
LEVELS: dict[str, tuple[str, str, str]] = {
    "CRITICAL": ("✖", "CRITICAL", "bad"),
    "WARNING": ("▲", "WARNING", "warn"),
    "BELOW_TARGET": ("▽", "below target", "warn"),
    "GOOD": ("✔", "GOOD", "good"),
    "UNKNOWN": ("?", "unknown", "warn"),
    "RECOVERED": ("✔", "recovered", "good"),
    "ON_TRACK": ("▲", "on track", "good"),
    "BEHIND_SCHEDULE": ("▽", "behind schedule", "warn"),
    "INSUFFICIENT_DATA": ("–", "insufficient data", ""),
    "verified": ("✔", "verified", "good"),
    "plausible": ("○", "plausible", ""),
    "impossible": ("✖", "impossible", "bad"),
    "unverifiable": ("?", "unverifiable", "warn"),
    "better": ("▲", "better", "good"),
    "worse": ("▼", "worse", "bad"),
    "cannot be told apart": ("○", "cannot be told apart", ""),
    "no interval": ("–", "no interval", ""),
    "refused": ("⊘", "refused: too few trades", "warn"),
}
BOXES = {"met": ("☑", "good"), "not_met": ("☐", ""), "unknown": ("?", "warn")}


@register.simple_tag
def in_unit(value: float | None, unit: str) -> str:
    """Return a value as its unit is written: percent, USD, sessions, a score or a plain number."""
    if value is None:
        return figures.MISSING
    if unit == "percent":
        return figures.percent(value)
    if unit == "usd":
        return figures.money(value)
    if unit == "sessions":
        return f"{figures.number(value, 2)} sessions"
    return figures.number(value, 1 if unit == "score" else 2)


@register.simple_tag
def bounds_in_unit(estimate: Estimate, unit: str) -> str:
    """Return an interval in its unit, or why there is none."""
    if estimate.low is None or estimate.high is None:
        return estimate.reason or "no interval stated"
    low, high = in_unit(estimate.low, unit), in_unit(estimate.high, unit)
    return f"{estimate.level:.0%}: {low} to {high}"


@register.simple_tag
def level_badge(code: str) -> SafeString:
    """Return the badge of an alert level, a status of the recovery or a verdict."""
    shape, word, tone = LEVELS.get(code, ("", code, ""))
    return format_html(
        '<span class="amc-badge {}"><i aria-hidden="true">{}</i>{}</span>', tone, shape, word
    )


@register.filter
def tick(state: str) -> str:
    """Return the box of a check box: its shape says its state, not its colour."""
    return BOXES.get(state, BOXES["unknown"])[0]


@register.filter
def tick_tone(state: str) -> str:
    """Return the class of a check box's state."""
    return BOXES.get(state, BOXES["unknown"])[1]
