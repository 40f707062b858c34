"""A night: new sessions in order, late and corrected ones scanned again, what is missing said."""

from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from analytics.calc import sessions
from analytics.clients import http
from analytics.clients.polygon import Polygon
from analytics.models import DataSetState, DiscoveryBatch, HeldSession, JobRun
from analytics.services import data_sets, discovery, lakes, market_sync, night_sync, setup
from performance.services import job_kinds
from tests.stubs import market
from tests.stubs import polygon as wire
from tests.stubs.server import Answer, running

pytestmark = pytest.mark.django_db
NEW_YORK = ZoneInfo("America/New_York")
LAST = date(2024, 7, 2)  # stored; the 3rd is a half day, the 4th a holiday
HALF_DAY, FRIDAY = date(2024, 7, 3), date(2024, 7, 5)


def at(day, hour, minute=0):
    return datetime(2024, 7, day, hour, minute, tzinfo=NEW_YORK)


class Report:
    def __init__(self, now):
        self._now = now

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
def stub(settings):
    with running() as server:
        settings.POLYGON_API_KEY = "secret"
        settings.POLYGON_BASE_URL = server.url
        settings.POLYGON_CALLS_PER_MINUTE = 0
        settings.FINRA_BASE_URL = server.url
        market.put_market(server, sessions.offset(LAST, -39), FRIDAY)
        yield server


@pytest.fixture
def stored(stub, lake):
    """Forty sessions up to LAST with listings, and a batch on LAST."""
    setup.store_variants()
    now = at(2, 18)
    with Polygon("secret", base_url=stub.url) as polygon:
        market_sync.sync_listed(polygon=polygon, as_of=LAST, now=now)
        for day in sessions.between(sessions.offset(LAST, -39), LAST):
            market_sync.sync_session(session=day, polygon=polygon, now=now)
    market_sync.refresh_listings(now=now)
    discovery.record_batches(first=LAST, last=LAST, source="imported", now=now)
    stub.asked.clear()
    return stub


def night(now):
    return job_kinds.run_night({}, Report(now))


def scanned():
    return sorted(set(DiscoveryBatch.objects.current().values_list("session", flat=True)))


class TestGetDue:
    @pytest.mark.parametrize(
        ("now", "due"),
        [
            (at(3, 13, 19), []),  # 20 minutes after the early close
            (at(3, 13, 20), [HALF_DAY]),
            (at(4, 18), [HALF_DAY]),  # a holiday brings nothing new
            (at(5, 16, 19), [HALF_DAY]),
            (at(5, 16, 20), [HALF_DAY, FRIDAY]),
            (at(7, 12), [HALF_DAY, FRIDAY]),  # a weekend
        ],
    )
    def test_is_every_closed_session_since_the_newest(self, stored, now, due):
        assert night_sync.get_due(now=now) == due
        assert night_sync.is_due(now=now) == bool(due)

    def test_is_nothing_for_an_empty_lake(self, stub):
        assert night_sync.get_due(now=at(5, 18)) == []


class TestRunNight:
    def test_catches_up_missed_nights_in_order(self, stored, lake):
        result = night(at(5, 18))

        assert lake.sessions()[-2:] == [HALF_DAY, FRIDAY]
        assert scanned() == [LAST, HALF_DAY, FRIDAY]
        assert result["market"][:2] == [
            "2024-07-03: 24 bars from polygon",
            "2024-07-05: 24 bars from polygon",
        ]

    def test_waits_for_what_is_not_published_and_asks_again(self, stored, lake):
        stored.on(wire.grouped_path(HALF_DAY), wire.TOO_EARLY)
        night(at(3, 13, 30))
        state = DataSetState.objects.get(data_set="bars")

        assert (state.state, scanned()) == ("not_published", [LAST])
        assert not night_sync.is_due(now=at(3, 13, 45))
        assert night_sync.is_due(now=at(3, 13, 50))

        market.put_session(stored, HALF_DAY)
        night(at(3, 14))
        assert scanned() == [LAST, HALF_DAY]

    def test_publishes_no_batch_on_a_session_that_is_held(self, stored, lake):
        market.put_session(stored, HALF_DAY, market.bars_of(HALF_DAY)[:5])

        result = night(at(5, 18))

        assert scanned() == [LAST, FRIDAY]
        assert "2024-07-03 is held back, too_few_symbols: 5 symbols" in result["message"]
        assert HeldSession.objects.standing().get().session == HALF_DAY

    def test_scans_a_held_session_and_those_after_it_once_its_data_are_good(self, stored, lake):
        market.put_session(stored, HALF_DAY, market.bars_of(HALF_DAY)[:5])
        night(at(5, 18))
        market.put_session(stored, HALF_DAY)
        market.put_session(stored, date(2024, 7, 8))

        night(at(8, 18))

        friday = DiscoveryBatch.objects.filter(session=FRIDAY, variant__name="B")
        assert scanned() == [LAST, HALF_DAY, FRIDAY, date(2024, 7, 8)]
        assert list(friday.order_by("revision").values_list("is_current", flat=True)) == [
            False,
            True,
        ]
        assert not HeldSession.objects.standing().exists()

    def test_scans_again_what_a_corrected_file_touches_and_keeps_the_old_batch(self, stored):
        market.put_session(stored, LAST, market.bars_of(LAST, v=5_000_000))

        result = night(at(3, 14))

        batches = DiscoveryBatch.objects.filter(session=LAST, variant__name="B")
        assert "2024-07-02 again: 0 new, 24 changed" in result["message"]
        assert batches.count() == 2
        assert batches.get(is_current=True).supersedes == batches.get(is_current=False)

    def test_scans_again_what_a_corrected_file_drops(self, stored):
        market.put_session(stored, LAST, market.bars_of(LAST)[:-1])

        result = night(at(3, 14))

        assert "2024-07-02 again: 0 new, 0 changed, 1 withdrawn" in result["message"]
        assert DiscoveryBatch.objects.filter(session=LAST, variant__name="B").count() == 2

    def test_scans_again_what_was_corrected_before_a_night_that_was_killed(self, stored):
        market.put_session(stored, LAST, market.bars_of(LAST, v=5_000_000))
        with Polygon("secret", base_url=stored.url) as polygon:
            market_sync.sync_session(session=LAST, polygon=polygon, now=at(3, 13))

        night(at(3, 14))

        assert DiscoveryBatch.objects.filter(session=LAST, variant__name="B").count() == 2

    def test_scans_what_a_split_that_came_late_touches(self, stored):
        early = sessions.offset(LAST, -2)
        split = {"ticker": "S01", "execution_date": str(early), "split_from": 2, "split_to": 1}
        stored.on(wire.SPLITS, wire.page(split | {"id": "E1"}))

        night(at(3, 14))

        assert scanned() == [LAST, HALF_DAY]
        assert DiscoveryBatch.objects.filter(session=LAST, variant__name="B").count() == 2

    def test_says_what_it_skipped_without_a_key(self, stored, settings):
        settings.POLYGON_API_KEY = ""

        result = night(at(5, 18))

        assert "no bars fetched: POLYGON_API_KEY is not set" in result["message"]
        assert stored.asked == []

    def test_asks_for_a_backfill_of_an_empty_lake(self, stub):
        result = night(at(5, 18))

        assert "a backfill comes first" in result["message"]
        assert JobRun.objects.filter(kind="sync_market_data").count() == 1

    def test_scans_nothing_while_the_first_backfill_goes_on(self, stub, lake):
        setup.store_variants()
        night(at(5, 18))
        with Polygon("secret", base_url=stub.url) as polygon:
            market_sync.sync_session(session=HALF_DAY, polygon=polygon, now=at(5, 18))

        assert not night_sync.is_due(now=at(5, 18))
        assert "a backfill is under way" in night(at(5, 18))["message"]
        assert scanned() == []
        assert JobRun.objects.filter(kind="sync_market_data").count() == 1

        job_kinds.run_night({"after_backfill": True}, Report(at(5, 18)))
        assert scanned() == [FRIDAY]

    def test_asks_for_no_backfill_with_a_key_that_is_refused(self, stub):
        data_sets.record(data_set="bars", provider="polygon", state="unauthorized", now=at(5, 17))

        night(at(5, 18))

        assert not JobRun.objects.filter(kind="sync_market_data").exists()

    def test_is_asked_for_again_where_bars_were_left_unscanned(self, stored):
        with Polygon("secret", base_url=stored.url) as polygon:
            for day in (HALF_DAY, FRIDAY):
                market_sync.sync_session(session=day, polygon=polygon, now=at(5, 18))

        assert night_sync.get_due(now=at(5, 18)) == []
        assert night_sync.is_due(now=at(5, 18))
        night(at(5, 18))
        assert not night_sync.is_due(now=at(5, 18))

    def test_says_when_the_provider_does_not_answer_and_falls_back(self, stored, settings, lake):
        settings.ALPACA_API_KEY, settings.ALPACA_SECRET_KEY = "id", "secret"
        settings.ALPACA_DATA_BASE_URL = stored.url
        settings.ALPACA_DATA_CALLS_PER_MINUTE = 0
        stored.on(wire.grouped_path(HALF_DAY), wire.UNKNOWN_KEY)
        bar = {"t": "2024-07-03T04:00:00Z", "o": 3, "h": 4, "l": 2, "c": 3.5, "v": 900000}
        found = {"bars": {symbol: [bar] for symbol in market.SYMBOLS}, "next_page_token": None}
        stored.on("/v2/stocks/bars", found)

        result = night(at(3, 14))

        assert "2024-07-03: key refused" in result["message"]
        assert "2024-07-03: 24 bars from alpaca" in result["message"]
        assert lake.sessions()[-1] == HALF_DAY


FAULTS = {
    "401": (wire.UNKNOWN_KEY, "unauthorized"),
    "not in the plan": (wire.NOT_IN_PLAN, "not_in_plan"),
    "too old": (wire.TOO_OLD, "too_old"),
    "too early": (wire.TOO_EARLY, "not_published"),
    "404": (Answer({"status": "NOT_FOUND", "message": "?"}, status=404), "refused"),
    "429 with Retry-After": (
        Answer(b"", status=429, headers={"Retry-After": "3600"}), "unavailable",
    ),
    "500": (Answer("<html>oops</html>", status=500), "unavailable"),
    "cut short": (Answer(b'{"status": "OK", "results": [{"T"', cut=9), "unavailable"),
    "no JSON": (Answer("<html>hello</html>"), "refused"),
    "absent results": (Answer(wire.HOLIDAY), "not_published"),
    "results of another shape": (Answer({"results": "none"}), "refused"),
}  # fmt: skip


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_leave_the_lake_as_it_is_and_are_seen(self, stored, lake, monkeypatch, fault):
        monkeypatch.setattr(http.random, "uniform", lambda low, high: 0.0)  # wait for nothing
        answer, state = FAULTS[fault]
        stored.on(wire.grouped_path(HALF_DAY), answer)
        before = lake.read("bars")

        night(at(3, 14))

        assert lake.read("bars").equals(before)
        assert scanned() == [LAST]
        found = DataSetState.objects.get(data_set="bars")
        assert found.state == state
        assert "secret" not in found.detail


class TestRequestIfDue:
    def test_asks_for_one_job_until_the_bars_are_there(self, stored):
        ask = partial(job_kinds.request_if_due, now=at(3, 14))

        assert ask() == ask()
        assert JobRun.objects.get().kind == "nightly"

    def test_asks_for_nothing_without_a_key(self, stored, settings):
        settings.POLYGON_API_KEY = ""

        assert job_kinds.request_if_due(now=at(3, 14)) is None


class TestHeldSessions:
    def test_are_refused_by_discovery(self, stored):
        HeldSession.objects.create(
            session=LAST, gate="too_few_symbols", reason="5", held_at=at(2, 18), source="live"
        )

        with pytest.raises(discovery.holds.SessionHeld, match="2024-07-02 is held back"):
            discovery.record_batch(session=LAST, source="imported", now=at(2, 19))
