import json
import os
import subprocess
import sys
import threading
import uuid

import pytest

from analytics.clients.pace import MINUTE, FilePlaces, Limit, Pace, RedisPlaces, connect
from analytics.errors import Unavailable

START = 1_700_000_000.0


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def places(tmp_path, clock):
    return FilePlaces(tmp_path / "pace" / "stub.json", clock=clock)


def pace(places, clock, calls=5, window=60.0) -> Pace:
    return Pace(Limit(calls=calls, window=window), places, sleep=clock.sleep)


class TestLimit:
    def test_is_kept_by_the_second_if_it_is_high(self):
        assert Limit.per_minute(5) == Limit(calls=5, window=MINUTE)
        assert Limit.per_minute(3000) == Limit(calls=50, window=1.0)

    def test_says_how_long_calls_take(self):
        assert Limit(calls=5, window=60).seconds_for(252) == 50 * 60

    @pytest.mark.parametrize(("calls", "window"), [(0, 60), (5, 0), (5, -1)])
    def test_lets_some_call_pass(self, calls, window):
        with pytest.raises(ValueError, match="lets none pass"):
            Limit(calls=calls, window=window)


class TestPace:
    def test_lets_the_first_calls_pass_and_the_next_wait(self, places, clock):
        limited = pace(places, clock)

        times = []
        for _ in range(11):
            limited.take_turn()
            times.append(clock.now - START)

        assert times == [0] * 5 + [60] * 5 + [120]

    def test_slides(self, places, clock):
        limited = pace(places, clock, calls=2)
        limited.take_turn()
        clock.now += 45
        limited.take_turn()

        limited.take_turn()
        limited.take_turn()

        assert clock.slept == [15, 45]

    def test_is_shared_by_all_who_name_it(self, tmp_path, clock):
        one, two = (pace(FilePlaces(tmp_path / "x.json", clock=clock), clock) for _ in range(2))

        for limited in (one, two, one, two, one, two):
            limited.take_turn()

        assert clock.now == START + 60

    def test_makes_everybody_wait_after_a_hold(self, tmp_path, clock):
        one, two = (pace(FilePlaces(tmp_path / "x.json", clock=clock), clock) for _ in range(2))
        one.hold(30)

        two.take_turn()

        assert clock.now == START + 30

    def test_waits_the_rest_of_the_minute_if_nobody_says_how_long(self, places, clock):
        limited = pace(places, clock)
        limited.hold()

        limited.take_turn()

        assert clock.now == START + MINUTE

    def test_makes_those_wait_who_were_asleep_already(self, places, clock):
        limited = pace(places, clock, calls=1)
        limited.take_turn()
        sleep = clock.sleep

        def told_to_wait_meanwhile(seconds: float) -> None:
            sleep(seconds)
            if len(clock.slept) == 1:
                limited.hold(100)

        Pace(Limit(calls=1, window=60), places, sleep=told_to_wait_meanwhile).take_turn()

        assert clock.now == START + 160

    def test_does_not_shorten_a_hold(self, places, clock):
        places.hold(50)
        places.hold(5)

        assert places.held_until() == START + 50


class TestFilePlaces:
    def test_starts_afresh_after_the_clock_was_set_back(self, places, clock):
        limited = pace(places, clock, calls=1)
        limited.take_turn()
        clock.now -= 3600

        limited.take_turn()

        assert clock.slept == []

    def test_waits_a_minute_if_the_file_is_damaged(self, tmp_path, clock):
        path = tmp_path / "x.json"
        path.write_text('{"at": 17000')

        pace(FilePlaces(path, clock=clock), clock).take_turn()

        assert clock.slept == [MINUTE]
        assert json.loads(path.read_bytes())["places"] == [START + MINUTE]

    def test_can_be_read_by_its_owner_only(self, places, tmp_path):
        places.hold(1)

        assert (tmp_path / "pace" / "stub.json").stat().st_mode & 0o077 == 0

    def test_loses_no_place_between_threads(self, tmp_path):
        found = []

        def work() -> None:
            places = FilePlaces(tmp_path / "x.json")
            found.extend(places.reserve(Limit(calls=5, window=60))[0] for _ in range(20))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 80
        assert within_limit(sorted(found), calls=5, window=60)


WORKER = """
import sys
from pathlib import Path
from analytics.clients.pace import FilePlaces, Limit, RedisPlaces
kind, where, count = sys.argv[1:]
places = FilePlaces(Path(where)) if kind == "file" else RedisPlaces(*where.split(" "))
for _ in range(int(count)):
    print(places.reserve(Limit(calls=5, window=60))[0], flush=True)
"""


def workers(kind: str, where: str, *, number: int = 3, count: int = 40) -> list[subprocess.Popen]:
    """Processes that reserve places and do not wait for them."""
    command = [sys.executable, "-c", WORKER, kind, where, str(count)]
    return [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(number)]


def places_of(processes: list[subprocess.Popen]) -> list[float]:
    found = []
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        found += [float(line) for line in out.split()]
    return sorted(found)


def within_limit(places: list[float], *, calls: int, window: float) -> bool:
    """Whether no window holds more calls."""
    pairs = zip(places, places[calls:], strict=False)
    return all(later - earlier >= window - 0.001 for earlier, later in pairs)


class TestProcesses:
    def test_share_one_limit_in_a_file(self, tmp_path):
        places = places_of(workers("file", str(tmp_path / "x.json")))

        assert len(places) == 120
        assert within_limit(places, calls=5, window=60)

    def test_waste_no_place(self, tmp_path):
        places = places_of(workers("file", str(tmp_path / "x.json")))

        assert places[-1] - places[0] == pytest.approx(23 * 60, abs=5)

    def test_go_on_after_one_of_them_was_killed(self, tmp_path):
        path = tmp_path / "x.json"
        (doomed,) = workers("file", str(path), number=1, count=100_000)
        doomed.stdout.readline()
        doomed.kill()
        doomed.communicate(timeout=60)

        assert len(places_of(workers("file", str(path), number=1, count=2))) == 2


@pytest.fixture
def redis_places():
    url = os.environ.get("TEST_REDIS_URL", "")
    places = RedisPlaces(url, f"test-{uuid.uuid4().hex}")
    yield places
    places.forget()


@pytest.mark.redis
class TestRedisPlaces:
    def test_gives_places_in_order(self, redis_places):
        limit = Limit(calls=2, window=60)

        first, second, third = (redis_places.reserve(limit) for _ in range(3))

        assert (first[1], second[1]) == (0, 0)
        assert third[0] == pytest.approx(first[0] + 60, abs=0.01)
        assert third[1] == pytest.approx(60, abs=0.5)

    def test_holds_and_does_not_shorten(self, redis_places):
        redis_places.hold(50)
        redis_places.hold(5)

        assert redis_places.reserve(Limit(calls=2, window=60))[1] == pytest.approx(50, abs=0.5)

    def test_is_shared_by_processes(self):
        where = f"{os.environ['TEST_REDIS_URL']} test-{uuid.uuid4().hex}"

        places = places_of(workers("redis", where))

        assert len(places) == 120
        assert within_limit(places, calls=5, window=60)


class TestConnect:
    def test_takes_a_file_where_there_is_no_redis(self, tmp_path):
        connect(name="stub", limit=Limit(calls=5), redis_url="", folder=tmp_path).take_turn()

        assert (tmp_path / "stub.json").exists()

    def test_says_that_redis_does_not_answer(self, tmp_path):
        limited = connect(
            name="stub", limit=Limit(calls=5), redis_url="redis://127.0.0.1:9/0", folder=tmp_path
        )

        with pytest.raises(Unavailable, match="rate limit in Redis: ConnectionError"):
            limited.take_turn()
