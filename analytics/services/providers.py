"""The providers as the settings describe them: where they are, our keys, our rate limits.

A caller closes what it connects to: ``with providers.connect_polygon() as polygon: ...``
"""

from pathlib import Path
from typing import Any, Final

import httpx
from django.conf import settings

from analytics.clients import pace
from analytics.clients.alpaca_data import AlpacaData
from analytics.clients.finra import Finra
from analytics.clients.nasdaq import Nasdaq
from analytics.clients.pace import Limit, Pace
from analytics.clients.polygon import Polygon
from analytics.clients.sec import Sec
from analytics.errors import DomainError

SEC_LIMIT: Final = Limit(calls=8, window=1.0)  # it allows 10 a second
AT_ONCE: Final[dict[str, Any]] = {"retries": 0, "timeout": httpx.Timeout(5.0)}
POLITE: Final = Limit(calls=2, window=1.0)  # public files whose limit is not stated


class NotConfigured(DomainError):
    """A provider needs a setting that is not given."""


def has_polygon() -> bool:
    """Return whether there is a key for the main provider."""
    return bool(settings.POLYGON_API_KEY)


def has_alpaca_data() -> bool:
    """Return whether there are keys for the fallback provider."""
    return bool(settings.ALPACA_API_KEY and settings.ALPACA_SECRET_KEY)


def has_sec() -> bool:
    """Return whether we can tell the SEC who we are."""
    return "@" in settings.SEC_USER_AGENT


def polygon_limit() -> Limit | None:
    """Return how often the plan lets us call; None for as often as we like."""
    calls = settings.POLYGON_CALLS_PER_MINUTE
    return Limit.per_minute(calls) if calls else None


def connect_polygon(*, patient: bool = True) -> Polygon:
    """Return the main provider of market data.

    Args:
        patient: Keep to the rate limit and try again; else ask once, at once, for a probe.

    Raises:
        NotConfigured: ``POLYGON_API_KEY`` is not given.
    """
    key = _needed("POLYGON_API_KEY", "market data from Polygon")
    if not patient:
        return Polygon(key, base_url=settings.POLYGON_BASE_URL, **AT_ONCE)
    limit = polygon_limit()
    return Polygon(
        key, base_url=settings.POLYGON_BASE_URL, pace=_pace("polygon", limit) if limit else None
    )


def connect_alpaca_data() -> AlpacaData:
    """Return the fallback provider of daily bars; the feed is ``settings.ALPACA_DATA_FEED``.

    Raises:
        NotConfigured: ``ALPACA_API_KEY`` or ``ALPACA_SECRET_KEY`` is not given.
    """
    calls = settings.ALPACA_DATA_CALLS_PER_MINUTE
    return AlpacaData(
        _needed("ALPACA_API_KEY", "bars from Alpaca"),
        _needed("ALPACA_SECRET_KEY", "bars from Alpaca"),
        base_url=settings.ALPACA_DATA_BASE_URL,
        pace=_pace("alpaca-data", Limit.per_minute(calls)) if calls else None,
    )


def connect_finra() -> Finra:
    """Return FINRA's public files."""
    return Finra(base_url=settings.FINRA_BASE_URL, pace=_pace("finra", POLITE))


def connect_sec() -> Sec:
    """Return EDGAR.

    Raises:
        NotConfigured: ``SEC_USER_AGENT`` is not given or holds no address.
    """
    said = _needed("SEC_USER_AGENT", "filings from the SEC")
    if not has_sec():
        raise NotConfigured(
            'SEC_USER_AGENT must be like "Name contact@example.com": the SEC wants an address.'
        )
    return Sec(
        said,
        base_url=settings.SEC_BASE_URL,
        data_base_url=settings.SEC_DATA_BASE_URL,
        pace=_pace("sec", SEC_LIMIT),
    )


def connect_nasdaq() -> Nasdaq:
    """Return Nasdaq Trader's public files."""
    return Nasdaq(base_url=settings.NASDAQ_BASE_URL, pace=_pace("nasdaq", POLITE))


def _needed(name: str, use: str) -> str:
    value: str = getattr(settings, name)
    if not value:
        raise NotConfigured(f"{name} is not set: {use} needs it.")
    return value


def _pace(name: str, limit: Limit) -> Pace:
    folder = Path(settings.VAR_DIR) / "pace"
    return pace.connect(name=name, limit=limit, redis_url=settings.REDIS_URL, folder=folder)
