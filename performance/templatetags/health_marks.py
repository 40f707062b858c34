"""Marks of the health page: status and severity with a shape and a word, the score over time."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from performance.services.probes import TARGET

register = template.Library()

STATUSES = {
    "HEALTHY": ("●", "good"),
    "WARNING": ("▲", "warn"),
    "CRITICAL": ("■", "bad"),
    "UNKNOWN": ("?", ""),
}
SEVERITIES = {
    "critical": ("■", "bad"),
    "warning": ("▲", "warn"),
    "info": ("○", ""),
    "good": ("●", "good"),
}
WIDTH, HEIGHT = 600.0, 60.0


@register.filter
def health_badge(status: str) -> SafeString:
    """Return the badge of a component's status."""
    return _badge(status, *STATUSES.get(status, ("?", "")))


@register.filter
def severity_badge(severity: str) -> SafeString:
    """Return the badge of an alert's severity."""
    return _badge(severity.upper(), *SEVERITIES.get(severity, ("?", "")))


@register.simple_tag
def score_trend(hours: Sequence[Mapping[str, Any]]) -> SafeString:
    """Draw the hourly mean score, 0 to 100, with the target as a dashed line.

    The figures are in words beside it, for those who do not see the line.
    """
    if not hours:
        return SafeString("")
    first, last = hours[0]["hour"], hours[-1]["hour"]
    span = max((last - first).total_seconds(), 1.0)
    points = " ".join(
        f"{WIDTH * (row['hour'] - first).total_seconds() / span:.1f},{_height(row['score']):.1f}"
        for row in hours
    )
    lowest = min(row["lowest"] for row in hours)
    return format_html(
        '<svg class="amc-trend" viewBox="0 0 {0} {1}" preserveAspectRatio="none" role="img" '
        'aria-label="Score from {2} to {3}, lowest {4}">'
        '<line class="target" x1="0" x2="{0}" y1="{5}" y2="{5}"></line>'
        '<polyline points="{6}"></polyline></svg>'
        '<p class="small muted">n = {7} hours · newest {3} · lowest {4} · dashed: target {8}</p>',
        WIDTH,
        HEIGHT,
        f"{hours[0]['score']:.0f}",
        f"{hours[-1]['score']:.0f}",
        f"{lowest:.0f}",
        _height(TARGET),
        points,
        len(hours),
        f"{TARGET:.0f}",
    )


def _height(score: float) -> float:
    return HEIGHT * (1 - score / 100)


def _badge(word: str, shape: str, tone: str) -> SafeString:
    mark = '<span class="amc-badge {}"><i aria-hidden="true">{}</i>{}</span>'
    return format_html(mark, tone, shape, word)
