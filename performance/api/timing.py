"""``GET /performance/market-timing``: how soon and how well trades were bought and sold (§13)."""

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.api.queries import asked
from performance.api.performance import NOTHING, PeriodQuery
from performance.api.performance_examples import TIMING
from performance.api.serializers import admin_list
from performance.calc.timing_figures import TARGET
from performance.services import summary_reading

DAYS = 30  # the mission's period


class MarketTiming(APIView):
    @extend_schema(
        tags=["performance"],
        summary="Market timing",
        parameters=[PeriodQuery],
        responses=OpenApiTypes.OBJECT,
        examples=[OpenApiExample("abridged", value=TIMING)],
    )
    def get(self, request: Request) -> Response:
        """Delay, entry cost, scores, the dollar bridge, terciles of volatility, the exit lab.

        Over the trades with a candidate that were open at any time of the period. Returns and
        costs are fractions, scores 0 to 100, money USD.
        """
        question = asked(PeriodQuery, request)
        days = question.get("period_days", DAYS)
        found = summary_reading.get_summary(
            source=question["source"], now=timezone.now(), period_days=days
        )
        told = found.section("timing")
        score = (told.get("figures") or {}).get("market_timing_score") or {}
        origin = "simulated" if question["source"] == "simulated" else "real"
        return Response(
            label(question["source"])
            | {"period_days": days, **found.about}
            | {
                "market_timing_score": score.get("value"),
                "target": {"value": TARGET, "status": "claimed"},
                "status": "ok" if score.get("value") is not None else "insufficient_data",
                "reason": score.get("reason", NOTHING) if not score.get("value") else "",
                "trades": told.get("trades", 0),
                "figures": told.get("figures", {}),
                "bridge": told.get("bridge", []),
                "terciles": told.get("terciles", []),
                "exit_lab": told.get("exit_lab", []),
                "reference": told.get("reference"),
                "links": {
                    "rows": admin_list("timinganalysis", origin, {}),
                    "trades": admin_list("trade", origin, {}),
                },
            }
        )
