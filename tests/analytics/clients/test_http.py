import logging
import threading

import httpx
import pytest

from analytics.clients.answers import NotFound, NotPublishedYet, RateLimited, Unauthorized
from analytics.clients.http import LONGEST_WAIT_S, RETRIES
from analytics.errors import BadAnswer, Unavailable
from tests.stubs.server import Answer

KEY = "s3cret-key-of-mine"


@pytest.fixture
def client(ask):
    return ask(auth={"Authorization": f"Bearer {KEY}"})


class FakePace:
    def __init__(self) -> None:
        self.turns = 0
        self.holds: list[float | None] = []

    def take_turn(self) -> None:
        self.turns += 1

    def hold(self, seconds: float | None = None) -> None:
        self.holds.append(seconds)


class TestGet:
    def test_returns_the_object(self, stub, client):
        stub.on("/x", {"a": 1})

        assert client.get("/x", b="2 3") == {"a": 1}
        assert stub.asked[0].query == {"b": "2 3"}

    def test_sends_the_key_in_a_header_only(self, stub, client):
        stub.on("/x", {})

        client.get("/x")

        assert stub.asked[0].headers["Authorization"] == f"Bearer {KEY}"
        assert KEY not in stub.asked[0].line

    def test_keeps_one_connection(self, stub, client):
        stub.on("/x", {})
        before = threading.active_count()

        for _ in range(5):
            client.get("/x")

        assert threading.active_count() <= before + 1  # the stub has a thread per connection

    def test_never_leaves_its_host(self, stub, client):
        stub.on("/other.example/x", {"here": True})

        assert client.get("//other.example/x") == {"here": True}

    def test_reads_an_array_where_one_is_expected(self, stub, client):
        stub.on("/x", [1, 2])

        assert client.get_array("/x") == [1, 2]
        with pytest.raises(BadAnswer, match="expected a JSON object, found list"):
            client.get("/x")

    def test_takes_figures_that_json_does_not_have_for_none(self, stub, client):
        stub.on("/x", b'{"a": NaN, "b": -Infinity}')

        assert client.get("/x") == {"a": None, "b": None}


class TestRetries:
    @pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
    def test_tries_again_after_a_fault_of_the_server(self, stub, client, waits, status):
        stub.on("/x", Answer("<html>oops</html>", status=status), {"a": 1})

        assert client.get("/x") == {"a": 1}
        assert waits == [0.5]

    def test_gives_up_after_so_many_tries_and_waits_twice_as_long_each_time(
        self, stub, client, waits
    ):
        stub.on("/x", Answer(status=500))

        with pytest.raises(Unavailable, match="Stub /x: 500"):
            client.get("/x")

        assert len(stub.asked) == RETRIES + 1
        assert waits == [0.5, 1.0, 2.0, 4.0]

    def test_waits_as_long_as_it_is_told(self, stub, client, waits):
        stub.on("/x", Answer(status=429, headers={"Retry-After": "12"}), {"a": 1})

        client.get("/x")

        assert waits == [12.0]

    def test_understands_a_date_to_wait_for(self, stub, client, waits):
        until = {"Retry-After": "Mon, 03 Jun 2024 13:00:30 GMT"}
        stub.on(
            "/x", Answer(status=503, headers={**until, "Date": "Mon, 03 Jun 2024 13:00:00 GMT"}), {}
        )

        client.get("/x")

        assert waits == [30.0]

    @pytest.mark.parametrize("value", ["soon", "-5", "nan", "1e400"])
    def test_backs_off_on_its_own_if_the_wait_makes_no_sense(self, stub, client, waits, value):
        stub.on("/x", Answer(status=503, headers={"Retry-After": value}), {})

        client.get("/x")

        assert waits == [0.5]

    def test_leaves_a_long_wait_to_the_task(self, stub, client, waits):
        stub.on("/x", Answer(status=503, headers={"Retry-After": "3600"}))

        with pytest.raises(Unavailable) as failure:
            client.get("/x")

        assert failure.value.retry_after == 3600
        assert waits == []

    def test_tries_again_after_a_timeout(self, stub, ask, waits):
        stub.on("/x", Answer({}, delay=0.3), {"a": 1})
        client = ask(timeout=httpx.Timeout(10.0, read=0.1))

        assert client.get("/x") == {"a": 1}
        assert waits[0] == 0.5

    def test_tries_again_if_nobody_listens(self, ask, waits):
        client = ask("http://127.0.0.1:9")

        with pytest.raises(Unavailable, match="Stub /x: ConnectError"):
            client.get("/x")

        assert len(waits) == RETRIES

    def test_tries_again_after_a_body_shorter_than_promised(self, stub, client, waits):
        stub.on("/x", Answer({"a": 1}, cut=50), {"a": 2})

        assert client.get("/x") == {"a": 2}

    @pytest.mark.parametrize("body", [b"", b"  \n", b'{"results": [{"T": "A', b"[1, 2"])
    def test_tries_again_after_an_empty_or_damaged_body(self, stub, client, waits, body):
        stub.on("/x", Answer(body), {"a": 1})

        assert client.get("/x") == {"a": 1}
        assert waits == [0.5]

    def test_does_not_ask_again_for_a_web_page(self, stub, client, waits):
        stub.on("/x", Answer("<html><body>Please <b>log in</b></body></html>"))

        with pytest.raises(BadAnswer, match="expected JSON, found 'Please log in'"):
            client.get("/x")

        assert waits == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [(400, BadAnswer), (401, Unauthorized), (403, Unauthorized), (404, NotFound)],
    )
    def test_are_told_apart_and_asked_once(self, stub, client, waits, status, kind):
        stub.on("/x", Answer({"error": "no such thing"}, status=status))

        with pytest.raises(kind, match=f"Stub /x: {status} no such thing"):
            client.get("/x")

        assert waits == []

    @pytest.mark.parametrize(
        "body",
        [
            {"message": "why"},
            {"error": "why"},
            {"error": {"message": "why"}},
            "<html><title>why</title></html>",
        ],
    )
    def test_say_why_wherever_it_stands(self, stub, client, body):
        stub.on("/x", Answer(body, status=400))

        with pytest.raises(BadAnswer, match=r"400 why$"):
            client.get("/x")

    def test_are_not_followed_elsewhere(self, stub, client):
        stub.on("/x", Answer(status=302, headers={"Location": "http://127.0.0.1:9/y"}))

        with pytest.raises(BadAnswer, match="302"):
            client.get("/x")

        assert stub.paths == ["/x"]

    def test_mean_what_the_provider_says_they_mean(self, stub, ask, waits):
        def early(status, told):
            return NotPublishedYet(told) if status == 403 else None

        client = ask(refusal=early)
        stub.on("/x", Answer({"message": "later"}, status=403))

        with pytest.raises(NotPublishedYet, match="Stub /x: 403 later"):
            client.get("/x")

        assert (len(stub.asked), waits) == (1, [])


class TestSecrets:
    def test_never_appear_in_a_message(self, stub, client):
        stub.on("/x", Answer({"error": f"Unknown API Key {KEY}"}, status=401))

        with pytest.raises(Unauthorized) as refusal:
            client.get("/x")

        assert KEY not in str(refusal.value)
        assert "Unknown API Key ***" in str(refusal.value)

    def test_never_appear_in_a_log(self, stub, client, caplog):
        caplog.set_level(logging.DEBUG)
        stub.on("/x", Answer(status=500), {})

        client.get("/x")

        assert caplog.records
        assert KEY not in caplog.text

    def test_never_appear_in_a_cause(self, ask):
        client = ask("http://127.0.0.1:9", auth={"Authorization": f"Bearer {KEY}"})

        with pytest.raises(Unavailable) as failure:
            client.get("/x")

        assert failure.value.__cause__ is None
        assert KEY not in repr(failure.value)


class TestPace:
    def test_is_kept_by_every_try(self, stub, ask):
        pace = FakePace()
        stub.on("/x", Answer(status=500), {})

        ask(pace=pace).get("/x")

        assert pace.turns == 2

    @pytest.mark.parametrize(("headers", "held"), [({}, None), ({"Retry-After": "7"}, 7.0)])
    def test_holds_everybody_after_429(self, stub, ask, waits, headers, held):
        pace = FakePace()
        stub.on("/x", Answer(status=429, headers=headers), {})

        ask(pace=pace).get("/x")

        assert pace.holds == [held]
        assert waits == []  # the wait is that of the next turn

    def test_holds_nobody_for_longer_than_the_cap(self, stub, ask):
        pace = FakePace()
        stub.on("/x", Answer(status=429, headers={"Retry-After": "9000"}))

        with pytest.raises(RateLimited):
            ask(pace=pace).get("/x")

        assert pace.holds == [LONGEST_WAIT_S]


class TestGetEach:
    def test_answers_in_the_order_of_asking_with_errors_in_their_place(self, stub, client):
        stub.on("/1", Answer({"n": 1}, delay=0.05))
        stub.on("/2", Answer(status=404))
        stub.on("/3", {"n": 3})

        found = list(client.get_each([("/1", {}), ("/2", {}), ("/3", {})]))

        assert found[0] == {"n": 1}
        assert isinstance(found[1], NotFound)
        assert found[2] == {"n": 3}

    def test_asks_several_at_once_but_not_too_many(self, stub, client):
        for n in range(6):
            stub.on(f"/{n}", Answer({"n": n}, delay=0.05))

        list(client.get_each([(f"/{n}", {}) for n in range(6)], at_once=3))

        assert 2 <= stub.most_under_way <= 3

    def test_asks_no_further_ahead_than_it_is_read(self, stub, client):
        for n in range(6):
            stub.on(f"/{n}", {"n": n})

        answers = client.get_each([(f"/{n}", {}) for n in range(6)], at_once=2)
        next(answers)
        answers.close()

        assert sorted(stub.paths) == ["/0", "/1"]

    def test_tries_again_and_keeps_the_pace(self, stub, ask, waits):
        pace = FakePace()
        stub.on("/1", Answer(status=500), Answer(status=429), {"n": 1})
        client = ask(pace=pace)

        assert list(client.get_each([("/1", {})])) == [{"n": 1}]
        assert (pace.turns, pace.holds, waits) == (3, [None], [0.5])

    def test_lets_a_bug_rise(self, client):
        with pytest.raises(httpx.InvalidURL):
            list(client.get_each([("/\x00", {})]))
