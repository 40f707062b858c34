"""The broker as the settings describe it: paper unless live money is asked for in so many words."""

from pathlib import Path
from typing import Any, Final

from django.conf import settings

from analytics.clients import pace
from analytics.clients.pace import Limit
from analytics.services.providers import AT_ONCE, NotConfigured
from performance.clients.alpaca import LIVE_HOST, PAPER_URL, Alpaca
from performance.models import Account

NAME: Final = "Alpaca"


def has_alpaca() -> bool:
    """Return whether there are keys for the broker."""
    return bool(settings.ALPACA_API_KEY and settings.ALPACA_SECRET_KEY)


def account_kind() -> Account.Kind:
    """Return what kind of account the settings speak of."""
    return Account.Kind.LIVE if settings.ALPACA_LIVE else Account.Kind.PAPER


def connect_alpaca(*, patient: bool = True) -> Alpaca:
    """Return the broker. The caller closes it.

    Args:
        patient: Keep to the rate limit and try again; else ask once, at once, for a probe.

    Raises:
        NotConfigured: ``ALPACA_API_KEY`` or ``ALPACA_SECRET_KEY`` is not given.
        LiveHost: ``ALPACA_BASE_URL`` names the live host, and ``ALPACA_LIVE`` is not true.
    """
    if not has_alpaca():
        raise NotConfigured("ALPACA_API_KEY and ALPACA_SECRET_KEY are needed for the broker.")
    options: dict[str, Any] = {
        "key": settings.ALPACA_API_KEY,
        "secret": settings.ALPACA_SECRET_KEY,
        "base_url": _address(),
        "live": settings.ALPACA_LIVE,
    }
    if not patient:
        return Alpaca(**options, **AT_ONCE)
    limit = Limit.per_minute(settings.ALPACA_CALLS_PER_MINUTE)
    folder = Path(settings.VAR_DIR) / "pace"
    paced = pace.connect(name="alpaca", limit=limit, redis_url=settings.REDIS_URL, folder=folder)
    return Alpaca(**options, pace=paced)


def _address() -> str:
    """Return where to ask: live money only if asked for and no other address is given."""
    address: str = settings.ALPACA_BASE_URL
    return f"https://{LIVE_HOST}" if settings.ALPACA_LIVE and address == PAPER_URL else address
