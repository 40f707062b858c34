"""Trades, positions and equity for programs (design §10). Money is text: exact to the cent."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers

from analytics.api.queries import FIRST, LAST, SourceQuery
from analytics.api.views import LabelledList
from performance.models import EquityDay, Position, Trade, TradeStatus
from performance.services import portfolio

ACCOUNT = "Only the account of this name."
TRADE: dict[str, Any] = {
    "id": 17,
    "account": "Alpaca paper",
    "symbol": "ABCD",
    "side": "long",
    "status": "closed",
    "quantity": "100.000000000",
    "open_quantity": "0.000000000",
    "opened_at": "2024-06-24T13:32:00Z",
    "opened_session": "2024-06-24",
    "closed_at": "2024-06-27T13:40:00Z",
    "closed_session": "2024-06-27",
    "entry_price": "3.000000",
    "exit_price": "4.500000",
    "fees": "0.020000",
    "invested": "300.00",
    "proceeds": "449.98",
    "income": "0.00",
    "realised": "149.98",
    "unrealised": None,
    "mark_price": None,
    "mark_session": None,
    "is_frozen": False,
    "return_on_cost": 0.4999,
    "candidate": 812,
    "thesis": None,
    "link": "nearest",
    "source": "imported",
    "links": {"admin": "/admin/performance/trade/17/change/"},
}
POSITION: dict[str, Any] = {
    "id": 4,
    "account": "Alpaca paper",
    "symbol": "ABCD",
    "side": "long",
    "quantity": "100.000000000",
    "average_cost": "3.000000",
    "cost": "300.00",
    "mark_price": "3.100000",
    "mark_session": "2024-06-28",
    "market_value": "310.00",
    "unrealised": "10.00",
    "is_frozen": False,
    "stop_price": "2.600000",
    "stop_confirmed_at": "2024-06-28T20:10:00Z",
    "trade": 17,
    "source": "imported",
}
EQUITY: dict[str, Any] = {
    "session": "2024-06-28",
    "equity": "1310.00",
    "flow": "0.00",
    "cash": "1000.00",
    "holdings": "310.00",
    "frozen": 0,
    "equity_at_zero": "1310.00",
}


class SpanQuery(SourceQuery):
    first = serializers.DateField(required=False, help_text=FIRST)
    last = serializers.DateField(required=False, help_text=LAST)
    account = serializers.CharField(max_length=60, required=False, help_text=ACCOUNT)


class TradeQuery(SpanQuery):
    symbol = serializers.CharField(max_length=16, required=False, help_text="Ticker, any case.")
    status = serializers.ChoiceField(choices=TradeStatus.values, required=False)


class PositionQuery(SourceQuery):
    symbol = serializers.CharField(max_length=16, required=False, help_text="Ticker, any case.")
    account = serializers.CharField(max_length=60, required=False, help_text=ACCOUNT)


class TradeOut(serializers.ModelSerializer[Trade]):
    account = serializers.CharField(source="account.name")
    candidate = serializers.IntegerField(source="candidate_id", allow_null=True)
    thesis = serializers.IntegerField(source="thesis_id", allow_null=True)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Trade
        fields = tuple(TRADE)

    def get_links(self, trade: Trade) -> dict[str, str]:
        return {"admin": reverse("admin:performance_trade_change", args=[trade.pk])}


class PositionOut(serializers.ModelSerializer[Position]):
    account = serializers.CharField(source="account.name")
    trade = serializers.IntegerField(source="trade_id", allow_null=True)

    class Meta:
        model = Position
        fields = tuple(POSITION)


class EquityOut(serializers.ModelSerializer[EquityDay]):
    class Meta:
        model = EquityDay
        fields = tuple(EQUITY)


@extend_schema(
    tags=["performance"],
    summary="Trades",
    parameters=[TradeQuery],
    examples=[OpenApiExample("one", value=TRADE, response_only=True)],
)
class TradeList(LabelledList):
    """Round trips from flat to flat, newest first: closed ones at their result, open ones at mark.

    ``unrealised`` and ``return_on_cost`` are null while no price is known.
    """

    query = TradeQuery
    serializer_class = TradeOut

    def get_queryset(self) -> QuerySet[Trade]:
        wanted = self.question
        found = portfolio.get_trades(
            source=wanted["source"], first=wanted.get("first"), last=wanted.get("last")
        )
        found = found.filter(**_narrowed(wanted)).select_related("account")
        if "status" in wanted:
            found = found.filter(status=wanted["status"])
        return found.newest_first()


@extend_schema(
    tags=["performance"],
    summary="Positions",
    parameters=[PositionQuery],
    examples=[OpenApiExample("one", value=POSITION, response_only=True)],
)
class PositionList(LabelledList):
    """What is held, with its last mark; ``is_frozen`` where that is older than the market."""

    query = PositionQuery
    serializer_class = PositionOut

    def get_queryset(self) -> QuerySet[Position]:
        found = portfolio.get_positions(source=self.question["source"])
        narrowed = found.filter(**_narrowed(self.question))
        return narrowed.select_related("account").order_by("account__name", "symbol")


@extend_schema(
    tags=["performance"],
    summary="Equity",
    parameters=[SpanQuery],
    examples=[OpenApiExample("one", value=EQUITY, response_only=True)],
)
class EquityList(LabelledList):
    """Cash, holdings and equity by session, oldest first, summed over the accounts.

    ``flow`` came from outside in that session; ``equity_at_zero`` counts frozen quotes as 0.
    """

    query = SpanQuery
    serializer_class = EquityOut

    def get_queryset(self) -> Any:
        wanted = self.question
        return portfolio.get_equity_days(
            source=wanted["source"],
            first=wanted.get("first"),
            last=wanted.get("last"),
            account=wanted.get("account", ""),
        )


def _narrowed(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the filters of account and symbol."""
    filters = {"account__name": wanted.get("account"), "symbol": wanted.get("symbol")}
    if filters["symbol"]:
        filters["symbol"] = filters["symbol"].upper()
    return {name: value for name, value in filters.items() if value}
