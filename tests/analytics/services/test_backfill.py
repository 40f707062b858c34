"""The backfill: what is there is skipped, what the plan lacks is a state, time left is said."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.clients.answers import Unauthorized
from analytics.clients.finra import Finra
from analytics.clients.pace import Limit
from analytics.clients.polygon import Polygon
from analytics.errors import Unavailable
from analytics.models import DataSetState, Kind, Security
from analytics.services import backfill, lakes
from tests.stubs import market
from tests.stubs import polygon as wire
from tests.stubs.server import Answer, running

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2024, 6, 3), date(2024, 6, 14)
NOW = datetime(2024, 6, 14, 23, tzinfo=UTC)
VOLUME, INTEREST = "/stocks/v1/short-volume", "/stocks/v1/short-interest"
NEWS = "/v2/reference/news"


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = tmp_path / "lake"
    return lakes.lake_of("live")


@pytest.fixture
def stub():
    with running() as server:
        yield server


@pytest.fixture
def polygon(stub):
    with Polygon("secret", base_url=stub.url, sleep=lambda _s: None) as client:
        yield client


class Progress:
    def __init__(self):
        self.said = []

    def __call__(self, current, total, message):
        self.said.append((current, total, message))


def plan(limit=None, first=FIRST, last=LAST, now=NOW):
    return backfill.get_plan(now=now, limit=limit, first=first, last=last)


def put_records(stub):
    """Answer shorts and news with a row each, whatever month is asked for."""
    volume = {"ticker": "S01", "date": "2024-04-02", "short_volume": 10, "total_volume": 20.5}
    interest = {"ticker": "S01", "settlement_date": "2024-04-15", "short_interest": 5000}
    story = {
        "id": "n1", "published_utc": "2024-04-02T14:00:00Z", "title": "S01", "tickers": ["S01"],
        "insights": [{"ticker": "S01", "sentiment": "positive"}],
    }  # fmt: skip
    for path, row in ((VOLUME, volume), (INTEREST, interest), (NEWS, story)):
        stub.on(path, wire.page(row))


def fill(polygon, progress=None, until=None, clock=lambda: NOW, finra=None, **wanted):
    return backfill.fill(
        polygon=polygon,
        finra=finra,
        plan=plan(**wanted),
        clock=clock,
        on_progress=progress or Progress(),
        until=until,
    )


def asked_days(stub):
    return [path[-10:] for path in stub.paths if "grouped" in path]


class TestPlan:
    def test_says_how_long_a_free_plan_takes_and_what_it_cannot_give(self):
        limit = Limit(calls=5)
        found = plan(limit=limit, first=date(2021, 1, 4), last=date(2024, 6, 14))

        assert len(found.days) == 868
        assert found.seconds == limit.seconds_for(found.calls) > 3 * 3600
        assert found.costs["bars"] == 868
        assert found.costs["lists"] == 35 * 5
        assert "(bars 868, " in str(found)
        assert "news sentiment 9" in str(found)
        assert "A free plan reaches back two years: 365 sessions are too old" in str(found)

    def test_asks_for_nothing_that_has_not_closed(self):
        early = datetime(2024, 6, 14, 15, tzinfo=UTC)

        assert plan(now=early).last == date(2024, 6, 13)

    def test_says_what_shorts_cost_where_the_plan_has_none(self):
        found = str(plan(first=date(2019, 1, 2), last=date(2021, 12, 31)))

        assert "Shorts that the plan lacks come from 829 files of FINRA, about 7 min." in found
        assert "daily short volume is not known to begin before 2020-01-02" in found
        assert "has exchange-listed stocks from 2021-06-01 on" in found
        assert "Public floats are of today only" in found

    def test_refuses_a_range_without_sessions(self):
        with pytest.raises(backfill.NothingToSync):
            plan(first=date(2024, 6, 15), last=date(2024, 6, 16))


class TestFill:
    def test_stores_every_session_with_listings(self, stub, polygon, lake):
        days = market.put_market(stub, FIRST, LAST)

        filled = fill(polygon)

        assert (filled.stored, filled.skipped, filled.held) == (10, 0, [])
        assert lake.sessions() == days
        assert lake.read("bars").height == 240
        assert Security.objects.filter(kind=Kind.COMMON, figi__startswith="BBG").count() == 24

    def test_skips_what_is_there(self, stub, polygon, lake):
        market.put_market(stub, FIRST, LAST)
        fill(polygon)
        before, lists = lake.versions(), stub.paths.count(wire.TICKERS)
        stub.asked.clear()

        again = fill(polygon)

        assert (again.stored, again.skipped) == (0, 10)
        assert (asked_days(stub), lists) == ([], 4)
        assert lake.versions()["bars"] == before["bars"]

    def test_goes_on_where_it_was_ended(self, stub, polygon, lake):
        days = market.put_market(stub, FIRST, LAST)

        def end(current, total, message):
            if current == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fill(polygon, progress=end)
        assert len(lake.sessions()) == 4
        stub.asked.clear()
        fill(polygon)

        assert lake.sessions() == days
        assert set(asked_days(stub)) == {str(day) for day in days[4:]}

    def test_stops_when_its_time_is_up_and_keeps_what_it_has(self, stub, polygon, lake):
        market.put_market(stub, FIRST, LAST)
        times = iter(NOW + timedelta(minutes=n) for n in range(200))

        with pytest.raises(backfill.MoreToDo):
            fill(polygon, clock=lambda: next(times), until=NOW + timedelta(minutes=15))

        assert 0 < len(lake.sessions()) < 10
        assert Security.objects.exists()

    def test_says_how_much_is_left(self, stub, polygon):
        market.put_market(stub, FIRST, LAST)
        progress = Progress()

        fill(polygon, progress)

        assert (5, 13) in {(current, total) for current, total, _ in progress.said}
        assert any("8 steps left, about a minute" in message for *_, message in progress.said)

    def test_finds_where_the_plan_begins_without_asking_for_every_day(self, stub, polygon, lake):
        days = market.put_market(stub, FIRST, LAST)
        for day in days[:6]:
            stub.on(wire.grouped_path(day), wire.TOO_OLD)

        filled = fill(polygon)

        state = DataSetState.objects.get(data_set="bars")
        assert (filled.too_old, lake.sessions()) == (6, days[6:])
        assert (state.state, state.plan_from, state.newest) == ("too_old", days[6], days[-1])
        assert len([path for path in asked_days(stub) if path < str(days[6])]) <= 4

    def test_shows_what_the_plan_lacks_as_a_state(self, stub, polygon):
        market.put_market(stub, FIRST, LAST)

        filled = fill(polygon)

        states = dict(DataSetState.objects.values_list("data_set", "state"))
        assert states["short_interest"] == states["sentiment"] == "not_in_plan"
        assert states["bars"] == states["symbols"] == states["splits"] == "current"
        assert "news sentiment: not in the plan" in str(filled)
        assert "Not in the plan when last asked: news sentiment" in str(plan())

    def test_fills_shorts_and_news_of_the_whole_period_month_by_month(self, stub, polygon, lake):
        first = date(2024, 3, 18)
        market.put_market(stub, first, LAST)
        put_records(stub)

        filled = fill(polygon, first=first)

        asked = [a.query for a in stub.asked if a.path == VOLUME]
        assert [(q["date.gte"], q["date.lte"]) for q in asked] == [
            ("2024-06-03", "2024-06-14"),
            ("2024-05-01", "2024-05-31"),
            ("2024-04-01", "2024-04-30"),
            ("2024-03-18", "2024-03-28"),
        ]
        assert lake.read("short_volume")["session"].to_list() == [date(2024, 4, 2)]
        assert lake.read("sentiment").height == 1
        assert "short volume: 1 rows" in str(filled)

    def test_asks_for_a_month_of_records_once(self, stub, polygon):
        first, later = date(2024, 4, 1), NOW + timedelta(days=30)
        market.put_market(stub, first, LAST)
        put_records(stub)
        fill(polygon, first=first)
        stub.asked.clear()

        fill(polygon, first=first, clock=lambda: later, now=later)

        asked = [a.query["date.gte"] for a in stub.asked if a.path == VOLUME]
        assert asked == ["2024-06-03"]  # its end was young when it was asked for
        stub.asked.clear()
        fill(polygon, first=first, clock=lambda: later, now=later)
        assert not [a for a in stub.asked if a.path in (VOLUME, INTEREST, NEWS)]

    def test_asks_once_for_what_the_plan_lacks_and_takes_finras_files(self, stub, polygon, lake):
        first = date(2024, 4, 1)
        market.put_market(stub, first, LAST)
        day = "/equity/regsho/daily/CNMSshvol20240402.txt"
        header = "Date|Symbol|ShortVolume|ShortExemptVolume|TotalVolume|Market"
        stub.on(day, f"{header}\n20240402|S01|10.5|0|20.25|B,Q,N\n1\n")

        with Finra(base_url=stub.url, sleep=lambda _s: None) as finra:
            filled = fill(polygon, first=first, finra=finra)

        assert [a.path for a in stub.asked].count(VOLUME) == 1
        assert lake.read("short_volume")["short_volume"].to_list() == [10.5]
        assert "months refused" in str(filled)
        assert "news sentiment: not in the plan" in str(filled)

    def test_stops_at_a_key_that_is_refused(self, stub, polygon, lake):
        days = market.put_market(stub, FIRST, LAST)
        stub.on(wire.grouped_path(days[3]), wire.UNKNOWN_KEY)

        with pytest.raises(Unauthorized):
            fill(polygon)

        assert DataSetState.objects.get(data_set="bars").state == "unauthorized"
        assert lake.sessions() == days[:3]

    def test_leaves_out_a_session_without_an_answer_and_gives_up_after_three(
        self, stub, polygon, lake
    ):
        days = market.put_market(stub, FIRST, LAST)
        stub.on(wire.grouped_path(days[2]), Answer("<html>", status=500))

        filled = fill(polygon)
        for day in days[5:8]:
            stub.on(wire.grouped_path(day), Answer("", status=503))
        lake.delete("bars", lake.read("bars", first=days[4]))

        assert filled.unanswered == [days[2]]
        with pytest.raises(Unavailable):
            fill(polygon)

    def test_holds_a_broken_session_and_goes_on(self, stub, polygon, lake):
        days = market.put_market(stub, FIRST, LAST)
        market.put_session(stub, days[8], market.bars_of(days[8])[:3])

        filled = fill(polygon)

        assert filled.held == [f"{days[8]} too_few_symbols: 3 symbols where 24 are usual"]
        assert lake.sessions() == [*days[:8], days[9]]
