"""Liveness: is this process able to answer? It asks nothing else and writes nothing."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process lives. Open to probes, without a login."""
    return JsonResponse({"status": "alive"})
