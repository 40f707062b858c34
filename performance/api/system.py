"""System health for programs: score, components, trend, incidents, what to do (design §15)."""

from dataclasses import asdict
from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from performance.models import HealthStatus, Incident
from performance.services import system_health

EXAMPLE: dict[str, Any] = {
    "score": 92.4,
    "target": 90.0,
    "status": "HEALTHY",
    "reason": "",
    "measured_at": "2024-06-28T22:00:00Z",
    "is_stale": False,
    "known": 10,
    "unknown": 3,
    "components": [
        {
            "name": "database",
            "status": "HEALTHY",
            "reason": "",
            "recommendation": "Check DATABASE_URL and that the database runs.",
            "weight": 3.0,
            "seconds": 0.0012,
            "figures": {"seconds": 0.0004},
            "measured_at": "2024-06-28T22:00:00Z",
        }
    ],
    "trend": [{"hour": "2024-06-28T21:00:00Z", "score": 91.0, "lowest": 88.0, "rounds": 12}],
    "open_incidents": [],
    "past_incidents": [],
    "silences": [],
    "recommendations": [],
    "links": {"rows": "/admin/performance/healthmetric/"},
}


SHOWN = (
    "score",
    "target",
    "status",
    "reason",
    "measured_at",
    "is_stale",
    "known",
    "unknown",
    "components",
    "trend",
    "open_incidents",
    "past_incidents",
    "recommendations",
)


class ComponentLineOut(serializers.Serializer[Any]):
    """``seconds`` is what the measurement took; ``figures`` is what it found."""

    name = serializers.CharField()
    status = serializers.ChoiceField(choices=HealthStatus.choices)
    reason = serializers.CharField()
    recommendation = serializers.CharField()
    weight = serializers.FloatField()
    seconds = serializers.FloatField(allow_null=True)
    figures = serializers.DictField()
    measured_at = serializers.DateTimeField()


class HourOut(serializers.Serializer[Any]):
    hour = serializers.DateTimeField()
    score = serializers.FloatField()
    lowest = serializers.FloatField()
    rounds = serializers.IntegerField()


class IncidentOut(serializers.ModelSerializer[Incident]):
    decisions = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = Incident
        fields = (
            "id",
            "component",
            "status",
            "reason",
            "recommendation",
            "good_until",
            "opened_at",
            "closed_at",
            "decisions",
            "links",
        )

    def get_decisions(self, incident: Incident) -> int:
        """How many batches, theses, alerts and mails rested on it."""
        return int(getattr(incident, "touched", 0))

    def get_links(self, incident: Incident) -> dict[str, str]:
        return {"admin": reverse("admin:performance_incident_change", args=[incident.pk])}


class SilenceOut(serializers.Serializer[Any]):
    """Scheduled work that did not succeed since it was due."""

    entry = serializers.CharField()
    kind = serializers.CharField()
    due = serializers.DateTimeField()
    last = serializers.DateTimeField(allow_null=True)


class SystemHealthOut(serializers.Serializer[Any]):
    score = serializers.FloatField(allow_null=True)
    target = serializers.FloatField()
    status = serializers.ChoiceField(choices=HealthStatus.choices)
    reason = serializers.CharField()
    measured_at = serializers.DateTimeField(allow_null=True)
    is_stale = serializers.BooleanField()
    known = serializers.IntegerField()
    unknown = serializers.IntegerField()
    components = ComponentLineOut(many=True)
    trend = HourOut(many=True)
    open_incidents = IncidentOut(many=True)
    past_incidents = IncidentOut(many=True)
    silences = SilenceOut(many=True)
    recommendations = serializers.ListField(child=serializers.CharField())
    links = serializers.DictField(child=serializers.CharField())


class SystemHealth(APIView):
    @extend_schema(
        tags=["health"],
        summary="System health: score, components, trend, incidents",
        responses=SystemHealthOut,
        examples=[OpenApiExample("healthy", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """The newest round of probes with its age; UNKNOWN if it is too old to count."""
        found = system_health.get_system_health(now=timezone.now())
        shown = {
            **{name: getattr(found, name) for name in SHOWN},
            "silences": [asdict(silence) for silence in found.silences],
            "links": {
                "rows": reverse("admin:performance_healthmetric_changelist"),
                "incidents": reverse("admin:performance_incident_changelist"),
                "page": reverse("pages:system"),
            },
        }
        return Response(SystemHealthOut(shown).data)
