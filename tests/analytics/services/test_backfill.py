"""The backfill: what is there is skipped, what the plan lacks is a state, time left is said."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.clients.answers import Unauthorized
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


def fill(polygon, progress=None, until=None, clock=lambda: NOW, **wanted):
    return backfill.fill(
        polygon=polygon,
        finra=None,
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
        assert "about 3." in str(found)
        assert "A free plan reaches back two years: 365 sessions are too old" in str(found)

    def test_asks_for_nothing_that_has_not_closed(self):
        early = datetime(2024, 6, 14, 15, tzinfo=UTC)

        assert plan(now=early).last == date(2024, 6, 13)

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

        assert (5, 10) in {(current, total) for current, total, _ in progress.said}
        assert any("5 sessions left, about a minute" in message for *_, message in progress.said)

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
