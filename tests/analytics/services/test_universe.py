"""The universe of a past session is the one of that day, whatever became of it since."""

from datetime import UTC, date, datetime

import pytest

from analytics.calc import sessions
from analytics.clients.polygon import Polygon
from analytics.models import DiscoveryBatch, Security
from analytics.services import backfill, discovery, lakes, setup
from tests.stubs import market
from tests.stubs import polygon as wire
from tests.stubs.server import running

pytestmark = pytest.mark.django_db
LAST = date(2024, 2, 29)
FIRST = sessions.offset(LAST, -69)  # in November: lists as of there, 2 January and LAST
LEFT = sessions.offset(LAST, -20)  # last session of GONE; it comes back as another company
NOW = datetime(2024, 3, 1, 23, tzinfo=UTC)
OLD, NEW = "BBG001OLDCO1", "BBG001NEWCO1"
OUT = {
    "ETF": market.ticker("ETF", type="ETF"),
    "FUND": market.ticker("FUND", type="FUND"),
    "KIMpL": market.ticker("KIMpL", type="PFD"),
    "WAR.WS": market.ticker("WAR.WS", type="WARRANT"),
    "UNI.U": market.ticker("UNI.U", type="UNIT"),
    "ZVZZT": market.ticker("ZVZZT", name="NASDAQ TEST STOCK"),
    "BLNK": market.ticker("BLNK", name="Big Acquisition Corp II"),
    "BARE": {"ticker": "BARE", "name": "No type on old rows", "market": "stocks", "locale": "us"},
}


@pytest.fixture(scope="module")
def stub():
    """STAY trades all along, GONE leaves and its ticker goes to another company 8 weeks later."""
    with running() as server:
        for day in sessions.between(FIRST, LAST):
            names = ["STAY", *OUT]
            if day <= LEFT or day >= sessions.offset(LAST, -5):
                names.append("GONE")
            market.put_session(server, day, market.bars_of(day, names))
        stay, gone = market.ticker("STAY"), market.ticker("GONE", share_class_figi=OLD)
        delisted = {**gone, "active": False, "delisted_utc": f"{LEFT}T00:00:00Z"}
        reborn = market.ticker("GONE", share_class_figi=NEW, type="ETF")
        before, now = [stay, gone, *OUT.values()], [stay, reborn, *OUT.values()]
        server.on(
            wire.TICKERS,
            wire.page(*before), wire.page(),
            wire.page(*before), wire.page(),
            wire.page(*now), wire.page(delisted),
        )  # fmt: skip
        server.on(wire.SPLITS, wire.page())
        for path in ("/stocks/v1/short-interest", "/stocks/v1/short-volume", "/v2/reference/news"):
            server.on(path, wire.NOT_IN_PLAN)
        server.on("/stocks/vX/float", wire.page())
        yield server


@pytest.fixture
def filled(stub, settings, tmp_path):
    settings.LAKE_URL = tmp_path / "lake"
    setup.store_variants()
    plan = backfill.get_plan(now=NOW, limit=None, first=FIRST, last=LAST)
    with Polygon("secret", base_url=stub.url, sleep=lambda _s: None) as polygon:
        backfill.fill(
            polygon=polygon, finra=None, plan=plan, clock=lambda: NOW, on_progress=lambda *_a: None
        )
    return lakes.lake_of("live")


def universe(day):
    """Return how many symbols are listed, and of these common stock or ADRs."""
    discovery.record_batches(first=day, last=day, source="live", now=NOW)
    batch = DiscoveryBatch.objects.get(session=day, variant__name="A")
    return batch.universe_size, batch.funnel[0]


class TestUniverse:
    def test_is_that_of_the_day(self, filled):
        kinds = dict(Security.objects.exclude(symbol="GONE").values_list("symbol", "kind"))
        gone = Security.objects.filter(symbol="GONE").order_by("first_session")

        assert kinds == {
            "STAY": "common", "ETF": "etf", "FUND": "fund", "KIMpL": "preferred",
            "WAR.WS": "warrant", "UNI.U": "unit", "ZVZZT": "other", "BLNK": "spac",
            "BARE": "unknown",
        }  # fmt: skip
        assert [(row.kind, row.figi, row.delisted_on) for row in gone] == [
            ("common", OLD, LEFT), ("etf", NEW, None),
        ]  # fmt: skip
        assert universe(LEFT) == (10, 2)  # a company that has delisted since is still there
        assert universe(sessions.offset(LEFT, 6)) == (9, 1)  # five sessions later it is not
        assert universe(LAST) == (10, 1)  # nor is the other company that has its ticker now
