from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests import factories, portfolio_rows

TRADES, POSITIONS, EQUITY = (f"/performance/{name}" for name in ("trades", "positions", "equity"))
pytestmark = pytest.mark.django_db


def closed(**fields):
    wanted = {
        "opened_at": datetime(2024, 6, 3, 14, tzinfo=UTC),
        "closed_at": datetime(2024, 6, 10, 14, tzinfo=UTC),
        "exit_price": "4.50",
        "realised": "150.00",
        "return_on_cost": 0.5,
    }
    return factories.make_trade(**{**wanted, **fields})


class TestTrades:
    def test_give_money_exactly_and_name_their_source(self, api):
        closed(symbol="VIGL", realised="149.98")

        found = api.get(TRADES).json()

        assert found["source"] == "imported"
        (row,) = found["results"]
        assert (row["realised"], row["unrealised"], row["status"]) == ("149.98", None, "closed")

    @pytest.mark.parametrize(
        ("query", "symbols"),
        [
            ("first=2024-06-11", ["OPEN"]),
            ("last=2024-06-05", ["DONE"]),
            ("first=2024-06-04&last=2024-06-30", ["OPEN", "DONE"]),
            ("status=closed", ["DONE"]),
            ("symbol=open", ["OPEN"]),
            ("account=nobody", []),
        ],
    )
    def test_are_those_open_in_the_window(self, api, query, symbols):
        closed(symbol="DONE")
        factories.make_trade(symbol="OPEN", opened_at=datetime(2024, 6, 20, 14, tzinfo=UTC))

        found = api.get(f"{TRADES}?{query}").json()

        assert [row["symbol"] for row in found["results"]] == symbols

    def test_never_mix_real_and_simulated(self, api):
        closed(source="simulated")

        assert api.get(f"{TRADES}?source=imported").json()["count"] == 0
        assert api.get(f"{TRADES}?source=simulated").json()["simulated"] is True

    def test_take_no_more_queries_for_more_rows(self, api):
        closed()
        few = queries(api)
        for _ in range(5):
            closed()

        assert queries(api) == few

    def test_refuse_a_status_that_there_is_not(self, api):
        answer = api.get(f"{TRADES}?status=lost")

        assert answer.status_code == 400
        assert "status" in answer.content.decode()


class TestPositions:
    def test_say_how_old_the_mark_is(self, api):
        factories.make_position(
            mark_price="3.10", mark_session="2024-06-20", market_value="310", unrealised="10",
            is_frozen=True,
        )  # fmt: skip

        (row,) = api.get(POSITIONS).json()["results"]

        assert (row["mark_session"], row["is_frozen"], row["unrealised"]) == (
            "2024-06-20",
            True,
            "10.00",
        )


class TestEquity:
    def test_is_summed_over_accounts_by_session(self, api):
        portfolio_rows.make_equity()
        portfolio_rows.make_equity(cash="0.01", holdings="0", equity="0.01", equity_at_zero="0.01")
        portfolio_rows.make_equity(session=date(2024, 6, 27))

        rows = api.get(EQUITY).json()["results"]

        assert [(row["session"], row["equity"]) for row in rows] == [
            ("2024-06-27", "1500.00"),
            ("2024-06-28", "1500.01"),
        ]


@pytest.mark.parametrize("url", [TRADES, POSITIONS, EQUITY])
def test_is_for_staff(url):
    assert APIClient().get(url).status_code in {401, 403}


def queries(api):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        api.get(TRADES)
    return len(seen)
