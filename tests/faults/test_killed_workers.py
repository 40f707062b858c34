"""A worker that is killed loses no job and runs none twice, whatever the broker."""

import os

import pytest
import redis

from tests.faults import processes

REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


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
class TestWorker:
    def test_loses_nothing_and_runs_nothing_twice_when_it_is_killed(self, tmp_path, redis_url):
        found = processes.drive(
            tmp_path, "kill", "--count", "8", "--kills", "3", redis_url=redis_url
        )

        assert found["kills"] == 3
        assert found["states"] == {"succeeded": 8}
        assert (found["lost"], found["marks"], found["at_the_same_time"]) == (0, 8, 0)

    def test_runs_jobs_and_ends_when_told(self, tmp_path, redis_url):
        found = processes.drive(tmp_path, "small", "--count", "20", redis_url=redis_url)

        assert found["states"] == {"succeeded": 21}
        assert found["exit_code"] == 0
