"""Rows about health for tests: each call states only what the test is about."""

from typing import Any

from performance.models import HealthMetric, Heartbeat, Incident
from tests.factories import NOW


def make_metric(**fields: Any) -> HealthMetric:
    wanted = {
        "component": "overall",
        "name": "score",
        "value": 95.0,
        "status": "HEALTHY",
        "measured_at": NOW,
        "source": "imported",
    }
    return HealthMetric.objects.create(**{**wanted, **fields})


def make_incident(**fields: Any) -> Incident:
    wanted = {
        "component": "database",
        "status": "CRITICAL",
        "reason": "It does not answer.",
        "recommendation": "Start it.",
        "opened_at": NOW,
        "source": "imported",
    }
    return Incident.objects.create(**{**wanted, **fields})


def make_heartbeat(**fields: Any) -> Heartbeat:
    wanted = {"process": "worker", "name": "here/1/2", "started_at": NOW, "beat_at": NOW}
    return Heartbeat.objects.create(**{**wanted, **fields})
