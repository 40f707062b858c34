"""``GET /analytics/performance``: the mission's keys letter for letter, evidence beside them (§19).

Mounted by the project: it shows scores, so the view lives here.
"""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.api.queries import SourceQuery, asked
from performance.api.performance_examples import PERFORMANCE
from performance.api.serializers import admin_list
from performance.services import performance_answer
from performance.services.metrics import HEADLINE, WINDOWS
from performance.services.performance_answer import Performance

Document = dict[str, Any]
CURRENT = ("average_return", "win_rate", "explosive_growth_rate")
NOTHING = "no summary has been computed yet"


class PeriodQuery(SourceQuery):
    """One of the periods that are kept: nothing is computed in a request."""

    period_days = serializers.IntegerField(
        required=False,
        help_text="Calendar days up to the newest session: 1, 7, 30, 90, 365; 0: all history.",
    )

    def validate_period_days(self, value: int) -> int:
        if value not in WINDOWS:
            known = ", ".join(map(str, WINDOWS))
            raise serializers.ValidationError(f"There are {known}; 0 is all history.")
        return value


class PerformanceAnswer(APIView):
    @extend_schema(
        tags=["performance"],
        summary="Performance against the baseline",
        operation_id="analytics_performance",
        parameters=[PeriodQuery],
        responses=OpenApiTypes.OBJECT,
        examples=[OpenApiExample("abridged", value=PERFORMANCE)],
    )
    def get(self, request: Request) -> Response:
        """Baseline (claimed), current figures (90 days) and recovery, with the evidence.

        Keys of ``baseline``, ``current`` and ``recovery`` are the mission's, in percent and
        points; null where the data do not carry them, with the reason in ``evidence``.
        """
        question = asked(PeriodQuery, request)
        days = question.get("period_days", HEADLINE)
        found = performance_answer.get_performance(
            source=question["source"], now=timezone.now(), period_days=days
        )
        return Response(
            label(question["source"])
            | {"period_days": days, **found.summary.about}
            | {
                "baseline": baseline(found),
                "current": current(found),
                "recovery": recovery(found),
                "evidence": evidence(found),
                "audit": audit(found),
                "links": links(found, question["source"], days),
            }
        )


def baseline(found: Performance) -> Document:
    """Return the mission's ``baseline``; ``status`` says that it is claimed."""
    row, star = found.baseline, found.stars[0] if found.stars else None
    return {
        "period": row.period if row else None,
        "best_performer": (
            {"symbol": star.symbol, "return": f"{star.gain:+.0%}"} if star else None
        ),
        "portfolio_metrics": {
            "average_return": f"{row.average_return:+.0%}" if row else None,
            "win_rate": f"{row.win_rate:.0%}" if row else None,
            "explosive_growth_rate": f"{row.explosive_rate:.1%}" if row else None,
        },
        "status": "claimed" if row else "insufficient_data",
        "reason": "" if row else "no baseline is stored",
    }


def current(found: Performance) -> dict[str, float | None]:
    """Return the mission's ``current``: percentages, null with insufficient data."""
    figures = found.recovery.get("current") or {}
    return {name: _percent((figures.get(name) or {}).get("value")) for name in CURRENT}


def recovery(found: Performance) -> Document:
    """Return the mission's ``recovery``: percent, points, status, date or null."""
    told = found.recovery
    return {
        "recovery_progress_pct": _percent(told.get("progress")),
        "performance_gap": _percent(told.get("performance_gap")),
        "recovery_status": told.get("status", "INSUFFICIENT_DATA"),
        "projected_recovery_date": told.get("projected_recovery_date"),
    }


def evidence(found: Performance) -> Document:
    """Return every figure with n, interval, method and reason; returns are fractions."""
    told = found.recovery
    if not told:
        return {"status": "insufficient_data", "reason": NOTHING}
    kept = ("reason", "projection", "roadmap_ends", "alert_level", "alert_reasons", "zero_skill")
    return {
        "status": "ok" if told.get("progress") is not None else "insufficient_data",
        "current": told["current"],
        "recovery": {name: told.get(name) for name in kept},
        "best_90_days": told.get("best"),
        "metrics": found.summary.section("metrics"),
        "discovery": found.summary.section("discovery"),
        "thesis_accuracy": found.summary.section("thesis_accuracy"),
        "roadmap": found.summary.section("roadmap"),
    }


def audit(found: Performance) -> Document | None:
    """Return what the audit of the baseline found; None if there was none."""
    if found.audit_id is None or found.audited_at is None:
        return None
    return {
        "audited_at": found.audited_at.isoformat(),
        "items": [vars(each) for each in found.audit],
    }


def links(found: Performance, source: str, days: int) -> dict[str, str]:
    """Return where the rows are that the figures were computed from."""
    origin = "simulated" if source == "simulated" else "real"
    session = found.summary.session
    rows = {"as_of__exact": session, "window_days__exact": days} if session else {}
    found_links = {
        "page": reverse("pages:recovery"),
        "metrics": admin_list("performancemetric", origin, rows),
        "trades": admin_list("trade", origin, {}),
        "roadmap": admin_list("roadmapcheck", origin, {}),
        "baseline": reverse("admin:analytics_baseline_changelist"),
    }
    if found.audit_id:
        found_links["audit"] = reverse("analytics:claim-audit", args=[found.audit_id])
    return found_links


def _percent(value: float | None) -> float | None:
    return None if value is None else round(value * 100, 1)
