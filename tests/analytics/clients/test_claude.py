import json
from datetime import UTC, date, datetime

import pytest

from analytics.calc import thesis_draft
from analytics.clients import claude as claude_client
from analytics.clients.claude import Claude, ClaudeFailed, Usage
from tests.stubs import claude as wire

TURNS = [("user", "Write a thesis.")]


@pytest.fixture
def stub():
    with wire.running() as running:
        yield running


@pytest.fixture
def connect(stub):
    made = []

    def make(url="", key=wire.KEY, timeout=10.0):
        made.append(
            Claude(key, model="claude-sonnet-5-5", base_url=url or stub.url, timeout=timeout)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def ask(client):
    return client.ask(system="You write theses.", turns=TURNS, most_tokens=4096)


class TestAsk:
    def test_sends_a_schema_and_a_cached_prefix(self, stub, connect):
        ask(connect())

        (body,) = stub.asked
        assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
        assert body["output_config"]["format"]["type"] == "json_schema"
        assert body["output_config"]["format"]["schema"]["additionalProperties"] is False
        assert set(body["output_config"]["format"]["schema"]["required"]) == set(wire.THESIS)
        assert not {"temperature", "tools", "tool_choice", "thinking"} & set(body)
        assert stub.headers[0]["anthropic-version"]

    def test_returns_text_usage_and_request_id(self, connect):
        answer = ask(connect())

        assert json.loads(answer.text) == wire.THESIS
        assert answer.usage == Usage(tokens_in=412, tokens_out=96)
        assert (answer.stop_reason, answer.provider_id) == ("end_turn", "req_stub")

    def test_picks_blocks_by_type(self, stub, connect):
        stub.say(wire.THINKING_FIRST)

        assert claude_client.read(ask(connect())).entry == 2.94

    def test_counts_the_cache(self, stub, connect):
        used = {**wire.USAGE, "cache_creation_input_tokens": 900, "cache_read_input_tokens": 50}
        stub.say(wire.message(usage=used))

        assert ask(connect()).usage == Usage(
            tokens_in=412, tokens_out=96, cache_write=900, cache_read=50
        )

    @pytest.mark.parametrize(
        ("reply", "reason", "again"),
        [
            (wire.UNAUTHORIZED, "unauthorized", False),
            (wire.BILLING, "billing", False),
            (wire.FORBIDDEN, "forbidden", False),
            (wire.RETIRED, "model_gone", False),
            (wire.BAD_REQUEST, "bad_request", False),
            (wire.BUSY, "rate_limited", True),
            (wire.CAPPED, "monthly_cap", False),
            (wire.BROKEN, "server_error", True),
            (wire.OVERLOADED, "overloaded", True),
            (wire.error(418, "teapot"), "bad_request", False),
        ],
        ids=lambda value: value if isinstance(value, str) else None,
    )
    def test_names_every_refusal_and_asks_once(self, stub, connect, reply, reason, again):
        stub.say(reply)

        with pytest.raises(ClaudeFailed) as failed:
            ask(connect())

        assert (failed.value.reason, failed.value.again) == (reason, again)
        assert failed.value.usage is None
        assert not failed.value.unknown
        assert len(stub.asked) == 1

    def test_hears_how_long_to_wait(self, stub, connect):
        stub.say(wire.BUSY)

        with pytest.raises(ClaudeFailed) as failed:
            ask(connect())

        assert failed.value.retry_after == 7.0

    def test_gives_up_on_a_hang_and_does_not_know_the_bill(self, stub, connect):
        stub.say(wire.Reply("{}", hang=20.0))

        with pytest.raises(ClaudeFailed) as failed:
            ask(connect(timeout=0.3))

        assert (failed.value.reason, failed.value.unknown) == ("timed_out", True)

    def test_knows_that_nobody_was_reached(self, connect):
        with pytest.raises(ClaudeFailed) as failed:
            ask(connect(url="http://127.0.0.1:9"))

        assert (failed.value.reason, failed.value.unknown) == ("unreachable", False)

    @pytest.mark.parametrize(
        "reply",
        [
            wire.NOT_JSON,
            wire.Reply("{", 200),
            wire.Reply([1], 200),
            wire.Reply({"type": "message"}, 200),
        ],
        ids=["html", "broken", "list", "no content"],
    )
    def test_takes_no_other_reply_for_a_message(self, stub, connect, reply):
        stub.say(reply)

        with pytest.raises(ClaudeFailed) as failed:
            ask(connect())

        assert (failed.value.reason, failed.value.unknown) == ("not_json", True)

    def test_shows_the_key_to_nobody(self, connect):
        with pytest.raises(ClaudeFailed) as failed:
            ask(connect(key="sk-wrong"))

        assert failed.value.reason == "unauthorized"
        assert "sk-wrong" not in str(failed.value)


class TestRead:
    def test_gives_a_draft_that_can_be_issued(self, connect):
        draft = claude_client.read(ask(connect()))

        assert thesis_draft.problems(draft, close=2.94) == []

    def test_takes_any_casing(self, stub, connect):
        stub.say(wire.thesis(recommendation="avoid"))

        assert claude_client.read(ask(connect())).recommendation == "AVOID"

    @pytest.mark.parametrize(
        ("reply", "reason", "said"),
        [
            (wire.REFUSAL, "refusal", "unsafe"),
            (wire.CUT, "cut_off", "max_tokens"),
            (wire.OUT_OF_RANGE, "invalid", "p_target"),
            (wire.thesis(more=1), "invalid", "more"),
            (wire.NOT_A_THESIS, "not_json", "JSON"),
        ],
        ids=["refusal", "cut", "range", "extra", "prose"],
    )
    def test_names_what_cannot_be_used_and_keeps_its_bill(self, stub, connect, reply, reason, said):
        stub.say(reply)

        with pytest.raises(ClaudeFailed) as failed:
            claude_client.read(ask(connect()))

        assert failed.value.reason == reason
        assert said in str(failed.value)
        assert failed.value.usage == Usage(tokens_in=412, tokens_out=96)


class TestGetState:
    def test_tells_when_a_model_goes_away(self, stub, connect):
        stub.models = wire.models(lifecycle="deprecated", retires_at="2027-01-01T00:00:00Z")

        state = connect().get_state()

        assert state.lifecycle == "deprecated"
        assert state.retires_at == datetime(2027, 1, 1, tzinfo=UTC)
        assert state.released_at.date() == date(2026, 9, 1)

    def test_is_none_for_a_model_that_is_not_listed(self, stub, connect):
        stub.models = wire.models(id="claude-other")

        assert connect().get_state() is None

    def test_fails_by_name(self, stub, connect):
        stub.models = wire.UNAUTHORIZED

        with pytest.raises(ClaudeFailed) as failed:
            connect().get_state()

        assert failed.value.reason == "unauthorized"


class TestMostTokensIn:
    def test_is_no_less_than_the_bytes(self):
        bound = claude_client.most_tokens_in("é" * 100, [("user", "x" * 50)])

        assert bound >= 250
