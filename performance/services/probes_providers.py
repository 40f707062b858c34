"""Probes of each external API: one cheap question each (design §15)."""

from collections.abc import Callable
from datetime import datetime
from time import perf_counter
from typing import Any, Final

from django.conf import settings

from analytics.calc.health import Component, Status
from analytics.clients.answers import NotInPlan, RateLimited, Unauthorized
from analytics.clients.claude import Claude, ClaudeFailed
from analytics.errors import UpstreamError
from analytics.services import claude_author, providers
from performance.services import brokers

TIMEOUT_S: Final = 5.0
UNAUTHORIZED: Final = "unauthorized"


def get_polygon(_now: datetime) -> Component:
    """Ask for the market's status."""

    def ask() -> dict[str, Any]:
        with providers.connect_polygon(patient=False) as polygon:
            return {"market_open": polygon.market_status().is_open}

    return _asked("Polygon", "POLYGON_API_KEY", ask, has_key=providers.has_polygon())


def get_alpaca(_now: datetime) -> Component:
    """Ask for the account."""

    def ask() -> dict[str, Any]:
        with brokers.connect_alpaca(patient=False) as alpaca:
            alpaca.account()
        return {"account": str(brokers.account_kind())}

    return _asked("Alpaca", "ALPACA_API_KEY", ask, has_key=brokers.has_alpaca())


def get_claude(_now: datetime) -> Component:
    """Ask what has become of the model."""

    def ask() -> dict[str, Any]:
        with Claude(
            settings.CLAUDE_API_KEY,
            model=settings.CLAUDE_MODEL,
            base_url=settings.CLAUDE_BASE_URL,
            timeout=TIMEOUT_S,
        ) as claude:
            state = claude.get_state()
        return {"lifecycle": state.lifecycle if state else "not listed"}

    found = _asked("Claude", "CLAUDE_API_KEY", ask, has_key=claude_author.is_connected())
    lifecycle = found.figures.get("lifecycle")
    if found.status == Status.HEALTHY and lifecycle != "active":
        said = f"The model is {lifecycle}: set CLAUDE_MODEL to another one."
        return Component(name="Claude", status=Status.WARNING, reason=said, figures=found.figures)
    return found


def _asked(
    name: str, setting: str, ask: Callable[[], dict[str, Any]], *, has_key: bool
) -> Component:
    """Return what an answer, a refusal or silence means. No key: nothing was measured."""
    if not has_key:
        said = f"{setting} is not given, so nothing is asked."
        return Component(name=name, status=Status.UNKNOWN, reason=said)
    started = perf_counter()
    try:
        told = ask()
    except (Unauthorized, ClaudeFailed) as error:
        if getattr(error, "reason", UNAUTHORIZED) != UNAUTHORIZED:
            return Component(name=name, status=Status.WARNING, reason=str(error)[:300])
        said = f"The key is refused: check {setting}."
        return Component(name=name, status=Status.CRITICAL, reason=said)
    except (NotInPlan, RateLimited) as error:
        told = {"note": str(error)[:200]}  # it answers: that is what was asked
    except UpstreamError as error:
        return Component(name=name, status=Status.WARNING, reason=str(error)[:300])
    taken = round(perf_counter() - started, 4)
    return Component(name=name, status=Status.HEALTHY, figures={"seconds": taken, **told})
