"""Where a request comes from, and what people see who tried too many passwords."""

from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

TOO_MANY = 429


def get_address(request: Any) -> str | None:
    """Return the address that asks, or None if there is none, as on a Unix socket.

    Behind the proxy it is the last one of X-Forwarded-For, which the proxy itself added. All
    before it, and all of it without a proxy, is what the visitor claims: not believed.
    """
    said = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        said = request.META.get("HTTP_X_FORWARDED_FOR", said).rpartition(",")[2]
    try:
        return str(ip_address(said.strip()))
    except ValueError:
        return None


def locked_out(
    request: HttpRequest, _response: HttpResponse | None, credentials: Any
) -> HttpResponse:
    """Answer a log-in after too many wrong passwords: how long it is closed, and who can help."""
    from amc_trader.api import PROBLEM, problem, wants_page

    seconds = round(settings.AXES_COOLOFF_TIME.total_seconds())
    context = {
        "attempts": settings.AXES_FAILURE_LIMIT,
        "minutes": seconds // 60,
        "username": (credentials or {}).get("username") or "",
    }
    if wants_page(request):
        frame = {**admin.site.each_context(request), "title": "Locked out", **context}
        answer: HttpResponse = render(request, "admin/locked_out.html", frame, status=TOO_MANY)
    else:
        said = f"Too many wrong passwords: try again in {context['minutes']} minutes."
        answer = JsonResponse(problem(TOO_MANY, said), status=TOO_MANY, content_type=PROBLEM)
    answer["Retry-After"] = str(seconds)
    return answer
