"""Health of what scores, for probes."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.probes import DESCRIBED, Probe
from performance.services import health


class PerformanceHealth(Probe):
    @extend_schema(**DESCRIBED, summary="Database, outcomes and settlement")
    def get(self, request: Request) -> Response:
        """The worst of the components; what could not be measured is UNKNOWN, never healthy."""
        return self.answer(request, "performance.health", health.get_health)
