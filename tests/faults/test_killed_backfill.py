"""A killed backfill, and two at once, leave what an undisturbed one leaves."""

import time
from datetime import date

import pytest

from tests.faults.fill_once import Task, moments
from tests.stubs import market
from tests.stubs.server import running

FIRST, LAST = date(2024, 4, 1), date(2024, 6, 14)


@pytest.fixture(scope="module")
def stub():
    with running() as server:
        market.put_market(server, FIRST, LAST)
        yield server


@pytest.fixture(scope="module")
def undisturbed(stub, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    task = Task(folder=folder, url=stub.url, first=FIRST, last=LAST)
    start = time.monotonic()
    return task.finish(), time.monotonic() - start


@pytest.mark.slow
class TestKilledBackfill:
    def test_leaves_the_same_lake_after_it_is_run_again(self, stub, undisturbed, tmp_path):
        wanted, took = undisturbed
        task = Task(folder=tmp_path / "killed", url=stub.url, first=FIRST, last=LAST)

        seen = [task.kill(moment) for moment in moments(3, took / 3)]

        assert seen == sorted(seen)
        assert seen[0] < 53
        assert task.finish() == wanted

    def test_leaves_the_same_lake_when_two_run_at_once(self, stub, undisturbed, tmp_path):
        task = Task(folder=tmp_path / "two", url=stub.url, first=FIRST, last=LAST)

        one, other = task.start(), task.start()
        codes = [process.wait(timeout=300) for process in (one, other)]
        for process in (one, other):
            process.stdout.close()

        assert codes == [0, 0]
        assert task.finish() == undisturbed[0]
