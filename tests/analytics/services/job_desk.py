"""Asking for and running jobs of a kind made up for the test."""

from datetime import UTC, datetime, timedelta

from analytics.services import jobs

NOW = datetime(2024, 6, 28, 22, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now


def ask(clock, **fields):
    return jobs.request(**{"kind": "test", "arguments": {"n": 1}, "now": clock(), **fields})


def run(job, clock, **fields):
    return jobs.run(job_id=job.pk, clock=clock, **fields)
