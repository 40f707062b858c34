"""Whatever a provider does on a night: what comes of it in the lake, the findings and the job."""

from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

import httpx
import pytest

from analytics.calc import sessions
from analytics.clients.polygon import Polygon
from analytics.models import Correction, DataFinding, DataSetState, DiscoveryBatch
from analytics.services import discovery, lakes, market_jobs, market_sync, providers, setup
from performance.services import job_kinds
from tests.stubs import market
from tests.stubs import polygon as wire
from tests.stubs.server import Answer, running

pytestmark = pytest.mark.django_db
NEW_YORK = ZoneInfo("America/New_York")
LAST, NEXT = date(2024, 7, 2), date(2024, 7, 3)  # the 3rd closes at 13:00
LATER = datetime(2024, 7, 5, 18, tzinfo=NEW_YORK)
BARS = "/v2/stocks/bars"
EVENING = datetime(2024, 7, 3, 18, tzinfo=NEW_YORK)


class Report:
    def __init__(self, now=None):
        self._now = now or EVENING

    def now(self):
        return self._now

    def progress(self, current, total=None, message=""):
        pass


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = tmp_path / "lake"
    settings.VAR_DIR = tmp_path
    return lakes.lake_of("live")


@pytest.fixture
def waits(monkeypatch):
    """The seconds that the night would have waited; a request may take a quarter of one."""
    found = []
    patient = {"sleep": found.append, "jitter": lambda: 1.0, "timeout": httpx.Timeout(0.25)}
    monkeypatch.setattr(providers, "Polygon", partial(Polygon, **patient))
    return found


@pytest.fixture
def stub(settings, waits):
    """Twenty-five sessions up to LAST are stored and the last is scanned; NEXT may be had."""
    with running() as server:
        settings.POLYGON_API_KEY = "secret"
        settings.POLYGON_BASE_URL = server.url
        settings.POLYGON_CALLS_PER_MINUTE = 0
        settings.FINRA_BASE_URL = server.url
        first = sessions.offset(LAST, -24)
        market.put_market(server, first, NEXT)
        setup.store_variants()
        with Polygon("secret", base_url=server.url) as polygon:
            market_sync.sync_listed(polygon=polygon, as_of=LAST, now=EVENING)
            for day in sessions.between(first, LAST):
                market_sync.sync_session(session=day, polygon=polygon, now=EVENING)
        market_sync.refresh_listings(now=EVENING)
        discovery.record_batches(first=LAST, last=LAST, source="imported", now=EVENING)
        server.asked.clear()
        yield server


def night():
    return job_kinds.run_night({}, Report())


def asked(stub, path=None):
    return stub.paths.count(path or wire.grouped_path(NEXT))


def scanned():
    return sorted(set(DiscoveryBatch.objects.current().values_list("session", flat=True)))


class TestBars:
    @pytest.mark.parametrize(
        ("headers", "waited"), [({}, [0.5, 1.0]), ({"Retry-After": "12"}, [12.0, 12.0])]
    )
    def test_are_had_after_429_with_and_without_retry_after(self, stub, waits, headers, waited):
        busy = Answer(wire.BUSY.body, status=429, headers=headers)
        stub.on(wire.grouped_path(NEXT), busy, busy, wire.grouped(*market.bars_of(NEXT)))

        result = night()

        assert (asked(stub), waits) == (3, waited)
        assert "2024-07-03: 24 bars from polygon" in result["market"]
        assert scanned() == [LAST, NEXT]

    @pytest.mark.parametrize(
        "answer",
        [
            wire.BUSY,
            Answer(b"", status=429),
            Answer(wire.grouped(), delay=0.6),
            Answer(b"", status=503, headers={"Retry-After": "1"}),
            Answer(b'{"status": "OK", "results": [{"T": "A', cut=40),
            Answer(b'{"status": "OK", "results": [{"T": "A'),
        ],
        ids=["429", "429 empty", "timeout", "503", "cut", "half a body"],
    )
    def test_that_never_come_are_tried_a_few_times_and_said(self, stub, lake, waits, answer):
        stub.on(wire.grouped_path(NEXT), answer)
        before = lake.read("bars")

        result = night()

        state = DataSetState.objects.get(data_set="bars")
        assert (asked(stub), len(waits)) == (5, 4)
        assert state.state == "unavailable"
        assert state.next_try_at > EVENING
        assert "2024-07-03: provider does not answer" in result["message"]
        assert lake.read("bars").equals(before)
        assert scanned() == [LAST]

    def test_of_odd_rows_keep_what_is_right_and_name_the_rest(self, stub, lake):
        bars = market.bars_of(NEXT)
        twice = {**bars[0], "c": bars[0]["c"] + 0.01}
        preferred = wire.bar("KIMpL", NEXT, v=4369.318262)
        bare = wire.bar("S01", NEXT, v=25933.6)
        del bare["vw"], bare["n"]
        nameless = {**wire.bar("X", NEXT), "T": None}
        stub.on(
            wire.grouped_path(NEXT),
            wire.grouped(bars[0], bare, *bars[2:], twice, preferred, nameless),
        )

        result = night()

        stored = {row["symbol"]: row for row in lake.read("bars", first=NEXT).to_dicts()}
        assert stored["KIMpL"]["volume"] == 4369.318262
        assert (stored["S01"]["volume"], stored["S01"]["vwap"]) == (25933.6, None)
        assert stored["S00"]["close"] == bars[0]["c"]
        assert "KIMPL" not in stored
        found = DataFinding.objects.filter(session=NEXT, kept_out=True)
        assert set(found.values_list("gate", "symbol")) == {
            ("duplicate_key", "S00"), ("unreadable", ""),
        }  # fmt: skip
        assert "2024-07-03: 25 bars from polygon" in result["market"]

    def test_of_another_session_are_held_and_publish_nothing(self, stub, lake):
        stub.on(wire.grouped_path(NEXT), wire.grouped(*market.bars_of(LAST)))

        result = night()

        assert "2024-07-03 is held back, unusable_answer" in result["message"]
        assert lake.sessions()[-1] == LAST
        assert scanned() == [LAST]


@pytest.fixture
def alpaca(stub, settings):
    """The fallback has keys; it gives bars of NEXT that differ a little."""
    settings.ALPACA_API_KEY, settings.ALPACA_SECRET_KEY = "id", "hidden"
    settings.ALPACA_DATA_BASE_URL = stub.url
    settings.ALPACA_DATA_CALLS_PER_MINUTE = 0
    bar = {"t": "2024-07-03T04:00:00Z", "o": 3, "h": 4, "l": 2, "c": 3.5, "v": 900000.5}
    found = {symbol: [bar] for symbol in market.SYMBOLS[:-1]}
    stub.on(BARS, {"bars": found, "next_page_token": None})
    return stub


class TestFallback:
    def test_fills_a_whole_session_and_gives_way_to_the_main_provider(self, alpaca, lake):
        alpaca.on(wire.grouped_path(NEXT), Answer("", status=500))
        first = night()
        assert "2024-07-03: 23 bars from alpaca" in first["market"]
        assert set(lake.read("bars", first=NEXT)["close"]) == {3.5}
        market.put_session(alpaca, NEXT)
        day = LATER.date()
        market.put_session(alpaca, day)

        second = job_kinds.run_night({}, Report(LATER))

        wanted = [bar["c"] for bar in market.bars_of(NEXT)]
        assert lake.read("bars", first=NEXT, last=NEXT)["close"].to_list() == wanted
        assert "2024-07-03 again: 1 new, 23 changed, 0 withdrawn" in second["market"]
        assert Correction.objects.filter(session=NEXT).count() == 24
        assert market_sync.fallback_sessions(since=LAST) == set()

    def test_is_replaced_however_long_the_main_provider_was_away(self, alpaca, lake):
        alpaca.on(wire.grouped_path(NEXT), Answer("", status=500))
        night()
        for day in sessions.between(NEXT, date(2024, 7, 18)):
            market.put_session(alpaca, day)
        late = datetime(2024, 7, 18, 18, tzinfo=NEW_YORK)

        job_kinds.run_night({}, Report(late))

        assert lake.read("bars", first=NEXT, last=NEXT).height == 24
        assert market_sync.fallback_sessions(since=LAST) == set()

    def test_is_not_asked_where_the_main_provider_answers(self, alpaca):
        night()

        assert asked(alpaca, BARS) == 0

    def test_is_not_asked_for_what_is_not_published_yet(self, alpaca):
        alpaca.on(wire.grouped_path(NEXT), wire.TOO_EARLY)

        night()

        assert asked(alpaca, BARS) == 0

    def test_takes_nothing_away(self, alpaca, lake):
        with providers.connect_alpaca_data() as client:
            night()
            before = lake.read("bars", first=NEXT)
            market_sync.sync_session_from_alpaca(
                session=NEXT, alpaca=client, feed="sip", now=EVENING
            )

        assert before.height == lake.read("bars", first=NEXT).height == 24

    def test_of_a_thin_feed_leaves_a_hole_and_says_why(self, alpaca, lake, settings):
        settings.ALPACA_DATA_FEED = "iex"
        alpaca.on(wire.grouped_path(NEXT), Answer("", status=500))

        result = night()

        state = DataSetState.objects.get(data_set="bars")
        assert asked(alpaca, BARS) == 0
        assert lake.sessions()[-1] == LAST
        assert "a few per cent of the volume" in state.detail
        assert "2024-07-03 from Alpaca: no key" in result["message"]


class TestReferenceData:
    def run(self):
        return market_jobs.sync_reference({}, Report())["message"]

    def listed(self, lake):
        today = lake.read("symbols", first=NEXT).filter(origin="polygon")
        return today["symbol"].to_list()

    def test_of_several_pages_comes_from_our_host_whatever_the_answer_says(self, stub, lake):
        away = "https://api.elsewhere.example/v3/reference/tickers?cursor=2&apiKey=leak"
        stub.on(wire.TICKERS, wire.page(market.ticker("S00"), next_url=away), wire.page())
        stub.on(f"{wire.TICKERS}?cursor=2", wire.page(market.ticker("S01")))

        message = self.run()

        second = next(one for one in stub.asked if "cursor" in one.query)
        assert self.listed(lake) == ["S00", "S01"]
        assert second.query == {"cursor": "2"}
        assert second.headers["Authorization"] == "Bearer secret"
        assert "securities: 2 new, 0 changed" in message

    def test_whose_pages_go_round_is_refused_and_leaves_the_lists_alone(self, stub, lake):
        before = self.listed(lake)
        again = f"https://api.massive.com{wire.TICKERS}?cursor=1"
        page = wire.page(market.ticker("S00"), next_url=again)
        stub.on(wire.TICKERS, page)

        message = self.run()

        state = DataSetState.objects.get(data_set="symbols")
        assert "securities: answer of no use" in message
        assert (state.state, "circle" in state.detail) == ("refused", True)
        assert self.listed(lake) == before == []
        assert asked(stub, wire.TICKERS) < 5

    @pytest.mark.parametrize("body", [{"status": "OK"}, {"status": "DELAYED", "results": []}])
    def test_without_results_is_nothing_new(self, stub, body):
        stub.on(wire.SPLITS, body)

        assert "splits: 0 new, 0 changed" in self.run()
        assert DataSetState.objects.get(data_set="splits").state == "current"
