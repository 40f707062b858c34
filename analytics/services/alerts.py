"""Alerts: what people do with them. Who raises one says so itself."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User

from analytics.models import Alert


def acknowledge(*, alert_ids: Sequence[int], user: User, now: datetime) -> int:
    """Note who has seen alerts; the first to see one stands. Return how many were new."""
    unseen = Alert.objects.filter(pk__in=alert_ids, acknowledged_at__isnull=True)
    return unseen.update(acknowledged_at=now, acknowledged_by=user)


def get_standing(*, source: str, limit: int = 50) -> list[Alert]:
    """Return the alerts that are not resolved, newest first."""
    return list(Alert.objects.standing().filter(source=source).order_by("-crossed_at")[:limit])
