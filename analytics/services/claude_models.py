"""Where the model stands in its life: a warning before it goes away, and its training cut-off."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.core.cache import cache

from analytics.clients.claude import ClaudeFailed, ModelState
from analytics.models import AlertKind, AlertSeverity, CutoffBasis, Source
from analytics.services import alerts, claude_author
from analytics.services.alerts import Crossing

KEPT_S: Final = 24 * 3600
_NOT_LISTED: Final = "not listed"


@dataclass(frozen=True, kw_only=True)
class Cutoff:
    """Last day that the model may have learnt of; None if not known."""

    day: date | None
    basis: str = ""


def get_state() -> ModelState | None:
    """Return what the provider says of the model, asked at most once a day.

    Returns:
        None without a key, without an answer, or if the model is not listed.
    """
    key = f"claude-model:{settings.CLAUDE_MODEL}"
    known = cache.get(key)
    if known is None and claude_author.is_connected():
        try:
            with claude_author.connect() as client:
                known = client.get_state() or _NOT_LISTED
        except ClaudeFailed:
            return None  # the calls themselves will say what is wrong
        cache.set(key, known, KEPT_S)
    return known if isinstance(known, ModelState) else None


def get_cutoff() -> Cutoff:
    """Return the training cut-off of the model.

    As the settings state it; else its day of release, which no training data can lie behind.
    """
    if settings.CLAUDE_TRAINING_CUTOFF:
        return Cutoff(day=settings.CLAUDE_TRAINING_CUTOFF, basis=CutoffBasis.STATED)
    state = get_state()
    if state is None or state.released_at is None:
        return Cutoff(day=None)
    return Cutoff(day=state.released_at.date(), basis=CutoffBasis.RELEASED)


def record_lifecycle(*, now: datetime) -> str:
    """Raise an alert if the model is on its way out; return what was found, in a sentence."""
    state = get_state()
    if state is None:
        return ""
    said = _warning(state)
    severity = AlertSeverity.CRITICAL if state.lifecycle == "retired" else AlertSeverity.WARNING
    warnings = [
        Crossing(kind=AlertKind.CLAUDE_MODEL, severity=severity, message=said, subject=state.model)
    ]
    alerts.observe(
        kinds=[AlertKind.CLAUDE_MODEL],
        crossings=warnings if said else [],
        source=Source.LIVE,
        now=now,
    )
    return said


def _warning(state: ModelState) -> str:
    if state.lifecycle == "active" and state.retires_at is None:
        return ""
    when = f" on {state.retires_at:%Y-%m-%d}" if state.retires_at else ""
    return f"{state.model} is {state.lifecycle} and retires{when}: set CLAUDE_MODEL to another one"
