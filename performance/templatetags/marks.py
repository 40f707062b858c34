"""Marks on pages: badges with a shape and a word, intervals as small drawings."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.calc import figures
from analytics.calc.evidence import Estimate, Status
from performance.calc.freshness import Freshness

register = template.Library()

# What a badge shows for a code: shape, word, tone, and what it means.
BADGES: dict[str, tuple[str, str, str, str]] = {
    "VIGL_SQUEEZE": ("◆", "VIGL squeeze", "signal", "volume alert; small float or many shorts"),
    "STANDARD": ("○", "standard", "", "passed the gates"),
    "volume_alert": ("▲", "15x", "warn", "volume at 15 times its 20-session mean or more"),
    "vigl_pattern": ("◆", "VIGL", "signal", "volume 20.9x or more and close 2.94 to 4.66 USD"),
    "short_fuel": ("●", "shorts", "bad", "short interest above 10 % of the float"),
    "first_signal": ("★", "first", "good", "no candidate in the 14 sessions before"),
    "explosive": ("▲▲", "explosive", "good", "best close +50 % or more within 14 sessions"),
    "strong": ("▲", "strong", "good", "best close +10 to +50 %"),
    "moderate": ("△", "moderate", "", "best close 0 to +10 %"),
    "poor": ("▽", "poor", "warn", "best close -10 to 0 %"),
    "failed": ("▼", "failed", "bad", "best close -10 % or less"),
    "pending": ("…", "open", "", "14 sessions are not over"),
    "no_entry": ("⊘", "no entry", "warn", "no bar or no open on the next session"),
    "delisted": ("✝", "delisted", "bad", "settled at its last trade"),
    "queued": ("…", "queued", "", "waits for a worker"),
    "running": ("▶", "running", "signal", "under way"),
    "succeeded": ("✔", "succeeded", "good", ""),
    "failed_job": ("✖", "failed", "bad", ""),
    "cancelled": ("⊘", "cancelled", "", ""),
    "lost": ("?", "lost", "warn", "its worker ended without a word"),
    "claimed": ("❞", "claimed", "claim", "stated by a person, not measured from data here"),
    "simulated": ("◇", "simulated", "warn", "computed from the sample market"),
    "insufficient_data": ("–", "insufficient data", "", "the data do not carry this figure"),
    "passed": ("✔", "passed", "good", ""),
    "stopped": ("✖", "stopped", "bad", ""),
    "unknown": ("?", "unknown", "warn", ""),
    "HOLD": ("●", "hold", "", "the entry thesis stands, or nothing speaks against it"),
    "TRIM": ("◐", "trim", "warn", "sell a part"),
    "LIQUIDATE": ("✖", "liquidate", "bad", "sell all of it"),
    "oversize": ("▲", "oversize", "warn", "over the size limit"),
    "frozen": ("❄", "frozen", "warn", "the quote is older than the market"),
    "target": ("▲", "target first", "good", "the target was reached before the stop"),
    "stop": ("▼", "stop first", "bad", "the stop was reached before the target"),
    "neither": ("–", "neither", "", "neither target nor stop within the horizon"),
    "void": ("⊘", "void", "warn", "the entry opened beyond a barrier"),
    "right": ("✔", "right", "good", ""),
    "wrong": ("✖", "wrong", "bad", ""),
    "no_skill": ("◌", "no skill", "warn", "could have been known; in no score"),
    "late": ("◷", "late", "warn", "issued after the next session had opened: a replay"),
    "chained": ("✔", "chain holds", "good", "the digest fits the content and the thesis before"),
    "broken": ("✖", "chain broken", "bad", "the row is not what was issued"),
}  # fmt: skip
WIDTH, MIDDLE = 240.0, 9.0


@register.simple_tag
def badge(code: str) -> SafeString:
    """Return the badge of ``code``; the code itself where it has none."""
    shape, word, tone, title = BADGES.get(code, ("", code, "", ""))
    return format_html(
        '<span class="amc-badge {}" title="{}"><i aria-hidden="true">{}</i>{}</span>',
        tone,
        title,
        shape,
        word,
    )


@register.simple_tag
def freshness(found: Freshness | None) -> SafeString:
    """Return the time of a card's data; the browser adds how old that is and what to call it."""
    if found is None:
        return SafeString('<span class="amc-fresh">no data yet</span>')
    return format_html(
        '<span class="amc-fresh" data-as-of="{}" data-due="{}" data-stale-after="{}">'
        "<span>{}</span></span>",
        found.as_of.isoformat(),
        found.due.isoformat(),
        found.stale_after.isoformat(),
        found.words,
    )


@register.filter
def tone(value: float | None) -> str:
    """Return the class of a gain or a loss."""
    if value is None or value == 0:
        return ""
    return "up" if value > 0 else "down"


@register.simple_tag
def value_of(estimate: Estimate | None, signed: bool = False) -> str:
    """Return the value of an estimate as a percentage; a dash where there is none."""
    show = figures.change if signed else figures.percent
    return show(estimate.value if estimate else None)


@register.simple_tag
def interval_of(estimate: Estimate | None, signed: bool = False) -> str:
    """Return the interval of an estimate, or why there is none."""
    if estimate is None:
        return figures.MISSING
    if estimate.low is None or estimate.high is None:
        return estimate.reason or "no interval stated"
    low, high = estimate.low * 100, estimate.high * 100
    said = f"{low:+,.1f} to {high:+,.1f} %" if signed else f"{low:,.1f} to {high:,.1f} %"
    return f"{estimate.level:.0%}: {said}"


@register.simple_tag
def interval_plot(estimate: Estimate | None, low: float, high: float, kind: str) -> SafeString:
    """Draw an estimate on the scale ``low`` to ``high``: whisker, dot, and a tick at zero.

    ``kind`` is measured, base or claimed; the latter two are hollow, a claim dashed as well.
    The numbers stand beside it as text, so screen readers are not told twice.
    """
    if estimate is None or estimate.value is None or high <= low:
        return SafeString("")

    def at(value: float) -> float:
        return round(4 + (WIDTH - 8) * (value - low) / (high - low), 2)

    parts = [
        format_html(
            '<line class="axis" x1="{0}" x2="{0}" y1="2" y2="16"></line>'
            '<line class="axis" x1="4" x2="{1}" y1="{2}" y2="{2}"></line>',
            at(min(max(0.0, low), high)),
            WIDTH - 4,
            MIDDLE,
        )
    ]
    if estimate.low is not None and estimate.high is not None:
        whisker = '<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"></line>'
        parts.append(format_html(whisker, at(estimate.low), at(estimate.high), MIDDLE, MIDDLE))
    shape = "dot" if kind == "measured" else "hollow"
    parts.append(
        format_html(
            '<circle class="{}" cx="{}" cy="{}" r="4"></circle>', shape, at(estimate.value), MIDDLE
        )
    )
    return format_html(
        '<svg class="amc-interval {}" viewBox="0 0 {} 18" '
        'aria-hidden="true" focusable="false">{}</svg>',
        kind,
        WIDTH,
        SafeString("".join(parts)),
    )


@register.filter
def status_badge(estimate: Estimate | None) -> SafeString:
    """Return the badge of an estimate that is not plainly measured; nothing for one that is."""
    if estimate is None or estimate.status is Status.OK:
        return SafeString("")
    return badge(str(estimate.status))


@register.filter
def job_badge(state: str) -> SafeString:
    """Return the badge of a job's state; a failed job is not a failed outcome."""
    return badge("failed_job" if state == "failed" else state)


@register.filter
def outcome_badge(row: Any) -> SafeString:
    """Return the badge of a row with ``outcome`` and ``status``: its class once it is settled."""
    if row is None:
        return badge("pending")
    settled = badge(row.outcome) if row.outcome else badge(row.status)
    return format_html("{} {}", settled, badge("delisted")) if row.status == "delisted" else settled


@register.filter
def seconds(value: float | None) -> str:
    """Return a duration: 0.4 s, 12 s, 3 min 20 s."""
    if value is None:
        return figures.MISSING
    if value < 10:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@register.filter
def eastern(value: Any) -> str:
    """Return an instant in exchange time, with the zone."""
    from analytics.calc.sessions import NEW_YORK

    return f"{value.astimezone(NEW_YORK):%Y-%m-%d %H:%M} ET" if value else figures.MISSING


@register.filter
def eastern_day(value: Any) -> str:
    """Return the exchange's date of an instant."""
    return eastern(value)[:10]


@register.filter
def gate_value(value: Any) -> str:
    """Return what a gate looked at: words as they are, big numbers short, small ones exact."""
    if value is None:
        return figures.MISSING
    if isinstance(value, str):
        return value
    return figures.large(value) if abs(value) >= 1000 else f"{value:,.4g}"
