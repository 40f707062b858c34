"""A worker makes room only when it is large, idle, and has been for a while."""

import pytest

from amc_trader.thrift import IDLE_S, LARGE_BYTES, Thrift


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def worker(clock, size=LARGE_BYTES + 1):
    return Thrift(clock, lambda: size)


class TestThrift:
    def test_ends_a_large_worker_that_has_been_idle(self, clock):
        thrift = worker(clock)
        thrift.begin()
        thrift.end()

        clock.now = IDLE_S

        assert thrift.should_end()

    def test_waits_after_the_last_job(self, clock):
        thrift = worker(clock)
        clock.now = 100
        thrift.begin()
        thrift.end()

        clock.now += IDLE_S - 1

        assert not thrift.should_end()

    def test_leaves_a_worker_alone_that_is_at_work(self, clock):
        thrift = worker(clock)
        thrift.begin()
        thrift.begin()
        thrift.end()

        clock.now = 1000

        assert not thrift.should_end()

    def test_leaves_a_small_worker_alone(self, clock):
        thrift = worker(clock, size=LARGE_BYTES)

        clock.now = 1000

        assert not thrift.should_end()
