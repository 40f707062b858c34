"""A renamed company: its listing periods are linked by FIGI and never joined."""

from datetime import UTC, date, datetime

import pytest

from analytics.calc import sessions
from analytics.clients.answers import NotInPlan
from analytics.clients.polygon import Polygon
from analytics.models import Security
from analytics.services import lakes, market_sync, renames
from tests import factories
from tests.stubs import market
from tests.stubs import polygon as wire
from tests.stubs.server import running

pytestmark = pytest.mark.django_db
LAST = date(2024, 6, 28)
CHANGED = sessions.offset(LAST, -5)
NOW = datetime(2024, 6, 30, 12, tzinfo=UTC)
FIGI = "BBG001SQCQC5"


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


def events(*names):
    return {
        "status": "OK",
        "results": {
            "name": "Meta Platforms",
            "events": [
                {"type": "ticker_change", "date": str(since), "ticker_change": {"ticker": symbol}}
                for symbol, since in names
            ],
        },
    }


def path(symbol):
    return f"/vX/reference/tickers/{symbol}/events"


@pytest.fixture
def renamed(stub, polygon):
    """Bars of FB up to the change and of META from it on; only META is on a list."""
    old, new = wire.page(market.ticker("META", share_class_figi=FIGI)), wire.page()
    stub.on(wire.TICKERS, old, new)
    for day in sessions.between(sessions.offset(LAST, -29), LAST):
        symbol = "META" if day >= CHANGED else "FB"
        market.put_session(stub, day, market.bars_of(day, [symbol, "S01"]))
        market_sync.sync_session(session=day, polygon=polygon, now=NOW)
    market_sync.sync_listed(polygon=polygon, as_of=LAST, now=NOW)
    market_sync.refresh_listings(now=NOW, again=True)
    stub.on(path("META"), events(("META", CHANGED), ("FB", date(2012, 5, 18))))
    stub.asked.clear()
    return stub


class TestSyncRenames:
    def test_links_the_listing_periods_of_a_company(self, renamed, polygon):
        assert renames.get_other_names(symbol="META", source="live") == []

        stored = renames.sync_renames(polygon=polygon, now=NOW)
        market_sync.refresh_listings(now=NOW, again=True)

        (other,) = renames.get_other_names(symbol="META", source="imported")
        assert stored.new == 2
        assert (other.symbol, other.last) == ("FB", sessions.offset(CHANGED, -1))
        (back,) = renames.get_other_names(symbol="FB", source="live")
        assert (back.symbol, back.first) == ("META", CHANGED)

    def test_joins_no_history(self, renamed, polygon, lake):
        renames.sync_renames(polygon=polygon, now=NOW)
        market_sync.refresh_listings(now=NOW, again=True)

        assert Security.objects.filter(symbol="META").get().first_session == CHANGED
        assert lake.read("bars", symbols=["META"]).height == 6

    def test_asks_about_a_company_once(self, renamed, polygon):
        renames.sync_renames(polygon=polygon, now=NOW)
        again = renames.sync_renames(polygon=polygon, now=NOW)

        assert renamed.paths == [path("META")]
        assert again.moved == 0

    def test_asks_only_once_about_one_that_nobody_knows(self, renamed, polygon):
        renamed.on(path("META"), wire.refusal(404, "Ticker not found."))

        renames.sync_renames(polygon=polygon, now=NOW)
        renames.sync_renames(polygon=polygon, now=NOW)

        assert renamed.paths == [path("META")]

    def test_says_when_the_plan_has_no_events(self, renamed, polygon):
        renamed.on(path("META"), wire.NOT_IN_PLAN)

        with pytest.raises(NotInPlan):
            renames.sync_renames(polygon=polygon, now=NOW)


class TestGetOtherNames:
    def test_takes_no_two_companies_without_a_figi_for_one(self):
        factories.make_security(symbol="A", source="live", figi="")
        factories.make_security(symbol="B", source="live", figi="")

        assert renames.get_other_names(symbol="A", source="live") == []

    def test_stays_in_its_realm(self):
        factories.make_security(symbol="A", source="live", figi=FIGI)
        factories.make_security(symbol="B", source="simulated", figi=FIGI)

        assert renames.get_other_names(symbol="A", source="live") == []
