"""Which lake a source lives in. Real and simulated data never share one (design §1)."""

import os
from typing import Final

from django.conf import settings

from analytics.errors import DomainError
from analytics.lake.tables import Lake
from analytics.models import Source

MARKET: Final = "market"
SIMULATED: Final = "simulated"
SOURCES: Final[dict[str, tuple[str, ...]]] = {
    MARKET: (Source.LIVE, Source.IMPORTED),
    SIMULATED: (Source.SIMULATED,),
}


class NoLake(DomainError):
    """The source has no market data of its own."""


def realm_of(source: str) -> str:
    """Return the realm of ``source``.

    Raises:
        NoLake: ``source`` is neither live, imported nor simulated.
    """
    for realm, sources in SOURCES.items():
        if source in sources:
            return realm
    raise NoLake(f"{source!r} has no market data; live, imported and simulated have")


def sources_beside(source: str) -> tuple[str, ...]:
    """Return the sources that share a realm with ``source``, itself included."""
    return SOURCES[realm_of(source)]


def lake_of(source: str) -> Lake:
    """Return the lake that holds the market data of ``source``."""
    return Lake(settings.LAKE_URL, realm_of(source), storage_options=_storage_options())


def get_active_source() -> str:
    """Return the source that screens show: imported if real bars are there, else simulated."""
    market = lake_of(Source.IMPORTED)
    return Source.SIMULATED if market.is_empty("bars") else Source.IMPORTED


def _storage_options() -> dict[str, str]:
    """Return the object store's options, which its client library names itself (AWS_...)."""
    if "://" not in str(settings.LAKE_URL):
        return {}
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
