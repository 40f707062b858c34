"""The trading interface against a broker on this machine, with its faults."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from analytics.clients.answers import RateLimited, Unauthorized
from analytics.errors import BadAnswer, Unavailable
from performance.clients import alpaca as clients
from performance.clients.alpaca_records import NewOrder
from tests.stubs import alpaca_broker as wire
from tests.stubs.server import Answer


def an_order(name="scan-2024-06-24-VIGL", **fields):
    wanted = {"symbol": "VIGL", "side": "buy", "quantity": Decimal(100), "kind": "market"}
    return NewOrder(client_order_id=name, **{**wanted, **fields})


class TestHost:
    def test_of_live_money_is_refused_unless_it_is_allowed(self):
        with pytest.raises(clients.LiveHost, match="not allowed"):
            clients.Alpaca("k", "s", base_url="https://api.alpaca.markets")

        clients.Alpaca("k", "s", base_url="https://api.alpaca.markets", live=True).close()

    def test_is_paper_by_default(self):
        with clients.Alpaca("k", "s") as client:
            assert str(client._sender.base_url) == "https://paper-api.alpaca.markets"


class TestReading:
    def test_sends_the_keys_in_headers_and_nowhere_else(self, alpaca, broker):
        alpaca.account()

        (asked,) = broker.asked
        headers = {name.lower(): value for name, value in asked.headers.items()}
        assert (headers["apca-api-key-id"], headers["apca-api-secret-key"]) == ("key-1", "secret-1")
        assert "secret-1" not in asked.line

    def test_of_the_account_keeps_money_exact(self, alpaca, broker):
        broker.account["cash"] = "122011.09751111286868"

        account = alpaca.account()

        assert account.cash == Decimal("122011.09751111286868")
        assert account.can_trade

    @pytest.mark.parametrize(
        "change",
        [{"trading_blocked": True}, {"status": "ACCOUNT_UPDATED"}],
        ids=["blocked", "status"],
    )
    def test_of_a_blocked_account_says_so(self, alpaca, broker, change):
        broker.account.update(change)

        assert not alpaca.account().can_trade

    def test_makes_a_short_position_negative(self, alpaca, broker):
        broker.positions = [wire.position("VIGL", "5", side="short"), wire.position("BRK.B", "1.5")]

        found = {row.symbol: row.quantity for row in alpaca.positions()}

        assert found == {"VIGL": Decimal(-5), "BRK.B": Decimal("1.5")}

    def test_calls_an_unknown_status_other(self, alpaca, broker):
        broker.orders["a"] = wire.order("a", "mine", status="brand_new_status")

        assert alpaca.order("a").status == "other"

    def test_finds_an_order_by_our_own_id(self, alpaca, broker):
        broker.orders["a"] = wire.order("a", "mine")

        assert alpaca.find_order("mine").id == "a"
        assert alpaca.find_order("another") is None

    def test_pages_through_orders_of_one_instant(self, alpaca, broker, monkeypatch):
        monkeypatch.setattr(clients, "ORDERS_PAGE", 2)
        stamps = ["2024-06-24T14:00:00Z", "2024-06-24T14:00:01Z", "2024-06-24T14:00:02Z"]
        for at, stamp in enumerate(stamps):
            broker.orders[f"o{at}"] = wire.order(f"o{at}", f"c{at}", submitted_at=stamp)
        answers = [
            Answer([broker.orders["o0"], broker.orders["o1"]]),
            Answer([broker.orders["o1"], broker.orders["o2"]]),
            Answer([broker.orders["o2"]]),
        ]
        broker.fault("GET", "/v2/orders", *answers)

        found = alpaca.orders(after=datetime(2024, 6, 1, tzinfo=UTC))

        assert [row.id for row in found] == ["o0", "o1", "o2"]

    def test_of_history_leaves_out_what_is_null_and_knows_milliseconds(self, alpaca, broker):
        broker.history = {"timestamp": [1580826600, 1580913000000], "equity": [None, 27408.19]}

        (point,) = alpaca.history()

        assert (point.equity, point.at) == (
            Decimal("27408.19"),
            datetime(2020, 2, 5, 14, 30, tzinfo=UTC),
        )


class TestActivities:
    def test_are_read_page_by_page(self, alpaca, broker):
        broker.activities = [wire.fill(f"2024::{number:04}") for number in range(205)]

        pages = list(alpaca.activities())

        assert [len(page.rows) for page in pages] == [100, 100, 5]
        assert [page.next_token for page in pages] == ["2024::0099", "2024::0199", None]

    def test_can_go_on_where_they_stopped(self, alpaca, broker):
        broker.activities = [wire.fill(f"2024::{number:04}") for number in range(205)]

        (page,) = alpaca.activities(token="2024::0199")

        assert len(page.rows) == 5

    def test_of_a_full_last_page_end_with_an_empty_one(self, alpaca, broker):
        broker.activities = [wire.fill(f"2024::{number:04}") for number in range(100)]

        assert [len(page.rows) for page in alpaca.activities(after=date(2024, 1, 1))] == [100, 0]

    def test_that_go_round_in_a_circle_are_refused(self, alpaca, broker):
        page = Answer([wire.fill(f"2024::{number:04}") for number in range(100)])
        broker.fault("GET", "/v2/account/activities", page, page)

        with pytest.raises(BadAnswer, match="circle"):
            list(alpaca.activities())

    def test_hand_over_what_cannot_be_read(self, alpaca, broker):
        broker.activities = [wire.fill("1"), wire.fill("2", price="three"), {"id": "3"}]

        (page,) = alpaca.activities()

        assert [row.id for row in page.rows] == ["1"]
        assert [why for _, why in page.unreadable] == [
            "Alpaca: price is 'three', no number",
            "Alpaca: activity_type is None, no text",
        ]

    def test_cut_nanoseconds(self, alpaca, broker):
        broker.activities = [wire.fill("1")]

        (page,) = alpaca.activities()

        assert page.rows[0].at == datetime(2024, 6, 24, 14, 53, 18, 500245, tzinfo=UTC)


class TestFaults:
    def test_of_the_key_are_not_tried_again(self, alpaca, broker):
        broker.fault("GET", "/v2/account", wire.UNAUTHORIZED)

        with pytest.raises(Unauthorized, match="not authorized"):
            alpaca.account()
        assert len(broker.asked) == 1

    @pytest.mark.parametrize(
        ("fault", "wait"),
        [
            (wire.BUSY, 0.5),
            (wire.BUSY_FOR_A_SECOND, 1.0),
            (wire.BROKEN, 0.5),
            (wire.CUT_SHORT, 0.5),
            (wire.HANGS, 0.5),
        ],
        ids=["429", "429 with Retry-After", "500", "truncated", "timeout"],
    )
    def test_that_pass_are_tried_again(self, alpaca, broker, waits, fault, wait):
        broker.fault("GET", "/v2/positions", fault)

        assert alpaca.positions() == []
        assert waits == [wait]


class TestSending:
    def test_an_order_with_its_exits_says_all_as_text(self, alpaca, broker):
        sent = an_order(
            kind="limit",
            limit_price=Decimal("2.95"),
            stop_loss=Decimal("2.60"),
            take_profit=Decimal("5.90"),
        )

        answer = alpaca.submit_order(sent)

        assert answer.client_order_id == "scan-2024-06-24-VIGL"
        assert broker.sent() == [
            {
                "client_order_id": "scan-2024-06-24-VIGL",
                "symbol": "VIGL",
                "side": "buy",
                "qty": "100",
                "type": "limit",
                "time_in_force": "day",
                "limit_price": "2.95",
                "stop_loss": {"stop_price": "2.60"},
                "take_profit": {"limit_price": "5.90"},
                "order_class": "bracket",
            }
        ]

    @pytest.mark.parametrize(
        "fault",
        [wire.BROKEN, wire.HANGS, wire.CUT_SHORT, Answer("no JSON")],
        ids=["500", "timeout", "truncated", "no JSON"],
    )
    def test_is_never_repeated_when_the_outcome_is_unknown(self, alpaca, broker, fault):
        broker.fault("POST", "/v2/orders", fault, done=True)

        with pytest.raises(clients.OutcomeUnknown):
            alpaca.submit_order(an_order())

        assert len(broker.sent()) == 1
        assert alpaca.find_order("scan-2024-06-24-VIGL").status == "accepted"

    def test_to_nobody_says_that_it_did_not_arrive(self):
        client = clients.Alpaca("k", "s", base_url="http://127.0.0.1:9")
        with client, pytest.raises(Unavailable) as raised:
            client.submit_order(an_order())

        assert not isinstance(raised.value, clients.OutcomeUnknown)

    def test_too_often_did_not_arrive(self, alpaca, broker):
        broker.fault("POST", "/v2/orders", wire.BUSY)

        with pytest.raises(RateLimited):
            alpaca.submit_order(an_order())
        assert len(broker.sent()) == 1

    @pytest.mark.parametrize("fault", [wire.FORBIDDEN, wire.BAD_PRICE], ids=["403", "422"])
    def test_gives_the_reason_of_a_refusal(self, alpaca, broker, fault):
        broker.fault("POST", "/v2/orders", fault)

        with pytest.raises(clients.OrderRefused, match=r"insufficient|sub-penny"):
            alpaca.submit_order(an_order())

    def test_twice_is_told_apart(self, alpaca):
        alpaca.submit_order(an_order())

        with pytest.raises(clients.AlreadySent):
            alpaca.submit_order(an_order())

    def test_a_wrong_key_is_no_refusal_of_the_order(self, alpaca, broker):
        broker.fault("POST", "/v2/orders", wire.UNAUTHORIZED)

        with pytest.raises(Unauthorized):
            alpaca.submit_order(an_order())

    def test_cancels_once_and_says_if_it_is_too_late(self, alpaca, broker):
        order = alpaca.submit_order(an_order())
        alpaca.cancel_order(order.id)

        assert alpaca.order(order.id).is_final
        with pytest.raises(clients.OrderRefused, match="not cancelable"):
            alpaca.cancel_order(order.id)

    def test_replaces_a_working_order(self, alpaca, broker):
        order = alpaca.submit_order(an_order(kind="stop", stop_price=Decimal("2.50")))

        new = alpaca.replace_order(order.id, client_order_id="second", stop_price=Decimal("2.75"))

        assert (new.client_order_id, new.stop_price) == ("second", Decimal("2.75"))
        assert alpaca.order(order.id).status == "replaced"
