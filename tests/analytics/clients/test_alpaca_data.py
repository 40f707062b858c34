from datetime import date

import pytest

from analytics.clients.alpaca_data import AlpacaData, UnknownFeed
from analytics.clients.answers import NotInPlan, NotPublishedYet, Unauthorized
from analytics.errors import BadAnswer
from analytics.lake import bars
from tests.stubs.server import Answer

PATH = "/v2/stocks/bars"
FIRST, LAST = date(2024, 6, 3), date(2024, 6, 4)


@pytest.fixture
def alpaca(stub, options):
    with AlpacaData("id-1", "secret-1", base_url=stub.url, **options) as alpaca:
        yield alpaca


def bar(day="2024-06-03", **changes):
    made = {"o": 3.0, "h": 3.3, "l": 2.9, "c": 3.1, "v": 1000, "n": 7, "vw": 3.05}
    return {**made, "t": f"{day}T04:00:00Z", **changes}


def answer(found, token=None):
    return {"bars": found, "next_page_token": token}


class TestDailyBars:
    def ask(self, alpaca, *symbols, feed="sip"):
        return alpaca.daily_bars(symbols, first=FIRST, last=LAST, feed=feed)

    def test_states_the_feed_it_asked(self, stub, alpaca):
        stub.on(PATH, answer({"A": [bar()]}))

        found = self.ask(alpaca, "A", feed="iex")

        assert found.feed == "iex"
        assert dict(found.reading.frame.drop("line").schema) == bars.COLUMNS
        assert stub.asked[0].query["feed"] == "iex"
        assert stub.asked[0].query["adjustment"] == "raw"

    def test_sends_its_keys_in_headers(self, stub, alpaca):
        stub.on(PATH, answer({}))

        self.ask(alpaca, "A")

        assert stub.asked[0].headers["APCA-API-SECRET-KEY"] == "secret-1"
        assert "secret-1" not in stub.asked[0].line

    def test_knows_no_other_feed(self, alpaca):
        with pytest.raises(UnknownFeed):
            self.ask(alpaca, "A", feed="both")

    def test_takes_the_session_from_new_york_in_summer_and_winter(self, stub, alpaca):
        stub.on(PATH, answer({"A": [bar(), bar(t="2024-06-04T05:00:00Z")]}))

        assert self.ask(alpaca, "A").reading.frame["session"].to_list() == [FIRST, LAST]

    def test_merges_pages_by_symbol(self, stub, alpaca):
        stub.on(
            PATH,
            answer({"A": [bar()]}, "p2"),
            answer({"A": [bar("2024-06-04")], "B": [bar()]}, "p3"),
            answer({"B": [bar("2024-06-04")]}),
        )

        frame = self.ask(alpaca, "B", "A").reading.frame

        assert frame.select("symbol", "session").rows() == [
            ("A", FIRST), ("A", LAST), ("B", FIRST), ("B", LAST)
        ]  # fmt: skip
        assert [asked.query.get("page_token") for asked in stub.asked] == [None, "p2", "p3"]

    def test_is_empty_where_nothing_was_traded(self, stub, alpaca):
        stub.on(PATH, answer({}))

        assert self.ask(alpaca, "A").reading.frame.is_empty()

    def test_refuses_pages_that_go_round_in_a_circle(self, stub, alpaca):
        stub.on(PATH, answer({}, "p2"))

        with pytest.raises(BadAnswer, match="circle"):
            self.ask(alpaca, "A")

    def test_spells_a_preferred_as_alpaca_does_and_back(self, stub, alpaca):
        stub.on(PATH, answer({"KIM.PRL": [bar()], "BRK.B": [bar()]}))

        frame = self.ask(alpaca, "KIMpL", "BRK.B").reading.frame

        assert stub.asked[0].query["symbols"] == "BRK.B,KIM.PRL"
        assert frame["symbol"].to_list() == ["BRK.B", "KIMpL"]

    def test_asks_for_many_symbols_in_several_questions(self, stub, alpaca):
        stub.on(PATH, answer({}))

        self.ask(alpaca, *(f"S{n}" for n in range(150)))

        assert [len(asked.query["symbols"].split(",")) for asked in stub.asked] == [100, 50]

    @pytest.mark.parametrize(
        ("status", "text", "kind"),
        [
            (403, "subscription does not permit querying recent SIP data", NotPublishedYet),
            (403, "subscription does not permit querying SIP data", NotInPlan),
            (403, "forbidden.", Unauthorized),
            (401, "request is not authorized", Unauthorized),
        ],
    )
    def test_tells_refusals_apart(self, stub, alpaca, status, text, kind):
        stub.on(PATH, Answer({"message": text}, status=status))

        with pytest.raises(kind):
            self.ask(alpaca, "A")
