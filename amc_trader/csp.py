"""Content security policy: strict, and looser by what the theme needs on the pages it frames.

The theme evaluates expressions in attributes and writes one inline style sheet. Our own pages,
scripts and styles need neither; what the API and the probes answer is under the strict policy.
"""

from typing import Final

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

STRICT: Final[dict[str, list[str]]] = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [SELF],
    "frame-ancestors": [NONE],
}
FRAMED: Final[dict[str, list[str]]] = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}
FRAMED_NAMESPACES: Final = frozenset({"admin", "pages"})


class Policy(CSPMiddleware):
    """The strict policy everywhere; the theme's below the admin and on the pages it frames."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if _is_framed(request) and not report_only:
            parts.replace = {**FRAMED, **(parts.replace or {})}
        return parts


def _is_framed(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and not FRAMED_NAMESPACES.isdisjoint(match.namespaces)
