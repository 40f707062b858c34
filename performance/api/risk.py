"""Risk as it was last assessed, for programs (design §14, §19)."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.pages import label
from analytics.api.queries import SourceQuery, asked
from analytics.api.serializers import EstimateOut
from performance.api.serializers import admin_list
from performance.models import OrderProposal, PositionAdvice, RiskAssessment, RuleBreach
from performance.services import risk_page
from performance.services.risk import AccountRisk
from performance.services.risk_page import RiskPage

OF_POSITIONS = (
    "weight", "unrealised", "stop_distance", "money_at_risk", "days_to_exit", "volatility",
)  # fmt: skip
OF_ACCOUNTS = (
    "var_95", "cvar_95", "volatility", "beta", "max_drawdown", "heat", "heat_confirmed_stops",
    "gross_exposure", "name_hhi", "sector_hhi", "mean_correlation",
)  # fmt: skip
OF_SIZING = ("size_rank_correlation", "capital_less_equal")


def _stored(row: RiskAssessment, names: tuple[str, ...]) -> dict[str, Any]:
    """Return figures as they are stored: they are JSON with their evidence already."""
    return {name: row.figures[name] for name in names if name in row.figures}


class FiguresOut(serializers.Serializer[Any]):
    """Figures by name, each with its evidence; fractions."""

    names: tuple[str, ...] = ()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: EstimateOut() for name in self.names}


class AccountFiguresOut(FiguresOut):
    names = OF_ACCOUNTS


class SizingOut(FiguresOut):
    names = OF_SIZING


class PositionFiguresOut(FiguresOut):
    names = OF_POSITIONS


class PositionRiskOut(serializers.ModelSerializer[RiskAssessment]):
    """One position: what it could lose, and what risk alone says to do."""

    figures = serializers.SerializerMethodField()
    stop_basis = serializers.SerializerMethodField()

    class Meta:
        model = RiskAssessment
        fields = (
            "symbol", "session", "market_value", "size_limit", "is_oversize", "stop_price",
            "stop_basis", "sector", "is_frozen", "advice", "reason", "figures", "source",
        )  # fmt: skip

    @extend_schema_field(PositionFiguresOut)
    def get_figures(self, row: RiskAssessment) -> Any:
        return _stored(row, OF_POSITIONS)

    @extend_schema_field(serializers.ChoiceField(choices=["broker", "thesis", "none"]))
    def get_stop_basis(self, row: RiskAssessment) -> str:
        return str(row.figures.get("stop_basis", "none"))


class AccountRiskOut(serializers.Serializer[AccountRisk]):
    account = serializers.CharField(source="account.account.name")
    kind = serializers.CharField(source="account.account.kind")
    session = serializers.DateField(source="account.session")
    equity = serializers.DecimalField(
        max_digits=16, decimal_places=2, source="account.equity", allow_null=True
    )
    size_limit = serializers.FloatField(source="account.size_limit")
    portfolio = serializers.SerializerMethodField()
    position_sizing = serializers.SerializerMethodField()
    positions = PositionRiskOut(many=True)

    @extend_schema_field(AccountFiguresOut)
    def get_portfolio(self, found: AccountRisk) -> Any:
        return _stored(found.account, OF_ACCOUNTS)

    @extend_schema_field(SizingOut)
    def get_position_sizing(self, found: AccountRisk) -> Any:
        return _stored(found.account, OF_SIZING)


class AdviceOut(serializers.ModelSerializer[PositionAdvice]):
    """What the thesis, its falsifiers, loss and size say; every reason, the strongest first."""

    account = serializers.CharField(source="account.name")

    class Meta:
        model = PositionAdvice
        fields = (
            "account", "symbol", "session", "advice", "reasons", "stop_price", "stop_state",
            "stop_text", "target_price", "held", "thesis", "source",
        )  # fmt: skip


class BreachOut(serializers.ModelSerializer[RuleBreach]):
    account = serializers.CharField(source="account.name")

    class Meta:
        model = RuleBreach
        fields = (
            "account", "rule", "symbol", "opened_at", "session", "measured", "allowed", "text",
            "source",
        )  # fmt: skip


class ProposalOut(serializers.ModelSerializer[OrderProposal]):
    """What a rule proposes. Only a person can confirm it, in the admin."""

    account = serializers.CharField(source="account.name")

    class Meta:
        model = OrderProposal
        fields = (
            "account", "kind", "symbol", "side", "quantity", "order_type", "limit_price",
            "stop_price", "reason", "risk", "state", "refusal", "evidence", "proposed_at",
            "expires_at", "source",
        )  # fmt: skip


class ComplianceOut(serializers.Serializer[Any]):
    counts = serializers.DictField(child=serializers.IntegerField())
    latest = BreachOut(many=True)


class RiskOut(serializers.Serializer[RiskPage]):
    """Everything risk knows, from stored rows."""

    as_of = serializers.DateField(source="report.session", allow_null=True)
    age_sessions = serializers.IntegerField(source="report.age", allow_null=True)
    status = serializers.SerializerMethodField()
    reason = serializers.CharField(source="report.reason")
    accounts = AccountRiskOut(many=True, source="report.accounts")
    advice = AdviceOut(many=True)
    compliance = ComplianceOut(source="*")
    proposals = ProposalOut(many=True)
    trading_halted = serializers.BooleanField(source="halted")
    links = serializers.SerializerMethodField()

    def get_status(self, page: RiskPage) -> str:
        return "ok" if page.report.session else "insufficient_data"

    def get_links(self, page: RiskPage) -> dict[str, str]:
        origin = "simulated" if page.report.source == "simulated" else "real"
        return {
            name: admin_list(model, origin, {})
            for name, model in (
                ("assessments", "riskassessment"),
                ("advice", "positionadvice"),
                ("breaches", "rulebreach"),
                ("proposals", "orderproposal"),
            )
        }


class LabelledRiskOut(RiskOut):
    """The description's: whose data it is stands at the head."""

    source = serializers.CharField()  # type: ignore[assignment]  # the key is called so
    simulated = serializers.BooleanField(required=False)


EXAMPLE: dict[str, Any] = {
    "source": "imported",
    "as_of": "2024-06-28",
    "age_sessions": 0,
    "status": "ok",
    "reason": "",
    "accounts": [
        {
            "account": "paper",
            "portfolio": {
                "var_95": {
                    "value": -0.031, "n": 250, "low": -0.041, "high": -0.026, "level": 0.95,
                    "method": "historical simulation, today's weights; bounds: Woodruff",
                    "as_of": "2024-06-28", "source": "imported", "status": "ok", "reason": "",
                }
            },
        }
    ],
    "compliance": {"counts": {"oversize": 1}, "latest": []},
    "trading_halted": True,
}  # fmt: skip


class RiskManagement(APIView):
    @extend_schema(
        tags=["performance"],
        summary="Risk management",
        parameters=[SourceQuery],
        responses=LabelledRiskOut,
        examples=[OpenApiExample("abridged", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Risk of every account and position, advice, broken rules and proposals."""
        question = asked(SourceQuery, request)
        page = risk_page.get_page(source=question["source"], now=timezone.now())
        return Response(label(question["source"]) | RiskOut(page).data)
