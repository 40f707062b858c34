"""What every API view shares: who may ask, and RFC 9457 problem documents for what goes wrong."""

import logging
import re
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found, server_error
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
    Throttled,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.response import Response

from amc_trader import throttles
from analytics.errors import DomainError, Unavailable, UpstreamError

RETRY_AFTER_S = 10.0  # seconds, while the database is away
PROBLEM = "application/problem+json"
logger = logging.getLogger(__name__)

KEY = re.compile(rb"(?:[a-z0-9-]{1,9}_)?[0-9a-f]{64}")


class ApiKey(TokenAuthentication):  # type: ignore[misc]  # knox ships no types
    """``Authorization: Bearer laptop_3f5a...``: the key's owner asks, with the same permissions."""

    def authenticate_credentials(self, token: bytes) -> Any:
        if not KEY.fullmatch(token):  # nothing else ever reaches the database
            raise AuthenticationFailed("This is not an API key.")
        return super().authenticate_credentials(token)


class StaffSession(SessionAuthentication):
    """The admin's session. Names a scheme, so that asking without one answers 401, not 403."""

    def authenticate_header(self, request: Request) -> str:
        return 'Session realm="AMC-TRADER"'


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """Return a problem document.

    Args:
        status: HTTP status code.
        detail: One sentence on this occurrence.
        more: Extension members, such as ``errors``.

    Source: RFC 9457, section 3.1.
    """
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer what was raised on purpose; anything else is a bug and is left to rise."""
    from rest_framework.views import exception_handler  # loads this module for its settings

    if isinstance(error, DomainError):
        return _answer(error)
    if isinstance(error, (OperationalError, InterfaceError)):
        logger.error("the database did not answer: %s", error)
        busy = Unavailable("The database does not answer, try again.", retry_after=RETRY_AFTER_S)
        return _answer(busy)
    if isinstance(error, (NotAuthenticated, AuthenticationFailed)):
        error = _too_often(context) or error
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        response.data = problem(
            response.status_code,
            "The request has values that cannot be used.",
            errors=_by_field(response.data),
        )
    else:
        detail = str(error.detail) if isinstance(error, APIException) else str(error)
        response.data = problem(response.status_code, detail or "Not possible.")
    response.content_type = PROBLEM
    return response


def _too_often(context: dict[str, Any]) -> Throttled | None:
    """Count a request without a usable login; views do so only after a login succeeded."""
    seconds = throttles.seconds_to_wait(context["request"], context["view"])
    return None if seconds is None else Throttled(seconds)


def _answer(error: DomainError) -> Response:
    upstream = isinstance(error, UpstreamError)
    status = HTTPStatus.SERVICE_UNAVAILABLE if upstream else HTTPStatus.CONFLICT
    headers = {}
    if isinstance(error, Unavailable) and error.retry_after is not None:
        headers["Retry-After"] = str(max(0, round(error.retry_after)))
    return Response(
        problem(status, str(error) or status.phrase),
        status=status,
        headers=headers,
        content_type=PROBLEM,
    )


def _by_field(errors: Any) -> dict[str, Any]:
    """Return messages by field; those of no field under ``non_field_errors``."""
    return dict(errors) if isinstance(errors, dict) else {"non_field_errors": errors}


def wants_page(request: HttpRequest) -> bool:
    """Return whether a person asks: browsers prefer HTML, programs take anything or JSON."""
    return request.get_preferred_type([PROBLEM, "application/json", "text/html"]) == "text/html"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown URL: a problem document to programs, a page to people."""
    if wants_page(request):
        return page_not_found(request, exception)
    return _refusal(HTTPStatus.NOT_FOUND, f"There is nothing at {request.path}.")


def failed(request: HttpRequest) -> HttpResponse:
    """Answer where a bug rose: the log knows it, the answer gives nothing away."""
    if wants_page(request):
        return server_error(request)
    return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; it was logged.")


def _refusal(status: HTTPStatus, detail: str) -> JsonResponse:
    return JsonResponse(problem(status, detail), status=status, content_type=PROBLEM)
