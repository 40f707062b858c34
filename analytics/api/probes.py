"""Health for probes: open to all, details for staff only. 503 where something is CRITICAL."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.core.cache import cache
from django.db import Error
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.calc.health import Health, Status
from analytics.services import health

REMEMBERED_S = 10  # so that no stranger can keep the database and the lake busy


class ComponentOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    reason = serializers.CharField()
    figures = serializers.DictField()


class HealthOut(serializers.Serializer[Any]):
    """``source`` and ``components`` are shown to staff only."""

    status = serializers.ChoiceField(choices=[status.value for status in Status])
    measured_at = serializers.DateTimeField()
    source = serializers.CharField(required=False)  # type: ignore[assignment]
    simulated = serializers.BooleanField(required=False)
    components = ComponentOut(many=True, required=False)


OPEN = {"status": "HEALTHY", "measured_at": "2024-06-28T22:00:00Z"}
DETAILS = {
    "source": "imported",
    "components": [
        {"name": "database", "status": "HEALTHY", "reason": "", "figures": {"seconds": 0.0004}},
    ],
}
DESCRIBED: dict[str, Any] = {
    "tags": ["health"],
    "responses": {
        200: OpenApiResponse(HealthOut, "Nothing is critical."),
        503: OpenApiResponse(HealthOut, "Something is critical."),
    },
    "examples": [
        OpenApiExample("to a probe", value=OPEN, status_codes=["200"]),
        OpenApiExample("to staff", value=OPEN | DETAILS, status_codes=["200"]),
        OpenApiExample("broken", value=OPEN | {"status": "CRITICAL"}, status_codes=["503"]),
    ],
}


class Probe(APIView):
    """Works without a database: who asks is looked up last, and only for the details."""

    permission_classes = (AllowAny,)
    throttle_classes = ()

    def perform_authentication(self, request: Request) -> None:
        """Put it off: a probe without a login never asks the database who it is."""

    def answer(self, request: Request, key: str, measure: Callable[..., Health]) -> Response:
        """Return what ``measure`` found within the last seconds."""
        found = _remembered(key, measure)
        shown: dict[str, Any] = {"status": found.status, "measured_at": found.measured_at}
        if not _is_database_down(found) and _is_staff(request):
            source = label(found.source) if found.source else {}
            shown |= source | {"components": [asdict(part) for part in found.components]}
        critical = found.status == Status.CRITICAL
        return Response(
            HealthOut(shown).data,
            status=HTTPStatus.SERVICE_UNAVAILABLE if critical else HTTPStatus.OK,
            headers={"Cache-Control": "no-store"},
        )


class AnalyticsHealth(Probe):
    @extend_schema(**DESCRIBED, summary="Database, market data, discovery and jobs")
    def get(self, request: Request) -> Response:
        """The worst of the components; what could not be measured is UNKNOWN, never healthy."""
        return self.answer(request, "analytics.health", health.get_health)


def _remembered(key: str, measure: Callable[..., Health]) -> Health:
    """Return what was measured within the last seconds; measured anew where the cache is down."""
    found: Health | None = None
    with suppress(OSError, RedisError):
        found = cache.get(key)
    if found is None:
        found = measure(now=timezone.now())
        with suppress(OSError, RedisError):
            cache.set(key, found, REMEMBERED_S)
    return found


def _is_database_down(found: Health) -> bool:
    """Return whether asking it for the person would only mean to wait."""
    return found.components[0].name == "database" and found.components[0].status == Status.CRITICAL


def _is_staff(request: Request) -> bool:
    try:
        person = request.user
    except (APIException, Error):  # a wrong key, or no database to look it up in
        return False
    return bool(person and person.is_active and person.is_staff)
