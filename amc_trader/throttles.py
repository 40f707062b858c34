"""How often one may ask the API: by user, and by address for who is not logged in.

The counts are in the cache, which every web process shares.
"""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

from amc_trader import visitors


class ByUser(UserRateThrottle):
    """API_RATE: all keys and sessions of a user count together."""

    def get_ident(self, request: Request) -> str:
        return visitors.get_address(request) or "unknown"


class ByAddress(AnonRateThrottle):
    """API_RATE_ANONYMOUS: who is not logged in, or has a wrong key."""

    def get_ident(self, request: Request) -> str:
        return visitors.get_address(request) or "unknown"


def seconds_to_wait(request: Request, view: Any) -> float | None:
    """Count a request that was refused for want of a login; None while it may be repeated."""
    throttle = ByAddress()
    return None if throttle.allow_request(request, view) else throttle.wait() or 1.0
