"""Measurements for Prometheus, read from stored rows: every web process tells the same."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from rest_framework.permissions import IsAdminUser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from performance.services import prometheus

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class PlainText(BaseRenderer):
    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(self, data: Any, *_arguments: Any, **_options: Any) -> Any:
        return data


class Stored(Collector):
    """What ``prometheus.get_gauges`` finds, as metric families."""

    def __init__(self, gauges: list[prometheus.Gauge]) -> None:
        self.gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for gauge in self.gauges:
            family = GaugeMetricFamily(gauge.name, gauge.about, labels=list(gauge.labels))
            for values, value in gauge.samples:
                family.add_metric(list(values), value)
            yield family


class Metrics(APIView):
    permission_classes = (IsAdminUser,)
    renderer_classes = (PlainText,)
    throttle_classes = ()

    @extend_schema(
        tags=["health"],
        summary="Measurements for Prometheus",
        responses={(HTTPStatus.OK, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:
        """For staff: log in, or give an API key of theirs. Nothing is measured, only read."""
        registry = CollectorRegistry()
        registry.register(Stored(prometheus.get_gauges(now=timezone.now())))
        return HttpResponse(generate_latest(registry), content_type=TYPE)
