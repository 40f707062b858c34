"""A worker that is killed while it fills the lake: the lake is that of an undisturbed one.

``AMC_KILLS=20`` kills as often; a few are enough for every day.
"""

import os
from datetime import date

import pytest
import redis

from tests.faults.fill_by_worker import drive
from tests.stubs import market
from tests.stubs import polygon as wire
from tests.stubs.server import running

REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
KILLS = int(os.environ.get("AMC_KILLS", "2"))
LAST = date(2024, 6, 14)
FIRST = date(2024, 4, 1) if KILLS <= 5 else date(2022, 6, 1)


@pytest.fixture(scope="module")
def stub():
    with running() as server:
        market.put_market(server, FIRST, LAST)
        volume = {"ticker": "S01", "date": "2024-04-02", "short_volume": 10, "total_volume": 20}
        server.on("/stocks/v1/short-volume", wire.page(volume))
        yield server


@pytest.fixture(scope="module")
def undisturbed(stub, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return drive(folder, url=stub.url, first=FIRST, last=LAST, kills=0)


@pytest.fixture(params=["embedded", "redis"])
def redis_url(request):
    """The URL of the broker; "" for the embedded one."""
    if request.param == "embedded":
        yield ""
        return
    server = redis.Redis.from_url(REDIS_URL)
    try:
        server.ping()
    except redis.exceptions.ConnectionError:
        pytest.skip(f"needs Redis at {REDIS_URL}: give TEST_REDIS_URL")
    if server.dbsize():
        pytest.skip(f"the database at {REDIS_URL} holds keys: give an empty one")
    yield REDIS_URL
    server.flushdb()
    server.close()


@pytest.mark.slow
class TestKilledWorker:
    def test_leaves_the_lake_of_an_undisturbed_one(self, stub, undisturbed, tmp_path, redis_url):
        found = drive(
            tmp_path, url=stub.url, first=FIRST, last=LAST, kills=KILLS, redis_url=redis_url
        )

        assert (found.kills, found.state) == (KILLS, "succeeded")
        assert found.attempts == KILLS + 1
        assert found.sessions == sorted(found.sessions)
        assert found.content == undisturbed.content
        assert len(found.content["bars"]) >= 24 * 50
